#include "recall/words.hpp"

#include "base/western_digits.hpp"

#include <algorithm>
#include <array>
#include <utf8proc.h>

namespace engram::recall {
namespace {

bool is_ascii_alnum(unsigned char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool is_letter(utf8proc_category_t category) {
    return (category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO) ||
           (category >= UTF8PROC_CATEGORY_ND && category <= UTF8PROC_CATEGORY_NO);
}

bool is_mark(utf8proc_category_t category) {
    return category >= UTF8PROC_CATEGORY_MN && category <= UTF8PROC_CATEGORY_ME;
}

struct range {
    std::int32_t first, last;
};

/// Thai without its digits, Hangul jamo, Han radicals to Katakana, Han, Hangul, compatibility Han, half-width
/// forms, rare Han.
constexpr std::array<range, 10> without_blanks = {{{0x0E00, 0x0E4F},
                                                   {0x0E5A, 0x0E7F},
                                                   {0x1100, 0x11FF},
                                                   {0x2E80, 0x312F},
                                                   {0x3130, 0x318F},
                                                   {0x31F0, 0x9FFF},
                                                   {0xAC00, 0xD7FF},
                                                   {0xF900, 0xFAFF},
                                                   {0xFF66, 0xFFDC},
                                                   {0x20000, 0x3FFFF}}};

bool is_without_blanks(std::int32_t code) {
    return std::any_of(without_blanks.begin(), without_blanks.end(),
                       [code](range const& of) { return code >= of.first && code <= of.last; });
}

/// Devanagari to Myanmar, Khmer to the Indonesian scripts: their marks are vowels.
bool is_vowel_mark(std::int32_t code) {
    return (code >= 0x0900 && code <= 0x109F) || (code >= 0x1700 && code <= 0x1AAF);
}

void append(std::string& to, std::int32_t code) {
    std::array<utf8proc_uint8_t, 4> bytes{};
    auto const size = utf8proc_encode_char(code, bytes.data());
    to.append(reinterpret_cast<char const*>(bytes.data()), static_cast<std::size_t>(size));
}

/// Letters that are written for each other, or without their stroke or dot, and have no decomposition that
/// says so: Latin, Arabic as Persian and Urdu write it.
struct alike {
    std::int32_t letter;
    std::string_view is;
};
constexpr std::array<alike, 16> letters_alike = {{
    {0x00E6, "ae"},        // ae
    {0x00F0, "d"},         // eth
    {0x00F8, "o"},         // o with stroke
    {0x0111, "d"},         // d with stroke
    {0x0127, "h"},         // h with stroke
    {0x0131, "i"},         // i without its dot
    {0x0142, "l"},         // l with stroke
    {0x0153, "oe"},        // oe
    {0x0167, "t"},         // t with stroke
    {0x0640, ""},          // tatweel
    {0x0649, "\xD9\x8A"},  // alef maksura: yeh
    {0x06A9, "\xD9\x83"},  // keheh: kaf
    {0x06BE, "\xD9\x87"},  // heh doachashmee: heh
    {0x06C1, "\xD9\x87"},  // heh goal: heh
    {0x06CC, "\xD9\x8A"},  // Farsi yeh: yeh
    {0x0629, "\xD9\x87"},  // teh marbuta: heh
}};

alike const* find_alike(std::int32_t code) {
    if (code < 0x00E6 || code > 0x06CC) return nullptr;
    auto const found = std::ranges::find(letters_alike, code, &alike::letter);
    return found == letters_alike.end() ? nullptr : &*found;
}

/// A decimal digit as that of ASCII, any other character as it is.
std::int32_t with_western_digit(std::int32_t code) {
    auto const digit = base::western_digit(static_cast<char32_t>(code));
    return digit == 0 ? code : digit;
}

/// Katakana as hiragana: the same syllables in the other script.
std::int32_t as_hiragana(std::int32_t code) {
    bool const is_katakana = (code >= 0x30A1 && code <= 0x30F6) || code == 0x30FD || code == 0x30FE;
    return is_katakana ? code - 0x60 : code;
}

constexpr std::int32_t zero_width_space = 0x200B;
constexpr std::int32_t apostrophe_letter = 0x02BC;

/// A character's parts. No character has more than 18.
struct parts {
    std::array<utf8proc_int32_t, 32> code{};
    std::size_t size = 0;

    explicit parts(std::int32_t of) {
        auto const options =
            static_cast<utf8proc_option_t>(UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT | UTF8PROC_CASEFOLD);
        int boundary = 0;
        auto const n = utf8proc_decompose_char(of, code.data(), static_cast<utf8proc_ssize_t>(code.size()),
                                               options, &boundary);
        size = n < 0 ? 0 : std::min(static_cast<std::size_t>(n), code.size());
    }
};

}  // namespace

word_reader::character word_reader::look() const {
    auto const first = static_cast<unsigned char>(text_[at_]);
    if (first < 0x80) return {first, 1, is_ascii_alnum(first) ? kind::letter : kind::separator};
    utf8proc_int32_t code = 0;
    auto const size = utf8proc_iterate(reinterpret_cast<utf8proc_uint8_t const*>(text_.data() + at_),
                                       static_cast<utf8proc_ssize_t>(text_.size() - at_), &code);
    if (size <= 0) return {0, 1, kind::separator};
    auto const category = utf8proc_category(code);
    auto is = kind::separator;
    if (is_letter(category) && code != apostrophe_letter) {
        is = is_without_blanks(code) ? kind::paired : kind::letter;
    } else if (is_mark(category)) {
        is = kind::mark;
    } else if (category == UTF8PROC_CATEGORY_CF && code != zero_width_space) {
        is = kind::joiner;
    }
    return {code, static_cast<std::size_t>(size), is};
}

void word_reader::fold(std::int32_t code) {
    if (code < 0x80) {
        folded_ += static_cast<char>(code >= 'A' && code <= 'Z' ? code + ('a' - 'A') : code);
        return;
    }
    parts const of(code);
    for (std::size_t i = 0; i < of.size; ++i) {
        auto const category = utf8proc_category(of.code[i]);
        bool const kept =
            is_mark(category) ? marks_ == marks::keep || is_vowel_mark(of.code[i]) : is_letter(category);
        if (!kept) continue;
        auto const* const same = marks_ == marks::strip ? find_alike(of.code[i]) : nullptr;
        if (same != nullptr)
            folded_ += same->is;
        else
            append(folded_, marks_ == marks::strip ? with_western_digit(of.code[i]) : of.code[i]);
    }
}

void word_reader::read_word() {
    folded_.clear();
    while (at_ < text_.size()) {
        auto const c = look();
        if (c.is == kind::separator || c.is == kind::paired) return;
        if (c.is != kind::joiner) fold(c.code);
        at_ += c.bytes;
    }
}

void word_reader::read_run() {
    run_.clear();
    given_ = 0;
    run_begin_ = at_;
    while (at_ < text_.size()) {
        auto const c = look();
        if (c.is == kind::separator || c.is == kind::letter) break;
        if (c.is != kind::joiner) {
            parts const of(c.code);
            run_.insert(run_.end(), of.code.begin(), of.code.begin() + static_cast<std::ptrdiff_t>(of.size));
        }
        at_ += c.bytes;
    }
    // Syllables of Hangul and voiced kana are one character again.
    auto const composed =
        utf8proc_normalize_utf32(run_.data(), static_cast<utf8proc_ssize_t>(run_.size()), UTF8PROC_COMPOSE);
    if (composed >= 0) run_.resize(static_cast<std::size_t>(composed));
    if (marks_ == marks::strip) std::ranges::transform(run_, run_.begin(), as_hiragana);
}

void word_reader::give_pair(word& one) {
    folded_.clear();
    append(folded_, run_[given_]);
    if (given_ + 1 < run_.size()) append(folded_, run_[given_ + 1]);
    ++given_;
    if (given_ + 1 >= run_.size()) given_ = run_.size();
    one = {folded_, run_begin_, at_};
}

bool word_reader::next(word& one) {
    while (given_ >= run_.size()) {
        if (at_ >= text_.size()) return false;
        auto const c = look();
        if (c.is == kind::letter) {
            auto const begin = at_;
            read_word();
            if (folded_.empty()) continue;
            one = {folded_, begin, at_};
            return true;
        }
        if (c.is == kind::paired) {
            read_run();
        } else {
            at_ += c.bytes;
        }
    }
    give_pair(one);
    return true;
}

std::size_t speaker_prefix(std::string_view text) {
    constexpr std::size_t longest = 30;  // characters after the first
    if (text.empty() || text.front() < 'A' || text.front() > 'Z') return 0;
    std::size_t at = 1;
    for (std::size_t characters = 0; at < text.size(); ++characters) {
        if (text[at] == ':') return at + 1 < text.size() && text[at + 1] == ' ' ? at + 2 : 0;
        if (characters == longest) return 0;
        utf8proc_int32_t code = 0;
        auto const size = utf8proc_iterate(reinterpret_cast<utf8proc_uint8_t const*>(text.data() + at),
                                           static_cast<utf8proc_ssize_t>(text.size() - at), &code);
        if (size <= 0) return 0;
        auto const category = utf8proc_category(code);
        bool const in_name = (is_letter(category) && category < UTF8PROC_CATEGORY_ND) || is_mark(category) ||
                             code == ' ' || code == '\'' || code == 0x2019 || code == '.' || code == '-';
        if (!in_name) return 0;
        at += static_cast<std::size_t>(size);
    }
    return 0;
}

bool is_question(std::string_view text) {
    auto const last = text.find_last_not_of(" \t\r\n\v\f");
    if (last == std::string_view::npos) return false;
    auto const trimmed = text.substr(0, last + 1);
    return trimmed.ends_with('?') || trimmed.ends_with("\xEF\xBC\x9F") || trimmed.ends_with("\xD8\x9F");
}

}  // namespace engram::recall

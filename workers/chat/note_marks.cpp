#include "workers/chat/note_marks.hpp"

#include "base/byte_scan.hpp"
#include "base/western_digits.hpp"

#include <algorithm>
#include <utility>

namespace engram::workers {
namespace {

constexpr std::string_view word = "memory";
constexpr auto npos = std::string_view::npos;
// The half of an opening is the bracket, blanks, and letters of the word: more blanks are no part of it.
constexpr std::size_t longest_half = 64;  // bytes

struct form {
    std::string_view bytes;
    mark is;
};

// Beside the ASCII ones; none is longer than three bytes.
constexpr form forms[] = {
    {"\xC2\xA0", mark::blank},     {"\xE2\x80\xAF", mark::blank},  // no-break, narrow
    {"\xE2\x81\x9F", mark::blank}, {"\xD8\x9C", mark::blank},      // mathematical, Arabic letter mark
    {"\xC2\xAD", mark::blank},                                     // soft hyphen
    {"\xE3\x80\x80", mark::blank}, {"\xEF\xBB\xBF", mark::blank},  // ideographic, byte order mark
    {"\xEF\xBC\xBB", mark::open},  {"\xEF\xBC\xBD", mark::close},  // ［ ］
    {"\xE3\x80\x90", mark::open},  {"\xE3\x80\x91", mark::close},  // 【 】
    {"\xE3\x80\x94", mark::open},  {"\xE3\x80\x95", mark::close},  // 〔 〕
    {"\xE3\x80\x96", mark::open},  {"\xE3\x80\x97", mark::close},  // 〖 〗
    {"\xE3\x80\x9A", mark::open},  {"\xE3\x80\x9B", mark::close},  // 〚 〛
    {"\xE2\x9F\xA6", mark::open},  {"\xE2\x9F\xA7", mark::close},  // ⟦ ⟧
    {"\xEF\xBC\x9A", mark::colon}, {"\xEF\xB9\x95", mark::colon},  // ： ﹕
    {"\xEF\xB8\x93", mark::colon}, {"\xE2\x88\xB6", mark::colon},  // ︓ ∶
    {"\xEF\xBD\x9C", mark::bar},   {"\xC2\xA6", mark::bar},        // ｜ ¦
    {"\xE2\x94\x82", mark::bar},   {"\xE2\x88\xA3", mark::bar},    // │ ∣
    {"\xE2\x9D\x98", mark::bar},                                   // ❘
};

constexpr mark ascii_mark(char c) {
    switch (c) {
        case ' ':
        case '\t':
            return mark::blank;
        case '[':
            return mark::open;
        case ']':
            return mark::close;
        case ':':
            return mark::colon;
        case '|':
            return mark::bar;
        default:
            return mark::other;
    }
}

constexpr bool may_begin_form(unsigned char c) {
    return c == 0xC2 || c == 0xD8 || c == 0xE2 || c == 0xE3 || c == 0xEF;
}

// U+2000..200F, 202A..202E, 2060..206F: blanks, characters without width, and marks of direction.
bool is_general_blank(std::string_view text) {
    if (text.size() < 3 || text[0] != '\xE2') return false;
    auto const second = static_cast<unsigned char>(text[1]);
    auto const third = static_cast<unsigned char>(text[2]);
    if (second == 0x80) return third <= 0x8F || (third >= 0xAA && third <= 0xAE);
    return second == 0x81 && third >= 0xA0 && third <= 0xAF;
}

std::size_t length_by_lead(std::string_view text) {
    auto const lead = static_cast<unsigned char>(text[0]);
    std::size_t const length = lead < 0xC2 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : lead < 0xF5 ? 4 : 1;
    return std::min(length, text.size());
}

// The ASCII character of which a full-width form is at the start of `text`; 0: none is.
char narrow(std::string_view text) {
    if (text.size() < 3 || text[0] != '\xEF') return 0;
    auto const second = static_cast<unsigned char>(text[1]);
    auto const third = static_cast<unsigned char>(text[2]);
    if (second == 0xBC && third >= 0x81 && third <= 0xBF) return char(third - 0x81 + '!');
    if (second == 0xBD && third >= 0x80 && third <= 0x9E) return char(third - 0x80 + '`');
    return 0;
}

// The ASCII digit that means the same as the character at the start of `text`, of `bytes` bytes; 0: none
// does.
char western_digit_at(std::string_view text, std::size_t bytes) {
    if (bytes < 2) return 0;
    char32_t code = static_cast<unsigned char>(text[0]) & (0x7FU >> bytes);
    for (std::size_t i = 1; i < bytes; ++i)
        code = code << 6 | (static_cast<unsigned char>(text[i]) & 0x3FU);
    return base::western_digit(code);
}

constexpr char to_lower(char c) {
    return c >= 'A' && c <= 'Z' ? char(c - 'A' + 'a') : c;
}

struct letters_read {
    std::size_t letters = 0;  // of the word
    std::size_t end = 0;
};

letters_read read_word(std::string_view text, std::size_t at) {
    letters_read read{0, at};
    while (read.end < text.size() && read.letters < word.size()) {
        auto const rest = text.substr(read.end);
        auto const ascii = narrow(rest);
        if (to_lower(ascii != 0 ? ascii : rest[0]) != word[read.letters]) break;
        read.end += ascii != 0 ? 3 : 1;
        ++read.letters;
    }
    return read;
}

}  // namespace

note_character look_at(std::string_view text) {
    auto const first = static_cast<unsigned char>(text[0]);
    if (first < 0x80) return {ascii_mark(text[0]), 1};
    auto const length = length_by_lead(text);
    if (!may_begin_form(first)) return {mark::other, length};
    if (is_general_blank(text)) return {mark::blank, 3};
    for (auto const& one : forms)
        if (text.starts_with(one.bytes)) return {one.is, one.bytes.size()};
    return {mark::other, length};
}

std::size_t skip_blanks(std::string_view text, std::size_t at) {
    while (at < text.size()) {
        auto const c = look_at(text.substr(at));
        if (c.is != mark::blank) break;
        at += c.bytes;
    }
    return at;
}

std::size_t blanks_before(std::string_view text, std::size_t end) {
    for (bool more = true; more;) {
        more = false;
        for (std::size_t bytes = 1; bytes <= std::min<std::size_t>(3, end); ++bytes) {
            auto const c = look_at(text.substr(end - bytes, bytes));
            if (c.is != mark::blank || c.bytes != bytes) continue;
            end -= bytes;
            more = true;
            break;
        }
    }
    return end;
}

std::string_view trim_blanks(std::string_view text) {
    text.remove_prefix(skip_blanks(text, 0));
    return text.substr(0, blanks_before(text, text.size()));
}

bool ends_with(std::string_view text, mark is) {
    for (std::size_t bytes = 1; bytes <= 3 && bytes <= text.size(); ++bytes) {
        auto const c = look_at(text.substr(text.size() - bytes));
        if (c.is == is && c.bytes == bytes) return true;
    }
    return false;
}

std::string to_plain_form(std::string_view text) {
    std::string plain;
    plain.reserve(text.size());
    for (std::size_t at = 0; at < text.size();) {
        auto const rest = text.substr(at);
        auto const c = look_at(rest);
        if (c.is == mark::blank)
            plain += ' ';
        else if (auto const ascii = narrow(rest))
            plain += to_lower(ascii);
        else if (auto const digit = western_digit_at(rest, c.bytes))
            plain += digit;
        else if (c.bytes == 1)
            plain += to_lower(rest[0]);
        else
            plain += rest.substr(0, c.bytes);
        at += c.bytes;
    }
    return plain;
}

opening read_opening(std::string_view text, std::size_t at) {
    auto const bracket = look_at(text.substr(at));
    if (bracket.is != mark::open) return {};
    auto const [letters, end] = read_word(text, skip_blanks(text, at + bracket.bytes));
    if (letters < word.size() && end < text.size()) return {};
    at = letters == word.size() ? skip_blanks(text, end) : end;
    if (at >= text.size()) return {letters > 0 ? opening::extent::half : opening::extent::none, 0, letters};
    auto const colon = look_at(text.substr(at));
    if (colon.is != mark::colon) return {};
    return {opening::extent::whole, at + colon.bytes};
}

std::size_t half_opening_before(std::string_view text, std::size_t at, std::size_t from,
                                std::size_t least_letters) {
    auto const head = text.substr(0, at);
    for (auto begin = at; begin > from && at - begin < longest_half;) {
        --begin;
        auto const c = look_at(head.substr(begin));
        if (c.is == mark::close) break;
        if (c.is != mark::open) continue;
        auto const found = read_opening(head, begin);
        return found.is == opening::extent::half && found.letters >= least_letters ? begin : at;
    }
    return at;
}

std::size_t find_bracket(std::string_view text, std::size_t at) {
    auto const matters = [](unsigned char c) { return (c == '[') | (c == 0xE2) | (c == 0xE3) | (c == 0xEF); };
    for (; (at = base::find_byte(text, at, matters)) < text.size(); ++at) {
        auto const c = static_cast<unsigned char>(text[at]);
        if (c == '[') return at;
        if (at + 2 >= text.size()) continue;
        if (text[at + 1] != '\x80' && text[at + 1] != '\xBC' && text[at + 1] != '\x9F') continue;
        if (look_at(text.substr(at)).is == mark::open) return at;
    }
    return npos;
}

bool could_become_opening(std::string_view text, std::size_t at) {
    auto const read = read_word(text, skip_blanks(text, at + look_at(text.substr(at)).bytes));
    return read.letters == word.size() || read.end >= text.size();
}

bool has_opening(std::string_view text) {
    for (auto at = find_bracket(text, 0); at != npos; at = find_bracket(text, at + 1))
        if (read_opening(text, at).is != opening::extent::none) return true;
    return false;
}

}  // namespace engram::workers

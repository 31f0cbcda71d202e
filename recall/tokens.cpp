#include "recall/tokens.hpp"

#include "base/western_digits.hpp"

#include <algorithm>
#include <array>
#include <utf8proc.h>

namespace engram::recall {
namespace {

struct range {
    char32_t first, last;
    recall::script of;
};

constexpr std::array<range, 13> scripts = {{{0x0590, 0x08FF, script::semitic},
                                            {0x0900, 0x0DFF, script::other},
                                            {0x0E00, 0x0EFF, script::unbroken},
                                            {0x0F00, 0x0FFF, script::other},
                                            {0x1000, 0x109F, script::unbroken},
                                            {0x1100, 0x11FF, script::hangul},
                                            {0x1200, 0x137F, script::other},
                                            {0x1780, 0x17FF, script::unbroken},
                                            {0x2E80, 0x9FFF, script::unbroken},
                                            {0xAC00, 0xD7FF, script::hangul},
                                            {0xF900, 0xFAFF, script::unbroken},
                                            {0xFB1D, 0xFEFC, script::semitic},
                                            {0x20000, 0x3FFFF, script::unbroken}}};

struct character {
    char32_t code = 0;
    std::size_t bytes = 1;
    utf8proc_category_t category = UTF8PROC_CATEGORY_CN;

    [[nodiscard]] bool is_digit() const { return category == UTF8PROC_CATEGORY_ND; }
    [[nodiscard]] bool is_letter() const {
        return (category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO) ||
               category == UTF8PROC_CATEGORY_NL;
    }
    [[nodiscard]] bool is_mark() const {
        return category >= UTF8PROC_CATEGORY_MN && category <= UTF8PROC_CATEGORY_ME;
    }
    [[nodiscard]] bool is_capital() const {
        return category == UTF8PROC_CATEGORY_LU || category == UTF8PROC_CATEGORY_LT;
    }
};

character look(std::string_view text, std::size_t at) {
    auto const first = static_cast<unsigned char>(text[at]);
    if (first < 0x80) return {first, 1, utf8proc_category(first)};
    utf8proc_int32_t code = 0;
    auto const size = utf8proc_iterate(reinterpret_cast<utf8proc_uint8_t const*>(text.data() + at),
                                       static_cast<utf8proc_ssize_t>(text.size() - at), &code);
    if (size <= 0) return {};
    return {static_cast<char32_t>(code), static_cast<std::size_t>(size), utf8proc_category(code)};
}

// Marks that are vowels or make another letter: India and its neighbours, Thai, Lao, voiced kana.
bool is_kept_mark(char32_t c) {
    return (c >= 0x0900 && c <= 0x109F) || (c >= 0x1700 && c <= 0x1AAF) || c == 0x3099 || c == 0x309A;
}

// As that of ASCII, if it is a digit that is known.
char32_t digit_of(char32_t code) {
    auto const digit = base::western_digit(code);
    return digit == 0 ? code : static_cast<char32_t>(digit);
}

void fold(std::u32string& into, char32_t code) {
    if (code < 0x80) {
        into += code >= 'A' && code <= 'Z' ? code + ('a' - 'A') : code;
        return;
    }
    std::array<utf8proc_int32_t, 32> parts{};
    int boundary = 0;
    auto const options =
        static_cast<utf8proc_option_t>(UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT | UTF8PROC_CASEFOLD);
    auto const n = utf8proc_decompose_char(static_cast<utf8proc_int32_t>(code), parts.data(),
                                           static_cast<utf8proc_ssize_t>(parts.size()), options, &boundary);
    for (utf8proc_ssize_t i = 0; i < std::min<utf8proc_ssize_t>(n, parts.size()); ++i) {
        auto const part = static_cast<char32_t>(parts[static_cast<std::size_t>(i)]);
        auto const category = utf8proc_category(parts[static_cast<std::size_t>(i)]);
        bool const mark = category >= UTF8PROC_CATEGORY_MN && category <= UTF8PROC_CATEGORY_ME;
        if (mark && !is_kept_mark(part)) continue;
        if (category == UTF8PROC_CATEGORY_ND)
            into += digit_of(part);
        else
            into += part == 0x131 ? U'i' : part;  // Turkish has two
    }
}

// Syllables of Hangul and voiced kana are one character again.
void compose(std::u32string& text) {
    if (std::ranges::all_of(text, [](char32_t c) { return c < 0x0900; })) return;
    std::vector<utf8proc_int32_t> codes(text.begin(), text.end());
    auto const n =
        utf8proc_normalize_utf32(codes.data(), static_cast<utf8proc_ssize_t>(codes.size()), UTF8PROC_COMPOSE);
    if (n < 0) return;
    text.assign(codes.begin(), codes.begin() + n);
}

// A list of numbers is none of them; more would be compared with every number that is looked for.
constexpr std::size_t most_groups = 16;

// What may stand between the groups of one number, one at a time.
bool joins_digits(char32_t c) {
    constexpr std::u32string_view between = U" .,-/'’:·\u00A0\u2009\u202F\u2010\u2011\u2012\u2013";
    return between.find(c) != between.npos;
}

class reader {
public:
    explicit reader(std::string_view text) : text_(text) {}

    std::vector<token> read() {
        while (at_ < text_.size()) {
            auto const c = look(text_, at_);
            if (c.is_digit())
                read_number();
            else if (c.is_letter())
                script_of(c.code) == script::unbroken ? read_run() : read_word();
            else
                at_ += c.bytes;
        }
        return std::move(tokens_);
    }

private:
    token& add(token one) {
        one.first = tokens_.empty();
        tokens_.push_back(std::move(one));
        return tokens_.back();
    }

    // A number that letters follow is a word: "4b", "2nd"; but not where a script without blanks goes on.
    void read_number() {
        auto const begin = at_;
        token one{.kind = token_kind::number, .text = {}, .groups = {}};
        std::u32string group;
        for (;;) {
            while (at_ < text_.size() && look(text_, at_).is_digit()) {
                auto const c = look(text_, at_);
                group += digit_of(c.code);
                at_ += c.bytes;
            }
            one.text += group;
            one.groups.push_back(std::move(group));
            group.clear();
            if (at_ >= text_.size() || one.groups.size() == most_groups) break;
            auto const c = look(text_, at_);
            if (!joins_digits(c.code) || at_ + c.bytes >= text_.size()) break;
            if (!look(text_, at_ + c.bytes).is_digit()) break;
            at_ += c.bytes;
        }
        if (at_ < text_.size() && one.groups.size() == 1) {
            auto const c = look(text_, at_);
            if (c.is_letter() && script_of(c.code) == script::cased) {
                at_ = begin;
                read_word();
                return;
            }
        }
        if (one.groups.size() == 1) one.groups.clear();
        add(std::move(one));
    }

    void read_word() {
        token one;
        // The digits of Arabic are in its block, and what they begin is a word like "4b".
        auto const begins = look(text_, at_);
        one.script = begins.is_digit() ? script::cased : script_of(begins.code);
        bool small = false, digits = false, letters = false;
        while (at_ < text_.size()) {
            auto const c = look(text_, at_);
            bool const goes_on =
                c.is_letter() || c.is_digit() || c.is_mark() || c.category == UTF8PROC_CATEGORY_CF;
            if (!goes_on || (c.is_letter() && script_of(c.code) == script::unbroken)) break;
            if (c.is_digit() && one.script != script::cased) break;
            one.mixed = one.mixed || (c.is_capital() && small);
            one.capital = one.capital || c.is_capital();
            small = small || c.category == UTF8PROC_CATEGORY_LL;
            digits = digits || c.is_digit();
            letters = letters || c.is_letter();
            if (c.category != UTF8PROC_CATEGORY_CF) fold(one.text, c.code);
            at_ += c.bytes;
        }
        one.mixed = one.mixed || (digits && letters);
        compose(one.text);
        if (!one.text.empty()) add(std::move(one));
    }

    void read_run() {
        token one{.kind = token_kind::run, .script = script::unbroken, .text = {}, .groups = {}};
        while (at_ < text_.size()) {
            auto const c = look(text_, at_);
            bool const of_it = script_of(c.code) == script::unbroken || c.is_mark() || c.code == 0x30FC;
            if (c.is_digit() || !(of_it && (c.is_letter() || c.is_mark()))) break;
            fold(one.text, c.code);
            at_ += c.bytes;
        }
        compose(one.text);
        if (!one.text.empty()) add(std::move(one));
    }

    std::string_view text_;
    std::size_t at_ = 0;
    std::vector<token> tokens_;
};

}  // namespace

script script_of(char32_t c) {
    if (c < 0x0590) return script::cased;
    for (auto const& one : scripts)
        if (c >= one.first && c <= one.last) return one.of;
    return script::cased;
}

std::vector<token> tokens_of(std::string_view sentence) {
    return reader(sentence).read();
}

std::string to_utf8(std::u32string_view text) {
    std::string out;
    for (auto const c : text) {
        std::array<utf8proc_uint8_t, 4> bytes{};
        auto const size = utf8proc_encode_char(static_cast<utf8proc_int32_t>(c), bytes.data());
        out.append(reinterpret_cast<char const*>(bytes.data()), static_cast<std::size_t>(size));
    }
    return out;
}

}  // namespace engram::recall

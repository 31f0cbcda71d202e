#include "workers/chat/invention.hpp"

#include "base/utf8.hpp"
#include "recall/everyday_words.hpp"
#include "recall/tokens.hpp"

#include <algorithm>
#include <set>
#include <string>
#include <vector>

namespace engram::workers {
namespace {

struct character {
    char32_t code = 0;
    std::size_t length = 1;
};

// REQUIRES: valid UTF-8, not empty.
character first_character(std::string_view text) {
    auto const byte = [&](std::size_t i) { return char32_t(static_cast<unsigned char>(text[i])); };
    if (byte(0) < 0x80) return {byte(0), 1};
    std::size_t const length = byte(0) < 0xE0 ? 2 : byte(0) < 0xF0 ? 3 : 4;
    auto code = byte(0) & (0xFF >> (length + 1));
    for (std::size_t i = 1; i < length; ++i)
        code = code << 6 | (byte(i) & 0x3F);
    return {code, length};
}

bool within(char32_t c, char32_t first, char32_t last) {
    return c >= first && c <= last;
}

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

template <class View, class Char>
bool contains(View const& characters, Char c) {
    return std::basic_string_view<Char>(characters).find(c) != std::basic_string_view<Char>::npos;
}

// Blanks and punctuation. What is not known to be one counts as part of a word that must occur: currency
// signs, superscripts, emoji. "@" and "_" keep addresses together.
bool is_gap(char32_t c) {
    if (c < 0x80)
        return !(within(c, '0', '9') || within(c | 0x20, 'a', 'z') || c == '$' || c == '@' || c == '_');
    if (c < 0xC0) return !contains(U"ª²³µ¹º¼½¾£¥¢", c);
    if (c == 0xD7 || c == 0xF7) return true;
    if (within(c, 0x3000, 0x303F)) return c != 0x3007 && !within(c, 0x3021, 0x3029);
    return within(c, 0x2000, 0x206F) || within(c, 0xFF00, 0xFF0F) || within(c, 0xFF1A, 0xFF20) ||
           within(c, 0xFF3B, 0xFF40) || within(c, 0xFF5B, 0xFF65);
}

// Letters that are known to be small ones; a small letter that is missing here costs a merge, not a fact.
bool is_small(char32_t c) {
    if (within(c, 'a', 'z') || within(c, 0x300, 0x36F)) return true;
    if (within(c, 0xDF, 0xFF)) return c != 0xF7;
    bool const odd = c % 2 == 1;
    if (within(c, 0x100, 0x17F)) {
        bool const even_is_small = within(c, 0x139, 0x148) || within(c, 0x179, 0x17E);
        return c == 0x138 || c == 0x149 || c == 0x17F || (even_is_small ? !odd : odd);
    }
    if (c == 0x1A1 || c == 0x1B0) return true;
    if (within(c, 0x200, 0x233)) return odd;
    if (within(c, 0x1E00, 0x1EFF)) return within(c, 0x1E96, 0x1E9D) || (odd && c != 0x1E9F);
    if (c == 0x390 || within(c, 0x3AC, 0x3CE)) return true;
    if (within(c, 0x430, 0x45F)) return true;
    if (within(c, 0x460, 0x481) || within(c, 0x48A, 0x4BF) || within(c, 0x4D0, 0x52F)) return odd;
    return within(c, 0x561, 0x587);
}

// Scripts that have capitals: Latin, Greek, Cyrillic, Armenian.
bool has_case(char32_t c) {
    return c < 0x590 || within(c, 0x1E00, 0x1FFF);
}

// Scripts written without blanks between words, and the syllables of Korean.
bool stands_alone(char32_t c) {
    return within(c, 0x2E80, 0x2FFF) || c == 0x3007 || within(c, 0x3021, 0x3029) ||
           within(c, 0x3040, 0x30FF) || within(c, 0x3400, 0x9FFF) || within(c, 0xAC00, 0xD7AF) ||
           within(c, 0xF900, 0xFAFF) || within(c, 0x20000, 0x3FFFF);
}

struct word {
    enum class kind {
        plain,    // small letters, or digits alone, which are numbers
        name,     // with a capital
        literal,  // of a script without capitals, or with digits: must occur, wherever
    };
    std::string_view text;
    word::kind kind = kind::plain;
    bool joined = false;           // nothing but a blank, a hyphen or an apostrophe before it
    bool begins_sentence = false;  // and may so have a capital without being a name
};

bool joins(std::string_view gap) {
    return gap == " " || gap == "-" || gap == "'" || gap == "\xE2\x80\x99" || gap == "\xC2\xA0";
}

bool ends_sentence(std::string_view gap) {
    return gap.find_first_of(".!?") != gap.npos;
}

// The word at the start of `text`. REQUIRES: no gap there.
word first_word(std::string_view text) {
    word found;
    std::size_t end = 0;
    bool digits = false, letters = false, capital = false, caseless = false;
    while (end < text.size()) {
        auto const [code, length] = first_character(text.substr(end));
        if (is_gap(code) || (stands_alone(code) && end > 0)) break;
        end += length;
        bool const digit = code < 0x80 && is_digit(char(code));
        digits |= digit;
        letters |= !digit;
        caseless |= !digit && !has_case(code);
        capital |= !digit && has_case(code) && !is_small(code);
        if (stands_alone(code)) break;
    }
    found.text = text.substr(0, end);
    found.kind = capital                           ? word::kind::name
                 : caseless || (digits && letters) ? word::kind::literal
                                                   : word::kind::plain;
    return found;
}

std::vector<word> words_of(std::string_view text) {
    std::vector<word> words;
    std::size_t gap = 0;
    for (std::size_t at = 0; at < text.size();) {
        auto const [code, length] = first_character(text.substr(at));
        if (is_gap(code)) {
            at += length;
            continue;
        }
        auto next = first_word(text.substr(at));
        auto const between = text.substr(gap, at - gap);
        next.joined = !words.empty() && joins(between);
        next.begins_sentence = words.empty() || ends_sentence(between);
        at += next.text.size();
        gap = at;
        words.push_back(next);
    }
    return words;
}

// A sign belongs to a number, a hyphen between two words does not.
std::size_t sign_before(std::string_view text, std::size_t at) {
    auto const head = text.substr(0, at);
    std::size_t const size = head.ends_with('-') || head.ends_with('+') ? 1
                             : head.ends_with("\xE2\x88\x92")           ? 3
                                                                        : 0;
    if (size == 0) return 0;
    return at == size || contains(" (~", text[at - size - 1]) ? size : 0;
}

std::vector<std::string_view> numbers_of(std::string_view text) {
    std::vector<std::string_view> numbers;
    for (std::size_t at = 0; at < text.size();) {
        if (!is_digit(text[at])) {
            ++at;
            continue;
        }
        auto const begin = at - sign_before(text, at);
        auto const digit_at = [&](std::size_t i) { return i < text.size() && is_digit(text[i]); };
        auto const joint_at = [&](std::size_t i) { return i < text.size() && contains(".,:/-'", text[i]); };
        while (digit_at(at) || (joint_at(at) && digit_at(at + 1)))
            ++at;
        if (at < text.size() && text[at] == '%') ++at;
        numbers.push_back(text.substr(begin, at - begin));
    }
    return numbers;
}

// Whether a word is in no list of everyday words, and so most likely a name.
bool is_rare(std::string_view text) {
    return std::ranges::any_of(recall::tokens_of(text), [](recall::token const& one) {
        return recall::commonness_of_form(one.text) == recall::commonness::rare;
    });
}

// Equal, but for the case of the first letter.
bool same_with_small_letter(std::string_view with_capital, std::string_view other) {
    return with_capital.size() == other.size() && within(char32_t(with_capital[0]), 'A', 'Z') &&
           (with_capital[0] | 0x20) == other[0] && with_capital.substr(1) == other.substr(1);
}

bool occurs_at(std::span<word const> name, std::span<word const> place) {
    for (std::size_t i = 0; i < name.size(); ++i) {
        if (i > 0 && !place[i].joined) return false;
        bool const same =
            name[i].text == place[i].text ||
            (i == 0 && name[i].begins_sentence && same_with_small_letter(name[i].text, place[i].text));
        if (!same) return false;
    }
    return true;
}

bool occurs_in(std::span<word const> name, std::span<word const> source) {
    for (std::size_t i = 0; i + name.size() <= source.size(); ++i)
        if (occurs_at(name, source.subspan(i, name.size()))) return true;
    return false;
}

// What must occur as a whole: one literal word, or all words of a name.
std::size_t length_of_name(std::span<word const> words) {
    std::size_t length = 1;
    if (words[0].kind != word::kind::name) return length;
    while (length < words.size() && words[length].kind == word::kind::name && words[length].joined)
        ++length;
    return length;
}

}  // namespace

struct retelling::content {
    explicit content(std::string_view said) : text(base::to_utf8(said)), words(words_of(text)) {
        for (auto const number : numbers_of(text))
            numbers.insert(number);
        for (auto const& one : words)
            single.insert(one.text);
    }

    std::string text;
    std::vector<word> words;  // these point into `text`
    std::set<std::string_view> numbers, single;
};

retelling::retelling(std::string_view said) : said_(std::make_unique<content const>(said)) {}
retelling::~retelling() = default;

bool retelling::lacks(std::string_view text) const {
    auto const valid = base::to_utf8(text);
    for (auto const number : numbers_of(valid))
        if (!said_->numbers.contains(number)) return true;
    std::size_t literals = 0, missing = 0;
    auto const words = words_of(valid);
    for (std::size_t at = 0; at < words.size();) {
        auto const rest = std::span(words).subspan(at);
        auto const length = length_of_name(rest);
        at += length;
        if (rest[0].kind == word::kind::name) {
            // The first word of a sentence may have its capital from there.
            bool const first = rest[0].begins_sentence;
            if (first && is_rare(rest[0].text) && !occurs_in(rest.first(1), said_->words)) return true;
            auto const name = rest.first(length).subspan(first ? 1 : 0);
            if (!name.empty() && !occurs_in(name, said_->words)) return true;
        }
        if (rest[0].kind != word::kind::literal) continue;
        ++literals;
        missing += said_->single.contains(rest[0].text) ? 0 : 1;
    }
    return missing * 6 > literals;
}

bool invents(std::string_view text, std::span<std::string_view const> sources) {
    // The pieces below point into these.
    auto const valid_text = base::to_utf8(text);
    std::vector<std::string> valid;
    for (auto const source : sources)
        valid.push_back(base::to_utf8(source));

    std::set<std::string_view> numbers;
    std::vector<std::vector<word>> known;
    for (auto const& source : valid) {
        for (auto const number : numbers_of(source))
            numbers.insert(number);
        known.push_back(words_of(source));
    }
    for (auto const number : numbers_of(valid_text))
        if (!numbers.contains(number)) return true;

    auto const words = words_of(valid_text);
    for (std::size_t at = 0; at < words.size();) {
        auto const rest = std::span(words).subspan(at);
        auto const length = length_of_name(rest);
        at += length;
        if (rest[0].kind == word::kind::plain) continue;
        auto const name = rest.first(length);
        if (std::none_of(known.begin(), known.end(),
                         [&](auto const& source) { return occurs_in(name, source); }))
            return true;
    }
    return false;
}

}  // namespace engram::workers

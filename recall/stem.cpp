#include "recall/stem.hpp"

#include "recall/word_lists.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>

namespace engram::recall {
namespace {

using std::string_view;

bool is_consonant(string_view word, std::size_t i) {
    switch (word[i]) {
        case 'a':
        case 'e':
        case 'i':
        case 'o':
        case 'u':
            return false;
        case 'y':
            return i == 0 || !is_consonant(word, i - 1);  // words are short: see longest_stemmed
        default:
            return true;
    }
}

/// Porter's m: how often a consonant follows a vowel.
int measure(string_view word) {
    int count = 0;
    bool after_vowel = false;
    for (std::size_t i = 0; i < word.size(); ++i) {
        bool const consonant = is_consonant(word, i);
        count += consonant && after_vowel ? 1 : 0;
        after_vowel = !consonant;
    }
    return count;
}

bool has_vowel(string_view word) {
    for (std::size_t i = 0; i < word.size(); ++i) {
        if (!is_consonant(word, i)) return true;
    }
    return false;
}

bool ends_double(string_view word) {
    auto const n = word.size();
    return n >= 2 && word[n - 1] == word[n - 2] && is_consonant(word, n - 1);
}

bool ends_short(string_view word) {
    auto const n = word.size();
    return n >= 3 && is_consonant(word, n - 1) && !is_consonant(word, n - 2) && is_consonant(word, n - 3) &&
           string_view("wxy").find(word[n - 1]) == string_view::npos;
}

string_view without(string_view word, std::size_t tail) {
    return word.substr(0, word.size() - tail);
}

void cut(std::string& word, std::size_t tail) {
    word.resize(word.size() - tail);
}

struct suffix {
    string_view from, to;
};

// The longest first.
constexpr std::array<suffix, 21> step_2 = {
    {{"ational", "ate"}, {"ization", "ize"}, {"iveness", "ive"}, {"fulness", "ful"}, {"ousness", "ous"},
     {"tional", "tion"}, {"biliti", "ble"},  {"entli", "ent"},   {"ousli", "ous"},   {"ation", "ate"},
     {"alism", "al"},    {"aliti", "al"},    {"iviti", "ive"},   {"enci", "ence"},   {"anci", "ance"},
     {"izer", "ize"},    {"logi", "log"},    {"alli", "al"},     {"ator", "ate"},    {"bli", "ble"},
     {"eli", "e"}}};
constexpr std::array<suffix, 7> step_3 = {{{"icate", "ic"},
                                           {"ative", ""},
                                           {"alize", "al"},
                                           {"iciti", "ic"},
                                           {"ical", "ic"},
                                           {"ness", ""},
                                           {"ful", ""}}};
constexpr std::array<string_view, 19> step_4 = {"ement", "ance", "ence", "able", "ible", "ment", "ant",
                                                "ent",   "ion",  "ism",  "ate",  "iti",  "ous",  "ive",
                                                "ize",   "al",   "er",   "ic",   "ou"};

void strip_plural(std::string& word) {
    if (word.ends_with("sses") || word.ends_with("ies")) {
        cut(word, 2);
    } else if (word.ends_with('s') && !word.ends_with("ss")) {
        cut(word, 1);
    }
}

void strip_tense(std::string& word) {
    if (word.ends_with("eed")) {
        if (measure(without(word, 3)) > 0) cut(word, 1);
        return;
    }
    if (word.ends_with("ed") && has_vowel(without(word, 2))) {
        cut(word, 2);
    } else if (word.ends_with("ing") && has_vowel(without(word, 3))) {
        cut(word, 3);
    } else {
        return;
    }
    if (word.ends_with("at") || word.ends_with("bl") || word.ends_with("iz")) {
        word += 'e';
    } else if (ends_double(word) && string_view("lsz").find(word.back()) == string_view::npos) {
        cut(word, 1);
    } else if (measure(word) == 1 && ends_short(word)) {
        word += 'e';
    }
}

void replace_suffix(std::string& word, std::span<suffix const> of) {
    for (auto const& [from, to] : of) {
        if (!word.ends_with(from)) continue;
        if (measure(without(word, from.size())) > 0) {
            cut(word, from.size());
            word += to;
        }
        return;
    }
}

void strip_ending(std::string& word) {
    for (auto const ending : step_4) {
        if (!word.ends_with(ending)) continue;
        auto const base = without(word, ending.size());
        if (measure(base) > 1 && (ending != "ion" || base.ends_with('s') || base.ends_with('t'))) {
            cut(word, ending.size());
        }
        return;
    }
}

void strip_last_letter(std::string& word) {
    if (word.ends_with('e')) {
        auto const base = without(word, 1);
        auto const m = measure(base);
        if (m > 1 || (m == 1 && !ends_short(base))) cut(word, 1);
    }
    if (word.ends_with("ll") && measure(word) > 1) cut(word, 1);
}

constexpr std::size_t longest_stemmed = 64;  // bytes

}  // namespace

void apply_porter(std::string& word) {
    bool const plain = std::all_of(word.begin(), word.end(), [](char c) { return c >= 'a' && c <= 'z'; });
    if (word.size() <= 2 || word.size() > longest_stemmed || !plain) return;
    strip_plural(word);
    strip_tense(word);
    if (word.ends_with('y') && has_vowel(without(word, 1))) word.back() = 'i';
    replace_suffix(word, step_2);
    replace_suffix(word, step_3);
    strip_ending(word);
    strip_last_letter(word);
}

std::string stem_of(std::string_view word) {
    std::string stem(regular_form(word));
    apply_porter(stem);
    return stem;
}

}  // namespace engram::recall

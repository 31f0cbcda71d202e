#include "recall/small_talk.hpp"

#include "recall/hash.hpp"
#include "recall/small_talk_words.hpp"
#include "recall/word_lists.hpp"
#include "recall/words.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <iterator>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

namespace engram::recall {
namespace {

using std::string_view;

constexpr language english = 0;

using word_set = std::unordered_set<std::uint64_t>;

std::vector<std::string> folded(string_view text) {
    std::vector<std::string> words;
    word_reader reader(text);
    for (word one{}; reader.next(one);)
        words.emplace_back(one.text);
    return words;
}

word_set read_set(string_view text) {
    word_set all;
    for (auto const& one : folded(text))
        all.insert(wide_hash_of(one));
    return all;
}

// A bit for each language.
using language_bits = std::uint32_t;
static_assert(languages <= 32);

struct known {
    std::unordered_map<std::uint64_t, language_bits> function;
    word_set small = read_set(small_words), lone = read_set(lone_words), phrase, phrase_begin;
    std::size_t longest_phrase = 1;

    known() {
        for (language one = 0; one < languages; ++one)
            for (auto const hash : read_set(function_words[one]))
                function[hash] |= language_bits{1} << one;
        for (auto const text : phrases) {
            auto const words = folded(text);
            if (words.empty()) continue;
            phrase_begin.insert(wide_hash_of(words.front()));
            longest_phrase = std::max(longest_phrase, words.size());
            std::string joined;
            for (auto const& one : words)
                joined += one + ' ';
            phrase.insert(wide_hash_of(joined));
        }
    }

    static known const& all() {
        static known const one;
        return one;
    }
};

/// "hahaha", "jajaja", "kkkk", "www", "555"
bool is_laughter(string_view word) {
    auto const only = [word](string_view letters) {
        return word.find_first_not_of(letters) == string_view::npos;
    };
    constexpr std::size_t longest = 64;
    if (word.size() > longest) return false;
    if (word.size() >= 3 && word.find_first_not_of(word.front()) == string_view::npos) return true;
    return word.size() >= 4 && (only("ha") || only("he") || only("hi") || only("ja") || only("je") ||
                                only("lo") || only("rs") || only("xd"));
}

bool is_one_digit(string_view word) {
    return word.size() == 1 && word.front() >= '0' && word.front() <= '9';
}

// In which languages this is a function word. `hash`: wide_hash_of(word).
language_bits languages_of(string_view word, std::uint64_t hash) {
    auto const& all = known::all().function;
    auto const found = all.find(hash);
    auto const listed = found == all.end() ? 0 : found->second;
    return is_stop_word(word) ? listed | language_bits{1} << english : listed;
}

// How many words the longest phrase of small talk has that begins here; 0: there is none.
std::size_t phrase_at(std::span<std::string const> words) {
    auto const& all = known::all();
    std::string joined;
    std::size_t covered = 0;
    for (std::size_t n = 1; n <= all.longest_phrase && n <= words.size(); ++n) {
        joined += words[n - 1] + ' ';
        if (all.phrase.contains(wide_hash_of(joined))) covered = n;
    }
    return covered;
}

}  // namespace

bool is_function_word(std::string const& word, language of) {
    return languages_of(word, wide_hash_of(word)) >> of & 1;
}

language guess_language(std::span<std::string const> words) {
    std::array<std::size_t, languages> counts{};
    for (auto const& word : words)
        for (auto in = languages_of(word, wide_hash_of(word)); in != 0; in &= in - 1)
            ++counts[static_cast<std::size_t>(std::countr_zero(in))];
    return static_cast<language>(std::ranges::max_element(counts) - counts.begin());
}

std::vector<bool> words_with_content(std::span<std::string const> clause, language of) {
    auto const& all = known::all();
    std::vector<bool> content(clause.size(), true);
    for (std::size_t at = 0; at < clause.size(); ++at) {
        auto const& word = clause[at];
        auto const hash = wide_hash_of(word);
        auto const covered = all.phrase_begin.contains(hash) ? phrase_at(clause.subspan(at)) : 0;
        for (std::size_t i = 0; i < covered; ++i)
            content[at + i] = false;
        bool const is_function = languages_of(word, hash) >> of & 1;
        if (is_function || all.small.contains(hash) || is_laughter(word)) content[at] = false;
        bool const alone = clause.size() == 1;
        if (alone && (all.lone.contains(hash) || is_one_digit(word))) content[at] = false;
    }
    return content;
}

}  // namespace engram::recall

// How common a word is, in any of some forty languages.
#pragma once

#include <cstdint>
#include <string_view>

namespace engram::recall {

enum class commonness : std::uint8_t {
    filler,    ///< says nothing by itself: "the", "ist", "пользователь"
    everyday,  ///< among the few thousand most common words of a language
    rare,      ///< in no list: most names, and what is seldom talked about
};

/// Of a folded word (tokens.hpp). The lists are part of the program: the file everyday-words, which
/// make_everyday_words makes, is
///   16  "engram.everyday1"
///   4+4 how many fillers, how many words in all; little-endian
///   4   each filler, then each word: its hash (hash.hpp), ascending
[[nodiscard]] commonness commonness_of(std::string_view word);

/// The same, also where only an ending was added to a word of the lists ("kahvia": kahvi), or, in Arabic and
/// Hebrew, something before it.
[[nodiscard]] commonness commonness_of_form(std::u32string_view word);

}  // namespace engram::recall

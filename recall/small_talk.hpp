// What people say that is about nothing: greetings, thanks, "ok", "go on", in the larger languages.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace engram::recall {

/// One of the languages that are known here.
using language = std::size_t;
inline constexpr language french = 2;

/// The language of which most words are function words, English when in doubt. Words are folded (words.hpp).
[[nodiscard]] language guess_language(std::span<std::string const> words);

/// "the", "der", "и": such a word says nothing of what a text is about.
[[nodiscard]] bool is_function_word(std::string const& word, language of);

/// Which words of a clause say something: false for function words of the language, and for words and phrases
/// of small talk in any. All false: the clause is about nothing.
[[nodiscard]] std::vector<bool> words_with_content(std::span<std::string const> clause, language of);

}  // namespace engram::recall

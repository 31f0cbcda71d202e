// The word lists of small_talk.hpp: words with blanks between them, as people write them.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string_view>

namespace engram::recall {

inline constexpr std::size_t languages = 15;

/// Of each language those that say nothing of what a text is about. English comes first; the stop words of
/// word_lists.hpp are among its function words, too.
extern std::array<std::string_view, languages> const& function_words;
/// Words that are small talk wherever they stand.
extern std::string_view const small_words;
/// Words that are small talk when they are all of a clause.
extern std::string_view const lone_words;
/// The same, of several words.
extern std::span<std::string_view const> const phrases;

}  // namespace engram::recall

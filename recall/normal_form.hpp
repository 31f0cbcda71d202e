// What a memory says, without what may differ between two that say the same.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace engram::recall {

/// How a word is written, one bit each.
namespace letter_case {
inline constexpr std::uint8_t small = 1, initial = 2, capitals = 4, any = 7;
}

/// This is the whole list of what may differ, whatever the language:
/// - characters that are written in several ways (code_points.hpp), how many blanks there are, and the
///   punctuation that ends the text;
/// - the case of ordinary words. They are those of letters alone, the same in both texts; where a text shows
///   by its other words that its capitals mean something, only the case of its first word may differ, and
///   that of a long word all in capitals. fooBar, a token with a digit or a sign in it, and USA keep theirs;
/// - "The user" and "User" at the beginning, or neither, before one of the usual verbs; in other languages
///   the article of such a subject;
/// - a the, a or an in a text that begins with these English words. Not the last word of a text, no The with
/// a
///   capital, and neither "a few" nor "a little".
struct normal_form {
    std::string text;   ///< UTF-8; empty: it says nothing
    std::string cases;  ///< of each word whose case is not in `text`: the bits of the ways to write it that
                        ///< mean the same
};

/// Any bytes are fine.
[[nodiscard]] normal_form normal_form_of(std::string_view text);

}  // namespace engram::recall

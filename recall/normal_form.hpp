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
/// - the case of ordinary words: of letters alone, and small, with a capital at the beginning, or all
/// capitals.
///   Where capitals mean something, since there are small letters too, only that of the first word may
///   differ, and that of a long word all in capitals;
/// - "The user" and "User" at the beginning, or neither before one of the usual verbs; in other languages the
///   article of such a subject;
/// - a "the", "a" or "an" in a text that begins with these English words, unless it is its last word, or has
/// a
///   capital, or belongs to "a few" or "a little".
struct normal_form {
    std::string text;   ///< UTF-8; empty: it says nothing
    std::string cases;  ///< for each word whose case is not in `text`, in which ones it means the same
};

/// Any bytes are fine.
[[nodiscard]] normal_form normal_form_of(std::string_view text);

}  // namespace engram::recall

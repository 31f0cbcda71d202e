// The characters of which a note is made, in the forms in which models write them. Pure; any bytes are fine.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace engram::workers {

enum class mark : std::uint8_t { other, blank, open, close, colon, bar };

struct note_character {
    mark is = mark::other;
    std::size_t bytes = 1;
};

/// What stands at the start of `text`. REQUIRES: not empty.
[[nodiscard]] note_character look_at(std::string_view text);

/// First byte from `at` on that is no blank; the size of `text` if there is none.
[[nodiscard]] std::size_t skip_blanks(std::string_view text, std::size_t at);
/// Where the blanks begin that end at `end`.
[[nodiscard]] std::size_t blanks_before(std::string_view text, std::size_t end);
/// `text` without blanks at its ends.
[[nodiscard]] std::string_view trim_blanks(std::string_view text);

/// Whether the last character of `text` is such a mark.
[[nodiscard]] bool ends_with(std::string_view text, mark is);

/// A mark that makes what is between two of it stand out.
[[nodiscard]] constexpr bool is_emphasis(char c) {
    return c == '*' || c == '_' || c == '~';
}

/// Lower case (of A to Z), one width, one kind of blank, decimal digits of all scripts as 0 to 9.
[[nodiscard]] std::string to_plain_form(std::string_view text);

/// The opening of a note: a bracket, the word MEMORY, a colon.
struct opening {
    enum class extent : std::uint8_t { none, half, whole };
    opening::extent is = extent::none;  ///< half: the text ends behind a letter of the word
    std::size_t end = 0;                ///< of a whole one
    std::size_t letters = 0;            ///< of a half: how many of the word it has
};

/// Whether an opening begins at `at`. Reads no further than to the next bracket.
[[nodiscard]] opening read_opening(std::string_view text, std::size_t at);

/// Where the half of an opening begins that ends at `at`, blanks aside, and has so many letters of the word;
/// `at` if there is none. Looks no further back than to `from`.
[[nodiscard]] std::size_t half_opening_before(std::string_view text, std::size_t at, std::size_t from,
                                              std::size_t least_letters);

/// The next opening bracket from `at` on; npos if there is none.
[[nodiscard]] std::size_t find_bracket(std::string_view text, std::size_t at);

/// Whether what follows the opening bracket at `at` makes, or continued by other text could make, an opening.
[[nodiscard]] bool could_become_opening(std::string_view text, std::size_t at);

/// Whether `text` has an opening, or ends in half of one.
[[nodiscard]] bool has_opening(std::string_view text);

}  // namespace engram::workers

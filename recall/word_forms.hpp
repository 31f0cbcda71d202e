// The same word, the same number, in another form.
#pragma once

#include "recall/tokens.hpp"

#include <cstddef>
#include <string_view>

namespace engram::recall {

inline constexpr std::size_t number_digits = 3;  ///< of what is distinctive: fewer are everywhere

/// A Korean word without the particle at its end.
[[nodiscard]] std::u32string_view without_particle(std::u32string_view word);

/// "Anna", "Annas", "Anny"; "Marguerite", "Marguerites"; "москва", "москве"; "debrecenben", "debrecen".
[[nodiscard]] bool differ_in_ending(std::u32string_view known, std::u32string_view seen);

/// Of Arabic and Hebrew: "قاهرة", "القاهرة", "بالقاهرة".
[[nodiscard]] bool differ_in_beginning(std::u32string_view a, std::u32string_view b);

/// Whether a number of these digits is that one, or one with more groups has it in a row, or both are the
/// same telephone number with and without the prefix of a country.
[[nodiscard]] bool is_number(std::u32string_view known, token const& seen);

/// 2000 to 2099.
[[nodiscard]] bool is_this_century(std::u32string_view digits);

}  // namespace engram::recall

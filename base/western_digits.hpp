// Numbers are written in the digits of many scripts.
#pragma once

namespace engram::base {

/// The ASCII digit that means the same as this decimal digit of another script, width or shape; 0: it is
/// none, or one of ASCII.
[[nodiscard]] char western_digit(char32_t code);

}  // namespace engram::base

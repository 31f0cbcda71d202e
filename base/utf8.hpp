// UTF-8 checks for text that came from outside (RFC 3629: no surrogates, no overlong forms, at most
// U+10FFFF).
#pragma once

#include <string>
#include <string_view>

namespace engram::base {

[[nodiscard]] bool is_utf8(std::string_view text);

/// `text` with every byte that is not part of valid UTF-8 replaced by U+FFFD.
[[nodiscard]] std::string to_utf8(std::string_view text);

/// True if `text` has nothing but white space (ASCII blanks, U+00A0, U+1680, U+2000..200B, U+2028/9, U+202F,
/// U+205F, U+3000, U+FEFF). The Messages API refuses such text blocks.
[[nodiscard]] bool is_blank(std::string_view text);

}  // namespace engram::base

// The characters of UTF-8 text that must not get into one line of plain text.
#pragma once

#include <cstddef>
#include <string_view>

namespace engram::workers {

/// Length of the line break at the start of `text`: LF, CR LF, CR, VT, FF, U+0085, U+2028, U+2029; else 0.
[[nodiscard]] std::size_t line_break_length(std::string_view text);

/// Length of the control character or line break at the start of `text` (U+0000..1F, U+007F..9F, U+2028,
/// U+2029); else 0.
[[nodiscard]] std::size_t control_length(std::string_view text);

}  // namespace engram::workers

// A text as characters, each written in one way.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace engram::recall {

/// Composed (NFC). Every blank is a space, every quote `"` or `'`, every dash `-`. Full and half width and
/// the forms of Arabic letters are the plain characters; no other compatibility form is folded, since m² is
/// not m2. A byte that is no UTF-8 is a character of its own. Any bytes are fine.
[[nodiscard]] std::vector<std::int32_t> code_points_of(std::string_view text);

/// As UTF-8. REQUIRES: it is a code point.
void append_code_point(std::string& to, std::int32_t code);

}  // namespace engram::recall

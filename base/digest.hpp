// SHA-256, for recognizing the same bytes again.
#pragma once

#include <string>
#include <string_view>

namespace engram::base {

/// SHA-256 of `bytes`: 32 raw bytes.
[[nodiscard]] std::string sha256(std::string_view bytes);

}  // namespace engram::base

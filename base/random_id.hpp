// Identifiers that nobody else makes.
#pragma once

#include <string>

namespace engram::base {

/// `bytes` random bytes as lower-case hexadecimal (2 characters a byte).
/// Throws std::runtime_error if the operating system has no randomness to give.
[[nodiscard]] std::string random_hex(std::size_t bytes);

}  // namespace engram::base

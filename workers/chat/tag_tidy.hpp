// Makes text presentable from which tags were cut out. Rules in docs/memory-tags.md.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace engram::workers {

/// `kept` with blanks and blank lines removed that only the cuts explain; nothing is ever added and what does
/// not touch a cut stays as it is. `cuts` are positions in `kept`, ascending, no two alike. Linear.
[[nodiscard]] std::string tidy_cuts(std::string_view kept, std::span<std::size_t const> cuts);

}  // namespace engram::workers

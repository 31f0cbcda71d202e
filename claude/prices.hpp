// What an answer costs.
#pragma once

#include "claude/message.hpp"
#include "claude/options.hpp"

#include <optional>
#include <string_view>
#include <vector>

namespace engram::claude {

/// USD for `used` by `model`: the longest matching prefix in `own`, else the built-in table, whose ids match
/// as they are or with a date behind them (`claude-opus-4-5-20251101`). None where no price is known.
[[nodiscard]] std::optional<double> cost_of(std::string_view model, usage const& used,
                                            std::vector<price> const& own);

}  // namespace engram::claude

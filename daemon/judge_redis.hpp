// What it means that a Redis is as it is. Pure.
#pragma once

#include "daemon/finding.hpp"

#include <chrono>
#include <optional>
#include <string_view>

namespace engram::daemon {

/// So begins what tells of a Redis without room.
inline constexpr std::string_view redis_is_full = "Redis is full";

/// Of the answer to INFO: what may be lost, and how much room there is. `prefix` is that of our keys.
[[nodiscard]] findings judge_server(std::string_view info, std::string_view prefix);

/// What it means that Redis refused something the daemon has to do; `refusal` is its error, perhaps behind
/// the command and ": ".
[[nodiscard]] finding judge_refusal(std::string_view refusal);

/// Of a setting as CONFIG GET tells it; none: it is well, or not one of those that matter.
[[nodiscard]] std::optional<finding> judge_setting(std::string_view name, std::string_view value,
                                                   std::chrono::milliseconds lease);

/// Why there is no connection. `locked_out`: the server refused the password or the user.
[[nodiscard]] finding judge_no_connection(std::string_view trouble, bool locked_out);

}  // namespace engram::daemon

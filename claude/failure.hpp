// What an answer that is no message means. Pure.
#pragma once

#include "base/clock.hpp"
#include "claude/error.hpp"
#include "http/client/reply_reader.hpp"

#include <chrono>
#include <optional>

namespace engram::claude {

/// Why one try brought no message; `attempts` is not set.
struct failure : error {
    bool retryable = false;
    std::optional<std::chrono::milliseconds> wait;  ///< the server's wish
};

/// For a reply with a status other than 200. Decides by status and `error.details.error_code`; by text only
/// in the one case that has no code, low credit.
[[nodiscard]] failure classify(http::reply const& reply, base::wall_time now);

}  // namespace engram::claude

// What an answer that is no message means. Pure.
#pragma once

#include "claude/client.hpp"
#include "http/client/reply_reader.hpp"

#include <chrono>
#include <optional>
#include <string>

namespace engram::claude {

/// Why one try brought no message.
struct failure {
    error_kind kind = error_kind::unavailable;
    std::string message;
    int status = 0;
    bool retryable = false;
    std::optional<std::chrono::milliseconds> wait;  ///< the server's wish
};

/// For a reply with a status other than 200. Decides by status and `error.details.error_code`; by text only
/// in the one case that has no code, low credit.
[[nodiscard]] failure classify(http::reply const& reply, base::wall_time now);

}  // namespace engram::claude

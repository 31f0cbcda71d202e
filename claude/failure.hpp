// What an answer that is no message means. Pure.
#pragma once

#include "base/clock.hpp"
#include "claude/error.hpp"
#include "http/client/reply_reader.hpp"

namespace engram::claude {

/// Why one try brought no message; `attempts` is not set.
struct failure : error {};

/// For a reply with a status other than 2xx. Decides by status, `error.type` and
/// `error.details.error_code`; by text only where the API has no code: low credit, limits that the customer
/// set, a disabled organization, a prompt that is too long. Texts count by their beginning, so that what a
/// message repeats of a request decides nothing.
[[nodiscard]] failure classify(http::reply const& reply, base::wall_time now);

}  // namespace engram::claude

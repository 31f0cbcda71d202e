// What it means that a try brought no message. Pure.
#pragma once

#include "base/clock.hpp"
#include "claude/error.hpp"
#include "http/client/endpoint.hpp"
#include "http/client/reply_reader.hpp"

#include <string>
#include <string_view>

namespace engram::claude {

/// Why one try brought no message; `attempts` is not set.
struct failure : error {};

/// For a reply with a status other than 2xx. Decides by status, `error.type` and
/// `error.details.error_code`; by text only where the API has no code: low credit, limits that the customer
/// set, a disabled organization, a prompt that is too long. Texts count by their beginning, so that what a
/// message repeats of a request decides nothing.
[[nodiscard]] failure classify(http::reply const& reply, base::wall_time now);

/// Nothing came from `authority` (host and port), or this machine could not even ask. REQUIRES:
/// !outcome.ok().
[[nodiscard]] failure no_answer(http::io_outcome const& outcome, std::string_view authority);
/// It was a message, but one that cannot be read; `why` ends a sentence about the answer.
[[nodiscard]] failure unreadable_answer(http::reply const& reply, std::string_view why);
/// error_kind::deadline.
[[nodiscard]] failure past_deadline(std::string what);
/// error_kind::busy.
[[nodiscard]] failure no_turn();

}  // namespace engram::claude

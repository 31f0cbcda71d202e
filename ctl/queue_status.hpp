// `engramctl queue status`: how the queue is, from Redis alone.
#pragma once

#include "ctl/connection.hpp"

#include <string>

namespace engram::ctl {

/// Prints the page and returns 0 if an instance is alive, else EX_TEMPFAIL. What Redis refuses to tell shows
/// as unknown, with one line on standard error. EX_UNAVAILABLE, and no page, if the connection is lost.
[[nodiscard]] int show_queue_status(connection& redis, std::string const& prefix, bool json);

}  // namespace engram::ctl

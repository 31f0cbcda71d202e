// `engramctl queue status`: how the queue is, from Redis alone.
#pragma once

#include "ctl/connection.hpp"

#include <chrono>
#include <optional>
#include <string>

namespace engram::ctl {

struct status_request {
    std::string prefix = "engram";
    bool json = false;
    std::optional<std::chrono::seconds> watch;  ///< again and again, with this pause
};

/// Prints the page and returns 0 if jobs are answered, or within a second or so, else EX_TEMPFAIL. What Redis
/// refuses to tell shows as unknown, with one line on standard error. EX_UNAVAILABLE, and no page, if the
/// connection is lost. With `watch` it ends by SIGINT alone, which it blocks from then on, with 0; or when
/// the output cannot be written.
[[nodiscard]] int show_queue_status(connection& redis, status_request const& request);

/// One whose process runs on this machine, whatever it says or whether its lease is over; empty: none.
[[nodiscard]] std::string instance_of_this_machine(connection& redis, std::string const& prefix);

}  // namespace engram::ctl

// `engramctl cancel`: ends a job that waits.
#pragma once

#include "ctl/connection.hpp"

#include <chrono>
#include <string>

namespace engram::ctl {

struct cancel_request {
    std::string prefix = "engram";
    std::string user, id;
    std::chrono::seconds timeout{10};
    bool json = false;
};

/// Asks in P:cancel for it, and waits until a daemon has carried it out; what none has taken in time is taken
/// back. Prints what became of it, or one line on standard error, and returns an exit code of sysexits.h.
[[nodiscard]] int cancel_job(connection& redis, cancel_request const& request);

}  // namespace engram::ctl

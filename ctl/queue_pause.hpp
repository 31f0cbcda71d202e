// `engramctl queue pause` and `queue resume`: whether daemons take jobs, kept in Redis.
#pragma once

#include "ctl/connection.hpp"

#include <string>

namespace engram::ctl {

struct pause_request {
    std::string prefix = "engram";
    std::string by;      ///< who wants it, for others to read
    std::string reason;  ///< may be empty
    bool json = false;
};

/// Each prints what is so now, or one line on standard error, and returns an exit code of sysexits.h. A
/// pause replaces the note of the one before; to end one that is none is no error.
[[nodiscard]] int pause_queue(connection& redis, pause_request const& request);
[[nodiscard]] int resume_queue(connection& redis, pause_request const& request);

}  // namespace engram::ctl

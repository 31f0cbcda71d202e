// What went wrong, in one line that says what to do, with the exit code for it.
#pragma once

#include "redis/value.hpp"

#include <string>
#include <string_view>

namespace engram::ctl {

struct complaint {
    std::string line;
    int status;  ///< of sysexits.h
};

/// What an error of Redis means to whoever ran the command. Pure.
[[nodiscard]] complaint explain(redis::error const& error);

/// Redis itself is not ready, or not there; it will be.
[[nodiscard]] bool is_passing(redis::error const& error);

/// Writes the line to standard error, after what is still on its way to standard output.
void complain(std::string_view line);

}  // namespace engram::ctl

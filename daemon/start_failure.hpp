// What it means that the daemon could not start.
#pragma once

#include <exception>
#include <string_view>

namespace engram::daemon {

struct start_failure {
    int status = 0;         ///< of sysexits.h
    std::string_view cure;  ///< what an operator can do; empty: the error says it
    /// It may work later, without anybody's doing: a supervisor should try again.
    [[nodiscard]] bool passes() const;
};

/// Out of threads, files or memory: EX_TEMPFAIL. Anything else is how the daemon was configured: EX_CONFIG.
[[nodiscard]] start_failure judge_start(std::exception const& why);

}  // namespace engram::daemon

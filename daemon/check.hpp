// `engramd --check`: whether jobs would be answered, looked at before it is needed.
#pragma once

#include "daemon/command_line.hpp"

namespace engram::daemon {

/// Looks at everything that the daemon needs and prints a line for each thing, on standard output, as it is
/// found: see daemon/finding.hpp. Changes nothing, and each wait has a deadline. Returns the exit status. It
/// may leave this process as another user, and with more files allowed.
[[nodiscard]] int run_check(command_line const& given);

}  // namespace engram::daemon

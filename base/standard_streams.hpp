// Standard input, output and error of a program that was started without them.
#pragma once

namespace engram::base {

/// Puts /dev/null where descriptor 0, 1 or 2 is closed. Otherwise the next socket or file that is opened
/// would get that number, and lines for the log would be written into it. What is written to such a stream,
/// or read from it, fails as before. To be called before anything is opened.
void keep_standard_streams();

/// Whether keep_standard_streams() found standard error closed.
[[nodiscard]] bool standard_error_was_closed();

}  // namespace engram::base

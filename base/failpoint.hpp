// Named places where a test has the process killed or stopped, to see what is left behind. Only builds for
// tests have them (ENGRAM_FAILPOINTS); in others failpoint() is nothing.
#pragma once

#include <string>
#include <string_view>

namespace engram::base {

/// Reads `ENGRAM_FAILPOINT=<place>:<nth>[:stop]`: at the nth passing of that place the process gets SIGKILL,
/// or SIGSTOP. Returns what is wrong with it; empty if it is well or not set. A build without failpoints
/// refuses any.
[[nodiscard]] std::string arm_failpoint(char const* setting);

#ifdef ENGRAM_FAILPOINTS
/// May be called from any thread.
void failpoint(std::string_view place);
#else
inline void failpoint(std::string_view) {}
#endif

}  // namespace engram::base

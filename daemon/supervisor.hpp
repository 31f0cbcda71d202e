// systemd, which wants to hear how its service is.
#pragma once

#include <string>

namespace engram::daemon {

/// Says `state` (lines of sd_notify(3)) to $NOTIFY_SOCKET, if that is set. The socket is opened with the
/// first message and kept: whoever needed a file descriptor for each could not feed its watchdog while none
/// is free, and would be killed for that. From one thread.
void tell_supervisor(std::string const& state);

}  // namespace engram::daemon

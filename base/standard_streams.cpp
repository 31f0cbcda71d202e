#include "base/standard_streams.hpp"

#include <atomic>
#include <cerrno>
#include <fcntl.h>
#include <unistd.h>

namespace engram::base {

namespace {

std::atomic<bool> error_was_closed = false;

}  // namespace

void keep_standard_streams() {
    for (int stream = STDIN_FILENO; stream <= STDERR_FILENO; ++stream) {
        if (::fcntl(stream, F_GETFD) != -1 || errno != EBADF) continue;
        // Opened for the other direction, so that a program that cannot say anything still notices. The
        // lowest number that is free is this one.
        (void)::open("/dev/null", stream == STDIN_FILENO ? O_WRONLY : O_RDONLY);
        if (stream == STDERR_FILENO) error_was_closed = true;
    }
}

bool standard_error_was_closed() {
    return error_was_closed;
}

}  // namespace engram::base

// What became of bytes that were to be moved.
#pragma once

#include <cstddef>
#include <string>

namespace engram::net {

enum class io { done, want_read, want_write, closed, failed };

/// One attempt, which does not wait.
struct io_step {
    net::io state = io::done;
    std::size_t bytes = 0;
    std::string what = {};  ///< for closed and failed
};

enum class io_end {
    ok,
    closed,     ///< the peer or the network ended the connection
    timed_out,  ///< the deadline came
    lacking,    ///< this machine has too little of something, see base::local_lack(); the peer did nothing
    failed,     ///< anything else: certificate, garbage …
};

/// How an operation that waits ended.
struct io_outcome {
    io_end end = io_end::ok;
    std::string what = {};
    bool connected = true;  ///< false: there was no connection to use

    [[nodiscard]] bool ok() const { return end == io_end::ok; }
};

}  // namespace engram::net

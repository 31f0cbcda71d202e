// A process without a free file descriptor.
#pragma once

#include <sys/resource.h>

namespace engram::tests {

/// While it lives, this process can open nothing more; what is open stays so.
class no_descriptors {
public:
    no_descriptors() {
        ::getrlimit(RLIMIT_NOFILE, &usual_);
        auto none = usual_;
        none.rlim_cur = 1;  // what is open has higher numbers, and poll() still takes one
        ::setrlimit(RLIMIT_NOFILE, &none);
    }
    ~no_descriptors() { ::setrlimit(RLIMIT_NOFILE, &usual_); }
    no_descriptors(no_descriptors const&) = delete;
    no_descriptors& operator=(no_descriptors const&) = delete;

private:
    rlimit usual_{};
};

}  // namespace engram::tests

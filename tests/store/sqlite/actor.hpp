// A store in another process, to talk past and to kill.
#pragma once

#include <cstdio>
#include <string>
#include <sys/types.h>
#include <vector>

namespace engram::store::test {

/// Runs store_actor with `words`; killed when it goes.
class actor {
public:
    explicit actor(std::vector<std::string> const& words);
    ~actor();
    actor(actor const&) = delete;
    actor& operator=(actor const&) = delete;

    /// The next line it says; "" at the end.
    std::string line();
    /// Everything it says from here on.
    std::vector<std::string> lines();
    /// SIGKILL, and waits for its end.
    void kill();
    /// SIGTERM, and waits for its end; as wait().
    int stop();
    /// Waits for its end; the exit status, or -1 if a signal ended it.
    int wait();

private:
    pid_t process_ = -1;
    std::FILE* output_ = nullptr;
};

}  // namespace engram::store::test

#include "store/sqlite/store_thread.hpp"

#include <pthread.h>
#include <signal.h>

namespace engram::store {

std::thread start_thread(char const* name, std::function<void()> body) {
    // A thread inherits the mask, so it is set around the start.
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    // Faults of the thread itself stay deadly; blocked, they would be undefined.
    for (int const fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP})
        sigdelset(&all, fault);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    struct restore {
        sigset_t const& mask;
        ~restore() { pthread_sigmask(SIG_SETMASK, &mask, nullptr); }
    } const restored{before};
    std::thread started(std::move(body));
    pthread_setname_np(started.native_handle(), name);
    return started;
}

}  // namespace engram::store

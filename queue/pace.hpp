// What daemons tell each other of a provider's limits, and what each may do.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>

namespace engram::queue {

/// What one daemon knows of a model that is scarce, at one moment; see queue/scripts/pace.lua.
struct pace_report {
    /// As the configuration names it. It becomes a part of a key, P:pace:<model>, byte for byte: any text
    /// will do, and daemons share what they call by the same name.
    std::string model = {};
    std::size_t chats = 0;              ///< calls that wait
    std::size_t others = 0;             ///< background calls that wait
    std::size_t soon = 0;               ///< chats that may come before the next report
    std::size_t answered_a_minute = 0;  ///< calls answered in the last minute, about
    std::size_t unused = 0;             ///< permits of the last grant that no call took: they go back
    bool refused = false;  ///< a call was since the last report (429), while others were answered
    double allowed = 0;    ///< calls a minute that the provider says it allows; 0: it does not say
    double left = -1;      ///< calls that it says are left now; below 0: it does not say
    std::chrono::milliseconds hold{};  ///< how long from now it asks to wait; 60 s at most count
};

struct pace_grant {
    std::string model;
    std::size_t calls = 0;  ///< that may start until the next report
    double a_minute = 0;    ///< calls a minute of all daemons together; 0: not known
};

}  // namespace engram::queue

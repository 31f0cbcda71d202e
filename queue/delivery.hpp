// A job on its way through a daemon: what came in, and what it ended with. Pure.
#pragma once

#include "base/clock.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace engram::queue {

/// One job in this instance's hands.
struct delivery {
    std::string instance;  ///< the incarnation that took it
    std::string lane;
    std::string ticket;  ///< names this push of the job; the same for each redelivery
    std::string body;    ///< the producer's bytes
    int attempts = 1;    ///< deliveries of this ticket, this one included
    int deaths = 0;      ///< of them, how many ended with a daemon's death or stall, or a handler that failed
    std::int64_t queued_ms = 0;    ///< since a daemon first saw the job, by Redis's clock
    base::steady_time received{};  ///< when it came into this process's hands
    /// How long ago its first call failed for a reason that passes; none: none has.
    std::optional<std::chrono::milliseconds> failing{};
};

/// A job that is to be tried again later, in its place.
struct postponement {
    std::chrono::milliseconds pause{};  ///< from now, by Redis's clock; five minutes at most
    std::string reason;                 ///< one short line for operators, without a word of the user's
};

struct dead_letter {
    std::string reason;  ///< an error.type of the contract
    std::string message;
    std::string logged =
        {};  ///< what may be shown of the message, without a word of the user's; may be empty
};

/// The end of a job.
struct settlement {
    std::string id;        ///< of the job; may be empty
    std::string reply_to;  ///< empty: there is nobody to tell
    std::string reply;     ///< JSON
    std::optional<dead_letter> dead;
};

}  // namespace engram::queue

// A delivered chat job as its turn carries it. Pure.
#pragma once

#include "base/clock.hpp"
#include "queue/job.hpp"
#include "queue/job_queue.hpp"
#include "store/conversations.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace engram::workers {

/// What a chat turn needs to know of the queue's rules.
struct job_rules {
    std::string prefix;
    std::vector<std::string> reply_prefixes;
    std::size_t max_job_bytes = 262'144;
    std::chrono::milliseconds deadline{600'000};
    int max_deliveries = 3;
};

/// The job's bytes are not in here: thousands of these wait for Claude at a time.
struct chat_job {
    queue::job what;  ///< as far as it could be read
    store::job_key key;
    store::conversation conversation;
    std::string shown_id;  ///< the job's own, or the one made for it; empty if the job could not be read
    std::string reply_to;  ///< empty: there is nowhere to reply to
    int attempts = 1;
    int deaths = 0;
    std::int64_t queued_ms = 0;
    /// When it was delivered: how long before that its first call had failed; none: none had.
    std::optional<std::chrono::milliseconds> failing;
    base::steady_time received;
    base::steady_time deadline;
};

struct read_job {
    chat_job job;
    std::string problem;  ///< why it cannot be answered; empty if it can
};

[[nodiscard]] read_job read_delivery(queue::delivery const& delivery, job_rules const& rules);

}  // namespace engram::workers

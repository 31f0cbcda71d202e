// Inside of job_queue: a call that may bring jobs.
#pragma once

#include "queue/job_queue.hpp"

#include <algorithm>
#include <cstddef>

namespace engram::queue {

/// Holds the room for the jobs while the call is under way, and tells of an answer that was lost.
struct job_queue::claiming {
    /// `own`: places among them that the call itself frees, so that they need no room yet.
    claiming(job_queue& of, std::size_t most, std::size_t own)
        : queue(of), claims(most), room(most - std::min(most, own)) {
        if (claims == 0) return;
        queue.reserved_ += room;
        ++queue.claiming_calls_;
    }
    ~claiming() {
        if (claims == 0) return;
        queue.reserved_ -= room;
        --queue.claiming_calls_;
        if (!answered) ++queue.doubts_;
        queue.changed_.notify_all();
    }
    claiming(claiming const&) = delete;
    claiming& operator=(claiming const&) = delete;

    job_queue& queue;
    std::size_t const claims;
    std::size_t const room;
    bool answered = false;  ///< stays false when the call is cancelled or its connection lost
};

}  // namespace engram::queue

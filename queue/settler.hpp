// The outcome of a job, on its way to Redis.
#pragma once

#include "base/event.hpp"
#include "base/repeated.hpp"
#include "queue/intake.hpp"
#include "queue/job_calls.hpp"
#include "queue/large_calls.hpp"
#include "queue/lease.hpp"
#include "queue/suspicion.hpp"

#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <optional>

namespace engram::queue {

/// Writes outcomes, again and again until Redis takes them, and asks for the next jobs with the same call, so
/// that a busy daemon needs one round trip a job. A large reply that was lost with its connection goes over
/// one of its own from then on; if Redis does not take it there either, the job ends with an error reply and
/// a dead letter. What it refers to must outlive it. All calls from one executor, by a caller that is not
/// cancelled: a call that was sent must be waited for.
class settler {
public:
    struct settled {
        bool is_ours = false;  ///< the present incarnation had the job, so what came is its own
        finished_job job;
        std::size_t claims = 0;               ///< jobs that the call has asked for
        std::optional<settlement> instead{};  ///< what was written, if it was not the outcome itself
    };

    /// `changed` wakes those who pause here; notify it after give_up().
    settler(job_calls& calls, large_calls& large, intake_machine& intake, lease const& lease,
            base::event& changed);

    /// Nothing if it could not be written until give_up().
    boost::asio::awaitable<std::optional<settled>> settle(delivery const& what, settlement const& outcome);
    /// Gives a job back; `failed`: with a death more.
    boost::asio::awaitable<void> release(delivery const& what, bool failed);
    /// As release(), for later.
    boost::asio::awaitable<void> postpone(delivery const& what, postponement const& later);
    /// From now on each outcome is tried once.
    void give_up() { giving_up_ = true; }

private:
    boost::asio::awaitable<std::optional<settled>> try_until_proven(delivery const& what,
                                                                    settlement const& outcome);
    boost::asio::awaitable<std::optional<settled>> try_once(delivery const& what, settlement const& outcome,
                                                            suspicion& suspect);
    boost::asio::awaitable<std::optional<settled>> try_alone(delivery const& what, settlement const& outcome,
                                                             suspicion& suspect);
    settled end(delivery const& what, settlement const& outcome, finished_job job, std::size_t claims);

    job_calls& calls_;
    large_calls& large_;
    intake_machine& intake_;
    lease const& lease_;
    base::event& changed_;
    bool giving_up_ = false;
    refused_sizes refused_;  // of replies that were given up
    base::repeated too_large_;
};

}  // namespace engram::queue

#include "queue/settler.hpp"

#include "base/backoff.hpp"
#include "base/log.hpp"

namespace engram::queue {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using std::chrono::steady_clock;

namespace {

void tell_end(delivery const& what, settlement const& outcome, finished_job const& job) {
    using enum finished_job::how;
    if (job.end == late)
        base::log_info("a reply came too late: another daemon has the job, or it was cancelled",
                       {{"job", outcome.id}, {"ticket", what.ticket}});
    else if (job.end == not_stored)
        base::log_warn("a reply could not be stored: the job is a dead letter",
                       {{"job", outcome.id}, {"key", outcome.reply_to}, {"error", job.refused}});
    else if (!job.refused.empty())
        base::log_warn(
            "a reply was stored, but Redis refused a part of the rest (expiry, publishing, dead letter)",
            {{"job", outcome.id}, {"key", outcome.reply_to}, {"error", job.refused}});
}

}  // namespace

settler::settler(job_calls& calls, intake_machine& intake, lease const& lease, base::event& changed)
    : calls_(calls), intake_(intake), lease_(lease), changed_(changed) {}

asio::awaitable<std::optional<settler::settled>> settler::settle(delivery const& what,
                                                                 settlement const& outcome) {
    base::backoff pauses(250ms, 2s);
    for (;;) {
        auto done = co_await try_once(what, outcome);
        if (done || giving_up_) co_return done;
        auto const until = steady_clock::now() + pauses.next();
        while (!giving_up_ && steady_clock::now() < until)
            co_await changed_.wait_until(until);
    }
}

asio::awaitable<std::optional<settler::settled>> settler::try_once(delivery const& what,
                                                                   settlement const& outcome) {
    settled done;
    // This job's own place is free once it is finished. A delivery of an earlier incarnation frees none.
    bool const was_ours = what.instance == lease_.instance();
    done.claims = was_ours ? intake_.claims_at_end_of(what.ticket) : 0;
    intake_machine::claim_call call(intake_, done.claims, 1);
    auto answer = co_await calls_.finish(what, outcome, done.claims);
    if (answer || !answer.error().leaves_doubt()) call.was_answered();
    if (!answer) co_return std::nullopt;
    tell_end(what, outcome, *answer);
    done.is_ours = what.instance == lease_.instance();
    done.job = std::move(*answer);
    co_return done;
}

asio::awaitable<void> settler::release(delivery const& what, bool failed) {
    auto const answer = co_await calls_.release(what, failed);
    // A lost answer leaves us either without the lane or as its owner unawares, which a reconciliation finds.
    if (!answer) intake_.doubt();
}

asio::awaitable<void> settler::postpone(delivery const& what, postponement const& later) {
    auto const until = steady_clock::now() + later.pause;
    auto const answer = co_await calls_.delay(what, later);
    if (answer) co_return;
    // It is ours still, and would be tried again at once, and fail again: then it waits here.
    while (!answer.error().leaves_doubt() && !giving_up_ && steady_clock::now() < until)
        co_await changed_.wait_until(until);
    intake_.doubt();
}

}  // namespace engram::queue

#include "queue/settler.hpp"

#include "base/backoff.hpp"
#include "base/log.hpp"

#include <utility>

namespace engram::queue {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using std::chrono::steady_clock;

namespace {

constexpr std::chrono::seconds longest_wait{5};  // for a turn, and a connection; then after a pause again

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

settler::settler(job_calls& calls, large_calls& large, intake_machine& intake, lease const& lease,
                 base::event& changed)
    : calls_(calls), large_(large), intake_(intake), lease_(lease), changed_(changed) {}

asio::awaitable<std::optional<settler::settled>> settler::settle(delivery const& what,
                                                                 settlement const& outcome) {
    auto done = co_await try_until_proven(what, outcome);
    if (done || giving_up_) co_return done;
    refused_.refused(outcome.reply.size(), calls_.generation(), steady_clock::now());
    auto short_one = without_reply(outcome);
    if (auto const untold = too_large_.tell("", steady_clock::now()))
        base::log_error("a reply is larger than Redis takes: its job is a dead letter",
                        {{"job", outcome.id},
                         {"bytes", outcome.reply.size()},
                         {"cure", "raise proto-max-bulk-len and client-query-buffer-limit"},
                         {"repeated", *untold}});
    done = co_await try_until_proven(what, short_one);
    if (done) done->instead = std::move(short_one);
    co_return done;
}

// Nothing if Redis does not take it, or it could not be written until give_up().
asio::awaitable<std::optional<settler::settled>> settler::try_until_proven(delivery const& what,
                                                                           settlement const& outcome) {
    base::backoff pauses(250ms, 2s);
    auto const bytes = outcome.reply.size();
    suspicion suspect(bytes, refused_.knows(bytes, calls_.generation(), steady_clock::now()));
    for (;;) {
        auto done = co_await try_once(what, outcome, suspect);
        if (done || giving_up_ || suspect.is_proven()) co_return done;
        auto const until = steady_clock::now() + pauses.next();
        while (!giving_up_ && steady_clock::now() < until)
            co_await changed_.wait_until(until);
    }
}

asio::awaitable<std::optional<settler::settled>> settler::try_once(delivery const& what,
                                                                   settlement const& outcome,
                                                                   suspicion& suspect) {
    if (suspect.goes_alone()) {
        auto done = co_await try_alone(what, outcome, suspect);
        co_return done;
    }
    // This job's own place is free once it is finished. A delivery of an earlier incarnation frees none.
    bool const was_ours = what.instance == lease_.instance();
    auto const claims = was_ours ? intake_.claims_at_end_of(what.ticket) : 0;
    intake_machine::claim_call call(intake_, claims, 1);
    auto answer = co_await calls_.finish(what, outcome, {claims, intake_.bytes_a_call()});
    if (answer || !answer.error().leaves_doubt()) call.was_answered();
    if (!answer) {
        if (answer.error().with_connection) call.was_cut_off(false);
        suspect.failed(answer.error(), false);
        co_return std::nullopt;
    }
    co_return end(what, outcome, std::move(*answer), claims);
}

// On a connection that no other command shares its fate with. It asks for no jobs.
asio::awaitable<std::optional<settler::settled>> settler::try_alone(delivery const& what,
                                                                    settlement const& outcome,
                                                                    suspicion& suspect) {
    auto const turn = co_await large_.wait(steady_clock::now() + longest_wait);
    if (!turn) co_return std::nullopt;
    auto answer = co_await calls_.finish(what, outcome, {}, &turn->connection());
    if (!answer) {
        suspect.failed(answer.error(), true);
        co_return std::nullopt;
    }
    refused_.passed(outcome.reply.size());
    co_return end(what, outcome, std::move(*answer), 0);
}

settler::settled settler::end(delivery const& what, settlement const& outcome, finished_job job,
                              std::size_t claims) {
    tell_end(what, outcome, job);
    return {what.instance == lease_.instance(), std::move(job), claims};
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

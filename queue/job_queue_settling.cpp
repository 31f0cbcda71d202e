// The part of job_queue that has one job handled and writes its outcome.
#include "base/failpoint.hpp"
#include "base/log.hpp"
#include "queue/claiming.hpp"
#include "queue/scripts.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/system/system_error.hpp>

#include <algorithm>
#include <utility>

namespace engram::queue {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

constexpr milliseconds longest_pause = 2s;

// A delivery for the handler. The body goes with it: Redis has it too, and nothing here needs it.
delivery hand_over(delivery& what) {
    auto body = std::exchange(what.body, {});
    auto handed = what;
    handed.body = std::move(body);
    return handed;
}

}  // namespace

asio::awaitable<void> job_queue::run_job(delivery what) {
    // Frees the place, however this ends.
    struct departure {
        job_queue& queue;
        delivery const& what;
        bool orderly = false;
        ~departure() {
            if (what.instance == queue.incarnation_) queue.in_flight_.erase(what.ticket);
            if (!orderly) ++queue.doubts_;
            queue.changed_.notify_all();
        }
    } departing{*this, what};
    std::optional<settlement> outcome;
    bool failed = false;
    // On a line of its own, so that the handler's copy does not stay here while it works.
    auto handling = handler_(hand_over(what));
    try {
        outcome = co_await std::move(handling);
    } catch (boost::system::system_error const& error) {
        failed = error.code() != asio::error::operation_aborted;
        if (failed)
            base::log_error("a job ended with an error", {{"ticket", what.ticket}, {"error", error.what()}});
    } catch (std::exception const& error) {
        failed = true;
        base::log_error("a job ended with an error", {{"ticket", what.ticket}, {"error", error.what()}});
    }
    // What follows writes, so it must not be cut short by the cancellation that may have brought us here.
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    if (outcome)
        co_await settle(what, std::move(*outcome));
    else if (what.instance == incarnation_ && !draining_)
        co_await release(what, failed);
    departing.orderly = true;
}

asio::awaitable<void> job_queue::settle(delivery const& what, settlement outcome) {
    auto pause = pause_after_error;
    for (;;) {
        bool const settled = co_await try_settle(what, outcome);
        if (settled || abandoning_) co_return;
        auto const until = steady_clock::now() + pause;
        while (!abandoning_ && steady_clock::now() < until)
            co_await changed_.wait_until(until);
        pause = std::min(pause * 2, longest_pause);
    }
}

std::vector<std::string> job_queue::finish_arguments(delivery const& what, settlement const& outcome,
                                                     std::size_t claims) {
    std::vector<std::string> arguments{options_.prefix,
                                       what.instance,
                                       what.lane,
                                       what.ticket,
                                       outcome.reply_to,
                                       outcome.reply,
                                       std::to_string(milliseconds(options_.reply_ttl).count()),
                                       outcome.id,
                                       outcome.dead ? outcome.dead->reason : std::string(),
                                       outcome.dead ? outcome.dead->message : std::string()};
    append_take_arguments(arguments, claims);
    return arguments;
}

asio::awaitable<bool> job_queue::try_settle(delivery const& what, settlement const& outcome) {
    // This job's own place is free once it is finished. A delivery of an earlier incarnation frees none.
    bool const ours = what.instance == incarnation_;
    bool const open = ours && may_take() && limit_ >= in_flight_.size() + reserved_;
    auto const claims = open ? std::min(limit_ - in_flight_.size() - reserved_ + 1, most_claims_a_call) : 0;
    claiming call(*this, claims, 1);
    auto const arguments = finish_arguments(what, outcome, claims);
    auto answer = co_await all_scripts().finish.run(commands_, jobs_key_, arguments);
    call.answered = answer || !answer.error().leaves_doubt();
    if (!answer) {
        note_trouble(take_trouble_, answer.error(), "writing a reply");
        co_return false;
    }
    if (answer->items.size() != 3) co_return true;
    base::failpoint("finished");
    clear_trouble(take_trouble_);
    auto const finished = answer->items[0].as_integer();
    tell_end(what, outcome, finished, answer->items[2].text);
    if (finished != 0) ++counts_.finished;
    if (what.instance == incarnation_) {
        if (finished == 0) ++counts_.lost;
        in_flight_.erase(what.ticket);
        accept(answer->items[1], claims);
    }
    co_return true;
}

// `refused` is what Redis did not let the script do.
void job_queue::tell_end(delivery const& what, settlement const& outcome, std::int64_t finished,
                         std::string const& refused) {
    if (finished == 0)
        base::log_info("a reply came too late: the job is in other hands",
                       {{"job", outcome.id}, {"ticket", what.ticket}});
    else if (finished == 2)
        base::log_warn("a reply could not be stored: the job is a dead letter",
                       {{"job", outcome.id}, {"key", outcome.reply_to}, {"error", refused}});
    else if (!refused.empty())
        base::log_warn(
            "a reply was stored, but Redis refused a part of the rest (expiry, publishing, dead letter)",
            {{"job", outcome.id}, {"key", outcome.reply_to}, {"error", refused}});
}

asio::awaitable<void> job_queue::release(delivery const& what, bool failed) {
    std::vector<std::string> const arguments{options_.prefix, what.instance, what.lane, what.ticket,
                                             failed ? "1" : "0"};
    auto const answer = co_await all_scripts().release.run(commands_, jobs_key_, arguments);
    ++counts_.released;
    // A lost answer leaves us either without the lane or as its owner unawares, which reconcile() finds.
    if (!answer) ++doubts_;
}

}  // namespace engram::queue

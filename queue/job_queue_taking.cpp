// The part of job_queue that carries out what the machine says: heartbeats and jobs on their way in.
#include "base/failpoint.hpp"
#include "base/log.hpp"
#include "queue/job_queue.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <string_view>
#include <utility>

namespace engram::queue {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

constexpr milliseconds pause_after_error = 250ms;
constexpr milliseconds wait_for_own_connection = 1s;
constexpr milliseconds blocked_pause = 100ms;  // P:jobs has jobs, but as many as allowed are parked

// Another instance has found our lease at an end and given our lanes to others.
constexpr std::string_view taken_for_dead =
    "this instance was taken for dead (stopped, stalled or cut off longer than its lease); it begins anew";
constexpr auto too_large = "invalid_job: a job is far larger than queue.max_job_bytes";
constexpr auto not_deliverable = "a job is too large for client-output-buffer-limit normal of Redis";
constexpr std::string_view other_database =
    "another database serves this queue now; the jobs in hand are given back";

}  // namespace

asio::awaitable<void> job_queue::keep_alive() {
    asio::steady_timer timer(co_await asio::this_coro::executor);
    for (;;) {
        co_await lease_.check_server();
        auto said = report_ ? report_() : std::string("{}");
        auto const beat = co_await lease_.renew(std::move(said));
        co_await heed(beat);
        timer.expires_after(lease_.pause());
        co_await timer.async_wait(asio::use_awaitable);
    }
}

asio::awaitable<void> job_queue::heed(lease::beat beat) {
    if (!beat.counts) co_return;
    intake_.renewed(beat.passed);
    if (beat.lost) lose_everything(beat.passed ? taken_for_dead : other_database);
    if (beat.lost || !beat.passed) co_return;
    intake_.counted(beat.owned);
    heed_pause(beat.paused);
    if (beat.cancels > 0)
        cancel_asked_.notify_all();
    else
        cancels_.trouble().clear();  // somebody else has carried them out
    if (beat.first) {
        base::log_info("this instance takes jobs",
                       {{"instance", lease_.instance()}, {"redis", commands_.address().to_text()}});
        ready_.notify_all();  // first: who waits for it may change the limit before the first job is taken
        intake_.registered(steady_clock::now());
    }
    if (beat.taken_back > 0)
        base::log_warn("took over the jobs of an instance that died", {{"lanes", beat.taken_back}});
    if (beat.woken > 0) base::log_debug("jobs that waited for later are due", {{"lanes", beat.woken}});
    if (beat.taken_back == 0 && beat.woken == 0) co_return;
    intake_.more_came();
    // At once: the taking of jobs may be waiting for a push, for as long as that takes.
    auto const next = intake_.next();
    if (next.what == intake_machine::step::take) co_await take_some(next.claims);
}

void job_queue::heed_pause(bool paused) {
    if (paused_ == paused) return;
    paused_ = paused;
    if (paused)
        base::log_warn("jobs are not taken: the queue was paused by an operator",
                       {{"key", options_.prefix + ":paused"}});
    else
        base::log_info("jobs are taken again: the queue was resumed");
    apply_limit();
}

// What this instance had is not its own any more.
void job_queue::lose_everything(std::string_view why) {
    base::log_warn(why, {{"instance", lease_.instance()}, {"jobs", intake_.held()}});
    counts_.lost += intake_.held();
    jobs_.cancel();
    lease_.begin_anew();
    intake_.lost();
}

asio::awaitable<void> job_queue::take_jobs() {
    using step = intake_machine::step;
    for (;;) {
        auto const next = intake_.next();
        switch (next.what) {
            case step::rest:
                co_await changed_.wait();
                break;
            case step::reconcile:
                co_await reconcile(next.refuse);
                break;
            case step::wait_for_push:
                co_await wait_for_push();
                break;
            case step::take:
                co_await take_some(next.claims);
                break;
        }
    }
}

asio::awaitable<void> job_queue::take_some(std::size_t claims) {
    std::vector<delivery> unbegun;
    bool failed = false;
    {
        intake_machine::claim_call call(intake_, claims, 0);
        auto const asking = lease_.instance();
        auto answer = co_await take(asking, claims, call);
        failed = !answer;
        if (answer && asking == lease_.instance()) unbegun = accept(std::move(*answer), claims);
    }
    for (auto const& one : unbegun)
        co_await give_back_unbegun(one);
    failed = failed || !unbegun.empty();
    if (failed) co_await changed_.wait_until(steady_clock::now() + pause_after_error);
}

// After batches were lost, over a connection of its own, and not at all without it: nobody else is to lose
// theirs, and what cannot be delivered would never be found out.
asio::awaitable<redis::result<taken_jobs>> job_queue::take(std::string instance, std::size_t claims,
                                                           intake_machine::claim_call& call) {
    std::optional<large_calls::turn> turn;
    if (intake_.is_careful()) {
        turn = co_await large_.wait(steady_clock::now() + wait_for_own_connection);
        if (!turn) {
            call.was_not_sent();
            co_return redis::error{redis::error_kind::disconnected, large_.trouble()};
        }
    }
    auto* const over = turn ? &turn->connection() : nullptr;
    auto answer = co_await calls_.take(std::move(instance), {claims, intake_.bytes_a_call()}, over);
    if (answer || !answer.error().leaves_doubt())
        call.was_answered();
    else if (answer.error().with_connection)
        call.was_cut_off(over != nullptr);
    co_return answer;
}

// Returns those that could not be begun.
std::vector<delivery> job_queue::accept(taken_jobs taken, std::size_t claims) {
    std::vector<delivery> unbegun;
    if (claims == 0) return unbegun;
    if (!taken.alive) {
        lose_everything(taken_for_dead);
        return unbegun;
    }
    if (taken.refused > 0) outcomes_.failed(too_large, steady_clock::now(), std::uint32_t(taken.refused));
    if (!taken.jobs.empty()) base::failpoint("ingested");
    if (!intake_.looked(claims, taken.jobs.size(), taken.moved, taken.more, steady_clock::now()))
        return unbegun;
    // All of them before the first runs, which it may do at once, as far as its first wait: their places are
    // taken.
    for (auto const& one : taken.jobs)
        intake_.begun(one.ticket);
    for (auto& one : taken.jobs)
        if (auto back = begin(std::move(one))) unbegun.push_back(std::move(*back));
    if (!taken.jobs.empty()) base::failpoint("claimed");
    return unbegun;
}

// Returns what is to be given back, if there was no memory to begin it.
std::optional<delivery> job_queue::begin(delivery what) {
    delivery back;
    back.instance = what.instance;
    back.lane = what.lane;
    back.ticket = what.ticket;
    ++counts_.taken;
    try {
        jobs_.spawn("job", run_job(std::move(what)));
        return std::nullopt;
    } catch (std::exception const& error) {
        base::log_error("a job could not be begun", {{"ticket", back.ticket}, {"error", error.what()}});
        return back;
    }
}

// Until Redis has it back its place is taken: freed before, it could be claimed anew while it is given back.
asio::awaitable<void> job_queue::give_back_unbegun(delivery const& one) {
    struct departure {
        job_queue& queue;
        delivery const& what;
        ~departure() {
            if (what.instance == queue.lease_.instance()) queue.intake_.gone(what.ticket);
        }
    } const departing{*this, one};
    co_await give_back(one, false);  // it is this process that lacks memory: no death of the job's
}

asio::awaitable<void> job_queue::wait_for_push() {
    using enum list_waiter::outcome;
    auto const found = co_await waiter_.wait(changed_);
    // Only jobs that end change that, and nobody tells; without a pause this would spin.
    if (found == pushed && intake_.is_blocked())
        co_await changed_.wait_until(steady_clock::now() + blocked_pause);
    intake_.waited(found != failed, steady_clock::now());
}

// After a lost answer Redis may count lanes as ours that we have never seen: give them back.
asio::awaitable<void> job_queue::reconcile(bool refuse) {
    if (refuse) {
        bool const done = co_await refuse_lost();
        if (!done) co_return;
    }
    auto const doubts = intake_.doubts();  // one that arises while we ask is not settled by this answer
    auto known = intake_.tickets();
    auto const answer = co_await calls_.reconcile(lease_.instance(), std::move(known));
    if (!answer) {
        co_await changed_.wait_until(steady_clock::now() + pause_after_error);
        co_return;
    }
    intake_.reconciled(doubts);
    if (*answer > 0) base::log_info("jobs whose delivery was lost were given back", {{"jobs", *answer}});
}

// Whether Redis has answered.
asio::awaitable<bool> job_queue::refuse_lost() {
    auto known = intake_.tickets();
    auto const answer = co_await calls_.refuse(lease_.instance(), std::move(known));
    if (!answer) {
        co_await changed_.wait_until(steady_clock::now() + pause_after_error);
        co_return false;
    }
    intake_.refused();
    if (*answer == 0) co_return true;
    outcomes_.failed(not_deliverable, steady_clock::now(), std::uint32_t(*answer));
    base::log_error("Redis closes the connection when it delivers a job: it is a dead letter",
                    {{"jobs", *answer}, {"cure", "raise client-output-buffer-limit normal"}});
    co_return true;
}

}  // namespace engram::queue

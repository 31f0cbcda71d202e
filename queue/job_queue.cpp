#include "queue/job_queue.hpp"

#include "base/failpoint.hpp"
#include "base/local_lack.hpp"
#include "base/log.hpp"
#include "queue/refusal.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/system/system_error.hpp>

#include <algorithm>
#include <utility>

namespace engram::queue {

namespace asio = boost::asio;
using std::chrono::steady_clock;

namespace {

constexpr std::chrono::seconds pause_for_lack{5};

// A delivery for the handler. The body goes with it: Redis has it too, and nothing here needs it.
delivery hand_over(delivery& what) {
    auto body = std::exchange(what.body, {});
    auto handed = what;
    handed.body = std::move(body);
    return handed;
}

bool is_cancellation(std::exception const& error) {
    auto const* const of_asio = dynamic_cast<boost::system::system_error const*>(&error);
    return of_asio != nullptr && of_asio->code() == asio::error::operation_aborted;
}

// A handler has thrown. Whether that counts as a death of the job's: it does not that this machine lacks
// something; then the job waits.
bool has_failed(delivery const& what, std::exception const& error, reply_stream& reply) {
    if (is_cancellation(error)) return false;
    auto lack = base::local_lack(error);
    bool const failed = lack.empty();
    base::log_error("a job ended with an error",
                    {{"ticket", what.ticket}, {"error", failed ? error.what() : lack}});
    if (!failed && !reply.ended()) reply.postpone({pause_for_lack, std::move(lack)});
    return failed;
}

}  // namespace

job_queue::job_queue(options options, asio::any_io_executor executor)
    : options_(std::move(options)),
      changed_(executor),
      ready_(executor),
      cancel_asked_(executor),
      commands_(options_.server, "engramd", executor),
      waiting_(options_.server, "engramd-wait", executor),
      large_(options_.server, executor, services_),
      calls_(options_, commands_),
      lease_(options_, commands_, calls_, executor),
      intake_(options_.max_in_flight, [this] { changed_.notify_all(); }),
      waiter_(waiting_, options_.prefix + ":jobs", "the queue", "waiting for jobs"),
      settler_(calls_, large_, intake_, lease_, changed_),
      dead_(options_, commands_),
      cancels_(options_, commands_),
      wanted_limit_(options_.max_in_flight),
      services_(executor),
      jobs_(executor) {}

void job_queue::start(handler handler, report report) {
    handler_ = std::move(handler);
    report_ = std::move(report);
    services_.keep_up("redis", [this] { return commands_.run(); });
    services_.keep_up("redis-wait", [this] { return waiting_.run(); });
    services_.keep_up("heartbeat", [this] { return keep_alive(); });
    services_.keep_up("take-jobs", [this] { return take_jobs(); });
    services_.keep_up("cancels", [this] { return cancel_jobs(); });
    if (dead_.is_set()) services_.keep_up("dead-letters", [this] { return bound_dead_letters(); });
}

void job_queue::set_limit(std::size_t limit) {
    wanted_limit_ = std::min(limit, options_.max_in_flight);
    apply_limit();
}

void job_queue::apply_limit() {
    auto const limit = paused_ ? 0 : wanted_limit_;
    if (limit != intake_.limit()) intake_.set_limit(limit);
}

asio::awaitable<void> job_queue::drain(base::steady_time until) {
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    if (intake_.has_ended()) {
        while (!left_)
            co_await changed_.wait();
        co_return;
    }
    drain_until_ = std::min(drain_until_, until);
    for (auto* const trouble :
         {&calls_.trouble(), &lease_.trouble(), &waiter_.trouble(), &dead_.trouble(), &cancels_.trouble()})
        trouble->mute();
    intake_.stop();
    base::log_info("no more jobs are taken", {{"in_flight", intake_.held()}});
    while (intake_.held() > 0 && steady_clock::now() < drain_until_)
        co_await changed_.wait_until(drain_until_);
    settler_.give_up();
    changed_.notify_all();
    if (jobs_.size() > 0) base::log_info("jobs are given back", {{"in_flight", intake_.held()}});
    jobs_.cancel();
    co_await jobs_.join();
    co_await lease_.leave();
    co_await services_.stop();
    left_ = true;
    changed_.notify_all();
}

void job_queue::hurry() {
    drain_until_ = steady_clock::now();
    changed_.notify_all();
}

queue_status job_queue::status() const {
    auto status = counts_;
    status.in_flight = intake_.held();
    status.limit = intake_.limit();
    status.paused = paused_;
    status.connected = commands_.is_up();
    status.trouble = commands_.trouble();
    for (auto const* trouble : {&lease_.trouble(), &calls_.trouble()})
        if (status.trouble.empty()) status.trouble = trouble->text();
    // Jobs are taken over that connection alone.
    if (status.trouble.empty() && intake_.is_careful()) status.trouble = large_.trouble();
    // Who does not wait does not know whether it could.
    if (status.trouble.empty() && intake_.is_dry()) status.trouble = waiter_.trouble().text();
    // Jobs are taken all the same.
    for (auto const* trouble : {&cancels_.trouble(), &dead_.trouble()})
        if (status.trouble.empty()) status.trouble = trouble->text();
    if (status.trouble.empty() && paused_)
        status.trouble = "paused by an operator; engramctl queue resume ends it";
    status.state = intake_.report(status.connected, !calls_.trouble().empty(), steady_clock::now());
    if (status.state == intake::cut_off && status.connected && lease_.meets_other_database())
        status.state = intake::other_database;
    if (status.state == intake::taking) tell_of_refused_writes(status);
    status.instance = lease_.instance();
    status.dead_dropped = dead_.dropped();
    status.recent = outcomes_.recent(steady_clock::now());
    return status;
}

// What waits is still taken from a full Redis, and makes room; but nobody can push. Whoever has jobs in hand
// and finds more does not wait, and does not know.
void job_queue::tell_of_refused_writes(queue_status& status) const {
    auto const& refused = waiter_.trouble().text();
    auto const* const meaning = meaning_of(refused);
    bool const waits = intake_.is_dry() || intake_.held() == 0;
    if (meaning == nullptr || !meaning->of_writes || !waits) return;
    status.state = intake::cut_off;
    status.trouble = "it refuses writes (" + refused + "): ";
    status.trouble += meaning->cure;
}

asio::awaitable<bool> job_queue::wait_until_ready(base::steady_time until) {
    while (!lease_.is_held()) {
        bool const woken = co_await ready_.wait_until(until);
        if (!woken) break;
    }
    co_return lease_.is_held();
}

asio::awaitable<redis::result<std::vector<pace_grant>>> job_queue::share_pace(
    std::vector<pace_report> reports) {
    if (!lease_.is_held())
        co_return redis::error{redis::error_kind::disconnected, "this instance is not registered"};
    auto granted = co_await calls_.pace(lease_.instance(), std::move(reports));
    co_return granted;
}

asio::awaitable<std::optional<base::wall_time>> job_queue::server_time() {
    auto const answer = co_await commands_.command({"TIME"});
    if (!answer || answer->items.size() != 2) co_return std::nullopt;
    std::chrono::seconds const whole(answer->items[0].as_integer());
    std::chrono::microseconds const rest(answer->items[1].as_integer());
    co_return base::wall_time(whole + rest);
}

asio::awaitable<void> job_queue::bound_dead_letters() {
    while (!lease_.is_held())
        co_await ready_.wait();
    co_await dead_.keep();
}

asio::awaitable<void> job_queue::cancel_jobs() {
    for (;;) {
        co_await cancel_asked_.wait();
        co_await cancels_.carry_out();
    }
}

asio::awaitable<void> job_queue::run_job(delivery what) {
    // Frees the place, however this ends.
    struct departure {
        job_queue& queue;
        delivery const& what;
        bool orderly = false;
        ~departure() {
            if (what.instance == queue.lease_.instance()) queue.intake_.gone(what.ticket);
            if (!orderly) queue.intake_.doubt();
        }
    } departing{*this, what};
    reply_stream reply;
    bool failed = false;
    try {
        // On a line of its own, so that the handler's copy does not stay here while it works.
        auto handling = handler_(hand_over(what), reply);
        co_await std::move(handling);
    } catch (std::exception const& error) {
        failed = has_failed(what, error, reply);
    }
    // What follows writes, so it must not be cut short by the cancellation that may have brought us here.
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    if (reply.ended())
        co_await finish(what, *reply.ended());
    else if (reply.postponed() && what.instance == lease_.instance())
        co_await postpone(what, *reply.postponed());
    else if (what.instance == lease_.instance() && !intake_.has_ended())
        co_await give_back(what, failed);
    departing.orderly = true;
}

asio::awaitable<void> job_queue::finish(delivery const& what, settlement const& outcome) {
    auto done = co_await settler_.settle(what, outcome);
    if (!done) co_return;
    base::failpoint("finished");
    bool const late = done->job.end == finished_job::how::late;
    if (!late) count(done->instead ? *done->instead : outcome, done->job);
    if (!done->is_ours) co_return;
    if (late) ++counts_.lost;
    intake_.gone(what.ticket);
    auto const unbegun = accept(std::move(done->job.taken), done->claims);
    for (auto const& one : unbegun)
        co_await give_back_unbegun(one);
}

void job_queue::count(settlement const& outcome, finished_job const& how) {
    ++counts_.finished;
    auto const now = steady_clock::now();
    if (how.end == finished_job::how::not_stored) {
        outcomes_.failed("the reply could not be stored: " + how.refused, now);
        return;
    }
    if (!outcome.dead) {
        ++counts_.answered;
        outcomes_.answered(now);
        return;
    }
    auto const& [reason, message, logged] = *outcome.dead;
    outcomes_.failed(logged.empty() ? reason : reason + ": " + logged, now);
}

asio::awaitable<void> job_queue::postpone(delivery const& what, postponement const& later) {
    base::log_debug("a job waits for later: its call failed for a reason that passes",
                    {{"ticket", what.ticket}, {"pause_ms", later.pause.count()}, {"reason", later.reason}});
    co_await settler_.postpone(what, later);
    ++counts_.delayed;
    outcomes_.delayed(later.reason, steady_clock::now());
}

asio::awaitable<void> job_queue::give_back(delivery const& what, bool failed) {
    co_await settler_.release(what, failed);
    ++counts_.released;
}

}  // namespace engram::queue

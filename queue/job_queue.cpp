#include "queue/job_queue.hpp"

#include "base/log.hpp"
#include "base/random_id.hpp"
#include "queue/script.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include <algorithm>
#include <unistd.h>
#include <utility>

namespace engram::queue {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

constexpr std::size_t most_claims_a_call = 128;  // keeps one script call well below a few milliseconds
constexpr milliseconds push_wait = 1s;  // how long a lane that another daemon gave back may go unseen
constexpr milliseconds pause_after_error = 250ms;
constexpr milliseconds longest_pause = 2s;
constexpr milliseconds longest_farewell = 3s;  // for a connection, at the end
constexpr milliseconds full_pause = 100ms;     // P:jobs has jobs, but as many as allowed are parked

std::string host_name() {
    char name[256] = {};
    return gethostname(name, sizeof name - 1) == 0 && name[0] ? name : "engramd";
}

bool answer_was_lost(redis_error const& error) {
    return error.kind != redis_error_kind::refused;
}

// A delivery for the handler. The body goes with it: Redis has it too, and nothing here needs it.
delivery hand_over(delivery& what) {
    auto body = std::exchange(what.body, {});
    auto handed = what;
    handed.body = std::move(body);
    return handed;
}

std::vector<std::string_view> views_of(std::vector<std::string> const& arguments) {
    return {arguments.begin(), arguments.end()};
}

}  // namespace

// A call that may bring jobs: holds the room for them, and tells of an answer that was lost.
struct job_queue::claiming {
    // `own`: places among them that the call itself frees, so that they need no room yet.
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
    bool answered = false;  // stays false when the call is cancelled or its connection lost
};

job_queue::job_queue(options options, asio::any_io_executor executor)
    : options_(std::move(options)),
      executor_(executor),
      commands_(options_.redis, "engramd", executor),
      waiting_(options_.redis, "engramd-wait", executor),
      services_(executor),
      jobs_(executor),
      jobs_key_(options_.prefix + ":jobs"),
      limit_(options_.max_in_flight),
      changed_(executor),
      ready_(executor) {
    begin_incarnation();
}

void job_queue::begin_incarnation() {
    auto const& name = options_.instance_name;
    auto const first = name.empty() ? host_name() + "-" + std::to_string(getpid()) : name;
    incarnation_ = first + "-" + base::random_hex(6);
    ticket_prefix_ = base::random_hex(8);
    registered_ = false;
    dry_ = false;
    doubts_settled_ = doubts_;
    in_flight_.clear();
}

void job_queue::start(handler handler) {
    handler_ = std::move(handler);
    services_.spawn("redis", keep_up("redis", [this] { return commands_.run(); }));
    services_.spawn("redis-wait", keep_up("redis-wait", [this] { return waiting_.run(); }));
    services_.spawn("heartbeat", keep_up("heartbeat", [this] { return keep_alive(); }));
    services_.spawn("take-jobs", keep_up("take-jobs", [this] { return take_jobs(); }));
}

// None of the services ends by itself; one that fails (no memory) starts anew, since without it the queue
// stands still.
asio::awaitable<void> job_queue::keep_up(std::string name, std::function<asio::awaitable<void>()> service) {
    for (;;) {
        try {
            co_await service();
        } catch (boost::system::system_error const& error) {
            if (error.code() == asio::error::operation_aborted) throw;
            base::log_error("a part of the queue failed and starts anew",
                            {{"part", name}, {"error", error.what()}});
        } catch (std::exception const& error) {
            base::log_error("a part of the queue failed and starts anew",
                            {{"part", name}, {"error", error.what()}});
        }
        asio::steady_timer pause(executor_, longest_pause);
        co_await pause.async_wait(asio::use_awaitable);
    }
}

std::size_t job_queue::room() const {
    if (draining_ || unsure() || !registered_) return 0;
    auto const held = in_flight_.size() + reserved_;
    return held < limit_ ? std::min(limit_ - held, most_claims_a_call) : 0;
}

void job_queue::set_limit(std::size_t limit) {
    limit_ = std::min(limit, options_.max_in_flight);
    dry_ = false;
    changed_.notify_all();
}

// ---- taking ----

void job_queue::append_take_arguments(std::vector<std::string>& arguments, std::size_t claims) {
    // More is moved to lanes than is claimed, so that the jobs of other conversations behind a crowd are
    // seen.
    auto const ingest = claims == 0 ? 0 : claims * 2 + 16;
    arguments.push_back(std::to_string(ingest));
    arguments.push_back(std::to_string(claims));
    arguments.push_back(std::to_string(options_.max_parked));
    arguments.push_back(std::to_string(options_.max_job_bytes));
    arguments.push_back(ticket_prefix_ + "-" + std::to_string(++ticket_batches_));
}

asio::awaitable<void> job_queue::take_jobs() {
    for (;;) {
        if (unsure() && registered_ && claiming_calls_ == 0) {
            co_await reconcile();
        } else if (auto const claims = room(); claims == 0) {
            co_await changed_.wait();
        } else if (dry_) {
            co_await wait_for_push();
            dry_ = false;
        } else {
            co_await take_some(claims);
        }
    }
}

asio::awaitable<void> job_queue::take_some(std::size_t claims) {
    redis_error failure;
    {
        claiming call(*this, claims, 0);
        std::vector<std::string> arguments{options_.prefix, incarnation_};
        append_take_arguments(arguments, claims);
        auto const asking = incarnation_;
        auto answer = co_await all_scripts().take.run(commands_, jobs_key_, views_of(arguments));
        call.answered = answer || !answer_was_lost(answer.error());
        if (answer) {
            clear_trouble();
            if (asking == incarnation_) accept(*answer, claims);
            co_return;
        }
        failure = answer.error();
    }
    note_trouble(failure, "taking jobs");
    co_await changed_.wait_until(steady_clock::now() + pause_after_error);
}

// `taken` is what take.lua returns: {alive, now_ms, left in P:jobs and P:ready, claimed}.
void job_queue::accept(redis_value& taken, std::size_t claims) {
    if (claims == 0 || taken.items.size() != 4) return;
    if (taken.items[0].as_integer() == 0) {
        lose_everything();
        return;
    }
    auto const now_ms = taken.items[1].as_integer();
    auto const left = taken.items[2].as_integer();
    auto& claimed = taken.items[3].items;
    if (draining_) {
        // They came too late to be begun. What Redis counts as ours beyond in_flight_ is given back by
        // reconcile().
        if (!claimed.empty()) ++doubts_;
        return;
    }
    dry_ = claimed.size() < claims && left == 0;
    if (claimed.empty() && left > 0) dry_ = true;  // all that is allowed is parked: wait, do not spin
    for (auto& item : claimed) {
        if (item.items.size() != 6) continue;
        delivery one;
        one.instance = incarnation_;
        one.lane = std::move(item.items[0].text);
        one.ticket = std::move(item.items[1].text);
        one.body = std::move(item.items[2].text);
        one.attempts = int(item.items[3].as_integer());
        one.deaths = int(item.items[4].as_integer());
        one.queued_ms = std::max<std::int64_t>(0, now_ms - item.items[5].as_integer());
        one.received = steady_clock::now();
        in_flight_.insert(one.ticket);
        ++counts_.taken;
        jobs_.spawn("job", run_job(std::move(one)));
    }
}

// Returns when P:jobs has something, or after a while. BLMOVE of a list onto its own end changes nothing.
asio::awaitable<void> job_queue::wait_for_push() {
    auto const started = steady_clock::now();
    auto const seconds = std::to_string(double(push_wait.count()) / 1000);
    auto const answer =
        co_await waiting_.command({"BLMOVE", jobs_key_, jobs_key_, "RIGHT", "RIGHT", seconds}, push_wait);
    if (answer) wait_refused_ = false;
    if (!answer && !answer.error().has_code("UNBLOCKED")) {
        // Looking again and again does instead: BLMOVE is refused by a full Redis, which still lets jobs be
        // taken.
        bool const refused = !answer_was_lost(answer.error());
        if (refused && !std::exchange(wait_refused_, true))
            base::log_warn(
                "Redis does not let the queue wait for jobs, so it asks for them at short intervals",
                {{"error", answer.error().message}});
        co_await changed_.wait_until(steady_clock::now() + pause_after_error);
    } else if (answer && !answer->is_nil() && steady_clock::now() - started < 5ms) {
        // The list had something before we waited. If that is because no more may be parked, this would spin.
        auto const parked = co_await commands_.command({"HLEN", options_.prefix + ":body"});
        if (parked && parked->as_integer() >= std::int64_t(options_.max_parked))
            co_await changed_.wait_until(steady_clock::now() + full_pause);
    }
}

// After a lost answer Redis may count lanes as ours that we have never seen: give them back.
asio::awaitable<void> job_queue::reconcile() {
    std::vector<std::string> arguments{options_.prefix, incarnation_};
    arguments.insert(arguments.end(), in_flight_.begin(), in_flight_.end());
    auto const doubts = doubts_;  // one that arises while we ask is not settled by this answer
    auto const answer = co_await all_scripts().reconcile.run(commands_, jobs_key_, views_of(arguments));
    if (answer) {
        doubts_settled_ = doubts;
        dry_ = false;
        if (answer->as_integer() > 0)
            base::log_info("jobs whose delivery was lost were given back", {{"jobs", answer->as_integer()}});
    } else {
        note_trouble(answer.error(), "looking for lost deliveries");
        co_await changed_.wait_until(steady_clock::now() + pause_after_error);
    }
}

// ---- living ----

asio::awaitable<void> job_queue::keep_alive() {
    auto const pause = std::clamp<milliseconds>(options_.lease / 5, 100ms, 1s);
    base::event never(executor_);
    for (;;) {
        co_await beat();
        co_await never.wait_until(steady_clock::now() + (registered_ ? pause : 100ms));
    }
}

asio::awaitable<void> job_queue::beat() {
    auto const lease = std::to_string(options_.lease.count());
    std::vector<std::string> const arguments{options_.prefix, incarnation_, lease, registered_ ? "0" : "1"};
    bool const was_registered = registered_;
    auto const answer = co_await all_scripts().heartbeat.run(commands_, jobs_key_, views_of(arguments));
    if (leaving_) co_return;
    if (!answer) {
        note_trouble(answer.error(), "renewing the lease");
        co_return;
    }
    if (answer->items.size() != 3) co_return;
    if (answer->items[0].as_integer() == 0) {
        lose_everything();
        co_return;
    }
    if (auto const lanes = answer->items[1].as_integer(); lanes > 0) {
        base::log_warn("took over the jobs of an instance that died", {{"lanes", lanes}});
        dry_ = false;
        changed_.notify_all();
    }
    // Answers come in order, so this is what we held when Redis counted. More is a call whose connection was
    // lost and that was carried out after all, even later than the reconcile() that followed: a network or a
    // Redis that stood still may let the old connection's bytes arrive behind the new one's.
    if (claiming_calls_ == 0 && answer->items[2].as_integer() > std::int64_t(in_flight_.size())) {
        ++doubts_;
        changed_.notify_all();
    }
    if (!was_registered) {
        registered_ = true;
        base::log_info("this instance takes jobs",
                       {{"instance", incarnation_}, {"redis", commands_.address().to_text()}});
        ready_.notify_all();
        changed_.notify_all();
    }
}

// Another instance has found our lease at an end and given our lanes to others.
void job_queue::lose_everything() {
    base::log_warn(
        "this instance was taken for dead (stopped, stalled or cut off longer than its lease); it begins "
        "anew",
        {{"instance", incarnation_}, {"jobs", in_flight_.size()}});
    counts_.lost += in_flight_.size();
    jobs_.cancel();
    begin_incarnation();
    changed_.notify_all();
}

// ---- one job ----

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

asio::awaitable<bool> job_queue::try_settle(delivery const& what, settlement const& outcome) {
    // This job's own place is free once it is finished. A delivery of an earlier incarnation frees none.
    bool const ours = what.instance == incarnation_;
    auto const open =
        ours && limit_ >= in_flight_.size() + reserved_ && !draining_ && !unsure() && registered_;
    auto const claims = open ? std::min(limit_ - in_flight_.size() - reserved_ + 1, most_claims_a_call) : 0;
    claiming call(*this, claims, 1);
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
    auto answer = co_await all_scripts().finish.run(commands_, jobs_key_, views_of(arguments));
    call.answered = answer || !answer_was_lost(answer.error());
    if (!answer) {
        note_trouble(answer.error(), "writing a reply");
        co_return false;
    }
    if (answer->items.size() != 2) co_return true;
    clear_trouble();
    auto const finished = answer->items[0].as_integer();
    if (finished == 0)
        base::log_info("a reply came too late: the job is in other hands",
                       {{"job", outcome.id}, {"ticket", what.ticket}});
    if (finished == 2)
        base::log_warn("a reply could only be published: its key is not a list",
                       {{"job", outcome.id}, {"key", outcome.reply_to}});
    if (finished != 0) ++counts_.finished;
    if (what.instance == incarnation_) {
        if (finished == 0) ++counts_.lost;
        in_flight_.erase(what.ticket);
        accept(answer->items[1], claims);
    }
    co_return true;
}

asio::awaitable<void> job_queue::release(delivery const& what, bool failed) {
    std::vector<std::string> const arguments{options_.prefix, what.instance, what.lane, what.ticket,
                                             failed ? "1" : "0"};
    auto const answer = co_await all_scripts().release.run(commands_, jobs_key_, views_of(arguments));
    ++counts_.released;
    // A lost answer leaves us either without the lane or as its owner unawares, which reconcile() finds.
    if (!answer) ++doubts_;
}

// ---- the end ----

asio::awaitable<void> job_queue::drain(base::steady_time until) {
    draining_ = true;
    drain_until_ = until;
    changed_.notify_all();
    base::log_info("no more jobs are taken", {{"in_flight", in_flight_.size()}});
    while (!in_flight_.empty() && steady_clock::now() < drain_until_)
        co_await changed_.wait_until(drain_until_);
    abandoning_ = true;
    changed_.notify_all();
    if (jobs_.size() > 0) base::log_info("jobs are given back", {{"in_flight", in_flight_.size()}});
    jobs_.cancel();
    co_await jobs_.join();
    leaving_ = true;
    co_await leave();
    services_.cancel();
    co_await services_.join();
}

void job_queue::hurry() {
    drain_until_ = steady_clock::now();
    changed_.notify_all();
}

asio::awaitable<void> job_queue::leave() {
    if (!registered_) co_return;
    // A Redis that is away for a moment: without this call every job still in hand would count a death.
    bool const up = co_await commands_.wait_until_up(steady_clock::now() + longest_farewell);
    if (!up) co_return;
    std::vector<std::string> const arguments{options_.prefix, incarnation_};
    auto const answer = co_await all_scripts().leave.run(commands_, jobs_key_, views_of(arguments));
    if (!answer) note_trouble(answer.error(), "leaving the queue");
    registered_ = false;
}

// ---- telling ----

void job_queue::note_trouble(redis_error const& error, std::string_view doing) {
    if (draining_) return;
    if (trouble_.empty())
        base::log_warn("the queue has trouble with Redis", {{"while", doing}, {"error", error.message}});
    trouble_ = error.message;
}

void job_queue::clear_trouble() {
    if (trouble_.empty()) return;
    base::log_info("the queue's trouble with Redis is over", {{"was", trouble_}});
    trouble_.clear();
}

queue_status job_queue::status() const {
    auto status = counts_;
    status.in_flight = in_flight_.size();
    status.limit = limit_;
    status.connected = commands_.is_up();
    status.trouble = commands_.is_up() ? trouble_ : commands_.trouble();
    return status;
}

asio::awaitable<bool> job_queue::wait_until_ready(base::steady_time until) {
    while (!registered_) {
        bool const woken = co_await ready_.wait_until(until);
        if (!woken) break;
    }
    co_return registered_;
}

}  // namespace engram::queue

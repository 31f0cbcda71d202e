// The part of job_queue that tells Redis and the other daemons that this one lives, and finds out when they
// think otherwise.
#include "base/log.hpp"
#include "queue/job_queue.hpp"
#include "queue/scripts.hpp"
#include "redis/server_check.hpp"

#include <algorithm>

namespace engram::queue {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

asio::awaitable<void> job_queue::keep_alive() {
    auto const pause = std::clamp<milliseconds>(options_.lease / 5, 100ms, 1s);
    base::event never(executor_);
    for (;;) {
        if (commands_.is_up() && checked_generation_ != commands_.generation()) co_await check_server();
        co_await beat();
        co_await never.wait_until(steady_clock::now() + (registered_ ? pause : 100ms));
    }
}

// With each new connection, since after a failover it may be another server.
asio::awaitable<void> job_queue::check_server() {
    auto const generation = commands_.generation();
    auto const info = co_await commands_.command({"INFO"});
    if (!info && info.error().leaves_doubt()) co_return;
    checked_generation_ = generation;
    auto const risks = info ? redis::server_risks(info->text, options_.prefix)
                            : std::vector<std::string>{
                                  "this user may not ask Redis for its settings (INFO), so "
                                  "they are not checked: " +
                                  info.error().message};
    if (risks == risks_) co_return;
    risks_ = risks;
    for (auto const& risk : risks_)
        base::log_warn("Redis is not set up to keep what it is given",
                       {{"redis", commands_.address().to_text()}, {"risk", risk}});
}

asio::awaitable<void> job_queue::beat() {
    bool const first = !registered_;
    auto const asking = incarnation_;
    auto const generation = commands_.generation();
    std::vector<std::string> const arguments{options_.prefix,
                                             asking,
                                             std::to_string(options_.lease.count()),
                                             first                               ? "1"
                                             : generation != greeted_generation_ ? "2"
                                                                                 : "0",
                                             report_ ? report_() : "{}",
                                             first ? previous_ : ""};
    auto const answer = co_await all_scripts().heartbeat.run(commands_, jobs_key_, arguments);
    if (leaving_ || asking != incarnation_) co_return;
    if (!answer) {
        note_trouble(beat_trouble_, answer.error(), "renewing the lease");
        co_return;
    }
    if (!beat_trouble_.empty()) changed_.notify_all();  // there is room again
    clear_trouble(beat_trouble_);
    greeted_generation_ = generation;
    if (answer->items.size() != 3) co_return;
    if (answer->items[0].as_integer() == 0) {
        lose_everything();
        co_return;
    }
    // Answers come in order, so this is what we held when Redis counted. More is a call whose connection was
    // lost and that was carried out after all, even later than the reconcile() that followed: a network or a
    // Redis that stood still may let the old connection's bytes arrive behind the new one's.
    if (claiming_calls_ == 0 && answer->items[2].as_integer() > std::int64_t(in_flight_.size())) {
        ++doubts_;
        changed_.notify_all();
    }
    if (first) {
        registered_ = true;
        last_look_ = steady_clock::now();
        base::log_info("this instance takes jobs",
                       {{"instance", incarnation_}, {"redis", commands_.address().to_text()}});
        ready_.notify_all();
        changed_.notify_all();
    }
    if (auto const lanes = answer->items[1].as_integer(); lanes > 0) {
        base::log_warn("took over the jobs of an instance that died", {{"lanes", lanes}});
        dry_ = false;
        changed_.notify_all();
        // At once: the taking of jobs may be waiting for a push, for as long as that takes.
        if (auto const claims = room(); claims > 0) co_await take_some(claims);
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

// After a lost answer Redis may count lanes as ours that we have never seen: give them back.
asio::awaitable<void> job_queue::reconcile() {
    std::vector<std::string> arguments{options_.prefix, incarnation_};
    arguments.insert(arguments.end(), in_flight_.begin(), in_flight_.end());
    auto const doubts = doubts_;  // one that arises while we ask is not settled by this answer
    auto const answer = co_await all_scripts().reconcile.run(commands_, jobs_key_, arguments);
    if (answer) {
        doubts_settled_ = doubts;
        clear_trouble(take_trouble_);
        dry_ = false;
        if (answer->as_integer() > 0)
            base::log_info("jobs whose delivery was lost were given back", {{"jobs", answer->as_integer()}});
    } else {
        note_trouble(take_trouble_, answer.error(), "looking for lost deliveries");
        co_await changed_.wait_until(steady_clock::now() + pause_after_error);
    }
}

}  // namespace engram::queue

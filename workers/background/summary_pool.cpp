#include "workers/background/summary_pool.hpp"

#include "base/log.hpp"
#include "base/under_way.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include <algorithm>
#include <exception>
#include <utility>

namespace engram::workers {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

constexpr std::size_t most_waiting = 10'000;  // what does not fit is found again by the sweep
constexpr std::size_t sweep_batch = 1'000;
constexpr std::size_t least_turns = summarizer::kept_by_size + 2;  // of one that is due by its size
constexpr milliseconds gate_look = 1s;  // how often the gate is looked at while it is shut
// Shorter than a lease, so that none can begin and end unseen.
constexpr milliseconds lease_look = 10s;
static_assert(lease_look < summarizer::lease);
constexpr milliseconds lag_silence = 1min;  // between two warnings

}  // namespace

summary_pool::summary_pool(summary_options options, std::string owner, store::summaries& store,
                           claude::asker& claude, claude::gate const& gate, base::clock const& clock,
                           asio::any_io_executor executor)
    : options_(options),
      store_(store),
      gate_(gate),
      clock_(clock),
      executor_(executor),
      summarizer_(std::move(options), std::move(owner), store, claude, clock, executor),
      part_(executor),
      work_(executor),
      look_(executor),
      waiting_(most_waiting) {}

void summary_pool::start() {
    for (std::size_t i = 0; i < options_.workers; ++i)
        part_.keep_up("summarizer", [this] { return work(); });
    if (options_.workers > 0) part_.keep_up("summary-sweep", [this] { return sweep(); });
}

asio::awaitable<void> summary_pool::stop() {
    return part_.stop();
}

void summary_pool::set_options(summary_options options) {
    options.workers = options_.workers;
    options_ = options;
    summarizer_.set_options(std::move(options));
    wake();
}

void summary_pool::wake() {
    work_.notify_all();
    look_.notify_all();
}

void summary_pool::consider(store::conversation const& which, window const& window) {
    if (!options_.enabled) return;
    bool const by_size = window.bytes >= options_.trigger_bytes && window.turns >= least_turns;
    if (window.turns < options_.trigger_turns && !by_size) return;
    // Where prompts are set to show less than what makes a summary due, that is no lag.
    auto const shown = std::max(options_.history_turns, options_.trigger_turns);
    auto const unseen = window.turns > shown ? window.turns - shown : 0;
    add(which, unseen, by_size);
    warn_of_lag(unseen);
}

void summary_pool::add(store::conversation const& which, std::size_t unseen, bool by_size) {
    if (!waiting_.add(which, unseen, clock_.steady(), by_size)) return;
    work_.notify_one();
    grow();
}

bool summary_pool::has_work() const {
    if (health_ != nullptr && health_->is_shut()) return false;  // a summary could not be kept
    return !waiting_.empty() && gate_.current() == claude::gate::state::open;
}

std::size_t summary_pool::most_workers() const {
    return options_.workers == 0 ? 0 : std::max(options_.workers, options_.max_workers);
}

void summary_pool::grow() {
    if (!has_work() || part_.is_stopping()) return;
    while (waiting_.size() > workers() && workers() < most_workers()) {
        // Before the spawn: a task may run at once, as far as its first wait.
        base::under_way counted(helpers_);
        part_.spawn("summary-helper", help());
        counted.keep();
    }
}

asio::awaitable<void> summary_pool::work() {
    for (;;) {
        if (has_work())
            co_await summarize_next();
        else
            co_await work_.wait_until(steady_clock::now() + gate_look);
    }
}

asio::awaitable<void> summary_pool::help() {
    // Counts down however this ends.
    struct departure {
        std::size_t& helpers;
        ~departure() { --helpers; }
    } const departing{helpers_};
    // What it takes may let the pool grow: each helper would begin inside the one before.
    co_await asio::post(executor_, asio::use_awaitable);
    while (has_work() && workers() <= most_workers())
        co_await summarize_next();
}

// REQUIRES: something waits.
asio::awaitable<void> summary_pool::summarize_next() {
    bool const by_size = waiting_.is_by_size();
    auto which = waiting_.take();
    grow();
    base::under_way const counted(running_);
    // One conversation that fails must not cost the pool a worker.
    try {
        co_await summarizer_.summarize(std::move(*which), by_size);
    } catch (boost::system::system_error const& stop) {
        if (stop.code() == asio::error::operation_aborted) throw;
        base::log_error("a summary failed", {{"error", stop.what()}});
    } catch (std::exception const& failure) {
        base::log_error("a summary failed", {{"error", failure.what()}});
    }
}

// Finds conversations that nobody told us about: the first time at once, then now and again. After a crash
// the lease of the dead owner is what keeps a conversation back, so its end is a time to look, too. A lease
// that is renewed meanwhile costs one look in vain.
asio::awaitable<void> summary_pool::sweep() {
    auto next = clock_.steady();
    for (;;) {
        if (clock_.steady() >= next) {
            bool const more = co_await find_due_sessions();
            next = clock_.steady() + (more ? std::min(options_.sweep, lease_look) : options_.sweep);
        }
        auto const lease_end = co_await next_lease_end();
        if (lease_end) next = std::min(next, *lease_end);
        co_await rest_until(std::min(next, clock_.steady() + lease_look));
    }
}

// True: there may be more of them.
asio::awaitable<bool> summary_pool::find_due_sessions() {
    if (!options_.enabled) co_return false;
    auto const due = co_await store_.find_due_sessions(options_.trigger_turns, clock_.wall(), sweep_batch);
    if (!due) {
        base::log_warn("sessions due for a summary were not found", {{"error", due.error().message}});
        co_return false;
    }
    for (auto const& which : *due)
        add(which, 0, false);
    co_return due->size() == sweep_batch;
}

asio::awaitable<std::optional<base::steady_time>> summary_pool::next_lease_end() {
    if (!options_.enabled) co_return std::nullopt;
    auto const now = clock_.wall();
    auto const end = co_await store_.find_next_lease_end(options_.trigger_turns, now);
    if (!end) {
        if (auto const untold = unread_.tell(end.error().message, clock_.steady()))
            base::log_warn("the leases on sessions were not read; it will be tried again",
                           {{"error", end.error().message}, {"repeated", *untold}});
    }
    if (!end || !*end) co_return std::nullopt;
    co_return clock_.steady() + std::max<base::steady_time::duration>(**end - now, 0s);
}

asio::awaitable<void> summary_pool::rest_until(base::steady_time until) {
    auto const now = clock_.steady();
    if (now < until) co_await look_.wait_until(steady_clock::now() + (until - now));
}

void summary_pool::warn_of_lag(std::size_t unseen) {
    auto const now = clock_.steady();
    auto const state = status();
    if (now < silent_until_ || (unseen == 0 && !lags(state))) return;
    silent_until_ = now + lag_silence;
    base::log_warn(unseen > 0
                       ? "turns have left a prompt and are in no summary yet: raise summary.max_workers "
                         "if many conversations wait, else look for summaries that fail"
                       : "summaries lag behind the chats: raise summary.max_workers if all of them "
                         "are busy",
                   {{"waiting", state.waiting},
                    {"oldest_ms", state.oldest_ms},
                    {"unseen_turns", std::max(unseen, state.unseen_turns)},
                    {"workers", state.workers},
                    {"max_workers", most_workers()}});
}

summary_status summary_pool::status() const {
    summary_status status{summarizer_.counts()};
    status.workers = workers();
    status.running = running_;
    status.waiting = waiting_.size();
    if (auto const since = waiting_.waiting_since())
        status.oldest_ms = base::elapsed_ms(*since, clock_.steady());
    status.unseen_turns = waiting_.unseen_turns();
    return status;
}

}  // namespace engram::workers

#include "workers/background/consolidator.hpp"

#include "base/log.hpp"

#include <boost/asio/error.hpp>
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

constexpr milliseconds gate_look = 5s;  // how often the gate is looked at while it is shut
constexpr milliseconds first_pause = 30s;
constexpr milliseconds longest_pause = 1h;
constexpr milliseconds first_user_pause = 10min;
constexpr milliseconds longest_user_pause = 24h;
constexpr milliseconds commit_time = 60s;  // a claim outlives the call by this
constexpr std::size_t most_troubled = 10'000;

// A server that gives no reason has ended by itself, too.
bool is_whole(claude::answer const& answer) {
    return answer.stop_reason == "end_turn" || answer.stop_reason.empty();
}

}  // namespace

consolidator::consolidator(consolidation_options options, store::upkeep& store, claude::asker& claude,
                           claude::gate const& gate, base::clock const& clock, asio::any_io_executor executor)
    : options_(std::move(options)),
      store_(store),
      claude_(claude),
      gate_(gate),
      clock_(clock),
      patience_(executor),
      part_(executor),
      look_(executor),
      pauses_(first_pause, longest_pause) {}

void consolidator::start() {
    part_.keep_up("consolidator", [this] { return work(); });
}

asio::awaitable<void> consolidator::stop() {
    return part_.stop();
}

void consolidator::set_options(consolidation_options options) {
    options_ = std::move(options);
    wake();
}

// Nothing: a user may be claimed now.
std::optional<steady_clock::duration> consolidator::time_to_wait() const {
    if (!options_.enabled || gate_.current() != claude::gate::state::open) return gate_look;
    if (health_ != nullptr && health_->is_shut()) return gate_look;
    auto const now = clock_.steady();
    if (now < next_) return next_ - now;
    return std::nullopt;
}

asio::awaitable<void> consolidator::work() {
    for (;;) {
        if (auto const wait = time_to_wait()) {
            co_await look_.wait_until(steady_clock::now() + *wait);
            continue;
        }
        // One user who fails must not end this for all.
        try {
            co_await consolidate_next();
        } catch (boost::system::system_error const& stop) {
            if (stop.code() == asio::error::operation_aborted) throw;
            failed({}, stop.what(), blame::nobody);
        } catch (std::exception const& failure) {
            failed({}, failure.what(), blame::nobody);
        }
    }
}

asio::awaitable<void> consolidator::consolidate_next() {
    auto const now = clock_.wall();
    auto const before = options_.interval.count() > 0 ? now - options_.interval : base::wall_time{};
    auto claimed = co_await store_.claim_consolidation(std::max<std::size_t>(options_.every_memories, 1),
                                                       before, now, now + options_.timeout + commit_time);
    if (!claimed) {
        next_ = clock_.steady() + options_.sweep;
        base::log_warn("no user could be taken for consolidation", {{"error", claimed.error().message}});
        co_return;
    }
    if (!*claimed) {
        next_ = clock_.steady() + options_.sweep;
        co_return;
    }
    if (is_troubled((*claimed)->user_id)) {
        // The claim keeps this user away for a while; the next one is another user.
        next_ = clock_.steady() + 1s;
        co_return;
    }
    co_await consolidate(std::move(**claimed));
}

asio::awaitable<void> consolidator::consolidate(store::consolidation_task task) {
    auto const memories = choose_memories(options_, task.memories);
    consolidation_plan plan;
    // One memory says nothing twice. The empty plan is committed all the same: this user has been seen to.
    if (memories.size() > 1) {
        auto asked = co_await ask_for_plan(task.user_id, memories);
        if (!asked) co_return;
        plan = std::move(*asked);
    }
    co_await commit(std::move(task), std::move(plan));
}

// The plan, or nothing if the answer cannot be used; that has been noted.
asio::awaitable<std::optional<consolidation_plan>> consolidator::ask_for_plan(
    std::string const& user, std::vector<store::memory_record> const& memories) {
    auto request = compose_consolidation(options_, memories);
    auto const until = steady_clock::now() + options_.timeout;
    auto const answer = co_await claude_.ask(std::move(request), claude::call_class::background, until,
                                             claude::ignore_events());
    if (!answer) {
        // An endpoint that is away says nothing about the user whose turn it was.
        auto const kind = answer.error().kind;
        bool const refused = kind == claude::error_kind::rejected || kind == claude::error_kind::too_long;
        failed(user, claude::loggable(answer.error()), refused ? blame::user : blame::nobody);
        co_return std::nullopt;
    }
    if (!is_whole(*answer)) {
        failed(user, "the answer is not whole: " + answer->stop_reason, blame::user);
        co_return std::nullopt;
    }
    auto plan = read_consolidation(answer->text(), memories);
    if (!plan) {
        failed(user, "the answer cannot be used: " + plan.error().why, blame::user);
        co_return std::nullopt;
    }
    co_return std::move(*plan);
}

asio::awaitable<void> consolidator::commit(store::consolidation_task task, consolidation_plan plan) {
    auto const write = [&] { return store_.commit_consolidation(task, plan.steps, clock_.wall()); };
    auto const committed = co_await patience_.insist(write);
    if (!committed) {
        failed(task.user_id, committed.error().message, blame::user);
        co_return;
    }
    pauses_.reset();
    troubled_.erase(task.user_id);
    counts_.refused += plan.refusals();
    if (!*committed) {
        ++counts_.discarded;
        base::log_info("a consolidation was dropped: something was erased meanwhile",
                       {{"user", task.user_id}});
        co_return;
    }
    ++counts_.done;
    counts_.merged += plan.merged;
    counts_.superseded += plan.superseded;
    base::log_info("memories consolidated", {{"user", task.user_id},
                                             {"memories", task.memories.size()},
                                             {"merged", plan.merged},
                                             {"superseded", plan.superseded},
                                             {"ended", **committed},
                                             {"refused", describe_refusals(plan)}});
}

void consolidator::failed(std::string_view user, std::string_view why, blame whom) {
    ++counts_.failed;
    auto const now = clock_.steady();
    auto const pause = pauses_.next();
    next_ = now + pause;
    if (whom == blame::user) {
        if (troubled_.size() >= most_troubled) troubled_.clear();
        auto& theirs = troubled_[std::string(user)];
        theirs.until = now + base::backoff_after(theirs.failures++, first_user_pause, longest_user_pause);
    }
    base::log_warn("memories were not consolidated; it will be tried again",
                   {{"user", user},
                    {"error", why},
                    {"next_try_s", std::chrono::duration_cast<std::chrono::seconds>(pause).count()}});
}

bool consolidator::is_troubled(std::string const& user) const {
    auto const found = troubled_.find(user);
    return found != troubled_.end() && clock_.steady() < found->second.until;
}

}  // namespace engram::workers

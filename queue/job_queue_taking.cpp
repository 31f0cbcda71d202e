// The part of job_queue that takes jobs while there is room.
#include "base/failpoint.hpp"
#include "base/log.hpp"
#include "queue/claiming.hpp"
#include "queue/scripts.hpp"

#include <algorithm>
#include <utility>

namespace engram::queue {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

constexpr std::size_t most_ingested_a_call = 128;  // as many take Redis about a millisecond
constexpr milliseconds full_pause = 100ms;         // P:jobs has jobs, but as many as allowed are parked

}  // namespace

// Whose lease cannot be renewed takes no more jobs, which others would have to take over.
bool job_queue::may_take() const {
    return registered_ && !draining_ && !unsure() && beat_trouble_.empty();
}

std::size_t job_queue::room() const {
    if (!may_take()) return 0;
    auto const held = in_flight_.size() + reserved_;
    return held < limit_ ? std::min(limit_ - held, most_claims_a_call) : 0;
}

void job_queue::append_take_arguments(std::vector<std::string>& arguments, std::size_t claims) {
    // More is moved to lanes than is claimed, so that the jobs of others behind a crowd are seen.
    arguments.push_back(std::to_string(claims == 0 ? 0 : most_ingested_a_call));
    arguments.push_back(std::to_string(claims));
    arguments.push_back(std::to_string(options_.max_parked));
    arguments.push_back(std::to_string(options_.max_parked_per_user));
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
    redis::error failure;
    {
        claiming call(*this, claims, 0);
        std::vector<std::string> arguments{options_.prefix, incarnation_};
        append_take_arguments(arguments, claims);
        auto const asking = incarnation_;
        auto answer = co_await all_scripts().take.run(commands_, jobs_key_, arguments);
        call.answered = answer || !answer.error().leaves_doubt();
        if (answer) {
            clear_trouble(take_trouble_);
            if (asking == incarnation_) accept(*answer, claims);
            co_return;
        }
        failure = answer.error();
    }
    note_trouble(take_trouble_, failure, "taking jobs");
    co_await changed_.wait_until(steady_clock::now() + pause_after_error);
}

// `taken` is what take.lua returns: {alive, now_ms, jobs moved, 1 if there may be more, claimed}.
void job_queue::accept(redis::value& taken, std::size_t claims) {
    if (claims == 0 || taken.items.size() != 5) return;
    if (taken.items[0].as_integer() == 0) {
        lose_everything();
        return;
    }
    auto const now_ms = taken.items[1].as_integer();
    auto const moved = taken.items[2].as_integer();
    bool const more = taken.items[3].as_integer() != 0;
    auto& claimed = taken.items[4].items;
    last_look_ = steady_clock::now();
    if (!claimed.empty()) base::failpoint("ingested");
    if (draining_) {
        // They came too late to be begun. What Redis counts as ours beyond in_flight_ is given back by
        // reconcile().
        if (!claimed.empty()) ++doubts_;
        return;
    }
    // There are jobs, but none can be moved or taken: as many as allowed are parked.
    blocked_ = more && moved == 0 && claimed.empty();
    dry_ = claimed.size() < claims && (!more || blocked_);
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
    if (!claimed.empty()) base::failpoint("claimed");
}

// Returns when P:jobs has something, or after a while. BLMOVE of a list onto its own end changes nothing.
asio::awaitable<void> job_queue::wait_for_push() {
    // Without its connection, looking now and then does instead.
    if (!waiting_.is_up()) {
        co_await changed_.wait_until(steady_clock::now() + pause_after_error);
        co_return;
    }
    auto const seconds = std::to_string(double(push_wait.count()) / 1000);
    auto const answer =
        co_await waiting_.command({"BLMOVE", jobs_key_, jobs_key_, "RIGHT", "RIGHT", seconds}, push_wait);
    if (answer) {
        clear_trouble(wait_trouble_);
        last_look_ = steady_clock::now();
    }
    if (!answer && !answer.error().has_code("UNBLOCKED")) {
        // Looking again and again does instead: a full Redis refuses BLMOVE, and still lets jobs be taken.
        auto const& error = answer.error();
        bool const refused = !error.leaves_doubt() && !error.has_code("MOVED") && !error.has_code("READONLY");
        if (refused) note_trouble(wait_trouble_, error, "waiting for jobs");
        co_await changed_.wait_until(steady_clock::now() + pause_after_error);
    } else if (answer && !answer->is_nil() && blocked_) {
        // Only jobs that end change that, and nobody tells; without a pause this would spin.
        co_await changed_.wait_until(steady_clock::now() + full_pause);
    }
}

}  // namespace engram::queue

// How a chat turn ends: answered, failed, put off, given back, or not yet, since the prompt was too long.
#include "base/chance.hpp"
#include "base/log.hpp"
#include "workers/chat/chat_turn.hpp"
#include "workers/chat/turn.hpp"

#include <algorithm>
#include <memory>
#include <utility>

namespace engram::workers {

namespace asio = boost::asio;
using std::chrono::milliseconds;

namespace {

// How often a prompt that is too long for the model is made again with less. The last time little is left:
constexpr int most_shrinks = 3;
constexpr std::size_t least_memory_tokens = 500;
constexpr std::size_t least_summary_tokens = 5'000;

// Between two deliveries of a job whose call fails.
constexpr std::chrono::minutes longest_between_tries{1};

// How long one waits that needs a damaged page.
constexpr milliseconds pause_after_damage{5'000};

// How long a job waits that may itself be why nothing is answered.
constexpr milliseconds shortest_turn_of_others{1'000};
constexpr milliseconds longest_turn_of_others{30'000};

}  // namespace

void chat_turn::finish_timing(turn& turn, base::steady_time commit_begun) const {
    auto const now = clock_.steady();
    turn.timing.commit_ms = base::elapsed_ms(commit_begun, now);
    turn.timing.total_ms = turn.job.queued_ms + base::elapsed_ms(turn.job.received, now);
}

void chat_turn::end_answered(turn& turn, claude::answer const& answer, store::commit_outcome committed,
                             std::size_t notes) {
    auto const& job = turn.job;
    if (committed.unknown_labels > 0)
        base::log_warn("the model named memories that this user does not have",
                       {{"job", job.key.job_id}, {"notes", committed.unknown_labels}});
    base::log_info("job answered", {{"job", job.key.job_id},
                                    {"user", job.conversation.user_id},
                                    {"session", job.conversation.session_id},
                                    {"stop_reason", answer.stop_reason},
                                    {"memories", notes},
                                    {"claude_ms", turn.timing.claude_ms},
                                    {"total_ms", turn.timing.total_ms},
                                    {"calls", turn.calls + answer.attempts}});
    after_commit_(job.conversation, turn.window);
    turn.end(settle_answered(job, queue::with_timing(std::move(committed.outcome.reply), turn.timing)));
}

// Everything about the user was erased while the job waited or ran. Nothing is recorded: that would be
// something about the user again.
void chat_turn::end_cancelled(turn& turn) {
    base::log_info("job cancelled: everything about its user was erased", {{"job", turn.job.key.job_id}});
    turn.end(settle_cancelled(turn.job));
}

// Another delivery of this job came to an end before this one.
asio::awaitable<void> chat_turn::end_recorded(turn& turn, store::recorded_outcome recorded) {
    auto const& job = turn.job;
    if (recorded.ok && !recorded.same_body) {
        turn_failure conflict{"id_conflict", "the id " + job.key.job_id + " was used for another job"};
        co_await fail(turn, std::move(conflict));
        co_return;
    }
    base::log_info("job answered from the store",
                   {{"job", job.key.job_id}, {"user", job.conversation.user_id}});
    turn.end(settle_recorded(job, std::move(recorded)));
}

// From `asking` back to `loading`, if anything can be left out: the oldest turns first, and of what is
// remembered half each time, in the end nearly all. False: nothing can.
bool chat_turn::shrink(turn& turn, claude::error const& why) const {
    if (!turn.holds_context || turn.shrinks == most_shrinks) return false;
    base::log_info(
        "the prompt was too long for the model: asked again with less",
        {{"job", turn.job.key.job_id}, {"turns", turn.window.turns}, {"bytes", turn.window.bytes}});
    if (!turn.smaller) turn.smaller = std::make_unique<chat_options>(options_);
    auto& bounds = *turn.smaller;
    bool const is_last = ++turn.shrinks == most_shrinks;
    bounds.history_bytes = is_last ? 0 : turn.window.bytes / 2;
    bounds.recall_limit = is_last ? 0 : bounds.recall_limit / 2;
    bounds.memory_tokens =
        is_last ? std::min(bounds.memory_tokens, least_memory_tokens) : bounds.memory_tokens / 2;
    if (is_last) bounds.own_summary_tokens = least_summary_tokens;
    turn.calls += why.attempts;
    turn.at = stage::loading;
    return true;
}

// A failure that passes puts the job off. A refusal may concern every call: the gate knows.
asio::awaitable<void> chat_turn::end_refused(turn& turn, claude::error error) {
    using enum claude::error_kind;
    if (error.kind == unavailable && error.passes) {
        co_await try_later(turn, std::move(error));
        co_return;
    }
    if (error.kind == busy) {
        turn.give_back();
        co_return;
    }
    if (error.kind == too_long && shrink(turn, error)) co_return;
    auto const fate = error.kind == deadline ? claude::fate::bears : gate_.met(error, turn.asked_in);
    if (fate == claude::fate::goes_back) {
        turn.give_back();
    } else if (fate == claude::fate::waits) {
        co_await let_others_try(turn, std::move(error));
    } else {
        auto why = failure_of(std::move(error));
        co_await fail(turn, std::move(why));
    }
}

asio::awaitable<void> chat_turn::try_later(turn& turn, claude::error error) {
    auto const wish = error.wait;
    auto reason = reason_of(error);
    auto why = failure_of(std::move(error));
    co_await put_off(turn, std::move(reason), wish, std::move(why));
}

// As long as there is patience for the job and its deadline is not reached.
next_try chat_turn::plan(turn const& turn, std::optional<milliseconds> wish) const {
    auto const now = clock_.steady();
    failed_call call;
    if (turn.job.failing)
        call.failing = *turn.job.failing + std::chrono::floor<milliseconds>(now - turn.job.received);
    // Time in which nobody tried, since the queue was paused, say, is not counted.
    call.failing = std::min<milliseconds>(call.failing, turn.job.attempts * longest_between_tries);
    call.to_deadline = std::chrono::floor<milliseconds>(turn.job.deadline - now);
    call.wish = wish;
    return plan_next_try(call, options_.retry_for, base::chance());
}

// The job waits in its place while there is patience for it; then it ends with `why`.
asio::awaitable<void> chat_turn::put_off(turn& turn, std::string reason, std::optional<milliseconds> wish,
                                         turn_failure why) {
    auto const next = plan(turn, wish);
    if (next.end == give_up::no) {
        turn.postpone({next.pause, std::move(reason)});
        co_return;
    }
    if (next.end == give_up::deadline) why = past_deadline(std::move(why));
    co_await fail(turn, std::move(why));
}

// Nothing is answered, and this job may be why: another one is tried first.
asio::awaitable<void> chat_turn::let_others_try(turn& turn, claude::error error) {
    auto const pause = std::clamp(options_.pause_retry, shortest_turn_of_others, longest_turn_of_others);
    if (clock_.steady() + pause < turn.job.deadline) {
        turn.postpone({pause, reason_of(error)});
        co_return;
    }
    auto why = failure_of(std::move(error));
    co_await fail(turn, std::move(why));
}

// The store fails this job, and not for a reason that passes by itself. Whether that concerns every job, the
// health knows.
asio::awaitable<void> chat_turn::end_unstored(turn& turn, store::error error, std::string_view what) {
    if (health_ != nullptr) health_->met(error, turn.job.key.job_id);
    if (health_ != nullptr && health_->is_shut()) {
        turn.give_back();
        co_return;
    }
    turn_failure why{"internal", std::string(what) + error.message, true};
    if (health_ != nullptr && error.damaged)
        co_await put_off(turn, "the database is damaged", pause_after_damage, std::move(why));
    else
        co_await fail(turn, std::move(why));
}

// Records the error, so that a delivery that wakes up late cannot bring another outcome, and answers with it.
asio::awaitable<void> chat_turn::fail(turn& turn, turn_failure why) {
    auto const& job = turn.job;
    store::failure const failure{
        job.key, job.what.user_id, error_reply(job, why), why.type, why.message, clock_.wall(), turn.seen};
    auto const record = [&] { return store_.record_failure(failure); };
    auto recorded = co_await patience_.insist(record);
    if (!recorded && recorded.error().damaged && health_ != nullptr) {
        // What the caller would be told, the store would not know. Where that lasts the caller is told all
        // the same.
        health_->met(recorded.error(), job.key.job_id);
        auto const next = plan(turn, pause_after_damage);
        if (next.end == give_up::no) {
            turn.postpone({next.pause, "the database is damaged"});
            co_return;
        }
    }
    base::log_warn("job failed", {{"job", job.key.job_id},
                                  {"user", job.what.user_id},
                                  {"session", job.what.session_id},
                                  {"error", why.type},
                                  {"message", why.logged.empty() ? why.message : why.logged},
                                  {"attempts", job.attempts}});
    // A store that fails for another reason must not keep the caller waiting.
    bool const as_reported = !recorded || recorded->reply == failure.reply;
    turn.end(as_reported ? settle_failed(job, failure.reply, std::move(why))
                         : settle_recorded(job, std::move(*recorded)));
}

}  // namespace engram::workers

// How a chat turn ends: answered, failed, cancelled, or given back.
#include "base/log.hpp"
#include "workers/chat/chat_turn.hpp"
#include "workers/chat/turn.hpp"

#include <utility>

namespace engram::workers {

namespace asio = boost::asio;

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
                                    {"calls", answer.attempts}});
    after_commit_(job.conversation, committed.window_turns);
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

// What concerns every call is borne by the first job that meets it; the others are given back.
asio::awaitable<void> chat_turn::end_refused(turn& turn, claude::error error) {
    using claude::error_kind;
    bool const for_everybody = error.kind == error_kind::auth || error.kind == error_kind::spend_limit;
    if (for_everybody && !gate_.refused(error)) {
        turn.end(std::nullopt);
        co_return;
    }
    if (error.kind == error_kind::rejected) gate_.answered(turn.asked_in);
    auto why = failure_of(std::move(error));
    co_await fail(turn, std::move(why));
}

// Records the error, so that a delivery that wakes up late cannot bring another outcome, and answers with it.
asio::awaitable<void> chat_turn::fail(turn& turn, turn_failure why) {
    auto const& job = turn.job;
    base::log_warn("job failed", {{"job", job.key.job_id},
                                  {"user", job.what.user_id},
                                  {"session", job.what.session_id},
                                  {"error", why.type},
                                  {"message", why.logged.empty() ? why.message : why.logged},
                                  {"attempts", job.attempts}});
    store::failure const failure{
        job.key, job.what.user_id, error_reply(job, why), why.type, why.message, clock_.wall(), turn.seen};
    auto const record = [&] { return store_.record_failure(failure); };
    auto recorded = co_await patience_.insist(record);
    // A damaged store must not keep the caller waiting.
    bool const as_reported = !recorded || recorded->reply == failure.reply;
    turn.end(as_reported ? settle_failed(job, failure.reply, std::move(why))
                         : settle_recorded(job, std::move(*recorded)));
}

}  // namespace engram::workers

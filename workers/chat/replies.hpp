// What a chat job is answered with. Pure.
#pragma once

#include "claude/client.hpp"
#include "queue/job_queue.hpp"
#include "queue/reply.hpp"
#include "store/conversations.hpp"
#include "workers/chat/chat_job.hpp"

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace engram::workers {

/// Why a turn ends without an answer.
struct turn_failure {
    std::string type;     ///< an error.type of the contract
    std::string message;  ///< for the caller
    bool retryable = false;
    std::string logged = {};  ///< stands for the message in the log; empty: the message itself
};

/// What a failed call means to the job.
[[nodiscard]] turn_failure failure_of(claude::error error);

/// What it means that there is no time left for another try, after a call that failed with `last`.
[[nodiscard]] turn_failure past_deadline(turn_failure last);

/// Whether the model was stopped before it was done, so that notes at the end may be missing.
[[nodiscard]] bool was_cut(claude::answer const& answer);

/// The ok reply, but for the memories that its writer is given. `said`: the answer without its notes. The
/// writer owns what it needs and can be called again, on any thread.
[[nodiscard]] std::function<std::string(std::vector<store::saved_memory> const&)> ok_reply_writer(
    chat_job const& job, claude::answer const& answer, std::string said, queue::reply_timing const& timing);

[[nodiscard]] std::string error_reply(chat_job const& job, turn_failure const& why);

[[nodiscard]] queue::settlement settle_answered(chat_job const& job, std::string reply);
/// With a dead letter.
[[nodiscard]] queue::settlement settle_failed(chat_job const& job, std::string reply, turn_failure why);
/// As an earlier delivery ended.
[[nodiscard]] queue::settlement settle_recorded(chat_job const& job, store::recorded_outcome recorded);
/// Everything about the user was erased. No dead letter: that would keep the job's bytes.
[[nodiscard]] queue::settlement settle_cancelled(chat_job const& job);

}  // namespace engram::workers

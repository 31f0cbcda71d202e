#include "workers/chat/replies.hpp"

#include <memory>
#include <optional>
#include <utility>

namespace engram::workers {
namespace {

std::vector<queue::reply_memory> to_reply(std::vector<store::saved_memory> const& saved) {
    std::vector<queue::reply_memory> memories;
    memories.reserve(saved.size());
    for (auto const& memory : saved)
        memories.push_back({memory.id, memory.type, memory.content, memory.action});
    return memories;
}

queue::reply_usage to_reply(claude::answer const& answer) {
    auto const& usage = answer.usage;
    return {usage.input_tokens, usage.output_tokens, usage.cache_read_input_tokens,
            usage.cache_creation_input_tokens, answer.cost_usd};
}

std::string_view error_type(claude::error_kind kind) {
    switch (kind) {
        case claude::error_kind::auth:
        case claude::error_kind::on_hold:
            return "claude_auth";
        case claude::error_kind::spend_limit:
            return "claude_spend_limit";
        case claude::error_kind::model_gone:
            return "claude_model_gone";
        case claude::error_kind::too_long:
        case claude::error_kind::rejected:
            return "claude_rejected";
        case claude::error_kind::no_api:
        case claude::error_kind::busy:
        case claude::error_kind::unavailable:
            return "claude_unavailable";
        case claude::error_kind::deadline:
            return "deadline_exceeded";
    }
    return "internal";
}

queue::settlement settle(chat_job const& job, std::string reply) {
    return {job.shown_id, job.reply_to, std::move(reply), std::nullopt};
}

}  // namespace

turn_failure failure_of(claude::error error) {
    // What a server says may repeat what the user said: that goes to the caller and not into the log.
    auto logged = claude::loggable(error);
    if (error.kind == claude::error_kind::too_long)
        error.message.insert(0, "the message is too long for the model: ");
    bool const hopeless =
        error.kind == claude::error_kind::rejected || error.kind == claude::error_kind::too_long;
    return {std::string(error_type(error.kind)), std::move(error.message), !hopeless, std::move(logged)};
}

turn_failure past_deadline(turn_failure last) {
    constexpr std::string_view what = "the deadline comes before another try; the last one failed: ";
    last.type = error_type(claude::error_kind::deadline);
    last.message.insert(0, what);
    if (!last.logged.empty()) last.logged.insert(0, what);
    return last;
}

bool was_cut(claude::answer const& answer) {
    return answer.stop_reason == "max_tokens" || answer.stop_reason == "model_context_window_exceeded";
}

std::function<std::string(std::vector<store::saved_memory> const&)> ok_reply_writer(
    chat_job const& job, claude::answer const& answer, std::string said, queue::reply_timing const& timing) {
    auto const draft = std::make_shared<queue::ok_reply>();
    draft->id = job.key.job_id;
    draft->user_id = job.conversation.user_id;
    draft->session_id = job.conversation.session_id;
    draft->reply = std::move(said);
    draft->model = answer.model;
    draft->stop_reason = answer.stop_reason;
    draft->usage = to_reply(answer);
    draft->notes_cut = was_cut(answer);
    draft->attempts = job.attempts;
    draft->metadata = job.what.metadata;
    draft->timing = timing;
    return [draft](std::vector<store::saved_memory> const& saved) {
        auto reply = *draft;
        reply.memories = to_reply(saved);
        return queue::to_json(reply);
    };
}

std::string error_reply(chat_job const& job, turn_failure const& why) {
    queue::error_reply reply;
    reply.id = job.shown_id;
    reply.user_id = job.what.user_id;
    reply.session_id = job.what.session_id;
    reply.type = why.type;
    reply.message = why.message;
    reply.retryable = why.retryable;
    reply.attempts = job.attempts;
    reply.metadata = job.what.metadata;
    return queue::to_json(reply);
}

queue::settlement settle_answered(chat_job const& job, std::string reply) {
    return settle(job, std::move(reply));
}

queue::settlement settle_failed(chat_job const& job, std::string reply, turn_failure why) {
    auto settlement = settle(job, std::move(reply));
    auto logged = why.logged.empty() ? why.message : std::move(why.logged);
    settlement.dead = queue::dead_letter{std::move(why.type), std::move(why.message), std::move(logged)};
    return settlement;
}

queue::settlement settle_recorded(chat_job const& job, store::recorded_outcome recorded) {
    auto settlement = settle(job, std::move(recorded.reply));
    if (recorded.ok) return settlement;
    settlement.dead = queue::dead_letter{std::move(recorded.error_type), std::move(recorded.error_message)};
    return settlement;
}

queue::settlement settle_cancelled(chat_job const& job) {
    return settle(job, error_reply(job, {"cancelled", "everything about this user was erased"}));
}

}  // namespace engram::workers

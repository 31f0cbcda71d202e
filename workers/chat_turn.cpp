#include "workers/chat_turn.hpp"

#include "base/digest.hpp"
#include "base/failpoint.hpp"
#include "base/log.hpp"
#include "workers/memory_tags.hpp"
#include "workers/prompt.hpp"

#include <memory>
#include <utility>

namespace engram::workers {

namespace asio = boost::asio;
using std::chrono::milliseconds;

namespace {

// In lower case, as extract_memory_tags() wants them.
std::vector<std::string> const& memory_types() {
    static std::vector<std::string> const types{"fact", "preference", "summary"};
    return types;
}

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
            return "claude_auth";
        case claude::error_kind::spend_limit:
            return "claude_spend_limit";
        case claude::error_kind::rejected:
            return "claude_rejected";
        case claude::error_kind::unavailable:
            return "claude_unavailable";
        case claude::error_kind::deadline:
            return "deadline_exceeded";
    }
    return "internal";
}

// Of an error reply.
queue::dead_letter dead_letter_of(std::string const& reply) {
    auto const error = queue::parse_reply(reply);
    return {error ? error->error_type : "internal", error ? error->error_message : ""};
}

}  // namespace

// One job on its way through.
struct chat_turn::turn {
    int attempts = 1;
    int deaths = 0;
    base::steady_time received;
    queue::job job;
    store::job_key key;
    store::conversation conversation;
    std::string shown_id;  // the job's own, or the one made for it; empty if the job could not be read
    std::string reply_to;
    base::steady_time deadline;
    base::steady_time asked_at;
    std::uint64_t asked_in = 0;  // the gate's period
    queue::reply_timing timing;
    store::context context;
};

chat_turn::chat_turn(job_rules rules, chat_options options, store::store& store, claude::asker& claude,
                     api_gate& gate, base::clock const& clock, after_commit after_commit,
                     asio::any_io_executor executor)
    : rules_(std::move(rules)),
      options_(std::move(options)),
      store_(store),
      claude_(claude),
      gate_(gate),
      clock_(clock),
      after_commit_(std::move(after_commit)),
      patience_(std::move(executor)) {}

// Thousands of turns wait for Claude at a time, so what stays while they wait is kept small: one object for
// the turn, and one frame, of take_turn(). What comes before and after has frames of its own, which are gone
// by then.
asio::awaitable<std::optional<queue::settlement>> chat_turn::answer(queue::delivery delivery) {
    auto one = std::make_unique<turn>();
    auto problem = begin(*one, std::move(delivery));
    return problem ? refuse(std::move(one), std::move(*problem)) : take_turn(std::move(one));
}

// Returns what is wrong with the job, if it cannot be answered.
std::optional<std::string> chat_turn::begin(turn& turn, queue::delivery delivery) const {
    turn.timing.queued_ms = delivery.queued_ms;
    auto parsed =
        queue::parse_job(delivery.body, {rules_.prefix, &rules_.reply_prefixes, rules_.max_job_bytes});
    turn.job = parsed ? std::move(*parsed) : std::move(parsed.error().partial);
    turn.key = {turn.job.id.empty() ? delivery.ticket : turn.job.id, delivery.ticket,
                base::sha256(delivery.body)};
    turn.shown_id = parsed ? turn.key.job_id : turn.job.id;
    turn.reply_to = turn.job.reply_to;
    if (turn.reply_to.empty() && (parsed || !turn.job.id.empty()))
        turn.reply_to = queue::default_reply_key(rules_.prefix, turn.key.job_id);
    turn.conversation = {turn.job.user_id,
                         turn.job.session_id.empty() ? "s-" + delivery.ticket : turn.job.session_id};
    auto const allowed = turn.job.deadline.value_or(rules_.deadline);
    turn.deadline = delivery.received + allowed - milliseconds(delivery.queued_ms);
    // The bytes have been read and digested, and the queue knows where the job belongs: a call in flight need
    // not carry that too.
    turn.attempts = delivery.attempts;
    turn.deaths = delivery.deaths;
    turn.received = delivery.received;
    if (parsed) return std::nullopt;
    return std::move(parsed.error().message);
}

asio::awaitable<std::optional<queue::settlement>> chat_turn::refuse(std::unique_ptr<turn> turn,
                                                                    std::string why) {
    auto refused = co_await fail(*turn, "invalid_job", std::move(why), false);
    co_return refused;
}

asio::awaitable<std::optional<queue::settlement>> chat_turn::take_turn(std::unique_ptr<turn> turn) {
    auto settled = co_await load(*turn);
    if (settled) co_return settled;
    turn->asked_in = gate_.period();
    auto answered = co_await claude_.ask(compose(*turn), claude::call_class::chat, turn->deadline);
    settled = co_await finish(*turn, std::move(answered));
    co_return settled;
}

// Returns a settlement if the turn ends here.
asio::awaitable<std::optional<queue::settlement>> chat_turn::load(turn& turn) {
    auto const begun = clock_.steady();
    auto const load = [&] {
        return store_.load_context(
            {turn.key, turn.conversation, options_.memory_limit, options_.history_turns});
    };
    auto loaded = co_await patience_.insist(load);
    if (!loaded) {
        auto failed = co_await fail(turn, "internal",
                                    "the memory could not be loaded: " + loaded.error().message, true);
        co_return failed;
    }
    turn.context = std::move(*loaded);
    if (turn.context.recorded) {
        auto known = co_await settle_recorded(turn, std::move(*turn.context.recorded));
        co_return known;
    }
    if (turn.deaths >= rules_.max_deliveries) {
        auto poisoned = co_await fail(turn, "poisoned",
                                      "the job was being worked on when a daemon died or stalled, " +
                                          std::to_string(turn.deaths) + " times",
                                      false);
        co_return poisoned;
    }
    turn.asked_at = clock_.steady();
    turn.timing.load_ms = base::elapsed_ms(begun, turn.asked_at);
    if (turn.asked_at >= turn.deadline) {
        auto late =
            co_await fail(turn, "deadline_exceeded", "the job waited for longer than its deadline", true);
        co_return late;
    }
    co_return std::nullopt;
}

claude::request chat_turn::compose(turn& turn) const {
    auto const context = std::exchange(turn.context, {});
    return compose_chat(options_, context, turn.conversation.session_id, turn.job.message);
}

asio::awaitable<std::optional<queue::settlement>> chat_turn::finish(turn& turn,
                                                                    claude::result<claude::answer> answered) {
    turn.timing.claude_ms = base::elapsed_ms(turn.asked_at, clock_.steady());
    if (!answered) {
        auto failed = co_await fail_call(turn, answered.error());
        co_return failed;
    }
    gate_.answered(turn.asked_in);
    auto committed = co_await commit(turn, std::move(*answered));
    co_return committed;
}

asio::awaitable<std::optional<queue::settlement>> chat_turn::fail_call(turn const& turn,
                                                                       claude::error error) {
    using claude::error_kind;
    bool const for_everybody = error.kind == error_kind::auth || error.kind == error_kind::spend_limit;
    if (for_everybody && !gate_.refused(error)) co_return std::nullopt;
    if (error.kind == error_kind::rejected) gate_.answered(turn.asked_in);
    bool const retryable = error.kind != error_kind::rejected;
    // What a server says may repeat what the user said: that goes to the caller and not into the log.
    auto logged = error.status == 0 ? error.message : "HTTP status " + std::to_string(error.status);
    auto failed = co_await fail(turn, std::string(error_type(error.kind)), std::move(error.message),
                                retryable, std::move(logged));
    co_return failed;
}

asio::awaitable<queue::settlement> chat_turn::commit(turn& turn, claude::answer answer) {
    auto extracted = extract_memory_tags(answer.text, memory_types());
    if (extracted.malformed > 0 || extracted.retyped > 0)
        base::log_warn("the model wrote memory tags that are not well formed",
                       {{"job", turn.key.job_id},
                        {"dropped", extracted.malformed},
                        {"kept_as_fact", extracted.retyped}});

    auto const draft = std::make_shared<queue::ok_reply>();
    draft->id = turn.key.job_id;
    draft->user_id = turn.conversation.user_id;
    draft->session_id = turn.conversation.session_id;
    draft->reply = std::move(extracted.reply);
    draft->model = answer.model;
    draft->stop_reason = answer.stop_reason;
    draft->usage = to_reply(answer);
    draft->attempts = turn.attempts;
    draft->metadata = turn.job.metadata;

    auto const begun = clock_.steady();
    auto const finish_timing = [&turn, this, begun] {
        auto const now = clock_.steady();
        turn.timing.commit_ms = base::elapsed_ms(begun, now);
        turn.timing.total_ms = turn.timing.queued_ms + base::elapsed_ms(turn.received, now);
    };
    finish_timing();
    draft->timing = turn.timing;

    store::exchange exchange;
    exchange.job = turn.key;
    exchange.of = turn.conversation;
    exchange.user_text = std::move(turn.job.message);
    exchange.assistant_text = std::move(answer.text);
    for (auto& tag : extracted.tags)
        exchange.memories.push_back({std::move(tag.type), std::move(tag.content)});
    exchange.at = clock_.wall();
    exchange.compose_reply = [draft](std::vector<store::saved_memory> const& saved) {
        auto reply = *draft;
        reply.memories = to_reply(saved);
        return queue::to_json(reply);
    };
    base::failpoint("before_commit");
    auto const save = [&] { return store_.commit_exchange(exchange); };
    auto committed = co_await patience_.insist(save);
    if (!committed) {
        auto failed = co_await fail(turn, "internal",
                                    "the exchange could not be stored: " + committed.error().message, true);
        co_return failed;
    }
    if (!committed->committed) {
        auto known = co_await settle_recorded(turn, std::move(committed->outcome));
        co_return known;
    }
    base::failpoint("committed");
    finish_timing();
    base::log_info("job answered", {{"job", turn.key.job_id},
                                    {"user", turn.conversation.user_id},
                                    {"session", turn.conversation.session_id},
                                    {"stop_reason", answer.stop_reason},
                                    {"memories", exchange.memories.size()},
                                    {"claude_ms", turn.timing.claude_ms},
                                    {"total_ms", turn.timing.total_ms},
                                    {"calls", answer.attempts}});
    after_commit_(turn.conversation, committed->window_turns);
    co_return queue::settlement{turn.key.job_id, turn.reply_to,
                                queue::with_timing(std::move(committed->outcome.reply), turn.timing),
                                std::nullopt};
}

// Another delivery of this job came to an end before this one.
asio::awaitable<queue::settlement> chat_turn::settle_recorded(turn const& turn,
                                                              store::recorded_outcome recorded) {
    if (recorded.ok && !recorded.same_body) {
        auto conflict = co_await fail(turn, "id_conflict",
                                      "the id " + turn.key.job_id + " was used for another job", false);
        co_return conflict;
    }
    base::log_info("job answered from the store",
                   {{"job", turn.key.job_id}, {"user", turn.conversation.user_id}});
    queue::settlement settlement{turn.shown_id, turn.reply_to, std::move(recorded.reply), std::nullopt};
    if (!recorded.ok) settlement.dead = dead_letter_of(settlement.reply);
    co_return settlement;
}

// Records the error, so that a delivery that wakes up late cannot bring another outcome, and answers with it.
// `logged` replaces the message in the log.
asio::awaitable<queue::settlement> chat_turn::fail(turn const& turn, std::string type, std::string message,
                                                   bool retryable, std::string logged) {
    queue::error_reply reply;
    reply.id = turn.shown_id;
    reply.user_id = turn.job.user_id;
    reply.session_id = turn.job.session_id;
    reply.type = type;
    reply.message = message;
    reply.retryable = retryable;
    reply.attempts = turn.attempts;
    reply.metadata = turn.job.metadata;
    base::log_warn("job failed", {{"job", turn.key.job_id},
                                  {"user", turn.job.user_id},
                                  {"session", turn.job.session_id},
                                  {"error", type},
                                  {"message", logged.empty() ? message : logged},
                                  {"attempts", turn.attempts}});

    store::failure const failure{turn.key, turn.job.user_id, queue::to_json(reply), clock_.wall()};
    auto const record = [&] { return store_.record_failure(failure); };
    auto recorded = co_await patience_.insist(record);
    queue::settlement settlement{turn.shown_id, turn.reply_to, failure.reply,
                                 queue::dead_letter{std::move(type), std::move(message)}};
    if (!recorded) co_return settlement;  // a damaged store must not keep the caller waiting
    if (recorded->reply == failure.reply) co_return settlement;
    // Another delivery was first, and may have ended otherwise.
    settlement.reply = std::move(recorded->reply);
    settlement.dead.reset();
    if (!recorded->ok) settlement.dead = dead_letter_of(settlement.reply);
    co_return settlement;
}

}  // namespace engram::workers

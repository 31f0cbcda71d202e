#include "workers/chat/chat_turn.hpp"

#include "base/digest.hpp"
#include "base/failpoint.hpp"
#include "base/log.hpp"
#include "embedding/vector_bytes.hpp"
#include "recall/likeness.hpp"
#include "workers/chat/prompt.hpp"

#include <algorithm>
#include <memory>
#include <utility>

namespace engram::workers {

namespace asio = boost::asio;
using std::chrono::milliseconds;

namespace {

// How often a turn begins anew because something that its prompt held was erased meanwhile.
constexpr int most_tries = 5;

// A sentence of the model's about what the user said shares at least this much of its words with it.
constexpr double least_support = .3;
// … and this much with a text that it only repeats.
constexpr double echo_share = .8;

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

// Label and type of the memories in a prompt.
using shown_memories = std::vector<std::pair<std::int64_t, std::string>>;

shown_memories find_shown(store::context const& context) {
    shown_memories shown;
    shown.reserve(context.memories.size() + context.found_memories.size());
    for (auto const& one : context.memories)
        shown.emplace_back(one.label, one.type);
    for (auto const& one : context.found_memories)
        shown.emplace_back(one.what.label, one.what.type);
    return shown;
}

// What takes the place of a memory keeps that one's type. None: the note is about a number that the model was
// not shown, such as one of an example.
std::optional<std::string_view> type_of(memory_tag const& tag, shown_memories const& shown) {
    if (tag.what == memory_tag::kind::add) return tag.type;
    auto const one = std::ranges::find(shown, tag.label, &shown_memories::value_type::first);
    if (one == shown.end()) return std::nullopt;
    return one->second;
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
    store::erasures seen;
    bool loaded = false;
    bool again = false;    // something that the prompt held was erased before the answer came
    std::string vector;    // of the message; empty: none
    std::string recalled;  // the earlier turns found for the message
    shown_memories shown;
};

chat_turn::chat_turn(job_rules rules, chat_options options, finding finding, store::conversations& store,
                     claude::asker& claude, api_gate& gate, base::clock const& clock,
                     after_commit after_commit, asio::any_io_executor executor)
    : rules_(std::move(rules)),
      options_(std::move(options)),
      finding_(finding),
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
    if (finding_.embedder != nullptr && searches()) co_await embed_message(*turn);
    for (int tries = 1;; ++tries) {
        auto settled = co_await load(*turn);
        if (settled) co_return settled;
        turn->asked_in = gate_.period();
        auto answered = co_await claude_.ask(compose(*turn), claude::call_class::chat, turn->deadline);
        settled = co_await finish(*turn, std::move(answered));
        if (!turn->again) co_return settled;
        if (tries < most_tries) continue;
        settled = co_await fail(*turn, "internal", "memories were being erased all the time", true);
        co_return settled;
    }
}

// Without a vector in time the search goes by words.
asio::awaitable<void> chat_turn::embed_message(turn& turn) {
    auto const until = std::min(turn.deadline, clock_.steady() + finding_.embedding_timeout);
    std::vector<std::string> message{turn.job.message};
    auto made = co_await finding_.embedder->embed(std::move(message), embedding::purpose::query, until);
    if (made && made->size() == 1) turn.vector = embedding::to_bytes(made->front());
}

store::context_query chat_turn::what_to_load(turn const& turn) const {
    store::context_query query;
    query.job = turn.key;
    query.of = turn.conversation;
    query.memory_limit = options_.memory_limit;
    query.history_turns = options_.history_turns;
    query.now = clock_.wall();
    if (!searches()) return query;
    query.find.text = turn.job.message;
    query.find.limit = options_.recall_limit;
    query.find.vector = turn.vector;
    if (!turn.vector.empty()) query.find.vector_model = finding_.embedder->model_id();
    return query;
}

// Whether the job was there already when everything about its user was erased.
bool chat_turn::was_forgotten(turn const& turn) const {
    if (turn.context.forgotten_at == base::wall_time{}) return false;
    // A moment in the future is of a clock that was set back since: it says nothing.
    if (turn.context.forgotten_at > clock_.wall()) return false;
    auto const waited = clock_.steady() - turn.received + milliseconds(turn.timing.queued_ms);
    auto const first_seen = clock_.wall() - std::chrono::duration_cast<base::wall_time::duration>(waited);
    return first_seen < turn.context.forgotten_at;
}

// Returns a settlement if the turn ends here.
asio::awaitable<std::optional<queue::settlement>> chat_turn::load(turn& turn) {
    auto const begun = clock_.steady();
    turn.again = false;
    auto const load = [&] { return store_.load_context(what_to_load(turn)); };
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
    turn.seen = turn.context.seen;
    turn.loaded = true;
    if (was_forgotten(turn)) co_return cancel(turn);
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
    turn.recalled.clear();
    for (auto const& one : context.found_turns)
        turn.recalled.append(one.what.content).append("\n");
    turn.shown = find_shown(context);
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

// Whether a note says again what the prompt showed, and no word of it comes from the message: a name or a
// number of the message makes a long sentence another fact.
bool chat_turn::is_echo(turn const& turn, std::string const& content) {
    if (turn.recalled.empty()) return false;
    auto const shown = recall::share_within(content, turn.recalled);
    return shown >= echo_share && recall::share_within(content, turn.recalled + turn.job.message) <= shown;
}

// What the model noted, with the rules of its category.
std::vector<store::new_memory> chat_turn::read_notes(turn const& turn, std::vector<memory_tag> tags) const {
    std::vector<store::new_memory> notes;
    std::size_t echoes = 0, not_shown = 0;
    for (auto& tag : tags) {
        auto const type = type_of(tag, turn.shown);
        if (!type) {
            ++not_shown;
            continue;
        }
        store::new_memory note;
        note.what = tag.what == memory_tag::kind::add      ? store::new_memory::kind::add
                    : tag.what == memory_tag::kind::update ? store::new_memory::kind::update
                                                           : store::new_memory::kind::forget;
        note.label = tag.label;
        note.told = recall::share_within(tag.content, turn.job.message) >= least_support;
        if (tag.what == memory_tag::kind::add && !note.told && is_echo(turn, tag.content)) {
            ++echoes;
            continue;
        }
        if (auto const* kind = options_.types.find(*type)) {
            note.most_of_type = kind->max_per_user;
            note.lifetime = kind->ttl;
        }
        note.type = std::move(tag.type);
        note.content = std::move(tag.content);
        notes.push_back(std::move(note));
    }
    if (echoes > 0)
        base::log_info("the model noted what it had been shown; not kept",
                       {{"job", turn.key.job_id}, {"notes", echoes}});
    if (not_shown > 0)
        base::log_warn("the model named memories that it was not shown",
                       {{"job", turn.key.job_id}, {"notes", not_shown}});
    return notes;
}

store::exchange chat_turn::make_exchange(turn const& turn, claude::answer const& answer) const {
    auto extracted = extract_memory_tags(answer.text, options_.types.names());
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
    draft->timing = turn.timing;

    store::exchange exchange;
    exchange.job = turn.key;
    exchange.of = turn.conversation;
    exchange.turns = {{store::role::user, turn.job.message},
                      {store::role::assistant, answer.text, draft->reply}};
    exchange.memories = read_notes(turn, std::move(extracted.tags));
    exchange.at = clock_.wall();
    exchange.seen = turn.seen;
    exchange.reply_to = turn.reply_to;
    exchange.compose_reply = [draft](std::vector<store::saved_memory> const& saved) {
        auto reply = *draft;
        reply.memories = to_reply(saved);
        return queue::to_json(reply);
    };
    return exchange;
}

// Nothing, and turn.again, if the turn has to begin anew.
asio::awaitable<std::optional<queue::settlement>> chat_turn::commit(turn& turn, claude::answer answer) {
    auto const begun = clock_.steady();
    auto const finish_timing = [&turn, this, begun] {
        auto const now = clock_.steady();
        turn.timing.commit_ms = base::elapsed_ms(begun, now);
        turn.timing.total_ms = turn.timing.queued_ms + base::elapsed_ms(turn.received, now);
    };
    finish_timing();
    auto const exchange = make_exchange(turn, answer);
    base::failpoint("before_commit");
    auto const save = [&] { return store_.commit_exchange(exchange); };
    auto committed = co_await patience_.insist(save);
    if (!committed) {
        auto failed = co_await fail(turn, "internal",
                                    "the exchange could not be stored: " + committed.error().message, true);
        co_return failed;
    }
    using staleness = store::commit_outcome::staleness;
    if (committed->stale == staleness::forget) co_return cancel(turn);
    if (committed->stale == staleness::deletion) {
        base::log_info("a memory was erased during the call: the job is answered anew",
                       {{"job", turn.key.job_id}});
        turn.again = true;
        co_return std::nullopt;
    }
    if (!committed->committed) {
        auto known = co_await settle_recorded(turn, std::move(committed->outcome));
        co_return known;
    }
    base::failpoint("committed");
    finish_timing();
    co_return answer_committed(turn, answer, std::move(*committed), exchange.memories.size());
}

queue::settlement chat_turn::answer_committed(turn const& turn, claude::answer const& answer,
                                              store::commit_outcome committed, std::size_t notes) {
    if (committed.unknown_labels > 0)
        base::log_warn("the model named memories that this user does not have",
                       {{"job", turn.key.job_id}, {"notes", committed.unknown_labels}});
    base::log_info("job answered", {{"job", turn.key.job_id},
                                    {"user", turn.conversation.user_id},
                                    {"session", turn.conversation.session_id},
                                    {"stop_reason", answer.stop_reason},
                                    {"memories", notes},
                                    {"claude_ms", turn.timing.claude_ms},
                                    {"total_ms", turn.timing.total_ms},
                                    {"calls", answer.attempts}});
    after_commit_(turn.conversation, committed.window_turns);
    return {turn.key.job_id, turn.reply_to,
            queue::with_timing(std::move(committed.outcome.reply), turn.timing), std::nullopt};
}

// Everything about the user was erased while the job waited or ran. Nothing is recorded: that would be
// something about him again.
queue::settlement chat_turn::cancel(turn const& turn) const {
    queue::error_reply reply;
    reply.id = turn.shown_id;
    reply.user_id = turn.job.user_id;
    reply.session_id = turn.job.session_id;
    reply.type = "cancelled";
    reply.message = "everything about this user was erased";
    reply.attempts = turn.attempts;
    reply.metadata = turn.job.metadata;
    base::log_info("job cancelled: everything about its user was erased", {{"job", turn.key.job_id}});
    return {turn.shown_id, turn.reply_to, queue::to_json(reply), std::nullopt};
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
    if (!recorded.ok)
        settlement.dead =
            queue::dead_letter{std::move(recorded.error_type), std::move(recorded.error_message)};
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

    store::failure const failure{turn.key,
                                 turn.job.user_id,
                                 queue::to_json(reply),
                                 type,
                                 message,
                                 clock_.wall(),
                                 turn.loaded ? std::optional(turn.seen) : std::nullopt};
    auto const record = [&] { return store_.record_failure(failure); };
    auto recorded = co_await patience_.insist(record);
    queue::settlement settlement{turn.shown_id, turn.reply_to, failure.reply,
                                 queue::dead_letter{std::move(type), std::move(message)}};
    if (!recorded) co_return settlement;  // a damaged store must not keep the caller waiting
    if (recorded->reply == failure.reply) co_return settlement;
    // Another delivery was first, and may have ended otherwise.
    settlement.reply = std::move(recorded->reply);
    settlement.dead.reset();
    if (!recorded->ok)
        settlement.dead =
            queue::dead_letter{std::move(recorded->error_type), std::move(recorded->error_message)};
    co_return settlement;
}

}  // namespace engram::workers

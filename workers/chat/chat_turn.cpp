#include "workers/chat/chat_turn.hpp"

#include "base/failpoint.hpp"
#include "base/log.hpp"
#include "base/utf8.hpp"
#include "embedding/vector_bytes.hpp"
#include "workers/chat/memory_tags.hpp"
#include "workers/chat/note_marks.hpp"
#include "workers/chat/notes.hpp"
#include "workers/chat/prompt.hpp"
#include "workers/chat/turn.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <utility>
#include <vector>

namespace engram::workers {

namespace asio = boost::asio;
using std::chrono::milliseconds;

namespace {

// How often a turn begins anew because something that its prompt held was erased meanwhile.
constexpr int most_erasures = 5;

// Of what the user said in the window: kept while the turn waits, which thousands do at a time.
constexpr std::size_t most_bytes_said = 16'000;

template <class Turn>
std::size_t bytes_of(std::vector<Turn> const& turns) {
    std::size_t bytes = 0;
    for (auto const& one : turns)
        bytes += one.content.size();
    return bytes;
}

}  // namespace

chat_turn::chat_turn(job_rules rules, chat_options options, finding finding, store::conversations& store,
                     claude::asker& claude, claude::gate& gate, base::clock const& clock,
                     after_commit after_commit, asio::any_io_executor executor)
    : rules_(std::move(rules)),
      options_(std::move(options)),
      finding_(finding),
      store_(store),
      claude_(claude),
      gate_(gate),
      clock_(clock),
      after_commit_(std::move(after_commit)),
      executor_(std::move(executor)),
      patience_(executor_),
      zones_(executor_) {}

// Thousands of turns wait for Claude at a time, so what stays while they wait is kept small: one object for
// the turn, and one frame, of take_turn(). What comes before and after has frames of its own, which are gone
// by then.
asio::awaitable<void> chat_turn::answer(queue::delivery delivery, queue::reply_stream& reply) {
    auto read = read_delivery(delivery, rules_);
    auto one = std::make_unique<turn>(reply);
    one->job = std::move(read.job);
    one->timing.queued_ms = one->job.queued_ms;
    return read.problem.empty() ? take_turn(std::move(one)) : refuse(std::move(one), std::move(read.problem));
}

asio::awaitable<void> chat_turn::refuse(std::unique_ptr<turn> turn, std::string why) {
    turn_failure invalid{"invalid_job", std::move(why)};
    co_await fail(*turn, std::move(invalid));
}

asio::awaitable<void> chat_turn::take_turn(std::unique_ptr<turn> turn) {
    co_await find_zone(*turn);
    if (turn->at == stage::ended) co_return;
    if (finding_.embedder != nullptr && options_.recall_limit > 0) co_await embed_message(*turn);
    for (;;) {
        co_await load(*turn);
        if (turn->at == stage::ended) break;
        if (health_ != nullptr && (health_->is_in_doubt() || health_->is_shut())) co_await rehearse(*turn);
        if (turn->at == stage::ended) break;
        turn->asked_in = gate_.period();
        auto answered = co_await claude_.ask(compose(*turn), claude::call_class::chat, turn->job.deadline,
                                             claude::ignore_events());
        co_await take_answer(*turn, std::move(answered));
        if (turn->at == stage::ended) break;
    }
}

asio::awaitable<void> chat_turn::find_zone(turn& turn) {
    auto const& named = turn.job.what.timezone;
    std::string problem;
    try {
        auto name = named.empty() ? options_.timezone : named;
        turn.zone = co_await zones_.find(std::move(name));
    } catch (unreadable_zone const& lack) {
        problem = lack.what();
    }
    if (!problem.empty()) {
        if (auto const untold = unreadable_zones_.tell(problem, clock_.steady()))
            base::log_warn("a time zone cannot be read now: jobs wait for it",
                           {{"job", turn.job.key.job_id}, {"error", problem}, {"repeated", *untold}});
        turn_failure why{"internal", std::move(problem), true};
        co_await put_off(turn, "time zones cannot be read", std::nullopt, std::move(why));
        co_return;
    }
    // The configured zone was there at the start.
    if (turn.zone == nullptr && named.empty()) {
        std::string anywhere = "UTC";
        turn.zone = co_await zones_.find(std::move(anywhere));
    }
    if (turn.zone != nullptr) co_return;
    turn_failure invalid{"invalid_job",
                         "timezone must be the IANA name of a time zone, such as Europe/Berlin"};
    co_await fail(turn, std::move(invalid));
}

// Without a vector in time the search goes by words.
asio::awaitable<void> chat_turn::embed_message(turn& turn) {
    auto const until = std::min(turn.job.deadline, clock_.steady() + finding_.embedding_timeout);
    std::vector<std::string> message{turn.job.what.message};
    auto made = co_await finding_.embedder->embed(std::move(message), embedding::purpose::query, until);
    if (made && made->size() == 1) turn.vector = embedding::to_bytes(made->front());
}

chat_options const& chat_turn::options_of(turn const& turn) const {
    return turn.smaller ? *turn.smaller : options_;
}

store::context_query chat_turn::what_to_load(turn const& turn) const {
    auto const& options = options_of(turn);
    store::context_query query;
    query.job = turn.job.key;
    query.of = turn.job.conversation;
    query.memory_limit = options.memory_limit;
    query.memory_tokens = options.memory_tokens;
    query.recent_summaries = options.recent_summaries;
    query.history_turns = options.history_turns;
    query.history_bytes = options.history_bytes;
    query.now = clock_.wall();
    if (options.recall_limit == 0) return query;
    query.find.text = turn.job.what.message;
    query.find.limit = options.recall_limit;
    query.find.vector = turn.vector;
    if (!turn.vector.empty()) query.find.vector_model = finding_.embedder->model_id();
    return query;
}

// From `loading` to `asking`.
asio::awaitable<void> chat_turn::load(turn& turn) {
    if (turn.erasures == most_erasures) {
        turn_failure why{"internal", "memories were being erased all the time", true};
        co_await fail(turn, std::move(why));
        co_return;
    }
    auto const begun = clock_.steady();
    // A ranker serves one search.
    auto const load = [&] { return store_.load_context(what_to_load(turn)); };
    auto loaded = co_await patience_.insist(load);
    if (!loaded) {
        co_await end_unstored(turn, loaded.error(), "the memory could not be loaded: ");
        co_return;
    }
    turn.context = std::move(*loaded);
    turn.asked_at = clock_.steady();
    turn.timing.load_ms = base::elapsed_ms(begun, turn.asked_at);
    co_await check_loaded(turn);
}

// Whether there is anything to ask, now that the store has said what it knows of the job.
asio::awaitable<void> chat_turn::check_loaded(turn& turn) {
    if (turn.context.recorded) {
        co_await end_recorded(turn, std::move(*turn.context.recorded));
        co_return;
    }
    turn.seen = turn.context.seen;
    if (was_forgotten(turn)) {
        end_cancelled(turn);
    } else if (turn.job.deaths >= rules_.max_deliveries) {
        turn_failure why{"poisoned", "the job was being worked on when a daemon died or stalled, " +
                                         std::to_string(turn.job.deaths) + " times"};
        co_await fail(turn, std::move(why));
    } else if (turn.asked_at >= turn.job.deadline) {
        turn_failure why{"deadline_exceeded", "the job waited for longer than its deadline", true};
        co_await fail(turn, std::move(why));
    } else {
        turn.at = stage::asking;
    }
}

// The database is damaged somewhere: nothing is paid for that this job could not keep.
asio::awaitable<void> chat_turn::rehearse(turn& turn) {
    if (health_->is_shut()) {
        turn.give_back();
        co_return;
    }
    store::rehearsal what{turn.job.key, turn.job.conversation, turn.seen.value_or(store::erasures{}),
                          clock_.wall()};
    auto const went = co_await health_->rehearse(std::move(what));
    // Any other failure is one that the exchange itself may not meet.
    if (!went && went.error().damaged)
        co_await end_unstored(turn, went.error(), "the exchange could not be stored: ");
}

// Whether the job was there already when everything about its user was erased.
bool chat_turn::was_forgotten(turn const& turn) const {
    if (turn.context.forgotten_at == base::wall_time{}) return false;
    // A moment in the future is of a clock that was set back since: it says nothing.
    if (turn.context.forgotten_at > clock_.wall()) return false;
    auto const waited = clock_.steady() - turn.job.received + milliseconds(turn.job.queued_ms);
    auto const first_seen = clock_.wall() - std::chrono::duration_cast<base::wall_time::duration>(waited);
    return first_seen < turn.context.forgotten_at;
}

void chat_turn::keep_to_judge_notes(turn& turn, store::context const& context) {
    turn.answered.clear();
    turn.said.clear();
    auto const keep = [&turn](store::turn const& one) {
        (one.role == store::role::user ? turn.said : turn.answered).append(one.content).append("\n");
    };
    for (auto const& one : context.found_turns)
        keep(one.what);
    if (turn.answered.empty()) {
        turn.said.clear();
        return;
    }
    auto room = most_bytes_said;
    for (auto one = context.turns.rbegin(); one != context.turns.rend(); ++one) {
        if (one->role != store::role::user) continue;
        if (one->content.size() > room) break;
        room -= one->content.size();
        keep(*one);
    }
    turn.answered.shrink_to_fit();
    turn.said.shrink_to_fit();
}

claude::request chat_turn::compose(turn& turn) const {
    auto context = std::exchange(turn.context, {});
    shown_ids shown;
    auto request = compose_chat(options_of(turn), context, turn.job.conversation.session_id,
                                turn.job.what.message, turn.zone->describe(clock_.wall()), &shown);
    keep_shown(context, shown);
    turn.window = {context.turns.size(), bytes_of(context.turns)};
    turn.holds_context = !(context.turns.empty() && context.memories.empty() &&
                           context.found_memories.empty() && context.found_turns.empty());
    keep_to_judge_notes(turn, context);
    turn.shown = find_shown(context);
    turn.given = given_notes::find(context, turn.job.what.message);
    return request;
}

// From `asking` to `committing` and on.
asio::awaitable<void> chat_turn::take_answer(turn& turn, claude::result<claude::answer> answered) {
    turn.timing.claude_ms = base::elapsed_ms(turn.asked_at, clock_.steady());
    if (!answered) {
        co_await end_refused(turn, answered.error());
        co_return;
    }
    gate_.answered(turn.asked_in);
    turn.at = stage::committing;
    co_await commit(turn, std::move(*answered));
}

// From `committing` to the end, or back to `loading`.
asio::awaitable<void> chat_turn::commit(turn& turn, claude::answer answer) {
    using staleness = store::commit_outcome::staleness;
    auto const begun = clock_.steady();
    finish_timing(turn, begun);
    auto const exchange = co_await make_exchange(turn, answer);
    base::failpoint("before_commit");
    auto const save = [&] { return store_.commit_exchange(exchange); };
    auto committed = co_await patience_.insist(save);
    if (committed && committed->committed && health_ != nullptr) health_->worked();
    if (!committed) {
        co_await end_unstored(turn, committed.error(), "the exchange could not be stored: ");
    } else if (committed->stale == staleness::forget) {
        end_cancelled(turn);
    } else if (committed->stale == staleness::deletion) {
        base::log_info("a memory was erased during the call: the job is answered anew",
                       {{"job", turn.job.key.job_id}});
        ++turn.erasures;
        turn.at = stage::loading;
    } else if (!committed->committed) {
        co_await end_recorded(turn, std::move(committed->outcome));
    } else {
        base::failpoint("committed");
        finish_timing(turn, begun);
        turn.window.turns = committed->window_turns;
        turn.window.bytes = turn.smaller ? SIZE_MAX : turn.window.bytes + bytes_of(exchange.turns);
        end_answered(turn, answer, std::move(*committed), exchange.memories.size());
    }
}

asio::awaitable<store::exchange> chat_turn::make_exchange(turn const& turn, claude::answer const& answer) {
    auto const& job = turn.job;
    auto text = answer.text();
    // Without an opening nothing is compared with what was given.
    bool const compares = turn.given && has_opening(text);
    while (compares && turn.given->read_on())
        co_await asio::post(executor_, asio::use_awaitable);
    bool const cut = was_cut(answer);
    if (cut) ++counts_.cut;
    if (base::is_blank(text) && answer.stop_reason == "max_tokens")
        base::log_warn("the answer has no text: thinking used up claude.max_tokens",
                       {{"job", job.key.job_id}, {"cure", "raise claude.max_tokens or lower claude.effort"}});
    auto tags = extract_memory_tags(text, options_.types.names(), cut, turn.given.get());
    auto said = std::move(tags.reply);
    // Whoever reads the stored answer later does not know what was given.
    auto findable = turn.given ? extract_memory_tags(text, {}).reply : said;
    if (tags.malformed > 0 || tags.retyped > 0)
        base::log_warn(
            "the model wrote memory tags that are not well formed",
            {{"job", job.key.job_id}, {"dropped", tags.malformed}, {"kept_as_fact", tags.retyped}});
    auto const not_shown = limit_notes(turn, tags.tags);
    note_review review(std::move(tags.tags), turn.shown, job.what.message, turn.answered, turn.said);
    // A long message would hold up every other turn.
    while (review.read_on())
        co_await asio::post(executor_, asio::use_awaitable);
    auto kept = std::move(review).finish(options_.types);
    if (kept.echoes > 0)
        base::log_info("the model noted what it had been shown; not kept",
                       {{"job", job.key.job_id}, {"notes", kept.echoes}});
    if (not_shown > 0)
        base::log_warn("the model named memories that it was not shown",
                       {{"job", job.key.job_id}, {"notes", not_shown}});

    store::exchange exchange;
    exchange.job = job.key;
    exchange.of = job.conversation;
    exchange.turns = {{store::role::user, job.what.message},
                      {store::role::assistant, std::move(text), std::move(findable)}};
    exchange.memories = std::move(kept.notes);
    exchange.at = clock_.wall();
    exchange.seen = turn.seen.value_or(store::erasures{});
    exchange.reply_to = job.reply_to;
    exchange.compose_reply = ok_reply_writer(job, answer, std::move(said), turn.timing);
    co_return exchange;
}

std::size_t chat_turn::limit_notes(turn const& turn, std::vector<memory_tag>& tags) {
    auto const left_out = apply_limits({options_.max_note_bytes, options_.max_notes}, turn.shown, tags);
    counts_.too_long += left_out.too_long;
    counts_.too_many += left_out.too_many;
    if (left_out.too_long + left_out.too_many > 0)
        base::log_warn(
            "the model noted more than is kept of one answer",
            {{"job", turn.job.key.job_id}, {"too_long", left_out.too_long}, {"too_many", left_out.too_many}});
    return left_out.not_shown;
}

}  // namespace engram::workers

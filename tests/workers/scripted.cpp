#include "workers/scripted.hpp"

#include <utility>

namespace engram::test {

namespace asio = boost::asio;
using engram::store::commit_outcome;
using engram::store::error;
using engram::store::error_kind;
using engram::store::recorded_outcome;

namespace {

std::string action_of(engram::store::new_memory const& note) {
    using kind = engram::store::new_memory::kind;
    if (note.what == kind::forget) return "forgotten";
    return note.what == kind::update ? "updated" : "added";
}

void tell(claude::answer const& answer, claude::listener& hears) {
    auto const text = answer.text();
    if (!text.empty()) hears.on_text(text);
    hears.on_end();
}

}  // namespace

asio::awaitable<claude::result<claude::answer>> scripted_claude::ask(claude::request what,
                                                                     claude::call_class priority,
                                                                     base::steady_time,
                                                                     claude::listener& hears) {
    asked.push_back(std::move(what));
    classes.push_back(priority);
    while (hold)
        co_await released.wait();
    if (after_ask) after_ask();
    if (answers.empty()) will_say("ok", "");
    auto next = std::move(answers.front());
    answers.pop_front();
    if (next) tell(*next, hears);
    co_return next;
}

void scripted_claude::will_say(std::string text, std::string stop_reason) {
    claude::answer answer;
    answer.content.emplace_back(std::move(text));
    answer.stop_reason = std::move(stop_reason);
    answer.model = "scripted";
    answers.emplace_back(std::move(answer));
}

void scripted_claude::will_fail(claude::error_kind kind, std::string message) {
    will_fail({kind, std::move(message), 0, 1});
}

std::optional<error> scripted_store::next_error() {
    if (!broken.empty()) return error{error_kind::internal, broken};
    if (unavailable == 0) return std::nullopt;
    --unavailable;
    return error{error_kind::unavailable, "the disk is full"};
}

std::optional<recorded_outcome> scripted_store::recorded(engram::store::job_key const& key) const {
    if (auto const ok = finished.find(key.job_id); ok != finished.end())
        return recorded_outcome{true, ok->second.first == key.body_digest, ok->second.second};
    if (auto const bad = failed.find(key.ticket); bad != failed.end()) return bad->second;
    return std::nullopt;
}

scripted_store::awaitable_result<engram::store::context> scripted_store::load_context(
    engram::store::context_query query) {
    if (auto failure = next_error()) co_return *failure;
    if (load_fails) co_return *load_fails;
    auto loaded = context;
    if (!contexts.empty()) {
        loaded = std::move(contexts.front());
        contexts.pop_front();
    }
    loaded.recorded = recorded(query.job);
    queries.push_back(std::move(query));
    co_return loaded;
}

scripted_store::awaitable_result<commit_outcome> scripted_store::commit_exchange(
    engram::store::exchange what) {
    if (auto failure = next_error()) co_return *failure;
    if (commit_fails) co_return *commit_fails;
    commit_outcome outcome;
    outcome.window_turns = window_turns;
    if (auto known = recorded(what.job)) {
        outcome.outcome = *known;
        co_return outcome;
    }
    if (!stale.empty()) {
        outcome.stale = stale.front();
        stale.pop_front();
        if (outcome.stale != commit_outcome::staleness::none) co_return outcome;
    }
    std::vector<engram::store::saved_memory> saved;
    for (auto const& memory : what.memories)
        saved.push_back({std::int64_t(saved.size() + 1), memory.type, memory.content, action_of(memory)});
    outcome.committed = true;
    outcome.unknown_labels = unknown_labels;
    outcome.outcome = {true, true, what.compose_reply(saved)};
    finished[what.job.job_id] = {what.job.body_digest, outcome.outcome.reply};
    exchanges.push_back(std::move(what));
    co_return outcome;
}

scripted_store::awaitable_result<recorded_outcome> scripted_store::record_failure(
    engram::store::failure what) {
    if (auto failure = next_error()) co_return *failure;
    if (record_fails) co_return *record_fails;
    failures.push_back(what);
    auto const known = recorded(what.job);
    if (known && known->same_body) co_return *known;
    recorded_outcome const told{false, true, what.reply, what.error_type, what.error_message};
    failed[what.job.ticket] = told;
    co_return told;
}

scripted_store::awaitable_result<std::vector<engram::store::conversation>> scripted_store::find_due_sessions(
    std::size_t, base::wall_time, std::size_t) {
    co_return std::exchange(due, {});
}

scripted_store::awaitable_result<std::optional<base::wall_time>> scripted_store::find_next_lease_end(
    std::size_t, base::wall_time now) {
    co_return lease_end&& now < *lease_end ? lease_end : std::nullopt;
}

scripted_store::awaitable_result<std::optional<engram::store::summary_task>> scripted_store::claim_summary(
    engram::store::summary_request request) {
    claimed.push_back(request);
    if (claims.empty()) co_return std::optional<engram::store::summary_task>();
    auto task = std::move(claims.front());
    claims.pop_front();
    task.of = request.of;
    task.owner = request.owner;
    co_return std::optional(std::move(task));
}

scripted_store::awaitable_result<bool> scripted_store::commit_condensed(engram::store::summary_task,
                                                                        std::string summary,
                                                                        base::wall_time) {
    condensed.push_back(std::move(summary));
    co_return takes_condensed;
}

scripted_store::awaitable_result<bool> scripted_store::commit_summary(engram::store::summary_task,
                                                                      std::string summary, bool,
                                                                      base::wall_time) {
    if (summary_fails) co_return *summary_fails;
    summaries.push_back(std::move(summary));
    co_return takes_summaries;
}

scripted_store::awaitable_result<void> scripted_store::renew_summary(engram::store::summary_task const&,
                                                                     base::wall_time) {
    co_return engram::store::result<void>();
}

scripted_store::awaitable_result<void> scripted_store::release_summary(engram::store::summary_task,
                                                                       base::wall_time not_before) {
    ++given_back;
    last_not_before = not_before;
    co_return engram::store::result<void>();
}

}  // namespace engram::test

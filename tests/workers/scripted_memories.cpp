#include "workers/scripted_memories.hpp"

#include <algorithm>
#include <utility>

namespace engram::test {

using store::changed_memory;
using store::conversation;
using store::error;
using store::exported;
using store::memory_change;
using store::memory_history;
using store::memory_record;
using store::new_memory;
using store::page;
using store::page_request;
using store::search_result;
using store::session_record;
using store::turn_record;

namespace {

std::string words(std::initializer_list<std::string> list) {
    std::string line;
    for (auto const& word : list)
        line += (line.empty() ? "" : " ") + (word.empty() ? "-" : word);
    return line;
}

// `from` is the place of the first one.
template <class T>
page<T> page_of(std::vector<T> const& all, page_request const& which) {
    auto const first = which.from.empty() ? 0 : std::stoul(which.from);
    auto const last = std::min(all.size(), first + which.limit);
    page<T> page;
    page.items.assign(all.begin() + std::ptrdiff_t(first), all.begin() + std::ptrdiff_t(last));
    if (last < all.size()) page.next = std::to_string(last);
    return page;
}

std::string text(page_request const& which) {
    return words({which.from, std::to_string(which.limit)});
}

}  // namespace

bool journal::note(std::string call) {
    auto const name = call.substr(0, call.find(' '));
    calls.push_back(std::move(call));
    if (failing == calls.size()) name_ = name;
    return failing == calls.size() || (lasting && name == name_);
}

template <class T>
std::optional<store::result<T>> scripted_memories::refusal(std::string call) {
    if (!journal_.note(std::move(call))) return std::nullopt;
    return store::result<T>(error{failure, "the disk is full", damaged});
}

bool scripted_memories::has(std::int64_t memory_id) const {
    return std::any_of(memories.begin(), memories.end(),
                       [=](memory_record const& one) { return one.what.id == memory_id; });
}

store::answer<page<memory_record>> scripted_memories::list_memories(std::string user_id, std::string type,
                                                                    bool past, page_request which,
                                                                    base::wall_time) {
    if (auto refused = refusal<page<memory_record>>(
            words({"list_memories", user_id, type, past ? "past" : "present", text(which)})))
        co_return *refused;
    if (user_id != owner) co_return page<memory_record>{};
    co_return page_of(memories, which);
}

store::answer<search_result> scripted_memories::find(std::string user_id, store::search_query query,
                                                     store::known_turns left_out, base::wall_time now) {
    if (auto refused = refusal<search_result>(words({"find", user_id, std::to_string(query.limit)})))
        co_return *refused;
    searched = std::move(query);
    known = std::move(left_out);
    searched_at = now;
    if (user_id != owner) co_return search_result{};
    co_return found;
}

store::answer<std::optional<memory_history>> scripted_memories::read_history(std::string user_id,
                                                                             std::int64_t memory_id) {
    if (auto refused = refusal<std::optional<memory_history>>(
            words({"read_history", user_id, std::to_string(memory_id)})))
        co_return *refused;
    if (user_id != owner || !has(memory_id)) co_return std::optional<memory_history>();
    co_return std::optional(memory_history{memories, sources});
}

store::answer<page<session_record>> scripted_memories::list_sessions(std::string user_id,
                                                                     page_request which) {
    if (auto refused = refusal<page<session_record>>(words({"list_sessions", user_id, text(which)})))
        co_return *refused;
    if (user_id != owner) co_return page<session_record>{};
    co_return page_of(sessions, which);
}

store::answer<std::optional<page<turn_record>>> scripted_memories::read_session(conversation which,
                                                                                page_request page) {
    using answer_type = std::optional<store::page<turn_record>>;
    if (auto refused =
            refusal<answer_type>(words({"read_session", which.user_id, which.session_id, text(page)})))
        co_return *refused;
    if (which.user_id != owner || which.session_id != "s") co_return answer_type();
    co_return answer_type(page_of(turns, page));
}

store::answer<page<exported>> scripted_memories::export_user(std::string user_id, page_request which) {
    if (auto refused = refusal<page<exported>>(words({"export_user", user_id, text(which)})))
        co_return *refused;
    if (user_id != owner) co_return page<exported>{};
    std::vector<exported> all;
    for (auto const& one : memories)
        all.push_back({one, std::nullopt, std::nullopt});
    for (auto const& one : sessions)
        all.push_back({std::nullopt, std::nullopt, one});
    for (auto const& one : turns)
        all.push_back({std::nullopt, one, std::nullopt});
    if (!which.from.empty()) which.from.erase(0, 1);
    auto page = page_of(all, which);
    if (!page.next.empty()) page.next.insert(0, 1, 'm');
    co_return page;
}

store::answer<store::totals> scripted_memories::count(std::string user_id) {
    if (auto refused = refusal<store::totals>(words({"count", user_id}))) co_return *refused;
    co_return totals;
}

store::answer<changed_memory> scripted_memories::add_memory(std::string user_id, new_memory what,
                                                            base::wall_time) {
    if (auto refused = refusal<changed_memory>(words({"add_memory", user_id}))) co_return *refused;
    added = std::move(what);
    co_return changed;
}

store::answer<std::optional<changed_memory>> scripted_memories::change_memory(std::string user_id,
                                                                              memory_change what,
                                                                              base::wall_time) {
    if (auto refused = refusal<std::optional<changed_memory>>(
            words({"change_memory", user_id, std::to_string(what.id)})))
        co_return *refused;
    change = std::move(what);
    if (user_id != owner || !has(change.id)) co_return std::optional<changed_memory>();
    co_return std::optional(changed);
}

store::answer<std::optional<memory_record>> scripted_memories::restore_memory(std::string user_id,
                                                                              std::int64_t memory_id,
                                                                              base::wall_time) {
    if (auto refused = refusal<std::optional<memory_record>>(
            words({"restore_memory", user_id, std::to_string(memory_id)})))
        co_return *refused;
    if (user_id != owner || !has(memory_id)) co_return std::optional<memory_record>();
    co_return std::optional(memories.front());
}

store::answer<std::optional<store::erased>> scripted_memories::delete_memory(std::string user_id,
                                                                             std::int64_t memory_id,
                                                                             base::wall_time) {
    if (auto refused = refusal<std::optional<store::erased>>(
            words({"delete_memory", user_id, std::to_string(memory_id)})))
        co_return *refused;
    if (user_id != owner || !has(memory_id)) co_return std::optional<store::erased>();
    co_return std::optional(std::exchange(erased, {}));
}

store::answer<std::optional<store::erasure_preview>> scripted_memories::preview_deletion(
    std::string user_id, std::int64_t memory_id) {
    if (auto refused = refusal<std::optional<store::erasure_preview>>(
            words({"preview_deletion", user_id, std::to_string(memory_id)})))
        co_return *refused;
    if (user_id != owner || !has(memory_id)) co_return std::optional<store::erasure_preview>();
    co_return std::optional(preview);
}

store::answer<std::optional<store::erased>> scripted_memories::delete_session(conversation which,
                                                                              bool of_memories,
                                                                              base::wall_time) {
    if (auto refused = refusal<std::optional<store::erased>>(
            words({"delete_session", which.user_id, which.session_id, of_memories ? "memories" : "turns"})))
        co_return *refused;
    if (which.user_id != owner || which.session_id != "s") co_return std::optional<store::erased>();
    co_return std::optional(std::exchange(erased, {}));
}

store::answer<store::erased> scripted_memories::forget_user(std::string user_id, store::finished_jobs jobs,
                                                            base::wall_time) {
    bool const keep = jobs == store::finished_jobs::keep;
    if (auto refused = refusal<store::erased>(words({"forget_user", user_id, keep ? "keep" : "remove"})))
        co_return *refused;
    if (user_id != owner) co_return store::erased{};
    auto gone = std::exchange(erased, {});
    if (keep) erased = {{}, gone.reply_keys, gone.job_ids, gone.pending};
    co_return gone;
}

store::answer<std::optional<store::pending_erasure>> scripted_memories::claim_erasure(base::wall_time,
                                                                                      base::wall_time) {
    if (auto refused = refusal<std::optional<store::pending_erasure>>("claim_erasure")) co_return *refused;
    if (pending.empty()) co_return std::optional<store::pending_erasure>();
    auto first = std::move(pending.front());
    pending.erase(pending.begin());
    co_return std::optional(std::move(first));
}

store::answer<void> scripted_memories::settle_erasure(std::int64_t id, store::erasure_state state,
                                                      base::wall_time at) {
    std::string const name = state == store::erasure_state::open      ? "open"
                             : state == store::erasure_state::cleaned ? "cleaned"
                                                                      : "done";
    if (auto refused = refusal<void>(words({"settle_erasure", std::to_string(id), name}))) co_return *refused;
    due.push_back(at);
    co_return store::result<void>();
}

scripted_traces::answer<std::vector<queue::user_job>> scripted_traces::find_jobs(std::string user_id,
                                                                                 std::size_t limit) {
    if (journal_.note(words({"find_jobs", user_id}))) co_return redis::error{failure, "no"};
    auto const end = waiting.begin() + std::ptrdiff_t(std::min(limit, waiting.size()));
    co_return std::vector<queue::user_job>(waiting.begin(), end);
}

scripted_traces::answer<bool> scripted_traces::cancel(queue::user_job what, std::string reply_to,
                                                      std::string reply) {
    if (journal_.note(words({"cancel", what.ticket}))) co_return redis::error{failure, "no"};
    auto const found = std::find_if(waiting.begin(), waiting.end(),
                                    [&](queue::user_job const& one) { return one.body == what.body; });
    if (stubborn || found == waiting.end()) co_return false;
    waiting.erase(found);
    if (!reply_to.empty()) told[reply_to] = std::move(reply);
    co_return true;
}

scripted_traces::answer<std::size_t> scripted_traces::erase_replies(queue::ended_jobs what) {
    if (journal_.note(words({"erase_replies", what.user_id, what.all ? "all" : "some"})))
        co_return redis::error{failure, "no"};
    erased.push_back(std::move(what));
    co_return std::exchange(replies, 0);
}

scripted_traces::answer<std::size_t> scripted_traces::erase_dead_letters(std::string user_id) {
    if (journal_.note(words({"erase_dead_letters", user_id}))) co_return redis::error{failure, "no"};
    co_return std::exchange(dead_letters, 0);
}

}  // namespace engram::test

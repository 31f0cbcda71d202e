#include "store/sqlite/summary_queries.hpp"

#include "base/utf8.hpp"
#include "store/memory_rules.hpp"
#include "store/sqlite/memory_rows.hpp"
#include "store/sqlite/summary_lease.hpp"

#include <algorithm>
#include <set>

namespace engram::store {
namespace {

constexpr char const* in_window =
    "FROM conversation_history INDEXED BY engram_history_window "
    "WHERE user_id = ?1 AND session_id = ?2 AND summary_id IS NULL AND role IN ('user', 'assistant')";

constexpr char const* this_turn =
    " WHERE id = ?1 AND user_id = ?2 AND session_id = ?3 AND summary_id IS NULL";

constexpr char const* this_session = " WHERE user_id = ?1 AND session_id = ?2";

// What a summary says all of whose points were taken back: it still stands for its turns.
constexpr char const* nothing_left = "- (…)";

}  // namespace

summary_queries::summary_queries(connection& db, user_writer& users, recall_index& index,
                                 memory_writer& memories, past_queries& past, claim_limits limits)
    : db_(db),
      users_(users),
      index_(index),
      memories_(memories),
      past_(past),
      limits_(limits),
      find_session_(
          db.prepare(std::string("SELECT window_turns, summary_from, summary_until FROM engram_session")
                         .append(this_session))),
      count_window_(db.prepare(std::string("SELECT count(*) ").append(in_window))),
      correct_window_(
          db.prepare(std::string("UPDATE engram_session SET window_turns = ?3").append(this_session))),
      window_(db.prepare(
          std::string("SELECT id, role, content, created_at ").append(in_window).append(" ORDER BY id"))),
      summaries_(db.prepare("SELECT id, content, created_at, pinned FROM long_term_memory "
                            "INDEXED BY engram_memory_summaries "
                            "WHERE user_id = ?1 AND session_id = ?2 AND memory_type = 'summary' "
                            "AND valid_to IS NULL ORDER BY id")),
      versions_(db.prepare("SELECT id FROM long_term_memory INDEXED BY engram_memory_by_label "
                           "WHERE user_id = ?1 AND label = ?2")),
      cover_again_(db.prepare("UPDATE conversation_history INDEXED BY engram_history_archive "
                              "SET summary_id = ?4 WHERE user_id = ?1 AND session_id = ?2 "
                              "AND summary_id = ?3 AND (summary_id IS NOT NULL OR role IS NULL "
                              "OR role NOT IN ('user', 'assistant'))")),
      lease_(db.prepare(
          std::string("UPDATE engram_session SET summary_owner = ?3, summary_from = ?4, summary_until = ?5")
              .append(this_session))),
      find_turn_(db.prepare(std::string("SELECT item FROM conversation_history").append(this_turn))),
      mark_turn_(
          db.prepare(std::string("UPDATE conversation_history SET summary_id = ?4").append(this_turn))),
      delete_turn_(db.prepare(std::string("DELETE FROM conversation_history").append(this_turn))),
      shrink_window_(
          db.prepare(std::string("UPDATE engram_session SET window_turns = max(window_turns - ?3, 0)")
                         .append(this_session))),
      renew_lease_(db.prepare(std::string("UPDATE engram_session SET summary_until = ?4")
                                  .append(this_session)
                                  .append(" AND summary_owner = ?3"))),
      end_lease_(db.prepare(std::string("UPDATE engram_session SET summary_owner = '', summary_until = ?4")
                                .append(this_session)
                                .append(" AND summary_owner = ?3"))) {}

std::optional<summary_task> summary_queries::claim_summary(summary_request const& request) {
    if (!is_due(request)) return std::nullopt;
    auto const past = past_.load(request.of.user_id);
    summary_task task{request.of, request.owner, {}, {}, {}, {}};
    add_oldest_turns(task, request.keep_turns, past.get());
    if (task.turns.empty()) return std::nullopt;
    add_earlier_summaries(task, request.condense_tokens, past.get());
    task.seen = users_.find(request.of.user_id).seen;
    auto const now = base::to_unix_ms(request.now);
    lease_.run(request.of.user_id, request.of.session_id, request.owner, now,
               now + static_cast<std::int64_t>(request.lease.count()));
    return task;
}

bool summary_queries::is_due(summary_request const& request) {
    auto const& of = request.of;
    std::int64_t counted = 0;
    {
        auto found = find_session_.query(of.user_id, of.session_id);
        if (!found.next()) return false;
        if (is_leased(found.integer(1), found.integer(2), base::to_unix_ms(request.now))) return false;
        counted = found.integer(0);
    }
    if (counted < 0 || static_cast<std::size_t>(counted) < request.trigger_turns) return false;
    return true;
}

// Walks from the oldest turn to the last place that may be cut: before a user turn, at least `keep_turns`
// from the end, within the limits. If there is none (a history that is not in pairs), the first place after
// that.
void summary_queries::add_oldest_turns(summary_task& task, std::size_t keep_turns, taken_back const* past) {
    auto const& of = task.of;
    std::size_t in_all = 0;
    {
        auto found = count_window_.query(of.user_id, of.session_id);
        if (found.next()) in_all = static_cast<std::size_t>(found.integer(0));
    }
    if (in_all <= keep_turns) {
        // The count of the conversation said otherwise: put it right, or it would be found due for ever.
        correct_window_.run(of.user_id, of.session_id, in_all);
        return;
    }
    auto const target = std::min(in_all - keep_turns, std::max<std::size_t>(limits_.turns, 1));
    auto& turns = task.turns;
    std::size_t cut = 0;
    std::size_t bytes = 0;
    auto found = window_.query(of.user_id, of.session_id);
    while (found.next()) {
        auto const place = turns.size();
        auto const role = role_of(found.bytes(1));
        if (place > 0 && role == role::user && (cut == 0 || (place <= target && bytes <= limits_.bytes)))
            cut = place;
        if (cut > 0 && (place >= target || bytes >= limits_.bytes)) break;
        turns.push_back({found.integer(0), role, found.text(2)});
        task.said_at.push_back(found.text(3));
        bytes += turns.back().content.size();
        if (past != nullptr) past_.cut_turn(*past, turns.back(), task.said_at.back());
    }
    if (turns.size() == in_all && (cut == 0 || target == in_all)) cut = in_all;
    turns.resize(cut);
    task.said_at.resize(cut);
}

void summary_queries::add_earlier_summaries(summary_task& task, std::size_t condense_tokens,
                                            taken_back const* past) {
    std::vector<memory> all;
    {
        auto found = summaries_.query(task.of.user_id, task.of.session_id);
        while (found.next()) {
            memory one{found.integer(0), "summary", found.text(1), found.text(2), task.of.session_id};
            if (past != nullptr) past_.cut_summary(*past, one.id, one.content, one.created_at);
            if (found.integer(3) == 0)
                all.push_back(std::move(one));
            else if (!base::is_blank(one.content))  // somebody wants it to stay as it is
                task.earlier_summaries.push_back(std::move(one.content));
        }
    }
    auto count = condense_tokens == 0 ? 0 : count_to_condense(all, condense_tokens);
    std::size_t bytes = 0;
    for (std::size_t i = 0; i < count; ++i) {
        bytes += all[i].content.size();
        if (i >= 2 && bytes > limits_.condense_bytes) count = i;
    }
    auto const known = std::max(count, all.size() - std::min(all.size(), limits_.earlier_summaries));
    for (auto i = known; i < all.size(); ++i)
        if (!base::is_blank(all[i].content)) task.earlier_summaries.push_back(std::move(all[i].content));
    all.resize(count);
    task.to_condense = std::move(all);
}

bool summary_queries::commit_summary(summary_task const& task, std::string const& summary,
                                     analysed_text const& text, bool delete_turns, base::wall_time at) {
    auto const& of = task.of;
    // Before the first write, so that "no" changes nothing.
    if (task.turns.empty()) return false;
    auto user = users_.find_or_add(of.user_id);
    if (user.seen != task.seen) return false;  // it may tell of what was erased meanwhile
    for (auto const& one : task.turns) {
        auto found = find_turn_.query(one.id, of.user_id, of.session_id);
        if (!found.next()) return false;
    }
    auto const summary_id = add_summary(user, task, summary, text, at);
    users_.save(user);
    auto const covered = delete_turns ? delete_all(user, task) : mark_all(task, summary_id);
    shrink_window_.run(of.user_id, of.session_id, covered);
    end_lease_.run(of.user_id, of.session_id, task.owner, std::int64_t{0});
    return true;
}

// Something may have been taken back since the turns were given to the model.
std::int64_t summary_queries::add_summary(user_row& user, summary_task const& task,
                                          std::string const& summary, analysed_text const& text,
                                          base::wall_time at) {
    memory_origin const origin{task.of.user_id, task.of.session_id, {}, 0, 0, at};
    auto const past = past_.load(task.of.user_id);
    auto left = summary;
    if (!past || !past_.cut_new_summary(*past, task.turns, left, base::to_utc_text(at)))
        return memories_.add_summary(user, summary, text, origin);
    if (base::is_blank(left)) left = nothing_left;
    return memories_.add_summary(user, left, analyse_summary(index_.texts(), left), origin);
}

// It stays the oldest, with its id: a summary was written by a model that had read those before it, and what
// is erased in the first of them must still be looked for in all that have a greater id.
bool summary_queries::commit_condensed(summary_task const& task, std::string const& summary,
                                       analysed_text const& text, base::wall_time at) {
    auto const& of = task.of;
    // Before the first write, so that "no" changes nothing.
    auto const ones = current_ones(task);
    if (ones.size() < 2 || ones.size() != task.to_condense.size()) return false;
    auto user = users_.find_or_add(of.user_id);
    if (user.seen != task.seen) return false;  // it may tell of what was erased meanwhile
    auto const first = *versions_of(of, ones.front()).begin();
    for (std::size_t i = 1; i < ones.size(); ++i) {
        for (auto const version : versions_of(of, ones[i])) {
            cover_again_.run(of.user_id, of.session_id, version, first);
            memories_.remove(user, version);
        }
    }
    auto left = summary;
    auto const past = past_.load(of.user_id);
    if (past && past_.cut_summary(*past, first, left, ones.front().what.created_at, base::to_utc_text(at))) {
        if (base::is_blank(left)) left = nothing_left;
        memories_.rewrite(user, ones.front(), left, analyse_summary(index_.texts(), left), at);
    } else {
        memories_.rewrite(user, ones.front(), summary, text, at);
    }
    users_.save(user);
    return true;
}

std::vector<memory_record> summary_queries::current_ones(summary_task const& task) {
    std::vector<memory_record> found;
    for (auto const& one : task.to_condense) {
        auto record = memories_.find(task.of.user_id, one.id);
        if (record && record->valid_to.empty() && record->what.type == "summary" &&
            record->what.session_id == task.of.session_id && !record->what.pinned)
            found.push_back(std::move(*record));
    }
    return found;
}

// One that was corrected by hand has several, and its turns name the first.
std::set<std::int64_t> summary_queries::versions_of(conversation const& of, memory_record const& summary) {
    std::set<std::int64_t> ids{summary.what.id};
    auto found = versions_.query(of.user_id, summary.what.label);
    while (found.next())
        ids.insert(found.integer(0));
    return ids;
}

std::int64_t summary_queries::mark_all(summary_task const& task, std::int64_t summary_id) {
    std::int64_t marked = 0;
    for (auto const& one : task.turns) {
        mark_turn_.run(one.id, task.of.user_id, task.of.session_id, summary_id);
        marked += db_.changes();
    }
    return marked;
}

// An exchange that is cut in two stays findable by what is left of it.
std::int64_t summary_queries::delete_all(user_row const& user, summary_task const& task) {
    auto const& of = task.of;
    std::int64_t deleted = 0;
    std::set<std::int64_t> items;
    for (auto const& one : task.turns) {
        {
            auto found = find_turn_.query(one.id, of.user_id, of.session_id);
            if (found.next() && !found.is_null(0)) items.insert(found.integer(0));
        }
        delete_turn_.run(one.id, of.user_id, of.session_id);
        deleted += db_.changes();
    }
    for (auto const item : items)
        index_.renew(user.key, item);
    return deleted;
}

void summary_queries::renew_summary(conversation const& of, std::string const& owner, base::wall_time until) {
    renew_lease_.run(of.user_id, of.session_id, owner, base::to_unix_ms(until));
}

void summary_queries::release_summary(summary_task const& task, base::wall_time not_before) {
    end_lease_.run(task.of.user_id, task.of.session_id, task.owner, base::to_unix_ms(not_before));
}

}  // namespace engram::store

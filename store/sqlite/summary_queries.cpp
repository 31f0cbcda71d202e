#include "store/sqlite/summary_queries.hpp"

#include "base/utf8.hpp"
#include "store/sqlite/memory_rows.hpp"
#include "store/sqlite/summary_lease.hpp"

#include <algorithm>

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
      summaries_(db.prepare(
          "SELECT content, id, created_at FROM long_term_memory INDEXED BY engram_memory_summaries "
          "WHERE user_id = ?1 AND session_id = ?2 AND memory_type = 'summary' "
          "AND valid_to IS NULL ORDER BY id DESC LIMIT ?3")),
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
    summary_task task{
        request.of, request.owner, oldest_turns(request.of, request.keep_turns, past.get()), {}, {}};
    if (task.turns.empty()) return std::nullopt;
    task.earlier_summaries = earlier_summaries(request.of, past.get());
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
std::vector<turn> summary_queries::oldest_turns(conversation const& of, std::size_t keep_turns,
                                                taken_back const* past) {
    std::size_t in_all = 0;
    {
        auto found = count_window_.query(of.user_id, of.session_id);
        if (found.next()) in_all = static_cast<std::size_t>(found.integer(0));
    }
    if (in_all <= keep_turns) {
        // The count of the conversation said otherwise: put it right, or it would be found due for ever.
        correct_window_.run(of.user_id, of.session_id, in_all);
        return {};
    }
    auto const target = std::min(in_all - keep_turns, std::max<std::size_t>(limits_.turns, 1));
    std::vector<turn> turns;
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
        bytes += turns.back().content.size();
        if (past != nullptr) past_.cut_turn(*past, turns.back(), found.text(3));
    }
    if (turns.size() == in_all && (cut == 0 || target == in_all)) cut = in_all;
    turns.resize(cut);
    return turns;
}

std::vector<std::string> summary_queries::earlier_summaries(conversation const& of, taken_back const* past) {
    std::vector<std::string> earlier;
    auto found = summaries_.query(of.user_id, of.session_id, limits_.earlier_summaries);
    while (found.next()) {
        earlier.push_back(found.text(0));
        if (past != nullptr) past_.cut_summary(*past, found.integer(1), earlier.back(), found.text(2));
    }
    std::erase_if(earlier, [](std::string const& one) { return base::is_blank(one); });
    std::ranges::reverse(earlier);
    return earlier;
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
    std::int64_t covered = 0;
    for (auto const& one : task.turns) {
        if (delete_turns) {
            delete_turn(user, of, one.id);
        } else {
            mark_turn_.run(one.id, of.user_id, of.session_id, summary_id);
        }
        covered += db_.changes();
    }
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
    if (!past || !past_.cut_new_summary(*past, task.turns, left))
        return memories_.add_summary(user, summary, text, origin);
    if (base::is_blank(left)) left = nothing_left;
    return memories_.add_summary(user, left, analyse_summary(index_.texts(), left), origin);
}

void summary_queries::delete_turn(user_row const& user, conversation const& of, std::int64_t id) {
    std::optional<std::int64_t> item;
    {
        auto found = find_turn_.query(id, of.user_id, of.session_id);
        if (found.next() && !found.is_null(0)) item = found.integer(0);
    }
    if (item) index_.remove(user.key, *item);
    delete_turn_.run(id, of.user_id, of.session_id);
}

void summary_queries::renew_summary(conversation const& of, std::string const& owner, base::wall_time until) {
    renew_lease_.run(of.user_id, of.session_id, owner, base::to_unix_ms(until));
}

void summary_queries::release_summary(summary_task const& task, base::wall_time not_before) {
    end_lease_.run(task.of.user_id, task.of.session_id, task.owner, base::to_unix_ms(not_before));
}

}  // namespace engram::store

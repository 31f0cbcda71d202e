#include "store/sqlite/context_queries.hpp"

#include "store/sqlite/memory_rows.hpp"
#include "store/sqlite/summary_lease.hpp"

#include <algorithm>

namespace engram::store {
namespace {

// The columns of a memory in a prompt, and what makes it one that holds now.
constexpr std::string_view prompt_columns = "id, memory_type, content, created_at, session_id, label, pinned";

// Some of what is found is left out again.
constexpr std::size_t more_than_asked = 10;

memory read_memory(rows const& from) {
    return {from.integer(0), from.text(1),    from.text(2),        from.text(3),
            from.text(4),    from.integer(5), from.integer(6) != 0};
}

}  // namespace

// INDEXED BY: statistics that other software left in the file must not talk SQLite into a scan.
context_queries::context_queries(connection& db, text_index const* texts)
    : outcomes_(db),
      users_(db),
      search_(db, texts),
      own_summaries_(db.prepare(select(prompt_columns,
                                       "FROM long_term_memory INDEXED BY engram_memory_summaries "
                                       "WHERE user_id = ?1 AND session_id = ?2 AND memory_type = 'summary' "
                                       "AND valid_to IS NULL ORDER BY id DESC LIMIT ?3"))),
      pinned_memories_(
          db.prepare(select(prompt_columns,
                            "FROM long_term_memory INDEXED BY engram_memory_pinned "
                            "WHERE user_id = ?1 AND pinned = 1 AND valid_to IS NULL "
                            "AND (expires_at IS NULL OR expires_at > ?2) ORDER BY id DESC LIMIT ?3"))),
      newest_memories_(
          db.prepare(select(prompt_columns,
                            "FROM long_term_memory INDEXED BY engram_memory_current "
                            "WHERE user_id = ?1 AND valid_to IS NULL "
                            "AND (expires_at IS NULL OR expires_at > ?2) ORDER BY id DESC LIMIT ?3"))),
      found_memory_(
          db.prepare(select(prompt_columns,
                            "FROM long_term_memory WHERE id = ?1 AND user_id = ?2 AND valid_to IS NULL "
                            "AND (expires_at IS NULL OR expires_at > ?3)"))),
      found_turn_(
          db.prepare(select(turn_columns_read, "FROM conversation_history WHERE id = ?1 AND user_id = ?2"))),
      past_memory_(db.prepare("SELECT 1 FROM long_term_memory INDEXED BY engram_memory_past "
                              "WHERE user_id = ?1 AND valid_to IS NOT NULL LIMIT 1")),
      // An answer has the id behind that of its question.
      told_by_turn_(db.prepare("SELECT max(m.valid_to IS NULL) FROM engram_memory_source s "
                               "INDEXED BY engram_memory_source_by_turn "
                               "CROSS JOIN long_term_memory m ON m.id = s.memory_id "
                               "WHERE s.user_turn IN (?1, ?1 - 1) AND ?1 IN (s.user_turn, s.assistant_turn) "
                               "AND m.user_id = ?2")),
      newest_turns_(db.prepare("SELECT id, role, content "
                               "FROM conversation_history INDEXED BY engram_history_window "
                               "WHERE user_id = ?1 AND session_id = ?2 AND summary_id IS NULL "
                               "AND role IN ('user', 'assistant') ORDER BY id DESC LIMIT ?3")),
      due_sessions_(db.prepare("SELECT user_id, session_id, summary_from, summary_until "
                               "FROM engram_session INDEXED BY engram_session_by_window "
                               "WHERE window_turns >= ?1 ORDER BY window_turns DESC")),
      leases_(db.prepare("SELECT window_turns, summary_from, summary_until "
                         "FROM engram_session INDEXED BY engram_session_by_lease "
                         "WHERE summary_until > 0 AND summary_until > ?1 ORDER BY summary_until")) {}

context context_queries::load_context(context_query const& query) {
    context loaded;
    loaded.recorded = outcomes_.find(query.job);
    if (loaded.recorded) return loaded;
    auto const user = users_.find(query.of.user_id);
    loaded.seen = user.seen;
    loaded.forgotten_at = base::wall_time(std::chrono::milliseconds(user.forgotten_at));
    loaded.memories = load_memories(query);
    loaded.turns = load_turns(query);
    if (query.find.limit > 0) find_for_message(query, user.key, loaded);
    return loaded;
}

// `found` is to be read newest first.
void context_queries::take_more(std::vector<memory>& chosen, rows found, std::size_t limit) {
    while (chosen.size() < limit && found.next()) {
        auto const id = found.integer(0);
        if (std::ranges::find(chosen, id, &memory::id) == chosen.end()) chosen.push_back(read_memory(found));
    }
}

std::vector<memory> context_queries::load_memories(context_query const& query) {
    std::vector<memory> chosen;
    auto const limit = query.memory_limit;
    if (limit == 0) return chosen;
    chosen.reserve(std::min<std::size_t>(limit, 64));
    auto const now = base::to_unix_ms(query.now);
    auto const& user = query.of.user_id;
    take_more(chosen, own_summaries_.query(user, query.of.session_id, limit / 2), limit / 2);
    take_more(chosen, pinned_memories_.query(user, now, limit), limit);
    take_more(chosen, newest_memories_.query(user, now, limit), limit);
    std::ranges::sort(chosen, {}, &memory::id);
    return chosen;
}

void context_queries::find_for_message(context_query const& query, std::int64_t user_key, context& loaded) {
    known_turns turns;
    // An answer whose message is not loaded stands in no prompt: a conversation begins with the user.
    for (auto const& one : loaded.turns)
        if (!turns.empty() || one.role == role::user) turns.insert(one.id);
    // Memories of the list are found as well: how much of the list there is room for is not known here.
    auto const limit = query.find.limit + loaded.memories.size();
    auto hits = search_.find(user_key, query.find, turns, limit + more_than_asked, query.now);
    // Most users never took anything back: their turns need not be asked after one by one.
    bool const has_past = past_memory_.query(query.of.user_id).next();
    for (auto& hit : hits) {
        if (loaded.found_memories.size() + loaded.found_turns.size() >= limit) return;
        if (hit.is_memory) {
            auto found = found_memory_.query(hit.row, query.of.user_id, base::to_unix_ms(query.now));
            if (found.next())
                loaded.found_memories.push_back(
                    {read_memory(found), hit.rank.score, std::move(hit.rank.why)});
            continue;
        }
        if (has_past && tells_only_of_the_past(hit.row, query.of.user_id)) continue;
        auto found = found_turn_.query(hit.row, query.of.user_id);
        if (!found.next()) continue;
        auto turn = read_turn_record(found);
        loaded.found_turns.push_back({std::move(turn.what), std::move(turn.session_id),
                                      std::move(turn.created_at), hit.rank.score, std::move(hit.rank.why)});
    }
}

// Whether something was learnt from a turn and none of it holds any more.
bool context_queries::tells_only_of_the_past(std::int64_t turn, std::string const& user_id) {
    auto found = told_by_turn_.query(turn, user_id);
    return found.next() && !found.is_null(0) && found.integer(0) == 0;
}

std::vector<turn> context_queries::load_turns(context_query const& query) {
    std::vector<turn> turns;
    turns.reserve(std::min<std::size_t>(query.history_turns, 64));
    auto found = newest_turns_.query(query.of.user_id, query.of.session_id, query.history_turns);
    for (auto left = query.history_bytes; found.next() && found.bytes(2).size() <= left;) {
        left -= found.bytes(2).size();
        turns.push_back({found.integer(0), role_of(found.bytes(1)), found.text(2)});
    }
    std::ranges::reverse(turns);
    return turns;
}

std::vector<conversation> context_queries::find_due_sessions(std::size_t trigger_turns, base::wall_time now,
                                                             std::size_t limit) {
    std::vector<conversation> due;
    auto found = due_sessions_.query(std::max<std::size_t>(trigger_turns, 1));
    while (due.size() < limit && found.next()) {
        if (is_leased(found.integer(2), found.integer(3), base::to_unix_ms(now))) continue;
        due.push_back({std::string(found.bytes(0)), std::string(found.bytes(1))});
    }
    return due;
}

std::optional<base::wall_time> context_queries::find_next_lease_end(std::size_t trigger_turns,
                                                                    base::wall_time now) {
    auto const now_ms = base::to_unix_ms(now);
    auto found = leases_.query(now_ms);
    while (found.next()) {
        bool const due = found.integer(0) >= std::int64_t(std::max<std::size_t>(trigger_turns, 1));
        if (due && is_leased(found.integer(1), found.integer(2), now_ms))
            return base::wall_time(std::chrono::milliseconds(found.integer(2)));
    }
    return std::nullopt;
}

}  // namespace engram::store

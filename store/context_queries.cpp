#include "store/context_queries.hpp"

#include "store/summary_lease.hpp"

#include <algorithm>

namespace engram::store {
namespace {

memory read_memory(rows const& from) {
    return {from.integer(0), from.text(1), from.text(2), from.text(3), from.text(4)};
}

}  // namespace

role role_of(std::string_view name) {
    return name == "assistant" ? role::assistant : role::user;
}

// INDEXED BY: statistics that other software left in the file must not talk SQLite into a scan.
context_queries::context_queries(connection& db)
    : outcomes_(db),
      own_summaries_(db.prepare("SELECT id, memory_type, content, created_at, session_id "
                                "FROM long_term_memory INDEXED BY engram_memory_summaries "
                                "WHERE user_id = ?1 AND session_id = ?2 AND memory_type = 'summary' "
                                "ORDER BY id DESC LIMIT ?3")),
      newest_memories_(db.prepare("SELECT id, memory_type, content, created_at, session_id "
                                  "FROM long_term_memory INDEXED BY engram_memory_by_user "
                                  "WHERE user_id = ?1 ORDER BY id DESC LIMIT ?2")),
      newest_turns_(db.prepare("SELECT id, role, content "
                               "FROM conversation_history INDEXED BY engram_history_window "
                               "WHERE user_id = ?1 AND session_id = ?2 AND summary_id IS NULL "
                               "AND role IN ('user', 'assistant') ORDER BY id DESC LIMIT ?3")),
      due_sessions_(db.prepare("SELECT user_id, session_id, summary_from, summary_until "
                               "FROM engram_session INDEXED BY engram_session_by_window "
                               "WHERE window_turns >= ?1 ORDER BY window_turns DESC")) {}

context context_queries::load_context(context_query const& query) {
    context loaded;
    loaded.recorded = outcomes_.find(query.job);
    if (loaded.recorded) return loaded;
    loaded.memories = load_memories(query);
    loaded.turns = load_turns(query);
    return loaded;
}

std::vector<memory> context_queries::load_memories(context_query const& query) {
    std::vector<memory> chosen;
    if (query.memory_limit == 0) return chosen;
    chosen.reserve(std::min<std::size_t>(query.memory_limit, 64));
    {
        auto found = own_summaries_.query(query.of.user_id, query.of.session_id, query.memory_limit / 2);
        while (found.next())
            chosen.push_back(read_memory(found));
    }
    auto const own = chosen.size();
    auto const is_own = [&](std::int64_t id) {
        auto const end = chosen.begin() + static_cast<std::ptrdiff_t>(own);
        return std::any_of(chosen.begin(), end, [&](memory const& m) { return m.id == id; });
    };
    auto found = newest_memories_.query(query.of.user_id, query.memory_limit);
    while (chosen.size() < query.memory_limit && found.next()) {
        if (!is_own(found.integer(0))) chosen.push_back(read_memory(found));
    }
    // Newest first so far, unless there are two kinds.
    if (own == 0) {
        std::ranges::reverse(chosen);
    } else {
        std::ranges::sort(chosen, {}, &memory::id);
    }
    return chosen;
}

std::vector<turn> context_queries::load_turns(context_query const& query) {
    std::vector<turn> turns;
    turns.reserve(std::min<std::size_t>(query.history_turns, 64));
    auto found = newest_turns_.query(query.of.user_id, query.of.session_id, query.history_turns);
    while (found.next())
        turns.push_back({found.integer(0), role_of(found.bytes(1)), found.text(2)});
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

}  // namespace engram::store

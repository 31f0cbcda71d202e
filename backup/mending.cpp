#include "backup/mending.hpp"

#include "store/sqlite/user_queries.hpp"

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace engram::backup {

namespace {

using store::connection;

// More than anybody writes between two looks at a database.
constexpr std::int64_t far_behind = 1'000'000;

bool has_lost(std::vector<copied_table> const& copied, std::string_view table) {
    return std::ranges::any_of(copied,
                               [&](copied_table const& one) { return one.name == table && !one.is_whole; });
}

// They have their labels still, and no new memory may get one of those.
void make_lost_users(connection& db) {
    store::user_writer users(db);
    std::vector<std::pair<std::string, std::int64_t>> known;
    {
        auto memories = db.prepare(
            "SELECT user_id, coalesce(max(label), 0) FROM long_term_memory WHERE user_id IS NOT NULL "
            "GROUP BY user_id");
        for (auto found = memories.query(); found.next();)
            known.emplace_back(found.bytes(0), found.integer(1));
    }
    for (auto const& [user_id, label] : known) {
        auto user = users.find_or_add(user_id);
        user.next_label = std::max(user.next_label, label + 1);
        users.save(user);
        users.name(user.key, user_id);
    }
}

// What a lost summary covered is in the window again, and is summarized again.
constexpr auto mend_references = R"sql(
UPDATE conversation_history SET summary_id = NULL
WHERE summary_id > 0 AND NOT EXISTS (SELECT 1 FROM long_term_memory m WHERE m.id = summary_id);
DELETE FROM engram_memory_source
WHERE NOT EXISTS (SELECT 1 FROM long_term_memory m WHERE m.id = memory_id);
)sql";

// Turns that other software has written are counted when they are adopted; but those that the schema's
// present version found were counted by it.
constexpr auto count_windows = R"sql(
INSERT OR IGNORE INTO engram_state(name, value)
SELECT 'taken_over_turns', coalesce(max(id), 0) FROM conversation_history
UNION ALL SELECT 'taken_over_memories', coalesce(max(id), 0) FROM long_term_memory;
INSERT OR IGNORE INTO engram_session(user_id, session_id, window_turns, updated_at)
SELECT user_id, session_id, 0, coalesce(max(CAST(created_at AS TEXT)), '') FROM conversation_history
WHERE user_id IS NOT NULL AND session_id IS NOT NULL
    AND (job_id IS NOT NULL OR id <= (SELECT value FROM engram_state WHERE name = 'taken_over_turns'))
GROUP BY user_id, session_id;
UPDATE engram_session SET window_turns =
    (SELECT count(*) FROM conversation_history t INDEXED BY engram_history_window
     WHERE t.user_id = engram_session.user_id AND t.session_id = engram_session.session_id
     AND t.summary_id IS NULL AND t.role IN ('user', 'assistant')
     AND (t.job_id IS NOT NULL OR t.id <= (SELECT value FROM engram_state WHERE name = 'taken_over_turns')));
)sql";

}  // namespace

void raise_sequences(connection& from, connection& to) {
    std::vector<std::pair<std::string, std::int64_t>> before;
    bool is_whole = true;
    try {
        auto sequences = from.prepare("SELECT name, seq FROM sqlite_sequence");
        for (auto found = sequences.query(); found.next();)
            before.emplace_back(found.bytes(0), found.integer(1));
    } catch (store::sqlite_error const&) {
        is_whole = false;
    }
    // SQLite has noted the highest id of the rows that came, if any came.
    auto raise = to.prepare("UPDATE sqlite_sequence SET seq = max(seq, ?2) WHERE name = ?1");
    auto add = to.prepare(
        "INSERT INTO sqlite_sequence(name, seq) SELECT ?1, ?2 "
        "WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = ?1)");
    if (!is_whole)
        for (auto const* table : {"long_term_memory", "conversation_history", "engram_erasure"})
            add.run(std::string_view(table), std::int64_t{0});
    for (auto const& [table, sequence] : before) {
        raise.run(std::string_view(table), sequence);
        add.run(std::string_view(table), sequence);
    }
    if (!is_whole) to.execute("UPDATE sqlite_sequence SET seq = seq + " + std::to_string(far_behind));
}

void mend(connection& db, std::vector<copied_table> const& copied) {
    if (has_lost(copied, "long_term_memory")) db.execute(mend_references);
    db.execute(count_windows);
    if (has_lost(copied, "engram_user")) make_lost_users(db);
    db.execute("DELETE FROM engram_state WHERE name IN ('index_version', 'reindex_version')");
}

}  // namespace engram::backup

#include "store/sqlite/adoption_queries.hpp"

#include "store/sqlite/memory_rows.hpp"

#include <algorithm>
#include <vector>

namespace engram::store {
namespace {

// Of texts in one transaction; it takes some milliseconds to analyse them.
constexpr std::size_t most_bytes = 256 * 1024;

constexpr std::string_view foreign_turns =
    "FROM conversation_history INDEXED BY engram_history_foreign WHERE job_id IS NULL";
constexpr std::string_view foreign_memories =
    "FROM long_term_memory INDEXED BY engram_memory_foreign WHERE label IS NULL";

// No index holds these; a range of ids does.
constexpr std::string_view older_turns_between =
    "FROM conversation_history NOT INDEXED WHERE id > ?1 AND id <= ?2 AND item IS NULL AND job_id IS NOT "
    "NULL "
    "AND user_id IS NOT NULL AND role IN ('user', 'assistant') AND summary_id IS NOT 0";

std::string column_to_text(std::string_view column) {
    return std::string(column)
        .append(" = CASE typeof(")
        .append(column)
        .append(") WHEN 'blob' THEN CAST(")
        .append(column)
        .append(" AS TEXT) ELSE ")
        .append(column)
        .append(" END");
}

// Keys and types are compared as text, so bytes become text, as when a database is taken over.
std::string to_text(std::string_view third, std::string_view foreign) {
    constexpr std::string_view from = "FROM ";
    auto const where = foreign.find(" WHERE ");
    return std::string("UPDATE ")
        .append(foreign.substr(from.size(), where - from.size()))
        .append(" SET ")
        .append(column_to_text("user_id"))
        .append(", ")
        .append(column_to_text("session_id"))
        .append(", ")
        .append(column_to_text(third))
        .append(foreign.substr(where))
        .append(" AND id IN (SELECT id ")
        .append(foreign)
        .append(" ORDER BY id LIMIT ?1) AND 'blob' IN (typeof(user_id), typeof(session_id), typeof(")
        .append(third)
        .append("))");
}

// The last turn that the schema's present version found: its session has counted it.
std::int64_t taken_over(statement& last) {
    auto found = last.query();
    return found.next() ? found.integer(0) : 0;
}

}  // namespace

adoption_queries::adoption_queries(connection& db, user_writer& users, recall_index& index)
    : users_(users),
      index_(index),
      indexer_(db, users, index),
      to_text_turns_(db.prepare(to_text("role", foreign_turns))),
      to_text_memories_(db.prepare(to_text("memory_type", foreign_memories))),
      turns_(db.prepare(select("id, user_id, session_id, role, content, created_at, item",
                               std::string(foreign_turns).append(" ORDER BY id LIMIT ?1")))),
      looked_at_(db.prepare("UPDATE conversation_history SET job_id = '' WHERE id = ?1")),
      memories_(db.prepare(select("id, user_id, content, created_at, session_id, valid_to",
                                  std::string(foreign_memories).append(" ORDER BY id LIMIT ?1")))),
      note_memory_(db.prepare(
          "UPDATE long_term_memory SET label = ?2, item = ?3, fingerprint = ?4, "
          "memory_type = CASE WHEN coalesce(memory_type, '') = '' THEN 'fact' ELSE memory_type END, "
          "last_seen = coalesce(last_seen, CAST(created_at AS TEXT)), "
          "valid_from = coalesce(valid_from, CAST(created_at AS TEXT)) WHERE id = ?1")),
      nobodys_(db.prepare("UPDATE long_term_memory SET label = 0 WHERE id = ?1")),
      counted_(db.prepare("SELECT value FROM engram_state WHERE name = 'taken_over_turns'")),
      session_(db.prepare("INSERT INTO engram_session(user_id, session_id, window_turns, updated_at) "
                          "VALUES (?1, ?2, ?3, ?4) ON CONFLICT(user_id, session_id) DO UPDATE SET "
                          "window_turns = window_turns + excluded.window_turns, "
                          "updated_at = max(updated_at, excluded.updated_at)")),
      older_(db.prepare(select("id, user_id, session_id, job_id, role, content, created_at",
                               std::string(older_turns_between).append(" ORDER BY id LIMIT ?3")))),
      looked_at_up_to_(
          db.prepare("INSERT OR REPLACE INTO engram_state(name, value) VALUES ('looked_at_turns', ?1)")) {}

std::size_t adoption_queries::adopt_rows(std::size_t limit) {
    std::size_t bytes = 0;
    auto const memories = adopt_memories(limit, bytes);
    return memories + adopt_turns(limit - std::min(limit, memories), bytes);
}

std::size_t adoption_queries::adopt_turns(std::size_t limit, std::size_t& bytes) {
    to_text_turns_.run(limit);
    indexer_.begin();
    auto const counted = taken_over(counted_);
    std::vector<std::int64_t> seen;
    sessions changed;
    {
        auto found = turns_.query(limit);
        while (bytes < most_bytes && found.next()) {
            stored_turn turn{found.integer(0),
                             std::string(found.bytes(1)),
                             std::string(found.bytes(2)),
                             {},
                             std::string(found.bytes(3)),
                             found.text(4),
                             std::string(found.bytes(5))};
            seen.push_back(turn.id);
            bytes += turn.content.size();
            if (found.is_null(1)) continue;
            bool const is_said = turn.role == "user" || turn.role == "assistant";
            if (!found.is_null(2)) {
                auto& session = changed[{turn.user_id, turn.session_id}];
                session.at = std::max(session.at, turn.created_at);
                // One that a summary covers already was taken off the count with the others of that summary.
                if (is_said && turn.id > counted) ++session.turns;
            }
            if (is_said && found.is_null(6)) indexer_.add(std::move(turn));
        }
    }
    for (auto const id : seen)
        looked_at_.run(id);
    indexer_.finish();
    for (auto const& [session, change] : changed)
        session_.run(session.first, session.second, change.turns, change.at);
    return seen.size();
}

std::size_t adoption_queries::adopt_memories(std::size_t limit, std::size_t& bytes) {
    to_text_memories_.run(limit);
    std::vector<foreign_memory> seen;
    {
        auto found = memories_.query(limit);
        while (bytes < most_bytes && found.next()) {
            seen.push_back({found.integer(0),
                            found.is_null(1) ? std::nullopt : std::optional(std::string(found.bytes(1))),
                            found.text(2), std::string(found.bytes(3)), std::string(found.bytes(4)),
                            found.is_null(5)});
            bytes += seen.back().content.size();
        }
    }
    for (auto const& one : seen) {
        if (one.user_id)
            adopt_memory(one);
        else
            nobodys_.run(one.id);
    }
    return seen.size();
}

void adoption_queries::adopt_memory(foreign_memory const& one) {
    auto user = users_.find_or_add(*one.user_id);
    auto const entry = one.holds ? index_.prepare(user, one.content, text_kind::memory) : new_entry{};
    auto const* const texts = index_.texts();
    auto const fingerprint = texts != nullptr ? texts->fingerprint(one.content) : std::string();
    index_.put(user, entry, true, one.id, one.session_id.empty() ? 0 : session_hash(one.session_id),
               minutes_of(one.created_at));
    note_memory_.run(one.id, user.next_label++, entry.item, blob{fingerprint});
    ++user.notes;
    users_.save(user);
    users_.name(user.key, *one.user_id);
}

adoption_queries::older adoption_queries::adopt_older(std::int64_t after, std::int64_t last,
                                                      std::size_t limit) {
    indexer_.begin();
    std::size_t seen = 0;
    std::size_t bytes = 0;
    std::int64_t at = last;
    {
        auto found = older_.query(after, last, limit);
        while (bytes < most_bytes && found.next()) {
            at = found.integer(0);
            ++seen;
            bytes += found.bytes(5).size();
            indexer_.add({at, std::string(found.bytes(1)), std::string(found.bytes(2)),
                          std::string(found.bytes(3)), std::string(found.bytes(4)), found.text(5),
                          std::string(found.bytes(6))});
        }
    }
    auto const rows = indexer_.finish();
    bool const is_rest = seen == limit || bytes >= most_bytes;
    if (!is_rest) at = last;
    looked_at_up_to_.run(at);
    return {rows, at};
}

foreign_rows::foreign_rows(connection& db)
    : turn_(db.prepare(select("1", std::string(foreign_turns).append(" LIMIT 1")))),
      memory_(db.prepare(select("1", std::string(foreign_memories).append(" LIMIT 1")))) {}

bool foreign_rows::any() {
    return memory_.query().next() || turn_.query().next();
}

older_turns::older_turns(connection& db)
    : index_(db.prepare("SELECT 1 FROM engram_state WHERE name = 'index_version' AND value = ?1")),
      noted_(db.prepare("SELECT value FROM engram_state WHERE name = 'looked_at_turns'")),
      last_(db.prepare("SELECT max(id) FROM (SELECT id FROM conversation_history WHERE id > ?1 "
                       "ORDER BY id LIMIT ?2)")),
      any_(db.prepare(select("1", std::string(older_turns_between).append(" LIMIT 1")))) {}

older_turns::piece older_turns::look(std::optional<std::int64_t> after, std::size_t most,
                                     std::int64_t index_version) {
    piece seen;
    if (auto noted = noted_.query(); noted.next()) seen.after = noted.integer(0);
    if (after) seen.after = *after;
    seen.last = seen.after;
    if (!index_.query(index_version).next()) return seen;
    if (auto last = last_.query(seen.after, most); last.next() && !last.is_null(0))
        seen.last = last.integer(0);
    if (seen.last > seen.after) seen.any = any_.query(seen.after, seen.last).next();
    return seen;
}

}  // namespace engram::store

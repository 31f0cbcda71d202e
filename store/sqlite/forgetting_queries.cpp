#include "store/sqlite/forgetting_queries.hpp"

#include "store/sqlite/outcome_erasing.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace engram::store {
namespace {

std::string some_turns(std::string_view index, std::string_view where) {
    return std::string("DELETE FROM conversation_history WHERE id IN (SELECT id FROM conversation_history ")
        .append("INDEXED BY ")
        .append(index)
        .append(" WHERE user_id = ?1 AND ")
        .append(where)
        .append(" LIMIT ?2)");
}

}  // namespace

struct forgetting_queries::piece {
    std::string const& user_id;
    std::size_t room;  // rows that may still go
    forget_step step;

    void used(std::size_t rows) { room -= std::min(room, rows); }
};

forgetting_queries::forgetting_queries(connection& db, user_writer& users, recall_index& index,
                                       pending_queries& pending)
    : db_(db),
      users_(users),
      index_(index),
      pending_(pending),
      // Those that are blank already were counted before.
      jobs_(db.prepare(std::string("SELECT rowid, job_id, reply_to, reply <> ")
                           .append(blank_reply)
                           .append(" FROM engram_finished_job INDEXED BY engram_finished_job_by_user "
                                   "WHERE user_id = ?1 AND rowid > ?2 ORDER BY rowid LIMIT ?3"))),
      blank_reply_(db.prepare(std::string("UPDATE engram_finished_job SET reply = ")
                                  .append(blank_reply)
                                  .append(" WHERE rowid = ?1"))),
      remove_job_(db.prepare("DELETE FROM engram_finished_job WHERE rowid = ?1")),
      memories_(db.prepare("SELECT id FROM long_term_memory INDEXED BY engram_memory_by_user "
                           "WHERE user_id = ?1 LIMIT ?2")),
      remove_memory_(db.prepare("DELETE FROM long_term_memory WHERE id = ?1")),
      remove_sources_(db.prepare("DELETE FROM engram_memory_source WHERE memory_id = ?1")),
      window_(db.prepare(
          some_turns("engram_history_window", "summary_id IS NULL AND role IN ('user', 'assistant')"))),
      archive_(db.prepare(
          some_turns("engram_history_archive",
                     "(summary_id IS NOT NULL OR role IS NULL OR role NOT IN ('user', 'assistant'))"))),
      sessions_(db.prepare("DELETE FROM engram_session WHERE user_id = ?1 AND session_id IN "
                           "(SELECT session_id FROM engram_session WHERE user_id = ?1 LIMIT ?2)")),
      failures_(db.prepare("DELETE FROM engram_failed_delivery WHERE rowid IN (SELECT rowid "
                           "FROM engram_failed_delivery INDEXED BY engram_failed_delivery_by_user "
                           "WHERE user_id = ?1 LIMIT ?2)")) {}

// First what makes texts findable, so that nothing is found whose text is gone; last where the replies are.
forget_step forgetting_queries::forget_some(forget_order const& order, std::int64_t after, std::size_t most) {
    auto const key = users_.find_or_add(order.user_id).key;
    auto const at_ms = base::to_unix_ms(order.at);
    bool const first = after == from_the_start;
    piece what{order.user_id, std::max<std::size_t>(most, 1), {}};
    auto& counts = what.step.part.counts;
    what.step.after = std::max<std::int64_t>(after, 0);
    if (first) users_.forget(key, at_ms, !order.is_again);
    what.step.part.pending = pending_.note_user(order.user_id, order.begun_at);

    auto const indexed = index_.remove_some(key, what.room);
    counts.index_entries = indexed.entries;
    counts.vectors = indexed.vectors;
    what.used(indexed.rows);
    remove_memories(what);
    remove(what, window_, &counts.turns);
    remove(what, archive_, &counts.turns);
    remove(what, sessions_, &counts.sessions);
    remove(what, failures_, nullptr);
    end_jobs(what, order.jobs);

    what.step.done = what.room > 0;
    if (what.step.done && (!first || order.is_again)) users_.forget(key, at_ms, true);
    if (what.step.done && order.jobs == finished_jobs::remove) {
        pending_.remove_all(order.user_id);
        what.step.part.pending = 0;
    }
    return std::move(what.step);
}

void forgetting_queries::end_jobs(piece& what, finished_jobs jobs) {
    if (what.room == 0) return;
    struct row {
        std::int64_t id;
        bool has_text;
    };
    std::vector<row> ended;
    auto& part = what.step.part;
    {
        auto found = jobs_.query(what.user_id, what.step.after, what.room);
        while (found.next()) {
            ended.push_back({found.integer(0), found.integer(3) != 0});
            part.job_ids.emplace_back(found.bytes(1));
            if (!found.bytes(2).empty()) part.reply_keys.emplace_back(found.bytes(2));
        }
    }
    for (auto const& one : ended) {
        part.counts.replies += one.has_text ? 1 : 0;
        if (jobs == finished_jobs::remove) {
            // Without a step on: the numbers of removed rows are given out again.
            remove_job_.run(one.id);
            continue;
        }
        if (one.has_text) blank_reply_.run(one.id);
        what.step.after = one.id;
    }
    what.used(ended.size());
}

void forgetting_queries::remove_memories(piece& what) {
    if (what.room == 0) return;
    std::vector<std::int64_t> ids;
    {
        auto found = memories_.query(what.user_id, what.room);
        while (found.next())
            ids.push_back(found.integer(0));
    }
    for (auto const id : ids) {
        remove_sources_.run(id);
        remove_memory_.run(id);
    }
    what.step.part.counts.memories += ids.size();
    what.used(ids.size());
}

void forgetting_queries::remove(piece& what, statement& some, std::size_t* count) {
    if (what.room == 0) return;
    some.run(what.user_id, what.room);
    auto const removed = static_cast<std::size_t>(db_.changes());
    if (count != nullptr) *count += removed;
    what.used(removed);
}

}  // namespace engram::store

#include "store/exchange_queries.hpp"

#include <algorithm>

namespace engram::store {

exchange_queries::exchange_queries(connection& db)
    : db_(db),
      outcomes_(db),
      find_session_(
          db.prepare("SELECT window_turns FROM engram_session WHERE user_id = ?1 AND session_id = ?2")),
      add_session_(db.prepare("INSERT INTO engram_session(window_turns, updated_at, user_id, session_id) "
                              "VALUES (?1, ?2, ?3, ?4)")),
      update_session_(db.prepare("UPDATE engram_session SET window_turns = ?1, updated_at = ?2 "
                                 "WHERE user_id = ?3 AND session_id = ?4")),
      add_turn_(db.prepare(
          "INSERT INTO conversation_history(session_id, user_id, role, content, created_at, job_id) "
          "VALUES (?1, ?2, ?3, ?4, ?5, ?6)")),
      add_memory_(db.prepare("INSERT INTO long_term_memory"
                             "(user_id, memory_type, content, created_at, updated_at, session_id, job_id) "
                             "VALUES (?1, ?2, ?3, ?4, ?4, ?5, ?6)")),
      add_finished_(
          db.prepare("INSERT INTO engram_finished_job(job_id, user_id, body_digest, reply, finished_at) "
                     "VALUES (?1, ?2, ?3, ?4, ?5)")),
      // A row of the same ticket that is not the same delivery is of a queue that was emptied since.
      add_failed_(db.prepare("INSERT OR REPLACE INTO engram_failed_delivery"
                             "(ticket, job_id, user_id, body_digest, reply, failed_at) "
                             "VALUES (?1, ?2, ?3, ?4, ?5, ?6)")),
      expire_finished_(db.prepare("DELETE FROM engram_finished_job WHERE rowid IN (SELECT rowid "
                                  "FROM engram_finished_job INDEXED BY engram_finished_job_by_time "
                                  "WHERE finished_at < ?1 ORDER BY finished_at LIMIT ?2)")),
      expire_failed_(db.prepare("DELETE FROM engram_failed_delivery WHERE rowid IN (SELECT rowid "
                                "FROM engram_failed_delivery INDEXED BY engram_failed_delivery_by_time "
                                "WHERE failed_at < ?1 ORDER BY failed_at LIMIT ?2)")) {}

commit_outcome exchange_queries::commit_exchange(exchange const& what) {
    commit_outcome out;
    if (auto theirs = outcomes_.find(what.job)) {
        bool known = false;
        out.outcome = std::move(*theirs);
        out.window_turns = static_cast<std::size_t>(window_turns(what.of, known));
        return out;
    }
    auto const at = base::to_utc_text(what.at);
    out.window_turns = add_turns(what, at);
    auto const saved = add_memories(what, at);
    out.outcome = {true, true, what.compose_reply ? what.compose_reply(saved) : std::string()};
    add_finished_.run(what.job.job_id, what.of.user_id, blob{what.job.body_digest}, out.outcome.reply,
                      base::to_unix_ms(what.at));
    out.committed = true;
    return out;
}

std::int64_t exchange_queries::window_turns(conversation const& of, bool& known) {
    auto found = find_session_.query(of.user_id, of.session_id);
    known = found.next();
    return known ? std::max<std::int64_t>(found.integer(0), 0) : 0;
}

std::size_t exchange_queries::add_turns(exchange const& what, std::string const& at) {
    auto const& of = what.of;
    bool known = false;
    auto const turns = window_turns(of, known) + 2;
    (known ? update_session_ : add_session_).run(turns, at, of.user_id, of.session_id);
    add_turn_.run(of.session_id, of.user_id, std::string_view("user"), what.user_text, at, what.job.job_id);
    add_turn_.run(of.session_id, of.user_id, std::string_view("assistant"), what.assistant_text, at,
                  what.job.job_id);
    return static_cast<std::size_t>(turns);
}

std::vector<saved_memory> exchange_queries::add_memories(exchange const& what, std::string const& at) {
    std::vector<saved_memory> saved;
    saved.reserve(what.memories.size());
    for (auto const& one : what.memories) {
        add_memory_.run(what.of.user_id, one.type, one.content, at, what.of.session_id, what.job.job_id);
        saved.push_back({db_.last_insert_id(), one.type, one.content, "added"});
    }
    return saved;
}

recorded_outcome exchange_queries::record_failure(failure const& what) {
    auto finished = outcomes_.find_finished(what.job);
    if (finished && finished->same_body) return std::move(*finished);
    if (auto failed = outcomes_.find_failed(what.job)) return std::move(*failed);
    add_failed_.run(what.job.ticket, what.job.job_id, what.user_id, blob{what.job.body_digest}, what.reply,
                    base::to_unix_ms(what.at));
    return {false, true, what.reply};
}

std::size_t exchange_queries::expire_outcomes(base::wall_time before, std::size_t limit) {
    auto const ms = base::to_unix_ms(before);
    expire_finished_.run(ms, limit);
    auto removed = static_cast<std::size_t>(db_.changes());
    expire_failed_.run(ms, limit - std::min(limit, removed));
    removed += static_cast<std::size_t>(db_.changes());
    return removed;
}

}  // namespace engram::store

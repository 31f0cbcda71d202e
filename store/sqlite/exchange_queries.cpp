#include "store/sqlite/exchange_queries.hpp"

#include <algorithm>

namespace engram::store {

namespace {

using staleness = commit_outcome::staleness;

staleness compare(erasures const& seen, erasures const& now) {
    if (seen.forgets != now.forgets) return staleness::forget;
    return seen == now ? staleness::none : staleness::deletion;
}

}  // namespace

exchange_queries::exchange_queries(connection& db, user_writer& users, recall_index& index,
                                   memory_writer& memories)
    : db_(db),
      users_(users),
      index_(index),
      memories_(memories),
      outcomes_(db),
      find_session_(
          db.prepare("SELECT window_turns FROM engram_session WHERE user_id = ?1 AND session_id = ?2")),
      add_session_(db.prepare("INSERT INTO engram_session(window_turns, updated_at, user_id, session_id) "
                              "VALUES (?1, ?2, ?3, ?4)")),
      update_session_(db.prepare("UPDATE engram_session SET window_turns = ?1, updated_at = ?2 "
                                 "WHERE user_id = ?3 AND session_id = ?4")),
      add_turn_(db.prepare(
          "INSERT INTO conversation_history(session_id, user_id, role, content, created_at, job_id, item) "
          "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")),
      add_finished_(db.prepare(
          "INSERT INTO engram_finished_job(job_id, user_id, body_digest, reply, finished_at, reply_to) "
          "VALUES (?1, ?2, ?3, ?4, ?5, ?6)")),
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
    auto user = users_.find_or_add(what.of.user_id);
    out.stale = compare(what.seen, user.seen);
    if (out.stale != staleness::none) return out;

    auto const at = base::to_utc_text(what.at);
    out.window_turns = count_turns(what, at);
    memory_origin origin{what.of.user_id, what.of.session_id, what.job.job_id, 0, 0, what.at};
    origin.user_turn = add_turn(user, what, role::user, what.user_text, at);
    origin.assistant_turn = add_turn(user, what, role::assistant, what.assistant_text, at);
    auto const saved = note_memories(user, what, origin, out.unknown_labels);
    users_.save(user);
    out.outcome = {true, true, what.compose_reply ? what.compose_reply(saved) : std::string()};
    add_finished_.run(what.job.job_id, what.of.user_id, blob{what.job.body_digest}, out.outcome.reply,
                      base::to_unix_ms(what.at), what.reply_to);
    out.committed = true;
    return out;
}

std::int64_t exchange_queries::window_turns(conversation const& of, bool& known) {
    auto found = find_session_.query(of.user_id, of.session_id);
    known = found.next();
    return known ? std::max<std::int64_t>(found.integer(0), 0) : 0;
}

std::size_t exchange_queries::count_turns(exchange const& what, std::string const& at) {
    auto const& of = what.of;
    bool known = false;
    auto const turns = window_turns(of, known) + 2;
    (known ? update_session_ : add_session_).run(turns, at, of.user_id, of.session_id);
    return static_cast<std::size_t>(turns);
}

std::int64_t exchange_queries::add_turn(user_row& user, exchange const& what, role by, std::string_view text,
                                        std::string_view at) {
    bool const said = by == role::user;
    auto const entry = index_.prepare(user, text, said ? text_kind::user_turn : text_kind::assistant_turn);
    std::string_view const name = said ? "user" : "assistant";
    add_turn_.run(what.of.session_id, what.of.user_id, name, text, at, what.job.job_id, entry.item);
    auto const id = db_.last_insert_id();
    index_.put(user, entry, false, id, session_hash(what.of.session_id), minutes_of(at));
    return id;
}

std::vector<saved_memory> exchange_queries::note_memories(user_row& user, exchange const& what,
                                                          memory_origin const& origin,
                                                          std::size_t& unknown_labels) {
    std::vector<saved_memory> saved;
    saved.reserve(what.memories.size());
    for (auto const& note : what.memories) {
        if (auto one = memories_.apply(user, note, origin))
            saved.push_back(std::move(*one));
        else
            ++unknown_labels;
    }
    if (!saved.empty()) users_.name(user.key, what.of.user_id);
    return saved;
}

recorded_outcome exchange_queries::record_failure(failure const& what) {
    auto finished = outcomes_.find_finished(what.job);
    if (finished && finished->same_body) return std::move(*finished);
    if (auto failed = outcomes_.find_failed(what.job)) return std::move(*failed);
    bool const forgotten =
        what.seen && compare(*what.seen, users_.find(what.user_id).seen) == staleness::forget;
    if (forgotten) return {false, true, what.reply};
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

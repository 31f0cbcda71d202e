#include "store/sqlite/exchange_queries.hpp"

#include <algorithm>

namespace engram::store {

namespace {

using staleness = commit_outcome::staleness;

constexpr std::string_view erased_meanwhile = "something about this user was erased meanwhile";

staleness compare(erasures const& seen, erasures const& now) {
    if (seen.forgets != now.forgets) return staleness::forget;
    return seen == now ? staleness::none : staleness::deletion;
}

bool takes_back(exchange const& what) {
    return std::ranges::any_of(what.memories,
                               [](new_memory const& note) { return note.what != new_memory::kind::add; });
}

}  // namespace

exchange_queries::exchange_queries(connection& db, user_writer& users, recall_index& index,
                                   memory_writer& memories, outdated_summaries& outdated)
    : db_(db),
      users_(users),
      index_(index),
      memories_(memories),
      outdated_(outdated),
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
      unsay_failed_(db.prepare("UPDATE engram_failed_delivery SET error_message = ?2, "
                               "reply = CASE WHEN json_valid(reply) "
                               "THEN json_set(reply, '$.error.message', ?2) ELSE '' END WHERE ticket = ?1")),
      // A row of the same ticket that is not the same delivery is of a queue that was emptied since.
      add_failed_(
          db.prepare("INSERT OR REPLACE INTO engram_failed_delivery"
                     "(ticket, job_id, user_id, body_digest, reply, failed_at, error_type, error_message) "
                     "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")),
      expire_finished_(db.prepare("DELETE FROM engram_finished_job WHERE rowid IN (SELECT rowid "
                                  "FROM engram_finished_job INDEXED BY engram_finished_job_by_time "
                                  "WHERE finished_at < ?1 ORDER BY finished_at LIMIT ?2)")),
      expire_failed_(db.prepare("DELETE FROM engram_failed_delivery WHERE rowid IN (SELECT rowid "
                                "FROM engram_failed_delivery INDEXED BY engram_failed_delivery_by_time "
                                "WHERE failed_at < ?1 ORDER BY failed_at LIMIT ?2)")) {}

commit_outcome exchange_queries::commit_exchange(exchange const& what, analysed_exchange const& texts) {
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
    add_turns(user, what, texts.entries, origin, at);
    auto const saved = note_memories(user, what, texts.memories, origin, out.unknown_labels);
    users_.save(user);
    if (takes_back(what)) {
        outdated_.make_anew(what.of.user_id, what.at);
        bool known = false;
        out.window_turns = static_cast<std::size_t>(window_turns(what.of, known));
    }
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
    auto const turns = window_turns(of, known) + static_cast<std::int64_t>(what.turns.size());
    (known ? update_session_ : add_session_).run(turns, at, of.user_id, of.session_id);
    return static_cast<std::size_t>(turns);
}

// A memory is from the first turn of the user and the last one of the assistant.
void exchange_queries::add_turns(user_row& user, exchange const& what,
                                 std::vector<std::string> const& entries, memory_origin& origin,
                                 std::string_view at) {
    auto const count = what.turns.size();
    std::vector<std::int64_t> ids;
    for (std::size_t i = 0; i < count; ++i) {
        auto const& entry = entries[i / most_turns_a_record];
        if (i % most_turns_a_record == 0) ids.clear();
        // All turns of a record have its item, which is taken with the first of them.
        auto const item = ids.empty() ? recall_index::take_item(user, entry)
                                      : (entry.empty() ? std::nullopt : std::optional(user.next_item - 1));
        ids.push_back(add_turn(what, what.turns[i], item, at));
        bool const by_user = what.turns[i].role == role::user;
        if (!by_user) origin.assistant_turn = ids.back();
        if (by_user && origin.user_turn == 0) origin.user_turn = ids.back();
        if (ids.size() == most_turns_a_record || i + 1 == count)
            index_.put_turns(user, item, entry, ids, session_hash(what.of.session_id), minutes_of(at));
    }
}

std::int64_t exchange_queries::add_turn(exchange const& what, new_turn const& turn,
                                        std::optional<std::int64_t> item, std::string_view at) {
    std::string_view const name = turn.role == role::user ? "user" : "assistant";
    add_turn_.run(what.of.session_id, what.of.user_id, name, turn.content, at, what.job.job_id, item);
    return db_.last_insert_id();
}

std::vector<saved_memory> exchange_queries::note_memories(user_row& user, exchange const& what,
                                                          std::vector<analysed_text> const& texts,
                                                          memory_origin const& origin,
                                                          std::size_t& unknown_labels) {
    std::vector<saved_memory> saved;
    saved.reserve(what.memories.size());
    for (std::size_t i = 0; i < what.memories.size(); ++i) {
        if (auto one = memories_.apply(user, what.memories[i], texts[i], origin))
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
    recorded_outcome const told{false, true, what.reply, what.error_type, what.error_message};
    auto const stale = what.seen ? compare(*what.seen, users_.find(what.user_id).seen) : staleness::none;
    if (stale == staleness::forget) return told;
    add_failed_.run(what.job.ticket, what.job.job_id, what.user_id, blob{what.job.body_digest}, what.reply,
                    base::to_unix_ms(what.at), what.error_type, what.error_message);
    if (stale == staleness::none) return told;
    // What the API says may repeat what the prompt said, and some of that has been erased since.
    unsay_failed_.run(what.job.ticket, erased_meanwhile);
    auto unsaid = outcomes_.find_failed(what.job);
    return unsaid ? std::move(*unsaid) : told;
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

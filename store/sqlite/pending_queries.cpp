#include "store/sqlite/pending_queries.hpp"

#include <algorithm>
#include <vector>

namespace engram::store {
namespace {

using namespace std::chrono_literals;

constexpr auto for_whoever_erased = 1min;
// A row that is due later than this was written by a clock that was set back since. Longer than any wait that
// is noted: twice the longest lease that can be configured, which is an hour.
constexpr auto longest_wait = 3h;

constexpr std::int64_t a_reply_key = 0, a_job = 1;

std::string_view name_of(pending_erasure::kind what) {
    switch (what) {
        case pending_erasure::kind::memory:
            return "memory";
        case pending_erasure::kind::session:
            return "session";
        case pending_erasure::kind::user:
            break;
    }
    return "user";
}

pending_erasure::kind kind_of(std::string_view name) {
    if (name == "memory") return pending_erasure::kind::memory;
    return name == "session" ? pending_erasure::kind::session : pending_erasure::kind::user;
}

// Two ranges of one index.
constexpr std::string_view when_due = "(due_at <= ?1 OR due_at > ?2)";

}  // namespace

pending_queries::pending_queries(connection& db)
    : db_(db),
      add_(db.prepare("INSERT INTO engram_erasure(user_id, kind, target, begun_at, due_at, memories, turns, "
                      "summaries, index_entries, vectors, replies, sessions) "
                      "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)")),
      add_trace_(db.prepare("INSERT OR IGNORE INTO engram_erasure_trace(erasure, kind, name) "
                            "VALUES (?1, ?2, ?3)")),
      open_(
          db.prepare("SELECT erasure, memories, turns, summaries, index_entries, vectors, replies, sessions "
                     "FROM engram_erasure INDEXED BY engram_erasure_by_user "
                     "WHERE user_id = ?1 AND kind = ?2 AND target = ?3 AND cleaned = 0 "
                     "ORDER BY erasure LIMIT 1")),
      traces_(db.prepare("SELECT kind, name FROM engram_erasure_trace WHERE erasure = ?1")),
      due_(db.prepare(std::string("SELECT erasure, kind, user_id, cleaned, tries FROM engram_erasure "
                                  "INDEXED BY engram_erasure_by_due WHERE ")
                          .append(when_due)
                          .append(" LIMIT 1"))),
      claim_(db.prepare("UPDATE engram_erasure SET due_at = ?2, tries = tries + 1 WHERE erasure = ?1")),
      settle_(db.prepare("UPDATE engram_erasure SET due_at = ?2, cleaned = max(cleaned, ?3), "
                         "tries = CASE WHEN ?3 = 0 THEN tries ELSE 0 END WHERE erasure = ?1")),
      remove_(db.prepare("DELETE FROM engram_erasure WHERE erasure = ?1")),
      remove_traces_(db.prepare("DELETE FROM engram_erasure_trace WHERE erasure = ?1")),
      of_user_(db.prepare("SELECT erasure FROM engram_erasure INDEXED BY engram_erasure_by_user "
                          "WHERE user_id = ?1")) {}

std::int64_t pending_queries::note(pending_erasure::kind what, std::string const& user_id,
                                   std::string_view target, erased const& gone, base::wall_time at) {
    bool const by_upkeep_alone = what == pending_erasure::kind::user;
    if (gone.reply_keys.empty() && gone.job_ids.empty() && !by_upkeep_alone) return 0;
    auto const& n = gone.counts;
    add_.run(user_id, name_of(what), target, base::to_unix_ms(at), base::to_unix_ms(at + for_whoever_erased),
             n.memories, n.turns, n.summaries, n.index_entries, n.vectors, n.replies, n.sessions);
    auto const id = db_.last_insert_id();
    for (auto const& key : gone.reply_keys)
        add_trace_.run(id, a_reply_key, key);
    for (auto const& job : gone.job_ids)
        add_trace_.run(id, a_job, job);
    return id;
}

std::int64_t pending_queries::note_user(std::string const& user_id, base::wall_time at) {
    if (auto const known = find_open(pending_erasure::kind::user, user_id, "")) return known->pending;
    return note(pending_erasure::kind::user, user_id, "", {}, at);
}

std::optional<erased> pending_queries::find_open(pending_erasure::kind what, std::string const& user_id,
                                                 std::string_view target) {
    erased gone;
    {
        auto found = open_.query(user_id, name_of(what), target);
        if (!found.next()) return std::nullopt;
        gone.pending = found.integer(0);
        auto const count = [&](int column) { return static_cast<std::size_t>(found.integer(column)); };
        gone.counts = {count(1), count(2), count(3), count(4), count(5), count(6), count(7)};
    }
    read_traces(gone.pending, gone.reply_keys, gone.job_ids);
    return gone;
}

std::optional<pending_erasure> pending_queries::claim(base::wall_time now, base::wall_time until) {
    pending_erasure taken;
    {
        auto found = due_.query(base::to_unix_ms(now), base::to_unix_ms(now + longest_wait));
        if (!found.next()) return std::nullopt;
        taken.id = found.integer(0);
        taken.what = kind_of(found.bytes(1));
        taken.user_id = found.bytes(2);
        taken.cleaned = found.integer(3) != 0;
        taken.tries = static_cast<unsigned>(found.integer(4));
    }
    claim_.run(taken.id, base::to_unix_ms(until));
    read_traces(taken.id, taken.reply_keys, taken.job_ids);
    return taken;
}

void pending_queries::settle(std::int64_t id, erasure_state state, base::wall_time due) {
    if (state == erasure_state::done)
        remove(id);
    else
        settle_.run(id, base::to_unix_ms(due), std::int64_t{state == erasure_state::cleaned ? 1 : 0});
}

void pending_queries::remove_all(std::string const& user_id) {
    std::vector<std::int64_t> ids;
    {
        auto found = of_user_.query(user_id);
        while (found.next())
            ids.push_back(found.integer(0));
    }
    for (auto const id : ids)
        remove(id);
}

void pending_queries::remove(std::int64_t id) {
    remove_traces_.run(id);
    remove_.run(id);
}

void pending_queries::read_traces(std::int64_t id, std::vector<std::string>& reply_keys,
                                  std::vector<std::string>& job_ids) {
    auto found = traces_.query(id);
    while (found.next())
        (found.integer(0) == a_reply_key ? reply_keys : job_ids).emplace_back(found.bytes(1));
}

due_erasures::due_erasures(connection& db)
    : due_(db.prepare(std::string("SELECT 1 FROM engram_erasure INDEXED BY engram_erasure_by_due WHERE ")
                          .append(when_due)
                          .append(" LIMIT 1"))) {}

bool due_erasures::any(base::wall_time now) {
    return due_.query(base::to_unix_ms(now), base::to_unix_ms(now + longest_wait)).next();
}

}  // namespace engram::store

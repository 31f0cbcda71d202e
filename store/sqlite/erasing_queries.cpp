#include "store/sqlite/erasing_queries.hpp"

#include "store/sqlite/erasure.hpp"
#include "store/sqlite/memory_rows.hpp"

#include <algorithm>

namespace engram::store {
namespace {

constexpr std::string_view traced_columns =
    "SELECT id, role, content, item, summary_id, job_id, created_at, session_id";

constexpr std::string_view in_window = " AND summary_id IS NULL AND role IN ('user', 'assistant')";
constexpr std::string_view in_archive =
    " AND (summary_id IS NOT NULL OR role IS NULL OR role NOT IN ('user', 'assistant'))";

std::string history(std::string_view what, bool window, std::string_view where) {
    return std::string(what)
        .append(" FROM conversation_history INDEXED BY ")
        .append(window ? "engram_history_window" : "engram_history_archive")
        .append(" WHERE user_id = ?1")
        .append(where)
        .append(window ? in_window : in_archive);
}

// A short text would be found inside of others that have nothing to do with it.
bool is_distinctive(std::string_view text) {
    return text.size() >= 12 && std::ranges::count(text, ' ') >= 2;
}

}  // namespace

erasing_queries::erasing_queries(connection& db, user_writer& users, recall_index& index,
                                 pending_queries& pending)
    : users_(users),
      index_(index),
      pending_(pending),
      outcomes_(db),
      savepoint_(db.prepare("SAVEPOINT preview")),
      roll_back_(db.prepare("ROLLBACK TO preview")),
      release_(db.prepare("RELEASE preview")),
      memory_(db.prepare("SELECT label, content, memory_type, session_id, item, superseded_by, job_id, "
                         "created_at FROM long_term_memory WHERE id = ?1 AND user_id = ?2")),
      versions_(db.prepare("SELECT id FROM long_term_memory INDEXED BY engram_memory_by_label "
                           "WHERE user_id = ?1 AND label = ?2")),
      ended_for_(db.prepare("SELECT id FROM long_term_memory INDEXED BY engram_memory_superseded "
                            "WHERE superseded_by = ?2 AND user_id = ?1")),
      sources_(db.prepare("SELECT user_turn, assistant_turn, session_id, job_id FROM engram_memory_source "
                          "WHERE memory_id = ?1")),
      covered_(db.prepare(history("SELECT id", false, " AND session_id = ?2 AND summary_id = ?3"))),
      covers_(db.prepare("SELECT session_id, pinned FROM long_term_memory WHERE id = ?1 AND user_id = ?2 "
                         "AND memory_type = 'summary'")),
      summaries_after_(db.prepare("SELECT id FROM long_term_memory INDEXED BY engram_memory_summaries "
                                  "WHERE user_id = ?1 AND session_id = ?2 AND memory_type = 'summary' "
                                  "AND id > ?3")),
      turn_(db.prepare("SELECT session_id, summary_id, item, job_id, role, content FROM conversation_history "
                       "WHERE id = ?1 AND user_id = ?2")),
      blank_turn_(db.prepare("UPDATE conversation_history SET content = '', summary_id = 0, item = NULL "
                             "WHERE id = ?1")),
      uncover_(db.prepare("UPDATE conversation_history SET summary_id = NULL WHERE id = ?1")),
      change_window_(db.prepare("UPDATE engram_session SET window_turns = max(window_turns + ?3, 0) "
                                "WHERE user_id = ?1 AND session_id = ?2")),
      mentions_in_window_(
          db.prepare(history("SELECT id, item, summary_id", true, " AND instr(content, ?2) > 0"))),
      mentions_in_archive_(
          db.prepare(history("SELECT id, item, summary_id", false, " AND instr(content, ?2) > 0"))),
      mentions_in_summaries_(db.prepare("SELECT id FROM long_term_memory INDEXED BY engram_memory_summaries "
                                        "WHERE user_id = ?1 AND memory_type = 'summary' "
                                        "AND instr(content, ?2) > 0")),
      cut_turn_(
          db.prepare("UPDATE conversation_history SET content = replace(content, ?2, '') WHERE id = ?1")),
      traced_in_window_(db.prepare(history(traced_columns, true, " AND content <> ''"))),
      traced_in_archive_(db.prepare(history(traced_columns, false, " AND content <> ''"))),
      traced_summaries_(
          db.prepare("SELECT id, content, coalesce(updated_at, created_at) FROM long_term_memory "
                     "INDEXED BY engram_memory_summaries WHERE user_id = ?1 "
                     "AND memory_type = 'summary'")),
      held_(db),
      rewrite_turn_(db.prepare("UPDATE conversation_history SET content = ?2 WHERE id = ?1")),
      remove_memory_(db.prepare("DELETE FROM long_term_memory WHERE id = ?1 AND user_id = ?2")),
      remove_sources_(db.prepare("DELETE FROM engram_memory_source WHERE memory_id = ?1")),
      remove_turn_sources_(db.prepare("DELETE FROM engram_memory_source WHERE user_turn = ?1")),
      session_(db.prepare("SELECT 1 FROM engram_session WHERE user_id = ?1 AND session_id = ?2")),
      session_turns_window_(db.prepare(history("SELECT id", true, " AND session_id = ?2"))),
      session_turns_archive_(db.prepare(history("SELECT id", false, " AND session_id = ?2"))),
      session_memories_(db.prepare("SELECT id FROM long_term_memory INDEXED BY engram_memory_by_user "
                                   "WHERE user_id = ?1 AND session_id = ?2 "
                                   "AND (memory_type = 'summary' OR ?3 <> 0)")),
      remove_turn_(db.prepare("DELETE FROM conversation_history WHERE id = ?1 AND user_id = ?2")),
      remove_session_(db.prepare("DELETE FROM engram_session WHERE user_id = ?1 AND session_id = ?2")) {}

std::optional<erased> erasing_queries::delete_memory(std::string const& user_id, std::int64_t id,
                                                     base::wall_time at) {
    auto const name = std::to_string(id);
    bool known = false;
    {
        auto found = memory_.query(id, user_id);
        known = found.next();
    }
    if (!known) return pending_.find_open(pending_erasure::kind::memory, user_id, name);
    erasure what{user_id, users_.find_or_add(user_id).key, {}, {}, nullptr};
    erase_memories(what, {id});
    users_.count_deletion(what.user_key);
    return finish(what, pending_erasure::kind::memory, name, at);
}

std::optional<erasure_preview> erasing_queries::preview_deletion(std::string const& user_id,
                                                                 std::int64_t id) {
    if (!memory_.query(id, user_id).next()) return std::nullopt;
    erasure_preview shown;
    savepoint_.run();
    try {
        erasure what{user_id, users_.find_or_add(user_id).key, {}, {}, &shown};
        erase_memories(what, {id});
        shown.counts = what.result.counts;
        shown.counts.replies = what.outcomes.replies;
    } catch (...) {
        roll_back_.run();
        release_.run();
        throw;
    }
    roll_back_.run();
    release_.run();
    return shown;
}

// With everything that these became, came from or went into.
void erasing_queries::erase_memories(erasure& what, ids memories) {
    memories = versions_and_relatives(what.user_id, std::move(memories));
    std::vector<std::string> texts;
    traces of;
    for (auto const id : memories) {
        auto found = memory_.query(id, what.user_id);
        if (!found.next()) continue;
        if (is_distinctive(found.bytes(1))) texts.emplace_back(found.bytes(1));
        if (found.bytes(2) == "summary") continue;  // its turns are gone, not what they told elsewhere
        of.texts.push_back(found.text(1));
        auto const since = minutes_of(found.bytes(7));
        of.since = of.texts.size() == 1 ? since : std::min(of.since, since);
    }
    auto const told_in = sources_of(what, memories);
    erase_turns(what, told_in.turns);
    for (auto const& job : told_in.jobs)
        outcomes_.blank_reply_of(what.user_id, job, what.outcomes);
    erase_derived_summaries(what, told_in.summaries);
    for (auto const id : memories)
        remove_memory(what, id);
    erase_traces(what, of);
    for (auto const& text : texts) {
        erase_mentions(what, text);
        outcomes_.blank_replies_with(what.user_id, text, what.outcomes);
    }
    outcomes_.blank_errors(what.user_id, texts, what.outcomes);
}

// Many jobs may share one place for their replies.
erased erasing_queries::finish(erasure& what, pending_erasure::kind kind, std::string_view target,
                               base::wall_time at) {
    auto& gone = what.result;
    gone.counts.replies = what.outcomes.replies;
    gone.job_ids = std::move(what.outcomes.job_ids);
    gone.reply_keys = std::move(what.outcomes.reply_keys);
    std::ranges::sort(gone.reply_keys);
    gone.reply_keys.erase(std::unique(gone.reply_keys.begin(), gone.reply_keys.end()), gone.reply_keys.end());
    gone.pending = pending_.note(kind, what.user_id, target, gone, at);
    return std::move(gone);
}

void erasing_queries::take_out(erasure& what, std::optional<std::int64_t> item) {
    if (!item) return;
    auto const removed = index_.remove(what.user_key, *item);
    what.result.counts.index_entries += removed.entry ? 1 : 0;
    what.result.counts.vectors += removed.vector ? 1 : 0;
}

void erasing_queries::remove_memory(erasure& what, std::int64_t id) {
    std::optional<std::int64_t> item;
    {
        auto found = memory_.query(id, what.user_id);
        if (!found.next()) return;
        item = integer_or_none(found, 4);
        if (what.preview != nullptr) {
            auto& shown = found.bytes(2) == "summary" ? what.preview->summaries : what.preview->memories;
            shown.push_back(
                {id, found.text(2), found.text(1), found.text(7), found.text(3), found.integer(0), false});
        }
    }
    take_out(what, item);
    remove_sources_.run(id);
    remove_memory_.run(id, what.user_id);
    ++what.result.counts.memories;
}

std::optional<erased> erasing_queries::delete_session(conversation const& of, bool memories,
                                                      base::wall_time at) {
    bool known = false;
    {
        auto found = session_.query(of.user_id, of.session_id);
        known = found.next();
    }
    if (!known) return pending_.find_open(pending_erasure::kind::session, of.user_id, of.session_id);
    erasure what{of.user_id, users_.find_or_add(of.user_id).key, {}, {}, nullptr};
    ids of_session, turns;
    {
        auto found = session_memories_.query(of.user_id, of.session_id, std::int64_t{memories ? 1 : 0});
        while (found.next())
            of_session.insert(found.integer(0));
    }
    for (auto* statement : {&session_turns_window_, &session_turns_archive_}) {
        auto found = statement->query(of.user_id, of.session_id);
        while (found.next())
            turns.insert(found.integer(0));
    }
    erase_turns(what, turns);
    erase_memories(what, of_session);
    for (auto const id : turns)
        remove_turn_.run(id, of.user_id);
    remove_session_.run(of.user_id, of.session_id);
    what.result.counts.sessions = 1;
    users_.count_deletion(what.user_key);
    return finish(what, pending_erasure::kind::session, of.session_id, at);
}

}  // namespace engram::store

#include "store/sqlite/erasing_queries.hpp"

#include "store/sqlite/erasure.hpp"
#include "store/sqlite/memory_rows.hpp"

#include <algorithm>
#include <iterator>
#include <map>

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
      held_memories_(db.prepare("SELECT content FROM long_term_memory INDEXED BY engram_memory_current "
                                "WHERE user_id = ?1 AND valid_to IS NULL AND memory_type <> 'summary' "
                                "ORDER BY id DESC LIMIT ?2")),
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

void erasing_queries::remake_summaries(std::string const& user_id, std::set<std::int64_t> summaries) {
    auto all = with_later_ones(user_id, summaries);
    std::erase_if(all, [&](std::int64_t id) { return !may_be_remade(user_id, versions_of(user_id, id)); });
    if (all.empty()) return;
    erasure what{user_id, users_.find_or_add(user_id).key, {}, {}, nullptr};
    remove_summaries(what, all);
}

// What a person wrote or wants to stay is only cut when it is read, as is what nothing is left to make anew
// of.
bool erasing_queries::may_be_remade(std::string const& user_id, ids const& versions) {
    if (versions.size() != 1) return false;
    auto const id = *versions.begin();
    std::string session;
    {
        auto found = covers_.query(id, user_id);
        if (!found.next() || found.integer(1) != 0) return false;
        session = found.bytes(0);
    }
    return covered_.query(user_id, session, id).next();
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

// All versions, what ended in favour of one of them, and what a consolidation made of one. A memory that was
// told for itself stays, though another one ended in its favour.
erasing_queries::ids erasing_queries::versions_and_relatives(std::string const& user_id, ids memories) {
    std::vector<std::int64_t> to_visit(memories.begin(), memories.end());
    ids labels;
    while (!to_visit.empty()) {
        auto const id = to_visit.back();
        to_visit.pop_back();
        std::int64_t label = 0, by = 0;
        {
            auto found = memory_.query(id, user_id);
            if (!found.next()) continue;
            label = found.integer(0);
            by = found.integer(5);
        }
        ids related;
        if (by != 0 && was_consolidated(user_id, by)) related.insert(by);
        auto const read = [&](rows found) {
            while (found.next())
                related.insert(found.integer(0));
        };
        read(ended_for_.query(user_id, id));
        if (labels.insert(label).second) read(versions_.query(user_id, label));
        for (auto const one : related)
            if (memories.insert(one).second) to_visit.push_back(one);
    }
    return memories;
}

bool erasing_queries::was_consolidated(std::string const& user_id, std::int64_t id) {
    auto found = memory_.query(id, user_id);
    return found.next() && found.bytes(6) == consolidation_job;
}

// The turns in which memories were told; of a summary those that it stands for. If turns are deleted once
// they are summarized, any summary of their session may be theirs.
erasing_queries::sources erasing_queries::sources_of(erasure& what, ids const& memories) {
    sources told_in;
    auto& turns = told_in.turns;
    for (auto const id : memories) {
        auto found = sources_.query(id);
        while (found.next()) {
            turns.insert(found.integer(0));
            turns.insert(found.integer(1));
            told_in.jobs.insert(found.text(3));
            bool const is_there = turn_.query(found.integer(0), what.user_id).next();
            if (!is_there) told_in.summaries.merge(summaries_after(what.user_id, found.text(2), 0));
        }
        std::string session;
        {
            auto summary = covers_.query(id, what.user_id);
            if (summary.next()) session = summary.bytes(0);
        }
        if (session.empty()) continue;
        auto covered = covered_.query(what.user_id, session, id);
        while (covered.next())
            turns.insert(covered.integer(0));
    }
    return told_in;
}

erasing_queries::ids erasing_queries::summaries_after(std::string const& user_id,
                                                      std::string const& session_id, std::int64_t id) {
    ids summaries;
    auto found = summaries_after_.query(user_id, session_id, id);
    while (found.next())
        summaries.insert(found.integer(0));
    return summaries;
}

// A summary that was corrected by hand has several, and its turns name the first.
erasing_queries::ids erasing_queries::versions_of(std::string const& user_id, std::int64_t id) {
    return versions_and_relatives(user_id, {id});
}

// A summary was written by a model that had read those before it. A correction by hand has a later id than
// what it corrects, and is no later summary.
erasing_queries::ids erasing_queries::with_later_ones(std::string const& user_id, ids const& summaries) {
    ids all;
    std::map<std::string, std::int64_t> first_of;  // of each session
    for (auto const id : summaries) {
        std::string session;
        {
            auto found = covers_.query(id, user_id);
            if (!found.next()) continue;
            session = found.bytes(0);
        }
        auto versions = versions_of(user_id, id);
        if (!session.empty()) {
            auto const known = first_of.try_emplace(std::move(session), *versions.begin()).first;
            known->second = std::min(known->second, *versions.begin());
        }
        all.merge(versions);
    }
    for (auto const& [session, first] : first_of) {
        for (auto const id : summaries_after(user_id, session, first)) {
            if (all.contains(id)) continue;
            auto versions = versions_of(user_id, id);
            if (*versions.begin() > first) all.merge(versions);
        }
    }
    return all;
}

void erasing_queries::erase_turns(erasure& what, ids const& turns) {
    ids summaries, items;
    for (auto const id : turns) {
        std::string session, job;
        std::optional<std::int64_t> summary, item;
        {
            auto found = turn_.query(id, what.user_id);
            if (!found.next()) continue;
            session = found.bytes(0);
            summary = integer_or_none(found, 1);
            item = integer_or_none(found, 2);
            job = found.bytes(3);
            if (what.preview != nullptr)
                what.preview->turns.push_back({{id, role_of(found.bytes(4)), found.text(5)}, session, {}});
        }
        if (item) items.insert(*item);
        blank_turn_.run(id);
        remove_turn_sources_.run(id);
        ++what.result.counts.turns;
        if (!summary) change_window_.run(what.user_id, session, std::int64_t{-1});
        if (summary && *summary != 0) summaries.insert(*summary);
        outcomes_.blank_reply_of(what.user_id, job, what.outcomes);
    }
    renew_entries(what, items);
    erase_derived_summaries(what, summaries);
}

// What else they stood for comes back into the window, and is summarized anew.
void erasing_queries::erase_derived_summaries(erasure& what, ids const& summaries) {
    remove_summaries(what, with_later_ones(what.user_id, summaries));
}

void erasing_queries::remove_summaries(erasure& what, ids const& summaries) {
    for (auto const id : summaries) {
        std::string session;
        {
            auto found = covers_.query(id, what.user_id);
            if (!found.next()) continue;  // it went with another version
            session = found.bytes(0);
        }
        auto const versions = versions_of(what.user_id, id);
        change_window_.run(what.user_id, session, uncover_all(what.user_id, session, versions));
        for (auto const version : versions)
            remove_memory(what, version);
        ++what.result.counts.summaries;
    }
}

// Returns how many turns these stood for.
std::int64_t erasing_queries::uncover_all(std::string const& user_id, std::string const& session,
                                          ids const& versions) {
    std::vector<std::int64_t> turns;
    for (auto const version : versions) {
        auto found = covered_.query(user_id, session, version);
        while (found.next())
            turns.push_back(found.integer(0));
    }
    for (auto const turn : turns)
        uncover_.run(turn);
    return static_cast<std::int64_t>(turns.size());
}

// The same words elsewhere, such as an answer that repeated them.
void erasing_queries::erase_mentions(erasure& what, std::string const& text) {
    ids summaries;
    {
        auto found = mentions_in_summaries_.query(what.user_id, text);
        while (found.next())
            summaries.insert(found.integer(0));
    }
    std::vector<std::pair<std::int64_t, std::optional<std::int64_t>>> turns;
    for (auto* statement : {&mentions_in_window_, &mentions_in_archive_}) {
        auto found = statement->query(what.user_id, text);
        while (found.next()) {
            turns.emplace_back(found.integer(0), integer_or_none(found, 1));
            if (found.integer(2) != 0) summaries.insert(found.integer(2));
        }
    }
    erase_derived_summaries(what, summaries);
    ids items;
    for (auto const& [id, item] : turns) {
        if (what.preview != nullptr) show_mention(*what.preview, what.user_id, id, text);
        cut_turn_.run(id, text);
        if (item) items.insert(*item);
        ++what.result.counts.turns;
    }
    renew_entries(what, items);
}

void erasing_queries::show_mention(erasure_preview& shown, std::string const& user_id, std::int64_t id,
                                   std::string const& text) {
    auto found = turn_.query(id, user_id);
    if (!found.next()) return;
    auto left = found.text(5);
    for (auto at = left.find(text); at != left.npos; at = left.find(text, at))
        left.erase(at, text.size());
    shown.turns.push_back({{id, role_of(found.bytes(4)), found.text(5)}, found.text(0), std::move(left)});
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

// Of exchanges whose turns have changed: an entry that is made anew counts as one that went.
void erasing_queries::renew_entries(erasure& what, ids const& items) {
    for (auto const item : items) {
        auto const renewed = index_.renew(what.user_key, item);
        what.result.counts.index_entries += renewed.entry ? 1 : 0;
        what.result.counts.vectors += renewed.vector ? 1 : 0;
    }
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

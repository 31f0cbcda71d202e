#include "store/sqlite/erasing_queries.hpp"

#include <algorithm>
#include <iterator>

namespace engram::store {
namespace {

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

// As a JSON string holds it.
std::string json_escaped(std::string_view text) {
    std::string out;
    constexpr std::string_view shortened = "\bb\ff\nn\rr\tt";
    constexpr char const* digits = "0123456789abcdef";
    for (char const c : text) {
        auto const byte = static_cast<unsigned char>(c);
        if (byte >= 0x20) {
            if (c == '"' || c == '\\') out += '\\';
            out += c;
        } else if (auto const at = shortened.find(c); at != std::string_view::npos) {
            out.append(1, '\\').append(1, shortened[at + 1]);
        } else {
            out.append("\\u00").append(1, digits[byte / 16]).append(1, digits[byte % 16]);
        }
    }
    return out;
}

// A good reply without what was said.
constexpr std::string_view blank_reply =
    "CASE WHEN json_valid(reply) THEN json_set(reply, '$.reply', '', '$.memories', json('[]')) ELSE '' END";

std::optional<std::int64_t> integer_or_none(rows const& from, int column) {
    return from.is_null(column) ? std::nullopt : std::optional(from.integer(column));
}

}  // namespace

struct erasing_queries::erasure {
    std::string const& user_id;
    std::int64_t user_key;
    std::set<std::string> jobs;  // that told of it, also those without a good reply
    erased result;
};

erasing_queries::erasing_queries(connection& db, user_writer& users, recall_index& index)
    : db_(db),
      users_(users),
      index_(index),
      memory_(db.prepare("SELECT label, content, memory_type, session_id, item, superseded_by, job_id "
                         "FROM long_term_memory WHERE id = ?1 AND user_id = ?2")),
      versions_(db.prepare("SELECT id FROM long_term_memory INDEXED BY engram_memory_by_label "
                           "WHERE user_id = ?1 AND label = ?2")),
      ended_for_(db.prepare("SELECT id FROM long_term_memory INDEXED BY engram_memory_superseded "
                            "WHERE superseded_by = ?2 AND user_id = ?1")),
      sources_(db.prepare("SELECT user_turn, assistant_turn, session_id, job_id FROM engram_memory_source "
                          "WHERE memory_id = ?1")),
      covered_(db.prepare(history("SELECT id", false, " AND session_id = ?2 AND summary_id = ?3"))),
      covers_(db.prepare("SELECT session_id FROM long_term_memory WHERE id = ?1 AND user_id = ?2 "
                         "AND memory_type = 'summary'")),
      summaries_after_(db.prepare("SELECT id FROM long_term_memory INDEXED BY engram_memory_summaries "
                                  "WHERE user_id = ?1 AND session_id = ?2 AND memory_type = 'summary' "
                                  "AND id > ?3")),
      turn_(db.prepare("SELECT session_id, summary_id, item, job_id FROM conversation_history "
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
      cut_turn_(db.prepare("UPDATE conversation_history SET content = replace(content, ?2, ''), item = NULL "
                           "WHERE id = ?1")),
      finished_(db.prepare("SELECT reply_to FROM engram_finished_job WHERE job_id = ?1 AND user_id = ?2")),
      replies_with_(db.prepare("SELECT job_id FROM engram_finished_job "
                               "INDEXED BY engram_finished_job_by_user "
                               "WHERE user_id = ?1 AND instr(reply, ?2) > 0")),
      erase_reply_(db.prepare(std::string("UPDATE engram_finished_job SET reply = ")
                                  .append(blank_reply)
                                  .append(" WHERE job_id = ?1 AND user_id = ?2"))),
      errors_(db.prepare("SELECT ticket, job_id, reply FROM engram_failed_delivery "
                         "INDEXED BY engram_failed_delivery_by_user WHERE user_id = ?1")),
      erase_error_(db.prepare("UPDATE engram_failed_delivery SET error_message = '', "
                              "reply = CASE WHEN json_valid(reply) "
                              "THEN json_set(reply, '$.error.message', '') ELSE '' END "
                              "WHERE ticket = ?1 AND user_id = ?2")),
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
      remove_session_(db.prepare("DELETE FROM engram_session WHERE user_id = ?1 AND session_id = ?2")),
      user_finished_(db.prepare("SELECT job_id, reply_to FROM engram_finished_job "
                                "INDEXED BY engram_finished_job_by_user WHERE user_id = ?1")),
      // Those that are blank already were counted before.
      erase_user_replies_(db.prepare(std::string("UPDATE engram_finished_job "
                                                 "INDEXED BY engram_finished_job_by_user SET reply = ")
                                         .append(blank_reply)
                                         .append(" WHERE user_id = ?1 AND reply <> ")
                                         .append(blank_reply))),
      remove_user_finished_(db.prepare("DELETE FROM engram_finished_job WHERE user_id = ?1")) {
    // In the order of forget_user().
    for (auto const& sql :
         {std::string("DELETE FROM engram_memory_source WHERE memory_id IN (SELECT id FROM long_term_memory "
                      "INDEXED BY engram_memory_by_user WHERE user_id = ?1)"),
          std::string("DELETE FROM long_term_memory WHERE user_id = ?1"), history("DELETE", true, ""),
          history("DELETE", false, ""), std::string("DELETE FROM engram_session WHERE user_id = ?1"),
          std::string("DELETE FROM engram_failed_delivery WHERE user_id = ?1")})
        forget_.push_back(db.prepare(sql));
}

std::optional<erased> erasing_queries::delete_memory(std::string const& user_id, std::int64_t id) {
    {
        auto found = memory_.query(id, user_id);
        if (!found.next()) return std::nullopt;
    }
    erasure what{user_id, users_.find_or_add(user_id).key, {}, {}};
    erase_memories(what, {id});
    users_.count_deletion(what.user_key);
    return finish(what);
}

// With everything that these became, came from or went into.
void erasing_queries::erase_memories(erasure& what, ids memories) {
    memories = versions_and_relatives(what.user_id, std::move(memories));
    std::vector<std::string> texts;
    for (auto const id : memories) {
        auto found = memory_.query(id, what.user_id);
        if (found.next() && is_distinctive(found.bytes(1))) texts.emplace_back(found.bytes(1));
    }
    auto const told_in = sources_of(what, memories);
    erase_turns(what, told_in.turns);
    for (auto const& job : told_in.jobs)
        erase_reply(what, job);
    erase_derived_summaries(what, told_in.summaries);
    for (auto const id : memories)
        remove_memory(what, id);
    for (auto const& text : texts) {
        erase_mentions(what, text);
        erase_replies(what, text);
    }
    erase_errors(what, texts);
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

// A summary was written by a model that had read those before it.
erasing_queries::ids erasing_queries::with_later_ones(std::string const& user_id, ids summaries) {
    auto all = summaries;
    for (auto const id : summaries) {
        std::string session;
        {
            auto found = covers_.query(id, user_id);
            if (found.next()) session = found.bytes(0);
        }
        if (!session.empty()) all.merge(summaries_after(user_id, session, id));
    }
    return all;
}

void erasing_queries::erase_turns(erasure& what, ids const& turns) {
    ids summaries;
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
        }
        take_out(what, item);
        blank_turn_.run(id);
        remove_turn_sources_.run(id);
        ++what.result.counts.turns;
        if (!summary) change_window_.run(what.user_id, session, std::int64_t{-1});
        if (summary && *summary != 0) summaries.insert(*summary);
        erase_reply(what, job);
    }
    erase_derived_summaries(what, summaries);
}

// What else they stood for comes back into the window, and is summarized anew.
void erasing_queries::erase_derived_summaries(erasure& what, ids const& summaries) {
    for (auto const id : with_later_ones(what.user_id, summaries)) {
        std::string session;
        {
            auto found = covers_.query(id, what.user_id);
            if (!found.next()) continue;
            session = found.bytes(0);
        }
        std::vector<std::int64_t> turns;
        {
            auto found = covered_.query(what.user_id, session, id);
            while (found.next())
                turns.push_back(found.integer(0));
        }
        for (auto const turn : turns)
            uncover_.run(turn);
        change_window_.run(what.user_id, session, static_cast<std::int64_t>(turns.size()));
        // A summary that was corrected by hand has versions.
        for (auto const version : versions_and_relatives(what.user_id, {id}))
            remove_memory(what, version);
        ++what.result.counts.summaries;
    }
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
    for (auto const& [id, item] : turns) {
        take_out(what, item);
        cut_turn_.run(id, text);
        ++what.result.counts.turns;
    }
}

void erasing_queries::erase_replies(erasure& what, std::string const& text) {
    std::vector<std::string> jobs;
    {
        auto const escaped = json_escaped(text);  // borrowed while it is searched for
        auto found = replies_with_.query(what.user_id, escaped);
        while (found.next())
            jobs.emplace_back(found.bytes(0));
    }
    for (auto const& job : jobs)
        erase_reply(what, job);
}

void erasing_queries::erase_reply(erasure& what, std::string const& job_id) {
    if (job_id.empty() || !what.jobs.insert(job_id).second) return;
    std::string reply_to;
    {
        auto found = finished_.query(job_id, what.user_id);
        if (!found.next()) {
            what.result.job_ids.push_back(job_id);  // its dead letters live longer than its outcome
            return;
        }
        reply_to = found.bytes(0);
    }
    erase_reply_.run(job_id, what.user_id);
    note_reply(what, job_id, std::move(reply_to));
}

// An error may quote what the user said, also one of an attempt before that which told of it.
void erasing_queries::erase_errors(erasure const& what, std::vector<std::string> const& texts) {
    std::vector<std::string> escaped;
    std::ranges::transform(texts, std::back_inserter(escaped), json_escaped);
    std::vector<std::string> tickets;
    {
        auto found = errors_.query(what.user_id);
        while (found.next()) {
            auto const reply = found.bytes(2);
            bool const quotes = std::ranges::any_of(
                escaped, [&](auto const& text) { return reply.find(text) != std::string_view::npos; });
            if (quotes || what.jobs.contains(std::string(found.bytes(1))))
                tickets.emplace_back(found.bytes(0));
        }
    }
    for (auto const& ticket : tickets)
        erase_error_.run(ticket, what.user_id);
}

// Many jobs may share one place for their replies.
erased erasing_queries::finish(erasure& what) {
    auto& keys = what.result.reply_keys;
    std::ranges::sort(keys);
    keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
    return std::move(what.result);
}

void erasing_queries::note_reply(erasure& what, std::string job_id, std::string reply_to) {
    ++what.result.counts.replies;
    what.result.job_ids.push_back(std::move(job_id));
    if (!reply_to.empty()) what.result.reply_keys.push_back(std::move(reply_to));
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
    }
    take_out(what, item);
    remove_sources_.run(id);
    remove_memory_.run(id, what.user_id);
    ++what.result.counts.memories;
}

std::optional<erased> erasing_queries::delete_session(conversation const& of, bool memories) {
    {
        auto found = session_.query(of.user_id, of.session_id);
        if (!found.next()) return std::nullopt;
    }
    erasure what{of.user_id, users_.find_or_add(of.user_id).key, {}, {}};
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
    return finish(what);
}

erased erasing_queries::forget_user(std::string const& user_id, finished_jobs jobs, base::wall_time at) {
    erasure what{user_id, users_.find_or_add(user_id).key, {}, {}};
    auto& counts = what.result.counts;
    {
        auto found = user_finished_.query(user_id);
        while (found.next())
            note_reply(what, std::string(found.bytes(0)), std::string(found.bytes(1)));
    }
    erase_user_replies_.run(user_id);
    counts.replies = static_cast<std::size_t>(db_.changes());
    if (jobs == finished_jobs::remove) remove_user_finished_.run(user_id);
    auto const removed = index_.remove_all(what.user_key);
    counts.index_entries = removed.entries;
    counts.vectors = removed.vectors;
    std::size_t* const counted[] = {nullptr,       &counts.memories, &counts.turns,
                                    &counts.turns, &counts.sessions, nullptr};
    for (std::size_t i = 0; i < forget_.size(); ++i) {
        forget_[i].run(user_id);
        if (counted[i] != nullptr) *counted[i] += static_cast<std::size_t>(db_.changes());
    }
    users_.forget(what.user_key, base::to_unix_ms(at));
    return finish(what);
}

}  // namespace engram::store

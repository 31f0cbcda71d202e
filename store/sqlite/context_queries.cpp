#include "store/sqlite/context_queries.hpp"

#include "base/utf8.hpp"
#include "store/sqlite/memory_rows.hpp"
#include "store/sqlite/summary_lease.hpp"

#include <algorithm>
#include <unordered_map>

namespace engram::store {
namespace {

// Some of what is found is left out again.
constexpr std::size_t more_than_asked = 10;

}  // namespace

// INDEXED BY: statistics that other software left in the file must not talk SQLite into a scan.
context_queries::context_queries(connection& db, text_index const* texts)
    : outcomes_(db),
      users_(db),
      search_(db, texts),
      profile_(db),
      past_(db, texts),
      found_memory_(
          db.prepare(select(memory_columns_shown,
                            "FROM long_term_memory WHERE id = ?1 AND user_id = ?2 AND valid_to IS NULL "
                            "AND (expires_at IS NULL OR expires_at > ?3)"))),
      found_turn_(
          db.prepare(select(turn_columns_read, "FROM conversation_history WHERE id = ?1 AND user_id = ?2"))),
      past_memory_(db.prepare("SELECT 1 FROM long_term_memory INDEXED BY engram_memory_past "
                              "WHERE user_id = ?1 AND valid_to IS NOT NULL LIMIT 1")),
      // An answer has the id behind that of its question.
      told_by_turn_(db.prepare("SELECT max(m.valid_to IS NULL) FROM engram_memory_source s "
                               "INDEXED BY engram_memory_source_by_turn "
                               "CROSS JOIN long_term_memory m ON m.id = s.memory_id "
                               "WHERE s.user_turn IN (?1, ?1 - 1) AND ?1 IN (s.user_turn, s.assistant_turn) "
                               "AND m.user_id = ?2")),
      newest_turns_(db.prepare("SELECT id, role, content, created_at "
                               "FROM conversation_history INDEXED BY engram_history_window "
                               "WHERE user_id = ?1 AND session_id = ?2 AND summary_id IS NULL "
                               "AND role IN ('user', 'assistant') ORDER BY id DESC LIMIT ?3")),
      due_sessions_(db.prepare("SELECT user_id, session_id, summary_from, summary_until "
                               "FROM engram_session INDEXED BY engram_session_by_window "
                               "WHERE window_turns >= ?1 ORDER BY window_turns DESC")),
      leases_(db.prepare("SELECT window_turns, summary_from, summary_until "
                         "FROM engram_session INDEXED BY engram_session_by_lease "
                         "WHERE summary_until > 0 AND summary_until > ?1 ORDER BY summary_until")) {}

context context_queries::load_context(context_query const& query) {
    context loaded;
    loaded.recorded = outcomes_.find(query.job);
    if (loaded.recorded) return loaded;
    auto const user = users_.find(query.of.user_id);
    loaded.seen = user.seen;
    loaded.forgotten_at = base::wall_time(std::chrono::milliseconds(user.forgotten_at));
    loaded.memories = profile_.load(query);
    auto const past = past_.load(query.of.user_id);
    if (past) hide_past(*past, loaded.memories);
    loaded.turns = load_turns(query, past.get());
    if (query.find.limit > 0) find_for_message(query, user.key, past.get(), loaded);
    return loaded;
}

// A summary may tell what does not hold any more until it is made anew.
void context_queries::hide_past(taken_back const& past, std::vector<memory>& memories) {
    std::erase_if(memories, [&](memory& one) {
        return one.type == "summary" && past_.cut_summary(past, one.id, one.content, one.created_at) &&
               base::is_blank(one.content);
    });
}

void context_queries::find_for_message(context_query const& query, std::int64_t user_key,
                                       taken_back const* past, context& loaded) {
    known_turns turns;
    // An answer whose message is not loaded, or blank by now, stands in no prompt: a conversation begins with
    // the user.
    for (auto const& one : loaded.turns)
        if (!turns.empty() || (one.role == role::user && !base::is_blank(one.content))) turns.insert(one.id);
    // Memories of the list are found as well: how much of the list there is room for is not known here.
    std::unordered_map<std::int64_t, memory const*> listed;
    for (auto const& one : loaded.memories)
        listed.emplace(one.id, &one);
    auto const limit = query.find.limit + loaded.memories.size();
    auto hits = search_.find(user_key, query.find, turns, limit + more_than_asked, query.now);
    // Most users never took anything back: their turns need not be asked after one by one.
    bool const has_past = past_memory_.query(query.of.user_id).next();
    std::size_t besides = 0;
    for (auto& hit : hits) {
        if (besides >= query.find.limit) return;
        if (auto const one = listed.find(hit.row); hit.is_memory && one != listed.end()) {
            loaded.found_memories.push_back({*one->second, hit.rank.score, std::move(hit.rank.why)});
            continue;
        }
        if (hit.is_memory) {
            auto found = found_memory_.query(hit.row, query.of.user_id, base::to_unix_ms(query.now));
            if (!found.next()) continue;
            auto memory = read_memory(found);
            if (past != nullptr && memory.type == "summary" &&
                past_.cut_summary(*past, memory.id, memory.content, memory.created_at) &&
                base::is_blank(memory.content))
                continue;
            loaded.found_memories.push_back({std::move(memory), hit.rank.score, std::move(hit.rank.why)});
            ++besides;
            continue;
        }
        if (has_past && tells_only_of_the_past(hit, query.of.user_id)) continue;
        besides += add_turns(hit, query.of.user_id, past, loaded) ? 1 : 0;
    }
}

// Returns whether there are any.
bool context_queries::add_turns(recall_hit const& hit, std::string const& user_id, taken_back const* past,
                                context& loaded) {
    bool any = false;
    for (auto const id : hit.turns) {
        auto found = found_turn_.query(id, user_id);
        if (!found.next()) continue;
        auto turn = read_turn_record(found);
        if (past != nullptr && past_.cut_turn(*past, turn.what, turn.created_at) &&
            base::is_blank(turn.what.content))
            continue;
        loaded.found_turns.push_back({std::move(turn.what), std::move(turn.session_id),
                                      std::move(turn.created_at), hit.rank.score, hit.rank.why, hit.row});
        any = true;
    }
    return any;
}

// Whether something was learnt from an exchange and none of it holds any more.
bool context_queries::tells_only_of_the_past(recall_hit const& hit, std::string const& user_id) {
    return std::ranges::any_of(hit.turns, [&](std::int64_t turn) {
        auto found = told_by_turn_.query(turn, user_id);
        return found.next() && !found.is_null(0) && found.integer(0) == 0;
    });
}

// A turn that tells only what was taken back stays as a blank one.
std::vector<turn> context_queries::load_turns(context_query const& query, taken_back const* past) {
    std::vector<turn> turns;
    turns.reserve(std::min<std::size_t>(query.history_turns, 64));
    auto found = newest_turns_.query(query.of.user_id, query.of.session_id, query.history_turns);
    for (auto left = query.history_bytes; found.next() && found.bytes(2).size() <= left;) {
        left -= found.bytes(2).size();
        turns.push_back({found.integer(0), role_of(found.bytes(1)), found.text(2)});
        if (past != nullptr) past_.cut_turn(*past, turns.back(), found.text(3));
    }
    std::ranges::reverse(turns);
    return turns;
}

std::vector<conversation> context_queries::find_due_sessions(std::size_t trigger_turns, base::wall_time now,
                                                             std::size_t limit) {
    std::vector<conversation> due;
    auto found = due_sessions_.query(std::max<std::size_t>(trigger_turns, 1));
    while (due.size() < limit && found.next()) {
        if (is_leased(found.integer(2), found.integer(3), base::to_unix_ms(now))) continue;
        due.push_back({std::string(found.bytes(0)), std::string(found.bytes(1))});
    }
    return due;
}

std::optional<base::wall_time> context_queries::find_next_lease_end(std::size_t trigger_turns,
                                                                    base::wall_time now) {
    auto const now_ms = base::to_unix_ms(now);
    auto found = leases_.query(now_ms);
    while (found.next()) {
        bool const due = found.integer(0) >= std::int64_t(std::max<std::size_t>(trigger_turns, 1));
        if (due && is_leased(found.integer(1), found.integer(2), now_ms))
            return base::wall_time(std::chrono::milliseconds(found.integer(2)));
    }
    return std::nullopt;
}

}  // namespace engram::store

#include "store/sqlite/listing_queries.hpp"

#include "base/utf8.hpp"
#include "store/sqlite/listing_parts.hpp"

namespace engram::store {
namespace {

// Of one memory, told again and again: enough for people to read.
constexpr std::size_t most_sources = 100;
// A list shows the first of them by their ids, sorted by time. An export has all.
constexpr std::size_t most_sessions = 100'000;

// Keeps `limit` of what was read one beyond it, and names where the next page begins.
template <class T, class Name>
page<T> cut(std::vector<T> items, std::size_t limit, Name const& name) {
    page<T> made{std::move(items), {}};
    if (made.items.size() <= limit) return made;
    made.items.resize(limit);
    made.next = name(made.items.back());
    return made;
}

}  // namespace

listing_queries::listing_queries(connection& db, text_index const* texts)
    : db_(db),
      users_(db),
      search_(db, texts),
      memories_(db.prepare(memories_where("engram_memory_by_user", "id < ?2 ORDER BY id DESC LIMIT ?3"))),
      current_memories_(
          db.prepare(memories_where("engram_memory_current",
                                    "valid_to IS NULL AND (expires_at IS NULL OR expires_at > ?4)")
                         .append(newest_first))),
      memories_of_type_(db.prepare(
          memories_where("engram_memory_current_type",
                         "memory_type = ?5 AND valid_to IS NULL AND (expires_at IS NULL OR expires_at > ?4)")
              .append(newest_first))),
      memory_(
          db.prepare(select(memory_columns_read, "FROM long_term_memory WHERE id = ?1 AND user_id = ?2"))),
      versions_(db.prepare(memories_where("engram_memory_by_label", "label = ?2 ORDER BY id"))),
      sources_(db.prepare("SELECT s.session_id, s.job_id, s.at, s.user_turn, s.assistant_turn "
                          "FROM long_term_memory m INDEXED BY engram_memory_by_label "
                          "CROSS JOIN engram_memory_source s ON s.memory_id = m.id "
                          "WHERE m.user_id = ?1 AND m.label = ?2 ORDER BY m.id, s.user_turn LIMIT ?3")),
      turn_(
          db.prepare(select(turn_columns_read, "FROM conversation_history WHERE id = ?1 AND user_id = ?2"))),
      sessions_(db.prepare("SELECT session_id, updated_at FROM engram_session WHERE user_id = ?1 "
                           "ORDER BY session_id LIMIT ?2")),
      session_(db.prepare("SELECT 1 FROM engram_session WHERE user_id = ?1 AND session_id = ?2")),
      window_count_(
          db.prepare(history("count(*)", "engram_history_window", in_window, " AND session_id = ?2"))),
      archive_count_(
          db.prepare(history("count(*)", "engram_history_archive", in_archive, " AND session_id = ?2"))),
      window_turns_(db.prepare(history(turn_columns_read, "engram_history_window", in_window, oldest_first))),
      archive_turns_(
          db.prepare(history(turn_columns_read, "engram_history_archive", in_archive, oldest_first))) {}

page<memory_record> listing_queries::list_memories(std::string const& user_id, std::string const& type,
                                                   bool past, page_request const& asked,
                                                   base::wall_time now) {
    auto const which = sensible(asked);
    auto const before = which.from.empty() ? INT64_MAX : number(which.from, 0);
    auto const now_ms = base::to_unix_ms(now);
    std::vector<memory_record> items;
    auto const read = [&](rows found) {
        while (items.size() <= which.limit && found.next()) {
            auto record = read_memory_record(found);
            if (!past || type.empty() || record.what.type == type) items.push_back(std::move(record));
        }
    };
    if (past)
        read(memories_.query(user_id, before, type.empty() ? which.limit + 1 : SIZE_MAX));
    else if (type.empty())
        read(current_memories_.query(user_id, before, which.limit + 1, now_ms));
    else
        read(memories_of_type_.query(user_id, before, which.limit + 1, now_ms, type));
    return cut(std::move(items), which.limit,
               [](memory_record const& last) { return std::to_string(last.what.id); });
}

// As long as there is another exchange to be shown, one takes one place.
search_result listing_queries::find(std::string const& user_id, search_query const& query,
                                    known_turns const& known, base::wall_time now) {
    search_result result;
    auto const user = users_.find(user_id);
    auto hits = search_.find(user.key, query, known, query.limit, now);
    auto const now_text = base::to_utc_text(now);
    std::vector<std::pair<std::vector<turn_record>, ranked_item>> exchanges;
    for (auto& hit : hits) {
        if (hit.is_memory) {
            auto found = memory_.query(hit.row, user_id);
            if (!found.next()) continue;
            auto record = read_memory_record(found);
            bool const over = !record.expires_at.empty() && record.expires_at <= now_text;
            if (!over) result.memories.emplace_back(std::move(record), std::move(hit.rank));
            continue;
        }
        auto turns = read_turns(hit, user_id);
        if (!turns.empty()) exchanges.emplace_back(std::move(turns), std::move(hit.rank));
    }
    auto room = query.limit - result.memories.size() - exchanges.size();
    for (auto& [turns, rank] : exchanges) {
        auto const more = std::min(room, turns.size() - 1);
        room -= more;
        for (std::size_t i = 0; i <= more; ++i)
            result.turns.emplace_back(std::move(turns[i]), rank);
    }
    return result;
}

// One of the voice that fits comes first: of answers the last. The others follow in order.
std::vector<turn_record> listing_queries::read_turns(recall_hit const& hit, std::string const& user_id) {
    std::vector<turn_record> turns;
    std::size_t best = 0;
    bool found_one = false;
    for (auto const id : hit.turns) {
        auto found = turn_.query(id, user_id);
        if (!found.next()) continue;
        auto record = read_turn_record(found);
        if (base::is_blank(record.what.content))
            continue;  // nothing was left of it when something was deleted
        bool const fits = (record.what.role == role::assistant) == hit.rank.answer;
        if (fits && (hit.rank.answer || !found_one)) best = turns.size();
        found_one |= fits;
        turns.push_back(std::move(record));
    }
    auto const at = turns.begin() + static_cast<std::ptrdiff_t>(best);
    if (!turns.empty()) std::rotate(turns.begin(), at, at + 1);
    return turns;
}

std::optional<memory_history> listing_queries::read_history(std::string const& user_id, std::int64_t memory) {
    std::int64_t label = 0;
    {
        auto found = memory_.query(memory, user_id);
        if (!found.next()) return std::nullopt;
        label = read_memory_record(found).what.label;
    }
    memory_history history;
    auto found = versions_.query(user_id, label);
    while (found.next())
        history.versions.push_back(read_memory_record(found));
    history.sources = read_sources(user_id, label);
    return history;
}

std::vector<memory_source> listing_queries::read_sources(std::string const& user_id, std::int64_t label) {
    std::vector<memory_source> sources;
    auto found = sources_.query(user_id, label, most_sources);
    while (found.next()) {
        memory_source source{found.text(0), found.text(1), found.text(2), {}};
        for (auto const id : {found.integer(3), found.integer(4)}) {
            auto turn = turn_.query(id, user_id);
            if (turn.next()) source.turns.push_back(read_turn_record(turn));
        }
        sources.push_back(std::move(source));
    }
    return sources;
}

std::vector<session_record> listing_queries::all_sessions(std::string const& user_id) {
    std::vector<session_record> sessions;
    auto found = sessions_.query(user_id, most_sessions);
    while (found.next())
        sessions.push_back({std::string(found.bytes(0)), found.text(1), 0});
    return sessions;
}

// `next` is the number of sessions shown so far: a list that changes meanwhile may show one twice.
page<session_record> listing_queries::list_sessions(std::string const& user_id, page_request const& asked) {
    auto const which = sensible(asked);
    auto sessions = all_sessions(user_id);
    std::ranges::sort(sessions, [](session_record const& a, session_record const& b) {
        return std::tie(a.updated_at, a.session_id) > std::tie(b.updated_at, b.session_id);
    });
    auto const shown =
        std::clamp<std::int64_t>(number(which.from, 0), 0, static_cast<std::int64_t>(sessions.size()));
    sessions.erase(sessions.begin(), sessions.begin() + shown);
    auto page = cut(std::move(sessions), which.limit, [&](session_record const&) {
        return std::to_string(static_cast<std::size_t>(shown) + which.limit);
    });
    for (auto& one : page.items)
        one.turns = count_turns(user_id, one.session_id);
    return page;
}

std::size_t listing_queries::count_turns(std::string const& user_id, std::string const& session_id) {
    std::size_t turns = 0;
    for (auto* count : {&window_count_, &archive_count_}) {
        auto found = count->query(user_id, session_id);
        if (found.next()) turns += static_cast<std::size_t>(found.integer(0));
    }
    return turns;
}

std::optional<page<turn_record>> listing_queries::read_session(conversation const& of,
                                                               page_request const& asked) {
    auto const which = sensible(asked);
    {
        auto found = session_.query(of.user_id, of.session_id);
        if (!found.next()) return std::nullopt;
    }
    auto const after = number(which.from, 0);
    std::vector<turn_record> turns;
    for (auto* statement : {&window_turns_, &archive_turns_}) {
        auto found = statement->query(of.user_id, of.session_id, after, which.limit + 1);
        while (found.next())
            turns.push_back(read_turn_record(found));
    }
    std::ranges::sort(turns, {}, [](turn_record const& one) { return one.what.id; });
    return cut(std::move(turns), which.limit,
               [](turn_record const& last) { return std::to_string(last.what.id); });
}

totals listing_queries::count(std::string const& user_id) {
    totals all;
    if (user_id.empty()) {
        auto const ask = [&](char const* sql) { return static_cast<std::uint64_t>(db_.query_integer(sql)); };
        all.users =
            ask("SELECT count(*) FROM (SELECT DISTINCT user_id FROM engram_session "
                "UNION SELECT DISTINCT user_id FROM long_term_memory)");
        all.memories = ask("SELECT count(*) FROM long_term_memory WHERE valid_to IS NULL");
        all.past_memories = ask("SELECT count(*) FROM long_term_memory WHERE valid_to IS NOT NULL");
        all.turns = ask("SELECT count(*) FROM conversation_history");
        all.sessions = ask("SELECT count(*) FROM engram_session");
    } else {
        auto const ask = [&](std::string const& sql) {
            auto statement = db_.prepare(sql);
            auto found = statement.query(user_id);
            return found.next() ? static_cast<std::uint64_t>(found.integer(0)) : 0;
        };
        auto const memories = [&](char const* which) {
            return ask(std::string("SELECT count(*) FROM long_term_memory WHERE user_id = ?1 AND valid_to ") +
                       which);
        };
        all.memories = memories("IS NULL");
        all.past_memories = memories("IS NOT NULL");
        all.turns = ask(history("count(*)", "engram_history_window", in_window, "")) +
                    ask(history("count(*)", "engram_history_archive", in_archive, ""));
        all.sessions = ask("SELECT count(*) FROM engram_session WHERE user_id = ?1");
        all.users = all.sessions + all.memories + all.past_memories > 0 ? 1 : 0;
    }
    all.database_bytes = static_cast<std::uint64_t>(db_.query_integer("PRAGMA page_count") *
                                                    db_.query_integer("PRAGMA page_size"));
    return all;
}

}  // namespace engram::store

#include "store/sqlite/profile_queries.hpp"

#include "base/token_estimate.hpp"
#include "store/sqlite/memory_rows.hpp"

#include <algorithm>
#include <array>
#include <unordered_set>

namespace engram::store {
namespace {

constexpr std::string_view columns =
    "id, memory_type, content, created_at, session_id, label, pinned, expires_at";

// Condensing keeps a session's summaries few. This many of them wait to be condensed at most.
constexpr std::size_t most_own_summaries = 1'000;

// As much of one memory as a prompt shows, whatever it is: a longer one is shortened there.
constexpr std::size_t most_bytes_counted = 8'000;

// The text of one that is left out is not read: SQLite fetches a row with its first column beyond the index.
std::string memories_by(std::string_view index, std::string_view where, std::string_view order) {
    return select(columns, "FROM long_term_memory INDEXED BY ")
        .append(index)
        .append(" WHERE user_id = ?1 AND valid_to IS NULL AND ")
        .append(where)
        .append(" ORDER BY ")
        .append(order);
}

constexpr std::string_view no_summary = "memory_type IS NOT 'summary'";

memory read_memory(rows const& from) {
    return {from.integer(0), from.text(1),    from.text(2),        from.text(3),
            from.text(4),    from.integer(5), from.integer(6) != 0};
}

}  // namespace

struct profile_queries::selection {
    std::vector<memory> memories;
    std::unordered_set<std::int64_t> ids;
    std::size_t room, tokens;
    std::int64_t now;

    [[nodiscard]] bool full() const { return room == 0 || tokens == 0; }

    // The next one that holds now and was not taken before; false if there is none.
    bool take_next(rows& from) {
        while (from.next()) {
            if (ids.contains(from.integer(0))) continue;
            if (!from.is_null(7) && from.integer(7) <= now) continue;
            ids.insert(from.integer(0));
            memories.push_back(read_memory(from));
            auto const shown = std::string_view(memories.back().content).substr(0, most_bytes_counted);
            tokens -= std::min(tokens, base::estimate_tokens(shown));
            --room;
            return true;
        }
        return false;
    }
};

// INDEXED BY: statistics that other software left in the file must not talk SQLite into a scan.
profile_queries::profile_queries(connection& db)
    : own_summaries_(db.prepare(memories_by("engram_memory_summaries",
                                            "session_id = ?2 AND memory_type = 'summary'", "id DESC LIMIT ?3"))),
      recent_summaries_(db.prepare(memories_by("engram_memory_current_type",
                                               "memory_type = 'summary' AND session_id IS NOT ?2",
                                               "id DESC LIMIT ?3"))),
      pinned_(db.prepare(memories_by("engram_memory_pinned", "pinned = 1", "id DESC"))),
      confirmed_(db.prepare(memories_by("engram_memory_confirmed",
                                        std::string("times_seen > 1 AND ").append(no_summary),
                                        "times_seen DESC, id DESC"))),
      preferences_(db.prepare(
          memories_by("engram_memory_current_type", "memory_type = 'preference'", "id DESC"))),
      oldest_(db.prepare(memories_by("engram_memory_profile", no_summary, "id"))),
      newest_(db.prepare(memories_by("engram_memory_profile", no_summary, "id DESC"))) {}

std::vector<memory> profile_queries::load(context_query const& query) {
    selection chosen{{}, {}, query.memory_limit, query.memory_tokens, base::to_unix_ms(query.now)};
    if (query.memory_limit == 0) return {};
    load_summaries(query, chosen);
    deal(query, chosen);
    return std::move(chosen.memories);
}

void profile_queries::load_summaries(context_query const& query, selection& chosen) {
    auto const add = [&](rows found) {
        while (found.next()) {
            chosen.ids.insert(found.integer(0));
            chosen.memories.push_back(read_memory(found));
        }
    };
    auto const& of = query.of;
    add(own_summaries_.query(of.user_id, of.session_id, most_own_summaries));
    std::ranges::reverse(chosen.memories);
    add(recent_summaries_.query(of.user_id, of.session_id, query.recent_summaries));
}

// Confirmed ones matter to the user; preferences concern every answer, though no message has their words;
// what was noted first is, in every language, who the user is; and the newest is what they talk about now.
void profile_queries::deal(context_query const& query, selection& chosen) {
    auto const& user = query.of.user_id;
    {
        auto pinned = pinned_.query(user);
        while (!chosen.full() && chosen.take_next(pinned))
            continue;
    }
    std::array<rows, 4> turns{confirmed_.query(user), preferences_.query(user), oldest_.query(user),
                              newest_.query(user)};
    std::array<bool, turns.size()> ended{};
    while (!chosen.full() && std::ranges::count(ended, false) > 0) {
        for (std::size_t i = 0; i < turns.size() && !chosen.full(); ++i)
            ended.at(i) = ended.at(i) || !chosen.take_next(turns.at(i));
    }
}

}  // namespace engram::store

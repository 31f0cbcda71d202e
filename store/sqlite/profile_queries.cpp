#include "store/sqlite/profile_queries.hpp"

#include "base/token_estimate.hpp"
#include "store/sqlite/memory_rows.hpp"

#include <algorithm>
#include <array>
#include <unordered_set>

namespace engram::store {
namespace {

// Condensing keeps a session's summaries few. This many of them wait to be condensed at most.
constexpr std::size_t most_own_summaries = 1'000;

// As much of one memory as a prompt shows, whatever it is: a longer one is shortened there.
constexpr std::size_t most_bytes_counted = 8'000;

std::string read_by(std::string_view index, std::string_view where, std::string_view order,
                    std::string_view what = memory_columns_shown) {
    return select(what, "FROM long_term_memory INDEXED BY ")
        .append(index)
        .append(" WHERE user_id = ?1 AND valid_to IS NULL AND ")
        .append(where)
        .append(" ORDER BY ")
        .append(order);
}

// The ids stand in the index: a row is read once it is chosen, and not by each order that it comes up in.
std::string ids_by(std::string_view index, std::string_view where, std::string_view order) {
    return read_by(index, where, order, "id");
}

constexpr std::string_view no_summary = "memory_type IS NOT 'summary'";

}  // namespace

struct profile_queries::selection {
    statement& by_id;
    std::vector<memory> memories;
    std::unordered_set<std::int64_t> ids;
    std::size_t room, tokens;
    std::int64_t now;

    [[nodiscard]] bool full() const { return room == 0 || tokens == 0; }

    struct source {
        rows found;
        bool ended = false;  // to be asked once more would begin it again
    };

    // The next one that holds now and was not taken before; false if there is none.
    bool take_next(source& of) {
        while (!of.ended) {
            of.ended = !of.found.next();
            if (of.ended || !ids.insert(of.found.integer(0)).second) continue;
            auto from = by_id.query(of.found.integer(0));
            if (!from.next() || (!from.is_null(memory_expiry) && from.integer(memory_expiry) <= now))
                continue;
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
    : own_summaries_(db.prepare(read_by("engram_memory_summaries",
                                        "session_id = ?2 AND memory_type = 'summary'", "id DESC LIMIT ?3"))),
      recent_summaries_(
          db.prepare(read_by("engram_memory_current_type", "memory_type = 'summary' AND session_id IS NOT ?2",
                             "id DESC LIMIT ?3"))),
      pinned_(db.prepare(ids_by("engram_memory_pinned", "pinned = 1", "id DESC"))),
      confirmed_(
          db.prepare(ids_by("engram_memory_confirmed", std::string("times_seen > 1 AND ").append(no_summary),
                            "times_seen DESC, id DESC"))),
      preferences_(db.prepare(ids_by("engram_memory_current_type", "memory_type = 'preference'", "id DESC"))),
      oldest_(db.prepare(ids_by("engram_memory_profile", no_summary, "id"))),
      newest_(db.prepare(ids_by("engram_memory_profile", no_summary, "id DESC"))),
      by_id_(db.prepare(select(memory_columns_shown, "FROM long_term_memory WHERE id = ?1"))) {}

std::vector<memory> profile_queries::load(context_query const& query) {
    selection chosen{by_id_, {}, {}, query.memory_limit, query.memory_tokens, base::to_unix_ms(query.now)};
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

// Confirmed ones matter to the user; preferences concern every answer, though no message has their words; the
// newest are what they talk about now; and what was noted first is, in every language, who the user is.
void profile_queries::deal(context_query const& query, selection& chosen) {
    auto const& user = query.of.user_id;
    {
        selection::source pinned{pinned_.query(user)};
        while (!chosen.full() && chosen.take_next(pinned))
            continue;
    }
    selection::source confirmed{confirmed_.query(user)}, preferences{preferences_.query(user)},
        newest{newest_.query(user)}, oldest{oldest_.query(user)};
    std::array<selection::source*, 5> const turns{&confirmed, &preferences, &newest, &newest, &oldest};
    for (bool any = true; any;) {
        any = false;
        for (auto* one : turns)
            if (!chosen.full()) any |= chosen.take_next(*one);
    }
}

}  // namespace engram::store

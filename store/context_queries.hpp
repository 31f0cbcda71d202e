// What the reader threads answer.
#pragma once

#include "store/outcome_queries.hpp"

#include <vector>

namespace engram::store {

/// Statements on one reading connection, which must outlive them. Each call belongs inside a transaction, so
/// that it sees one moment: a summary committed between two of its queries would hide turns from both.
/// Every query walks an index and stops at its limit. Throws sqlite_error.
class context_queries {
public:
    explicit context_queries(connection& db);

    [[nodiscard]] context load_context(context_query const& query);
    [[nodiscard]] std::vector<conversation> find_due_sessions(std::size_t trigger_turns, base::wall_time now,
                                                              std::size_t limit);

private:
    std::vector<memory> load_memories(context_query const& query);
    std::vector<turn> load_turns(context_query const& query);

    outcome_queries outcomes_;
    statement own_summaries_;
    statement newest_memories_;
    statement newest_turns_;
    statement due_sessions_;
};

/// Unknown roles never get here: the window's index leaves them out.
[[nodiscard]] role role_of(std::string_view name);

}  // namespace engram::store

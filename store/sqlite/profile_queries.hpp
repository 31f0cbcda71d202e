// Which memories a prompt begins with.
#pragma once

#include "store/conversations.hpp"
#include "store/sqlite/connection.hpp"

#include <vector>

namespace engram::store {

/// Statements on a reading connection, which must outlive them. A call belongs inside a transaction. Reads
/// as many rows as it returns, and the ids in each of its orders until it has enough. Throws sqlite_error.
class profile_queries {
public:
    explicit profile_queries(connection& db);

    /// As context::memories says.
    [[nodiscard]] std::vector<memory> load(context_query const& query);

private:
    struct selection;
    void load_summaries(context_query const& query, selection& chosen);
    void deal(context_query const& query, selection& chosen);

    statement own_summaries_;
    statement recent_summaries_;
    statement pinned_;
    statement confirmed_;
    statement preferences_;
    statement oldest_;
    statement newest_;
    statement by_id_;
};

}  // namespace engram::store

// Whether what a job ends with could be stored.
#pragma once

#include "store/keeping.hpp"
#include "store/sqlite/connection.hpp"
#include "store/sqlite/exchange_queries.hpp"

namespace engram::store {

/// The exchange that is stored for `what`, before its texts are analysed.
[[nodiscard]] exchange rehearsed_exchange(rehearsal const& what);

/// Statements on the writing connection, which must outlive them, as must `exchanges`.
class rehearsal_queries {
public:
    rehearsal_queries(connection& db, exchange_queries& exchanges);

    /// Inside a transaction, which is afterwards as it was before. After an error the transaction must be
    /// rolled back, or to a savepoint from before. Throws sqlite_error.
    void perform(exchange const& what, analysed_exchange const& texts);

private:
    exchange_queries& exchanges_;
    statement savepoint_;
    statement rollback_to_;
    statement release_;
};

}  // namespace engram::store

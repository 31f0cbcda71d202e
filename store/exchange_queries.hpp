// The chat turn's writes: an exchange with its outcome, a failure, and forgetting both.
#pragma once

#include "store/outcome_queries.hpp"

namespace engram::store {

/// Statements on the writing connection, which must outlive them. Each call belongs inside a transaction and
/// is undone with it. Throws sqlite_error, and what `compose_reply` throws.
class exchange_queries {
public:
    explicit exchange_queries(connection& db);

    [[nodiscard]] commit_outcome commit_exchange(exchange const& what);
    [[nodiscard]] recorded_outcome record_failure(failure const& what);
    [[nodiscard]] std::size_t expire_outcomes(base::wall_time before, std::size_t limit);

private:
    std::int64_t window_turns(conversation const& of, bool& known);
    std::size_t add_turns(exchange const& what, std::string const& at);
    std::vector<saved_memory> add_memories(exchange const& what, std::string const& at);

    connection& db_;
    outcome_queries outcomes_;
    statement find_session_;
    statement add_session_;
    statement update_session_;
    statement add_turn_;
    statement add_memory_;
    statement add_finished_;
    statement add_failed_;
    statement expire_finished_;
    statement expire_failed_;
};

}  // namespace engram::store

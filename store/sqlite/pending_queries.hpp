// Erasures that are not finished: what is left to do outside of the store.
#pragma once

#include "store/memories.hpp"
#include "store/sqlite/connection.hpp"

#include <optional>
#include <string>

namespace engram::store {

/// Statements on the writing connection, which must outlive them. Each call belongs inside a transaction and
/// is undone with it. Throws sqlite_error.
///
/// A row is written in the transaction of its erasure. Whoever erased has a minute for the rest; then upkeep
/// takes it, of this daemon or another.
class pending_queries {
public:
    explicit pending_queries(connection& db);

    /// Notes where replies of what was erased are; nothing if there are none. Returns the row's number; 0:
    /// there is nothing to do.
    std::int64_t note(pending_erasure::kind what, std::string const& user_id, std::string_view target,
                      erased const& gone, base::wall_time at);
    /// Notes that a user is being forgotten, once. Returns the row's number.
    std::int64_t note_user(std::string const& user_id, base::wall_time at);
    /// An erasure of just this whose replies have not been erased yet, as it was reported.
    [[nodiscard]] std::optional<erased> find_open(pending_erasure::kind what, std::string const& user_id,
                                                  std::string_view target);
    /// The one that is due first, kept from others until `until`.
    [[nodiscard]] std::optional<pending_erasure> claim(base::wall_time now, base::wall_time until);
    void settle(std::int64_t id, erasure_state state, base::wall_time due);
    /// All of a user.
    void remove_all(std::string const& user_id);

private:
    void read_traces(std::int64_t id, std::vector<std::string>& reply_keys,
                     std::vector<std::string>& job_ids);
    void remove(std::int64_t id);

    connection& db_;
    statement add_, add_trace_, open_, traces_, due_, claim_, settle_, remove_, remove_traces_, of_user_;
};

/// Whether there is anything to claim; on any connection.
class due_erasures {
public:
    explicit due_erasures(connection& db);
    [[nodiscard]] bool any(base::wall_time now);

private:
    statement due_;
};

}  // namespace engram::store

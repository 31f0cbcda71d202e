// What holds of a user, as far as it keeps sentences from being cut.
#pragma once

#include "store/sqlite/connection.hpp"
#include "store/telltale.hpp"

#include <cstddef>
#include <string>

namespace engram::store {

/// A statement on any connection, which must outlive it. Each call belongs inside a transaction. Throws
/// sqlite_error.
class held_memories {
public:
    /// Memories of a user that are read, the newest ones: a bound on what that costs a prompt or a deletion.
    static constexpr std::size_t most = 2'000;

    explicit held_memories(connection& db);

    /// What these say gives nothing away: telltale::hold() for each.
    void hold_in(telltale& traces, std::string const& user_id);

private:
    statement current_;
};

}  // namespace engram::store

// The versions of the database and the way from each to the next. Forward only.
#pragma once

#include "store/sqlite/connection.hpp"
#include "store/sqlite/opening.hpp"

#include <cstdint>
#include <string>

namespace engram::store {

/// `PRAGMA application_id` of an engram database ("ENGM"): tells its `user_version` from anybody else's.
constexpr std::int64_t engram_application_id = 0x454E474D;

/// The schema version this program reads and writes: `PRAGMA user_version`.
constexpr std::int64_t schema_version = 5;

/// That the database is of a newer version than this program, which uses it already, and what to do.
[[nodiscard]] std::string moved_on(std::int64_t version);

/// What the database was before.
struct former_database {
    std::int64_t version = 0;  ///< 0: it had none
    bool was_empty = false;    ///< it had no tables at all
};

/// Brings the database to `schema_version` in one transaction: after a crash at any moment it is the old one
/// or the new one. Any number of processes may call it at once; one does the work, the others
/// wait, and find the new one. `file` is for messages.
/// Throws open_error (newer than this program, somebody else's database, or what went wrong; the file is then
/// as it was).
former_database migrate(connection& db, std::string const& file, opening& under_way);

}  // namespace engram::store

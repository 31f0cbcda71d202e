// Copying a database with SQLite's own means, and looking at the copy.
#pragma once

#include "backup/failure.hpp"
#include "store/sqlite/connection.hpp"

#include <cstddef>
#include <cstdint>
#include <string>

namespace engram::backup {

/// What is in a database.
struct contents {
    std::uint64_t id = 0;      ///< 0: it is older than ids
    std::int64_t version = 0;  ///< of the schema
    std::uint64_t users = 0, turns = 0, memories = 0;
    std::string newest_turn;  ///< when it was, UTC, as the database has it; may be empty
    std::uint64_t bytes = 0;
};

/// The file of a database for reading one moment of it, whoever writes to it meanwhile; its log, which must
/// belong to it, included. Neither file is changed if nobody uses them. Throws failure.
[[nodiscard]] store::connection open_source(std::string const& database);

/// Copies the state that `from` shows into the new file `to`, of mode 0600, which then needs no log. It is
/// checked as a whole and on the disk when this returns. Throws failure, and leaves no file then.
contents copy_into(store::connection& from, std::string const& to);

/// Of a database of engram of any version, but for its size. Throws store::sqlite_error.
[[nodiscard]] contents look(store::connection& db);

/// A database that is whole, in mode "delete", so that it needs no log beside it. `from` is where its rows
/// are from, for messages. Throws failure and store::sqlite_error.
void make_one_checked_file(store::connection& db, std::string const& from);

/// `what` and why, with status and cure.
[[nodiscard]] failure explain(std::string const& what, store::sqlite_error const& failed, int error = 0);

/// Absolute, with links resolved as far as the path exists.
[[nodiscard]] std::string resolved(std::string const& path);

/// What was renamed, made or removed in the folder of `path` is on the disk. Throws failure.
void sync_folder_of(std::string const& path);
/// Of a file. Throws failure.
void sync_file(std::string const& path);

}  // namespace engram::backup

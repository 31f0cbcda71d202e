// Whether a database is in use, told by SQLite's own locks: whoever has one open in write-ahead mode holds a
// lock on certain bytes of the file, idle or not (https://sqlite.org/walformat.html).
#pragma once

#include <optional>
#include <string>
#include <sys/types.h>

namespace engram::backup {

/// A process that has the database open, as "engramd (process 812)"; none: nobody has, or there is no such
/// file. REQUIRES, for each function here: this process has not opened it, or would lose its own locks.
/// Throws failure.
[[nodiscard]] std::optional<std::string> user_of(std::string const& database);

/// Nobody can open the database as long as this is there. A kill ends it too.
class held_database {
public:
    /// Throws failure (EX_TEMPFAIL) if somebody has it open.
    explicit held_database(std::string const& database);
    held_database(held_database const&) = delete;
    held_database& operator=(held_database const&) = delete;
    ~held_database();

private:
    int file_;
};

}  // namespace engram::backup

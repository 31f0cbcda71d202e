// A file that gets its name only when it is whole.
#pragma once

#include <string>

namespace engram::backup {

/// That `file` may be made, or may make room if `replace`, and is none of the files of `database`. Both are
/// absolute. Throws failure: EX_TEMPFAIL if somebody has `file` open.
void check_target(std::string const& database, std::string const& file, bool replace);

/// Makes an empty file of mode 0600, and not one that is there: it would keep its mode, and somebody may have
/// it open. Throws failure.
void make_file(std::string const& path);

/// Removes a file and what SQLite has made beside it.
void remove_database(std::string const& path) noexcept;

/// `part` is called `file` from now on. Unless told to replace it, what has got the name meanwhile is left
/// alone, and `part` is gone. What lies beside one that is replaced, its log, goes. Throws failure.
void give_name(std::string const& part, std::string const& file, bool replace);

}  // namespace engram::backup

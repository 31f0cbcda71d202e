// Putting a copy in the place of the database.
#pragma once

#include "backup/copying.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace engram::backup {

struct restored {
    contents now;
    std::string kept;  ///< where the database from before is; empty: there was none
    /// What lay beside the database from before, or where there was none, and is not in `kept`: its log, as
    /// it is named now. Mostly empty.
    std::vector<std::string> put_away;
    /// How many users it has that were forgotten since, whom the next start forgets again; none: it is of an
    /// older version, and the start finds out.
    std::optional<std::size_t> forgotten;
};

/// A copy of `file`, which is not changed, becomes `database`, with the owner and the mode of the one before,
/// which stays as `<database>.before-restore-<time>`. Its log is moved into it, or, if the two do not belong
/// together or cannot be read, kept beside it: it never comes to lie beside the restored one. A kill at any
/// moment leaves one of the two under its name, whole; on a file system without hard links there is a moment
/// in which it leaves them as that and `<database>.restoring-<random>`. Throws failure: EX_TEMPFAIL if a
/// process has the database open.
restored restore(std::string const& file, std::string const& database);

}  // namespace engram::backup

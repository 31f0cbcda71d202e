// What can be read of a damaged database, in a new one.
#pragma once

#include "backup/copying.hpp"
#include "backup/table_copy.hpp"

#include <string>
#include <vector>

namespace engram::backup {

struct salvaged {
    contents now;
    std::vector<copied_table> tables;
    [[nodiscard]] bool is_whole() const;
};

/// Makes `file`, of mode 0600, a database of the present schema with the rows of `database` that can be read;
/// the log beside `database` is read with it. Ids, the id of the database and who was forgotten stay what
/// they were; what refers to lost rows is mended, and the search index is left out: the next start makes it
/// anew. It is checked and on the disk when this returns, and has its name only then. `replace` as in
/// back_up(). Throws failure: EX_TEMPFAIL if a process has the database open, EX_DATAERR if nothing of it can
/// be read, or it is not engram's.
salvaged salvage(std::string const& database, std::string const& file, bool replace);

}  // namespace engram::backup

// Copying the rows of a table whose pages may be damaged.
#pragma once

#include "store/sqlite/connection.hpp"

#include <cstdint>
#include <string>

namespace engram::backup {

struct copied_table {
    std::string name;
    std::uint64_t rows = 0;
    bool is_whole = true;  ///< false: some of its rows, or all of them, cannot be read
};

/// Copies what can be read of a table of `from` into the table of the same name of `to`, which has all of its
/// columns. Each row is copied for itself: upwards until a page cannot be read, then downwards from the end.
/// Between the two, a table with row ids is halved again and again, so that rows between two damaged pages
/// come, too. What lies below a damaged inner page of the tree is lost. Throws store::sqlite_error for
/// whatever is not the state of `from`: no room for `to`, say.
[[nodiscard]] copied_table copy_table(store::connection& from, store::connection& to,
                                      std::string const& table);

/// "a name" as SQL has it.
[[nodiscard]] std::string quoted(std::string const& name);

}  // namespace engram::backup

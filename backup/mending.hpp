// A database whose rows have been copied one by one, some of them lost, made one that the store can work
// with.
#pragma once

#include "backup/table_copy.hpp"
#include "store/sqlite/connection.hpp"

#include <vector>

namespace engram::backup {

/// Numbers go on where those of `from` were, or far behind if that cannot be read: none is given again.
void raise_sequences(store::connection& from, store::connection& to);

/// Of the present schema, inside a transaction. `copied` tells which tables have lost rows. Throws
/// store::sqlite_error.
void mend(store::connection& db, std::vector<copied_table> const& copied);

}  // namespace engram::backup

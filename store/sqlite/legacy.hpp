// Databases that other software made: the two tables in whatever shape, no version mark.
#pragma once

#include "store/sqlite/connection.hpp"
#include "store/sqlite/schema.hpp"

#include <cstdint>

namespace engram::store {

/// True if the database has a table (or view) with the name of one of the two.
[[nodiscard]] bool has_assistant_tables(connection& db);

/// True if the database has any table or view at all.
[[nodiscard]] bool has_any_tables(connection& db);

/// Makes `table`, with every row of the old table of that name if there is one. The old table is copied into
/// a new one and dropped, and with it its constraints, indexes and triggers; columns that we do not know are
/// kept. Must run inside a transaction, with `PRAGMA legacy_alter_table=ON` and foreign keys off, so that
/// views and other tables that mention the table neither hinder nor change. Returns how many rows were taken
/// over. Throws sqlite_error, or std::runtime_error for an object that is no table.
std::int64_t adopt_table(connection& db, table_definition const& table);

}  // namespace engram::store

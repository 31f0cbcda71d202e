// The schema's versions. docs/storage.md describes them. What belongs to a version never changes once it is
// released.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace engram::store {

struct column_definition {
    std::string_view name;
    std::string_view declaration;
};

struct table_definition {
    std::string_view name;
    std::span<column_definition const> columns;
};

/// The two tables that other software may have made before.
[[nodiscard]] table_definition const& memory_table();
[[nodiscard]] table_definition const& history_table();

/// `extra`: further column definitions, ready for SQL.
[[nodiscard]] std::string create_table_sql(table_definition const& table, std::string_view as,
                                           std::vector<std::string> const& extra = {});

/// The indexes of the two tables and all tables that are engram's own.
[[nodiscard]] std::string create_rest_sql();

/// Version 2: what memories and turns have besides, ready for ADD COLUMN.
[[nodiscard]] std::span<column_definition const> memory_columns_of_version_2();
[[nodiscard]] std::span<column_definition const> history_columns_of_version_2();
/// … and its tables and indexes.
[[nodiscard]] std::string version_2_sql();

/// Version 3: what an error was, beside the reply that says so.
[[nodiscard]] std::string version_3_sql();
/// Version 4: erasures that are not finished, and indexes of what upkeep looks for.
[[nodiscard]] std::string version_4_sql();
/// Version 5: indexes of what of a user's memory lasts, and of rows that other software writes into the two
/// tables.
[[nodiscard]] std::string version_5_sql();

/// Counts what the window of each conversation holds, into engram_session.
[[nodiscard]] std::string fill_sessions_sql();

}  // namespace engram::store

// Schema version 1. docs/storage.md describes it. What is here belongs to migration 1 and never changes once
// released; a later version is a migration of its own.
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

/// Counts what the window of each conversation holds, into engram_session.
[[nodiscard]] std::string fill_sessions_sql();

}  // namespace engram::store

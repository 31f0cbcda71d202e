// Rows of long_term_memory and conversation_history as records.
#pragma once

#include "store/records.hpp"
#include "store/sqlite/connection.hpp"
#include "store/text_index.hpp"

namespace engram::store {

/// The columns that read_memory() reads, in its order: what a prompt shows of a memory, and (which it leaves
/// to its caller) when it expires, in column `memory_expiry`.
inline constexpr std::string_view memory_columns_shown =
    "id, memory_type, content, created_at, session_id, label, pinned, expires_at";
inline constexpr int memory_expiry = 7;
[[nodiscard]] memory read_memory(rows const& from);

/// The columns that read_memory_record() reads, in its order: those of read_memory() first.
inline constexpr std::string_view memory_columns_read =
    "id, memory_type, content, created_at, session_id, label, pinned, expires_at, updated_at, last_seen, "
    "valid_from, valid_to, times_seen, superseded_by, job_id";
[[nodiscard]] memory_record read_memory_record(rows const& from);

/// The same for read_turn_record().
inline constexpr std::string_view turn_columns_read =
    "id, role, content, session_id, created_at, summary_id IS NOT NULL, job_id";
[[nodiscard]] turn_record read_turn_record(rows const& from);

/// Unknown roles count as the user's.
[[nodiscard]] role role_of(std::string_view name);
[[nodiscard]] text_kind kind_of_turn(std::string_view name);

/// "SELECT <columns> <rest>".
[[nodiscard]] std::string select(std::string_view columns, std::string_view rest);

}  // namespace engram::store

// What lists and exports share: pages, their cursors, and the SQL of rows that are read by an index.
#pragma once

#include "store/sqlite/memory_rows.hpp"

#include <algorithm>
#include <charconv>
#include <string>
#include <string_view>
#include <vector>

namespace engram::store {

inline constexpr std::size_t most_on_a_page = 100'000;

/// A turn is in one of two indexes: engram_history_window or engram_history_archive.
inline constexpr std::string_view in_window = "summary_id IS NULL AND role IN ('user', 'assistant')";
inline constexpr std::string_view in_archive =
    "(summary_id IS NOT NULL OR role IS NULL OR role NOT IN ('user', 'assistant'))";

inline constexpr std::string_view newest_first = " AND id < ?2 ORDER BY id DESC LIMIT ?3";
inline constexpr std::string_view oldest_first = " AND session_id = ?2 AND id > ?3 ORDER BY id LIMIT ?4";

[[nodiscard]] inline std::int64_t number(std::string_view text, std::int64_t otherwise) {
    std::int64_t value = otherwise;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

[[nodiscard]] inline std::string history(std::string_view what, std::string_view index,
                                         std::string_view where, std::string_view rest) {
    return select(what, "FROM conversation_history INDEXED BY ")
        .append(index)
        .append(" WHERE user_id = ?1 AND ")
        .append(where)
        .append(rest);
}

[[nodiscard]] inline std::string memories_where(std::string_view index, std::string_view where) {
    return select(memory_columns_read, "FROM long_term_memory INDEXED BY ")
        .append(index)
        .append(" WHERE user_id = ?1 AND ")
        .append(where);
}

[[nodiscard]] inline page_request sensible(page_request const& asked) {
    return {asked.from, std::clamp<std::size_t>(asked.limit, 1, most_on_a_page)};
}

}  // namespace engram::store

// Inside of erasing_queries: an erasure under way.
#pragma once

#include "store/sqlite/erasing_queries.hpp"

#include <optional>
#include <string>

namespace engram::store {

struct erasing_queries::erasure {
    std::string const& user_id;
    std::int64_t user_key;
    erased result;
    blanked_outcomes outcomes;
    erasure_preview* preview = nullptr;  ///< null: it is not asked what goes
};

[[nodiscard]] inline std::optional<std::int64_t> integer_or_none(rows const& from, int column) {
    return from.is_null(column) ? std::nullopt : std::optional(from.integer(column));
}

}  // namespace engram::store

// A request for the list `P:admin`, read and checked. Pure.
#pragma once

#include "base/result.hpp"
#include "workers/categories.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace engram::workers {

enum class admin_op {
    memory_list,
    memory_search,
    memory_add,
    memory_update,
    memory_history,
    memory_restore,
    memory_delete,
    session_list,
    session_history,
    session_delete,
    user_export,
    user_forget,
    stats,
};

/// As it is written in a request.
[[nodiscard]] std::string_view name_of(admin_op op);

struct admin_request {
    admin_op op = admin_op::stats;
    std::string id;        ///< empty: it named none
    std::string reply_to;  ///< empty: there is nobody to tell
    std::string user_id;   ///< empty: `stats` of all

    std::string cursor;  ///< empty: the first page
    std::size_t limit = 0;

    std::int64_t memory_id = 0;
    std::string session_id;
    std::string query;
    std::optional<std::string> content;  ///< one line; given if the operation needs it
    std::optional<std::string> type;     ///< a known category
    std::optional<bool> pinned;
    bool past = false;
    bool memories = false;
    bool dry_run = false;
};

/// What is wrong with a request, with as much of it as could be read, so that an answer finds its way.
struct admin_complaint {
    std::string message;
    bool has_op = false;  ///< `partial.op` is the operation it asked for
    admin_request partial;
};

struct admin_limits {
    std::string_view prefix;                                   ///< as in job_limits
    std::vector<std::string> const* reply_prefixes = nullptr;  ///< may be null
    std::size_t max_bytes = 262'144;
    categories const* types = nullptr;
};

/// Reads and checks a request. Fields that its operation does not know are ignored; one that is null counts
/// as absent.
[[nodiscard]] base::result<admin_request, admin_complaint> parse_admin_request(std::string_view bytes,
                                                                               admin_limits const& limits);

}  // namespace engram::workers

// `engramctl memory`, `session`, `user` and `stats`: what is remembered, seen and changed through P:admin.
#pragma once

#include "ctl/admin_call.hpp"
#include "ctl/connection.hpp"

#include <optional>
#include <string>

namespace engram::ctl {

struct admin_request {
    admin_target target;
    int (*run)(connection&, admin_request const&) = nullptr;  ///< the command that was given

    std::string memory, session, query;  ///< as given
    std::optional<std::string> content, type, cursor, only_user;
    std::string output;  ///< empty: standard output
    std::optional<long> limit;
    bool past = false, pinned = false, pin = false, unpin = false, memories = false;
    bool all = false, json = false, yes = false, dry_run = false;
};

/// Each prints its result, or one line on standard error that says what to do, and returns an exit code of
/// sysexits.h.
[[nodiscard]] int list_memories(connection& redis, admin_request const& request);
[[nodiscard]] int search_memories(connection& redis, admin_request const& request);
[[nodiscard]] int add_memory(connection& redis, admin_request const& request);
[[nodiscard]] int edit_memory(connection& redis, admin_request const& request);
[[nodiscard]] int delete_memory(connection& redis, admin_request const& request);
[[nodiscard]] int show_memory_history(connection& redis, admin_request const& request);
[[nodiscard]] int restore_memory(connection& redis, admin_request const& request);

[[nodiscard]] int list_sessions(connection& redis, admin_request const& request);
[[nodiscard]] int show_session(connection& redis, admin_request const& request);
[[nodiscard]] int delete_session(connection& redis, admin_request const& request);

[[nodiscard]] int export_user(connection& redis, admin_request const& request);
[[nodiscard]] int forget_user(connection& redis, admin_request const& request);
[[nodiscard]] int show_stats(connection& redis, admin_request const& request);

}  // namespace engram::ctl

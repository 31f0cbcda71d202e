// What the commands on P:admin have in common when they print.
#pragma once

#include "ctl/admin_commands.hpp"
#include "ctl/list_table.hpp"

#include <boost/json/object.hpp>

#include <optional>
#include <string>

namespace engram::ctl {

/// A result as text for people; none if it makes no sense.
using page = std::optional<std::string> (*)(boost::json::object const&);

/// Complains; the exit code.
[[nodiscard]] int fail(complaint const& what);

/// Prints a result as JSON or as a page.
[[nodiscard]] int show(admin_request const& request, admin_result const& result, page page_of);

/// The walk that --limit, --cursor and --all ask for.
[[nodiscard]] page_walk walk_for(admin_request const& request, std::string_view op,
                                 boost::json::object fields = {});

/// Prints a list: with --json each page as a document, else one table.
[[nodiscard]] int show_list(connection& redis, admin_request const& request, page_walk walk,
                            list_kind const& kind);

/// Names the cursor if there is more.
void tell_of_more(page_walk const& walk);

}  // namespace engram::ctl

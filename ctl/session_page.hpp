// What `engramctl session`, `user` and `stats` show. Pure.
#pragma once

#include "ctl/list_table.hpp"

#include <boost/json/object.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace engram::ctl {

/// Of session.list.
[[nodiscard]] list_kind const& listed_sessions();

/// Each is given the result of its operation; none if it is not of that form.
[[nodiscard]] std::optional<std::string> turns_page(boost::json::object const& result);
[[nodiscard]] std::optional<std::string> deleted_page(boost::json::object const& result);
[[nodiscard]] std::optional<std::string> forgotten_page(boost::json::object const& result);
[[nodiscard]] std::optional<std::string> stats_page(boost::json::object const& result);
/// JSON documents, one a line, safe to print; none also if one of them is no JSON object.
[[nodiscard]] std::optional<std::string> export_lines(boost::json::object const& result);

/// Given the result of stats for that user: what forgetting takes away.
[[nodiscard]] std::string forget_warning(std::string_view user, boost::json::object const& stats);

}  // namespace engram::ctl

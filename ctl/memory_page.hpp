// What `engramctl memory` shows. Pure.
#pragma once

#include "ctl/list_table.hpp"

#include <boost/json/object.hpp>

#include <optional>
#include <string>

namespace engram::ctl {

/// Of memory.list.
[[nodiscard]] list_kind const& listed_memories();

/// Each is given the result of its operation; none if it is not of that form. What is missing in it shows as
/// a dash.
[[nodiscard]] std::optional<std::string> search_page(boost::json::object const& result);
[[nodiscard]] std::optional<std::string> history_page(boost::json::object const& result);
[[nodiscard]] std::optional<std::string> changed_page(boost::json::object const& result);  ///< add, update
[[nodiscard]] std::optional<std::string> restored_page(boost::json::object const& result);
[[nodiscard]] std::optional<std::string> preview_page(
    boost::json::object const& result);  ///< delete, as a dry run

/// Given the result of memory.history: what deleting that memory takes away.
[[nodiscard]] std::optional<std::string> deletion_warning(boost::json::object const& result);

}  // namespace engram::ctl

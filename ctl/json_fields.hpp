// Fields of a JSON object that came from outside: any may be missing or of another type. Pure.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace engram::ctl {

/// None, or null, if there is no field of that name and type.
[[nodiscard]] std::optional<std::string> text_in(boost::json::object const& from, std::string_view name);
[[nodiscard]] std::optional<std::int64_t> number_in(boost::json::object const& from, std::string_view name);
[[nodiscard]] boost::json::object const* object_in(boost::json::object const& from, std::string_view name);
/// Null also if not all of its elements are objects.
[[nodiscard]] boost::json::array const* objects_in(boost::json::object const& from, std::string_view name);
[[nodiscard]] bool is_true(boost::json::object const& from, std::string_view name);

/// For a table: safe to print, at most `most` characters; "-" for what is missing or empty.
[[nodiscard]] std::string text_cell(boost::json::object const& from, std::string_view name, std::size_t most);
[[nodiscard]] std::string number_cell(boost::json::object const& from, std::string_view name);
/// With two decimals.
[[nodiscard]] std::string score_cell(boost::json::object const& from, std::string_view name);

}  // namespace engram::ctl

// Small pieces of JSON text and of Boost.JSON that several files need.
#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace engram::simulator {

/// Appends `text` as a JSON string, quotes included; UTF-8 goes through as it is.
void append_json_string(std::string& out, std::string_view text);
void append_number(std::string& out, std::int64_t n);

[[nodiscard]] inline std::string_view view(boost::json::string const& s) {
    return {s.data(), s.size()};
}

/// The string of `key`; none if absent or no string.
[[nodiscard]] std::optional<std::string_view> string_at(boost::json::object const& o, std::string_view key);
/// The value of `key`; null if absent, or JSON null.
[[nodiscard]] boost::json::value const* value_at(boost::json::object const& o, std::string_view key);
/// An integer written as such; none for anything else.
[[nodiscard]] std::optional<std::int64_t> integer_of(boost::json::value const& v);
/// Any number.
[[nodiscard]] std::optional<double> number_of(boost::json::value const& v);

/// `text` cut to at most `bytes`, never inside a character.
[[nodiscard]] std::string_view cut_utf8(std::string_view text, std::size_t bytes);

/// ASCII letters in lower case, everything else unchanged: positions stay the same.
[[nodiscard]] std::string lower_ascii(std::string_view text);
[[nodiscard]] std::string_view trim(std::string_view text);
[[nodiscard]] bool is_blank(std::string_view text);

}  // namespace engram::simulator

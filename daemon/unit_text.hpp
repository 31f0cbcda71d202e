// The text of units and of files of variables, as systemd reads it. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace engram::daemon {

/// Words between blanks; a word in quotes may hold blanks, and a backslash takes the next character as it is.
[[nodiscard]] std::vector<std::string> split_words(std::string_view text);

/// A line `key=value`.
struct assignment {
    std::string key, value;
    std::string section;  ///< without brackets; empty before the first
};
/// All of a text, in order; a line that ends with a backslash goes on with the next. Comments are left out.
[[nodiscard]] std::vector<assignment> read_assignments(std::string_view text);

/// `text` with what %i, %n and the like of the unit `name` stand for; what is not known stays.
[[nodiscard]] std::string expand_specifiers(std::string_view text, std::string_view name);

}  // namespace engram::daemon

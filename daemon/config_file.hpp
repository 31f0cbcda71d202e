// Reading TOML. The only place that knows the TOML library.
#pragma once

#include "base/result.hpp"
#include "daemon/config_value.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace engram::daemon {

/// One `key = value` that somebody wrote.
struct setting {
    std::string key;  ///< "section.key"; known to the table
    config_value value;
    std::string origin;  ///< "/etc/engramd/engramd.toml:12"
};

struct file_settings {
    std::vector<setting> settings;      ///< in the file's order of keys
    std::vector<std::string> problems;  ///< complete lines; then `settings` is not the whole file
};

/// The settings in `text`; `name` is for the messages.
[[nodiscard]] file_settings parse_settings(std::string_view text, std::string const& name);

/// One TOML value for this key, for example an array.
[[nodiscard]] base::result<config_value, complaint> parse_toml_value(config_key const& key,
                                                                     std::string_view text);

}  // namespace engram::daemon

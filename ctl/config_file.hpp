// What engramctl reads of engramd's configuration.
#pragma once

#include "base/result.hpp"
#include "redis/options.hpp"

#include <optional>
#include <string>
#include <vector>

namespace engram::ctl {

/// None: the file does not say.
struct daemon_settings {
    std::optional<std::string> url, prefix, service, ca_file;  ///< of `[redis]`
    std::optional<std::vector<std::string>> sentinels;
    std::optional<std::string> store_path;
};

struct config_complaint {
    std::string line;  ///< what is wrong, and what to do
    int status;        ///< of sysexits.h
};

/// None: there is no such file. Other keys than those above, known or not, are left to engramd.
[[nodiscard]] base::result<std::optional<daemon_settings>, config_complaint> read_daemon_settings(
    std::string const& path);

/// The same of its text; `path` is for the message.
[[nodiscard]] base::result<daemon_settings, config_complaint> parse_daemon_settings(std::string const& text,
                                                                                    std::string const& path);

}  // namespace engram::ctl

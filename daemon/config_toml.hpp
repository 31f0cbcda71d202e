// Values as they are written in TOML.
#pragma once

#include "daemon/config_value.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace engram::daemon {

/// `value` on one line.
[[nodiscard]] std::string to_toml(config_value const& value);

/// A time to live: "90d", "12h", "30m", "45s". None: not of this form.
[[nodiscard]] std::optional<std::chrono::seconds> read_ttl(std::string_view text);

}  // namespace engram::daemon

// The table of all configuration keys. It alone drives parsing, checking, --check-config, etc/engramd.toml
// and the table in docs/configuration.md.
#pragma once

#include "daemon/config_value.hpp"

#include <span>
#include <string>
#include <string_view>

namespace engram::daemon {

struct config_section {
    std::string_view name;
    std::string_view help;
};

/// In the order in which they are shown; the keys of a section follow one another in `config_keys`.
[[nodiscard]] std::span<config_section const> config_sections();
[[nodiscard]] std::span<config_key const> config_keys();

/// Null if there is no such key.
[[nodiscard]] config_key const* find_key(std::string_view name);
[[nodiscard]] bool is_section(std::string_view name);

/// "ENGRAMD_REDIS_URL" for "redis.url".
[[nodiscard]] std::string environment_name(std::string_view key);

/// "unknown key" with what the writer may have meant, or where a secret belongs.
[[nodiscard]] std::string unknown_key_message(std::string_view name);

}  // namespace engram::daemon

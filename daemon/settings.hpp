// All that the daemon is told, keys included: read at the start and again at each SIGHUP.
#pragma once

#include "daemon/api_key.hpp"
#include "daemon/config.hpp"

#include <string>

namespace engram::daemon {

struct settings {
    loaded_config loaded;  ///< with the embedding endpoint's key among its values
    api_key claude_key;
    std::string embedding_key_origin;

    /// Why no job could be answered with this; empty: jobs can be.
    [[nodiscard]] std::string lacking() const;
};

struct api_keys {
    api_key claude, embedding;
};
/// From systemd's credentials or the environment.
[[nodiscard]] base::result<api_keys, config_error> load_api_keys(get_variable const& variable);

/// The configuration, with these keys.
[[nodiscard]] base::result<settings, config_error> load_settings(config_sources const& sources,
                                                                 api_keys keys);

/// The configuration, and the keys from systemd's credentials or the environment.
[[nodiscard]] base::result<settings, config_error> load_settings(config_sources const& sources);

}  // namespace engram::daemon

#include "daemon/settings.hpp"

#include <cstdlib>
#include <utility>

namespace engram::daemon {

std::string settings::lacking() const {
    // A local or compatible endpoint may do without.
    bool const needs_key = loaded.values.claude.base_url.find("api.anthropic.com") != std::string::npos;
    if (!needs_key || !claude_key.value.empty()) return {};
    return "no API key: set ANTHROPIC_API_KEY, or the systemd credential anthropic_api_key, or "
           "claude.base_url";
}

base::result<settings, config_error> load_settings(config_sources const& sources) {
    auto loaded = load_config(sources);
    if (!loaded) return loaded.error();
    auto claude_key = load_api_key(std::getenv);
    if (!claude_key) return config_error{{claude_key.error().message}};
    auto embedding_key = load_embedding_key(std::getenv);
    if (!embedding_key) return config_error{{embedding_key.error().message}};
    loaded->values.embedding.api_key = std::move(embedding_key->value);
    return settings{std::move(*loaded), std::move(*claude_key), std::move(embedding_key->origin)};
}

}  // namespace engram::daemon

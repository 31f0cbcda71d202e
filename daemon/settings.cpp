#include "daemon/settings.hpp"

#include <cstdlib>
#include <utility>

namespace engram::daemon {
namespace {

settings with_keys(loaded_config loaded, api_keys keys) {
    loaded.values.embedding.api_key = std::move(keys.embedding.value);
    return {std::move(loaded), std::move(keys.claude), std::move(keys.embedding.origin)};
}

}  // namespace

std::string settings::lacking() const {
    // A local or compatible endpoint may do without.
    bool const needs_key = loaded.values.claude.base_url.find("api.anthropic.com") != std::string::npos;
    if (!needs_key || !claude_key.value.empty()) return {};
    return "no API key: set ANTHROPIC_API_KEY, or the systemd credential anthropic_api_key, or "
           "claude.base_url";
}

base::result<api_keys, config_error> load_api_keys(get_variable const& variable) {
    auto claude = load_api_key(variable);
    if (!claude) return config_error{{claude.error().message}};
    auto embedding = load_embedding_key(variable);
    if (!embedding) return config_error{{embedding.error().message}};
    return api_keys{std::move(*claude), std::move(*embedding)};
}

base::result<settings, config_error> load_settings(config_sources const& sources, api_keys keys) {
    auto loaded = load_config(sources);
    if (!loaded) return loaded.error();
    return with_keys(std::move(*loaded), std::move(keys));
}

base::result<settings, config_error> load_settings(config_sources const& sources) {
    auto loaded = load_config(sources);
    if (!loaded) return loaded.error();
    auto keys = load_api_keys(std::getenv);
    if (!keys) return keys.error();
    return with_keys(std::move(*loaded), std::move(*keys));
}

}  // namespace engram::daemon

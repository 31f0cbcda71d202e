#include "daemon/start_lines.hpp"

#include "base/log.hpp"
#include "engram_version.hpp"

#include <string>
#include <unistd.h>
#include <vector>

namespace engram::daemon {

namespace {

std::string joined(std::vector<std::string> const& names) {
    std::string all;
    for (auto const& name : names)
        all += (all.empty() ? "" : ", ") + name;
    return all;
}

}  // namespace

void log_start_of(settings const& what, std::size_t file_limit) {
    auto const& values = what.loaded.values;
    base::log_info("engramd starts", {{"version", ENGRAM_VERSION},
                                      {"commit", commit},
                                      {"pid", ::getpid()},
                                      {"configuration", what.loaded.file}});
    base::log_info("models",
                   {{"claude", values.chat.model},
                    {"fallback", joined(values.claude.fallback_models)},
                    {"summary", values.summary.enabled ? values.summary.model : "off"},
                    {"consolidation", values.consolidation.enabled ? values.consolidation.model : "off"}});
    base::log_info("endpoint", {{"url", redact_url(values.claude.base_url)},
                                {"key", what.claude_key.origin},
                                {"embedding", redact_url(values.embedding.base_url)}});
    base::log_info("limits", {{"jobs", values.queue.max_in_flight},
                              {"calls", values.claude.max_connections},
                              {"files", file_limit}});
}

}  // namespace engram::daemon

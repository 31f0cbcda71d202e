// Everything engramd can be told, and where it was told so.
//
// A value comes from, later beats earlier: the built-in default, the configuration file, the environment
// (`ENGRAMD_REDIS_URL` for `redis.url`), the command line (`--set redis.url=…`). The table of keys is in
// daemon/config_keys.hpp; each module's own options struct holds the values. Secrets are not configuration:
// see daemon/api_key.hpp.
#pragma once

#include "base/log.hpp"
#include "base/result.hpp"
#include "claude/options.hpp"
#include "embedding/options.hpp"
#include "queue/options.hpp"
#include "store/options.hpp"
#include "workers/background/consolidation.hpp"
#include "workers/categories.hpp"
#include "workers/options.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace engram::daemon {

inline constexpr std::string_view default_config_file = "/etc/engramd/engramd.toml";

struct config {
    queue::options queue;
    store::options store;
    claude::options claude;  ///< without the API key
    workers::chat_options chat;
    workers::summary_options summary;
    workers::consolidation_options consolidation;
    embedding::options embedding;  ///< without the API key, as `claude`
    /// As they were written; what came of them, with those built in, is `chat.types`.
    std::vector<workers::category> categories;
    std::chrono::milliseconds adoption{20'000};        ///< upkeep_options::adoption
    std::chrono::milliseconds settle{3'600'000};       ///< of workers::safe_time
    std::chrono::milliseconds open_patience{120'000};  ///< of open_store()
    std::string word_neighbours;  ///< path of the table; empty: as installed; "off": none
    base::log_options log;
    std::string http_listen;  ///< "host:port" of the HTTP pages; empty: off
};

/// Why a configuration is not used: one line a problem, each naming the file and line, the variable or the
/// `--set`, and the key. No line shows the value of a key that may hold a password.
struct config_error {
    std::vector<std::string> problems;
};

/// What `load_config` reads.
struct config_sources {
    /// `--config`: must exist. None: `default_file`, which may be missing.
    std::optional<std::string> file;
    std::string default_file{default_config_file};
    /// `NAME=value` lines as in `environ`; only names that begin with `ENGRAMD_` are looked at.
    std::vector<std::string> environment;
    /// `key=value`, as given to `--set`, in order: the last of a key wins.
    std::vector<std::string> settings;
};

struct loaded_config {
    config values;
    /// Where each key that is not at its default came from: "engramd.toml:12", "ENGRAMD_REDIS_URL", "--set".
    std::map<std::string, std::string, std::less<>> origins;
    /// The file that was read; empty if there was none.
    std::string file;
    /// Settings that are allowed but hardly meant, one sentence each.
    std::vector<std::string> warnings;
};

/// Reads, merges and checks everything; reports every problem it finds, not only the first.
[[nodiscard]] base::result<loaded_config, config_error> load_config(config_sources const& sources);

/// The variables of this process, for `config_sources::environment`.
[[nodiscard]] std::vector<std::string> process_environment();

/// What `--check-config` prints: every key with its value and origin, as TOML that could be used as a file.
/// Passwords are replaced by `***`. The origins are phrases such as "not set" (see daemon/api_key.hpp).
[[nodiscard]] std::string describe(loaded_config const& loaded, std::string_view api_key_origin,
                                   std::string_view embedding_key_origin);

/// What a SIGHUP may do with a freshly loaded configuration.
struct reload_plan {
    config next;                            ///< `running` with the changes that can be made while it runs
    std::vector<std::string_view> applied;  ///< keys that differ and are taken over in `next`
    std::vector<std::string_view> need_restart;  ///< keys that differ and stay as they were
};
[[nodiscard]] reload_plan plan_reload(config const& running, config const& fresh);

/// `text` without the password of any `scheme://user:password@…` in it.
[[nodiscard]] std::string redact_url(std::string_view text);

}  // namespace engram::daemon

// The API keys, of Claude and of the embedding endpoint: secrets, kept out of the configuration.
#pragma once

#include "base/result.hpp"
#include "base/secret.hpp"

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace engram::daemon {

struct api_key {
    base::secret value;  ///< empty: none was given
    std::string origin;  ///< where it came from, for people: never the key
};

/// Why there is no usable key, without a byte of it.
struct api_key_error {
    std::string message;
};

/// Null if there is no such variable, as std::getenv.
using get_variable = std::function<char const*(char const* name)>;

/// Claude's, from the file `$CREDENTIALS_DIRECTORY/anthropic_api_key`, else from `ANTHROPIC_API_KEY`; blanks
/// and line ends around it do not count, and an empty one counts as none. No key is no error (a local
/// endpoint needs none). An error: a file that is there and cannot be read, or a key that no HTTP header can
/// hold. May be called again, for SIGHUP.
[[nodiscard]] base::result<api_key, api_key_error> load_api_key(get_variable const& variable);

/// The embedding endpoint's, in the same way from `embedding_api_key` or `EMBEDDING_API_KEY`.
[[nodiscard]] base::result<api_key, api_key_error> load_embedding_key(get_variable const& variable);

/// A key as it stands in a file of credentials, empty if the file is; none: there is no such file.
[[nodiscard]] std::optional<base::result<api_key, api_key_error>> read_credential(std::string const& path);

}  // namespace engram::daemon

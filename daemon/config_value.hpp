// The value of one key, between its text form and the options struct it ends in.
#pragma once

#include "base/result.hpp"
#include "daemon/config.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace engram::daemon {

using text_list = std::vector<std::string>;
using price_list = std::vector<claude::price>;
using category_list = std::vector<workers::category>;

/// A value as a person wrote it, before anyone asked whether the key wants it.
using config_value = std::variant<bool, std::int64_t, std::string, text_list, price_list, category_list>;

/// What is wrong with a value: a phrase that goes on after the key's name ("must be …").
struct complaint {
    std::string text;
};

/// A member of an options struct.
using config_slot = std::variant<bool*, std::string*, std::size_t*, unsigned*, std::chrono::milliseconds*,
                                 std::chrono::seconds*, std::chrono::hours*, text_list*, price_list*,
                                 category_list*, base::log_level*, base::log_format*, claude::auth_style*>;

struct config_key {
    std::string_view name;       ///< "section.key"
    std::string_view unit = {};  ///< of a number: "ms", "bytes", … or what is counted
    std::int64_t min = 0;        ///< of a number
    std::int64_t max = 0;        ///< of a number
    std::string_view words =
        {};                      ///< "a|b|c": the only values; of an enum in its order, of a bool false first
    bool reloadable = false;     ///< SIGHUP takes it over
    std::string_view help = {};  ///< one or more sentences, for the commented file and the manual
    /// Lines of TOML that may stand in a file in place of the key, at the end of its section; shown there.
    std::string_view example = {};
    config_slot (*at)(config&) = nullptr;
    /// More that text must fulfil; the phrase of what is wrong, or empty.
    std::string (*check)(std::string_view text) = nullptr;
};

/// "text", "integer", "true or false", "one of a, b", "list of texts", "list of tables".
[[nodiscard]] std::string type_name(config_key const& key);

/// Reads the text of a variable or of `--set` as this key wants it: text as it is, lists as TOML arrays or
/// separated by commas.
[[nodiscard]] base::result<config_value, complaint> read_text(config_key const& key, std::string_view text);

/// Checks `value` and stores it in `to`.
[[nodiscard]] base::result<void, complaint> assign(config_key const& key, config_value const& value,
                                                   config& to);

/// What `from` holds for this key.
[[nodiscard]] config_value value_of(config_key const& key, config const& from);

}  // namespace engram::daemon

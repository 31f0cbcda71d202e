// What a unit of systemd gives to the daemon that it starts. Pure.
#pragma once

#include "daemon/finding.hpp"

#include <array>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace engram::daemon {

using variables = std::map<std::string, std::string, std::less<>>;

struct unit_facts {
    std::string user;   ///< empty: root
    std::string group;  ///< empty: the user's own
    std::vector<std::string> more_groups;
    bool is_user_dynamic = false;        ///< DynamicUser=: it is made at the start, unless it is there
    std::vector<std::string> arguments;  ///< of ExecStart=, without the program; see arguments_of()
    variables environment;
    std::vector<std::string> environment_files;  ///< a '-' in front: may be missing
    variables credentials;      ///< path of each, by its name; empty: looked for in credential_folders
    variables set_credentials;  ///< text of each, for where there is no file
    std::optional<std::size_t> file_limit;
    bool protects_system = false;        ///< ProtectSystem=strict: only `writable` can be written to
    std::vector<std::string> writable;   ///< ReadWritePaths=, absolute
    std::vector<std::string> states;     ///< StateDirectory=, absolute; can be written to as well
    std::vector<std::string> encrypted;  ///< names of credentials that only the unit can read
};

/// Where systemd looks for a credential without a path, in this order.
inline constexpr std::array<std::string_view, 4> credential_folders{
    "/etc/credstore", "/run/credstore", "/usr/local/lib/credstore", "/usr/lib/credstore"};

/// `text`: the unit's file and its drop-ins, one behind the other, as `systemctl cat` prints them. `name` is
/// the unit's, with or without ".service".
[[nodiscard]] unit_facts parse_unit(std::string_view text, std::string_view name);

/// The arguments as the program gets them: a word $X becomes the words of that variable, ${X} in a word its
/// text, $$ a dollar sign.
[[nodiscard]] std::vector<std::string> arguments_of(unit_facts const& unit, variables const& environment);

/// Without the signs in front of a path, such as "-" for "may be missing".
[[nodiscard]] std::string path_in(std::string const& word);

/// The text of a file that EnvironmentFile= names, added to what stands there.
void add_environment(variables& to, std::string_view text);

/// Whether the unit's walls let it write the database at `path`; none: they do.
[[nodiscard]] std::optional<finding> judge_walls(unit_facts const& unit, std::string const& path);

}  // namespace engram::daemon

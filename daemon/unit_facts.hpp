// What a unit of systemd gives to the daemon that it starts. Pure.
#pragma once

#include "daemon/finding.hpp"

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
    std::vector<std::string> arguments;  ///< of ExecStart=, without the program
    variables environment;
    std::vector<std::string> environment_files;  ///< a '-' in front: may be missing
    variables credentials;                       ///< path of each, by its name
    std::optional<std::size_t> file_limit;
    bool protects_system = false;        ///< ProtectSystem=strict: only `writable` can be written to
    std::vector<std::string> writable;   ///< ReadWritePaths= and StateDirectory=, absolute
    std::vector<std::string> encrypted;  ///< names of credentials that only the unit can read
};

/// `text`: the unit's file and its drop-ins, one behind the other, as `systemctl cat` prints them. `name` is
/// the unit's, with or without ".service".
[[nodiscard]] unit_facts parse_unit(std::string_view text, std::string_view name);

/// Without the signs in front of a path, such as "-" for "may be missing".
[[nodiscard]] std::string path_in(std::string const& word);

/// The text of a file that EnvironmentFile= names, added to what stands there.
void add_environment(variables& to, std::string_view text);

/// Whether the unit's walls let it write the database at `path`; none: they do.
[[nodiscard]] std::optional<finding> judge_walls(unit_facts const& unit, std::string const& path);

}  // namespace engram::daemon

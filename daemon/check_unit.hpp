// A unit of systemd as it is on this machine: its text, its keys, its user.
#pragma once

#include "base/result.hpp"
#include "daemon/finding.hpp"
#include "daemon/settings.hpp"
#include "daemon/unit_facts.hpp"

#include <string>

namespace engram::daemon {

/// What `systemctl cat` prints, within ten seconds. Throws std::system_error if the system lacks something.
[[nodiscard]] base::result<std::string, finding> read_unit(std::string const& name);

/// Its environment with that of its files. `found`: files that are missing or cannot be read.
[[nodiscard]] variables environment_of(unit_facts const& unit, findings& found);

/// As the unit would get them; an empty one: see `found`, or it has none.
struct unit_keys {
    api_keys keys;
    bool is_known = true;  ///< false: Claude's cannot be told, which `found` says
};
[[nodiscard]] unit_keys keys_of(unit_facts const& unit, variables const& environment, findings& found);

/// From here on this process is the unit's user, if it is root; what it may not do, the unit may not. False:
/// see `found`.
[[nodiscard]] bool become_user(unit_facts const& unit, findings& found);

}  // namespace engram::daemon

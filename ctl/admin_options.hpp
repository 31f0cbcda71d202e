// The command line of `engramctl memory`, `session`, `user` and `stats`.
#pragma once

#include "ctl/admin_commands.hpp"

namespace CLI {
class App;
}

namespace engram::ctl {

/// After parsing, `into.run` is the command that was given, or null. `into` must outlive `app`; its user is
/// the default.
void add_admin_commands(CLI::App& app, admin_request& into);

}  // namespace engram::ctl

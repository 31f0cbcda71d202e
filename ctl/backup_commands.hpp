// `engramctl backup` and `engramctl restore`: the database itself, on the machine that it is on. They need no
// daemon.
#pragma once

#include <functional>
#include <string>

namespace CLI {
class App;
}

namespace engram::ctl {

struct backup_request {
    std::string file;
    std::string database;  ///< its path
    bool force = false, json = false;
};

void add_backup_commands(CLI::App& app, backup_request& into);

/// Each prints its result, or one line on standard error that says what to do, and returns an exit code of
/// sysexits.h.
[[nodiscard]] int make_backup(backup_request const& request);
/// `find_instance`: a daemon of this machine that runs, as Redis knows it, or nothing; asked unless forced.
[[nodiscard]] int restore_backup(backup_request const& request,
                                 std::function<std::string()> const& find_instance);

}  // namespace engram::ctl

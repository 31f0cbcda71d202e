// `engramctl backup`, `engramctl restore` and `engramctl salvage`: the database itself, on the machine that
// it is on. They need no daemon.
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
    std::string damaged;   ///< the path of one that is to be salvaged
    bool force = false, json = false;
};

void add_backup_commands(CLI::App& app, backup_request& into);

/// Each prints its result, or one line on standard error that says what to do, and returns an exit code of
/// sysexits.h.
[[nodiscard]] int make_backup(backup_request const& request);
/// `find_instance`: a daemon of this machine that runs, as Redis knows it, or nothing; asked unless forced.
[[nodiscard]] int restore_backup(backup_request const& request,
                                 std::function<std::string()> const& find_instance);
/// EX_DATAERR also if the new file has been made, but not all came.
[[nodiscard]] int salvage_database(backup_request const& request);

}  // namespace engram::ctl

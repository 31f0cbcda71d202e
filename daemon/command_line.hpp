// engramd's arguments.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace engram::daemon {

struct command_line {
    std::optional<std::string> config_file;  ///< --config
    std::vector<std::string> settings;       ///< --set, in order
    bool check_config = false;
    bool check = false;
    std::string unit;    ///< --unit: whose environment and credentials are looked at; only with `check`
    bool quiet = false;  ///< only with one of the two: nothing is printed of what is well
};

/// The program ends at once: --help, --version, or arguments that make no sense.
struct early_exit {
    int status = 0;  ///< 0, or EX_USAGE
    std::string
        output;  ///< for standard output if status is 0, else for standard error; ends with a line end
};

/// Does not throw and does not print.
[[nodiscard]] std::variant<command_line, early_exit> parse_command_line(int argc, char const* const* argv);

}  // namespace engram::daemon

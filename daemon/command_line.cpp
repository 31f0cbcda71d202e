#include "daemon/command_line.hpp"

#include <CLI/CLI.hpp>

#include <sstream>
#include <sysexits.h>

namespace engram::daemon {
namespace {

constexpr char const* footer =
    "Any key can also be set by a variable: ENGRAMD_REDIS_URL for redis.url.\n"
    "The API key comes from $CREDENTIALS_DIRECTORY/anthropic_api_key or ANTHROPIC_API_KEY.\n"
    "engramd stays in the foreground; SIGTERM ends it in an orderly way, SIGHUP reads the configuration "
    "again.";

}  // namespace

std::variant<command_line, early_exit> parse_command_line(int argc, char const* const* argv) {
    CLI::App app("A chat daemon with a memory that lasts.", "engramd");
    command_line given;
    std::string file;
    bool version = false;
    auto* const config =
        app.add_option("--config", file, "the configuration file (default /etc/engramd/engramd.toml)")
            ->type_name("FILE");
    app.add_option("--set", given.settings,
                   "sets one key, over the file and the environment; may be repeated")
        ->type_name("KEY=VALUE")
        ->allow_extra_args(false);
    auto* const check_config = app.add_flag("--check-config", given.check_config,
                                            "prints the configuration that would run, and ends");
    auto* const check =
        app.add_flag("--check", given.check,
                     "looks at all that a start needs, changes nothing, says what is wrong with its "
                     "cure, and ends: 0 if jobs would be answered")
            ->excludes(check_config);
    auto* const unit =
        app.add_option("--unit", given.unit, "with --check: as this unit of systemd has it; as root")
            ->type_name("NAME")
            ->needs(check);
    app.add_flag("--quiet", given.quiet, "with --check or --check-config: prints only what is wrong");
    app.add_flag("--version", version, "prints the version, and ends");
    app.footer(footer);
    try {
        app.parse(argc, argv);
    } catch (CLI::ParseError const& error) {
        std::ostringstream out;
        std::ostringstream complaint;
        if (app.exit(error, out, complaint) == 0) return early_exit{0, out.str()};
        return early_exit{EX_USAGE, "engramd: " + std::string(error.what()) + "; see engramd --help\n"};
    }
    if (version) return early_exit{0, "engramd " ENGRAM_VERSION "\n"};
    auto const refuse = [](std::string const& why) {
        return early_exit{EX_USAGE, "engramd: " + why + "; see engramd --help\n"};
    };
    if (given.quiet && !given.check && !given.check_config)
        return refuse("--quiet needs --check or --check-config");
    if (unit->count() > 0 && given.unit.empty()) return refuse("--unit needs a name");
    if (config->count() > 0) {
        if (file.empty()) return refuse("--config needs a file");
        given.config_file = file;
    }
    return given;
}

}  // namespace engram::daemon

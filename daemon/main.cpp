// engramd: reads its arguments and configuration, runs the service, says how it ended.

#include "base/failpoint.hpp"
#include "base/log.hpp"
#include "base/standard_streams.hpp"
#include "daemon/check.hpp"
#include "daemon/command_line.hpp"
#include "daemon/file_limit.hpp"
#include "daemon/service.hpp"
#include "daemon/settings.hpp"
#include "daemon/start_failure.hpp"
#include "daemon/start_lines.hpp"
#include "store/sqlite/opening.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <memory>
#include <string>
#include <string_view>
#include <sysexits.h>
#include <utility>
#include <variant>
#include <vector>

namespace {

using namespace engram;

void complain(std::string const& line) {
    std::fprintf(stderr, "engramd: %s\n", line.c_str());
}

daemon::config_sources sources_of(daemon::command_line const& arguments) {
    daemon::config_sources sources;
    sources.file = arguments.config_file;
    sources.environment = daemon::process_environment();
    sources.settings = arguments.settings;
    return sources;
}

// For SIGHUP: the same sources again, and no more files than at the start.
std::unique_ptr<daemon::service::reloaded> reload(daemon::config_sources const& sources,
                                                  std::size_t file_limit) {
    auto const fresh = daemon::load_settings(sources);
    auto problems = fresh ? std::vector<std::string>() : fresh.error().problems;
    if (fresh && !fresh->lacking().empty()) problems.push_back(fresh->lacking());
    for (auto const& problem : problems)
        base::log_error("the configuration was not reloaded", {{"problem", problem}});
    if (!problems.empty()) return nullptr;
    auto values = fresh->loaded.values;
    daemon::fit(values, daemon::budget_of(file_limit, values));
    return std::make_unique<daemon::service::reloaded>(std::move(values), fresh->claude_key.value);
}

// Until the service takes over the signals there is nothing to end in order.
void leave(int) {
    std::_Exit(EX_OK);
}

// False: too few for any service.
bool fit_to_files(daemon::config& values, std::size_t file_limit) {
    auto const budget = daemon::budget_of(file_limit, values);
    constexpr std::string_view cure = "LimitNOFILE=65536 in the unit, or ulimit -n";
    if (!budget.is_enough_to_start()) {
        base::log_error("too few file descriptors", {{"limit", budget.limit},
                                                     {"reserved", budget.reserved},
                                                     {"needed", budget.needed},
                                                     {"cure", cure}});
        return false;
    }
    daemon::fit(values, budget);
    if (!budget.is_enough())
        base::log_warn("few file descriptors: fewer calls run at a time",
                       {{"limit", budget.limit},
                        {"needed", budget.needed},
                        {"calls", values.claude.max_connections},
                        {"jobs", values.queue.max_in_flight},
                        {"cure", cure}});
    return true;
}

// The exit status.
int run(daemon::settings settings, daemon::config_sources const& sources, std::size_t file_limit) {
    boost::asio::io_context io(1);
    daemon::service service(
        std::move(settings.loaded.values), std::move(settings.claude_key.value),
        [&sources, file_limit] { return reload(sources, file_limit); }, io);
    try {
        boost::asio::co_spawn(io, service.run(), [](std::exception_ptr error) {
            if (error) std::rethrow_exception(error);
        });
        io.run();
    } catch (std::exception const& error) {
        // Tasks are under way that nothing will end: taking the service apart under them would do more harm
        // than leaving. The lease gives the jobs back.
        base::log_error("the service ended with an error", {{"error", error.what()}});
        base::log_stop();
        std::_Exit(EX_SOFTWARE);
    }
    return service.exit_status();
}

// The exit status.
int run_logged(daemon::settings settings, daemon::config_sources const& sources, std::size_t file_limit) {
    int status = EX_OK;
    try {
        base::log_start(settings.loaded.values.log);
        for (auto const& warning : settings.loaded.warnings)
            base::log_warn("configuration", {{"warning", warning}});
        bool const fits = fit_to_files(settings.loaded.values, file_limit);
        daemon::log_start_of(settings, file_limit);
        status = fits ? run(std::move(settings), sources, file_limit) : EX_OSERR;
    } catch (store::open_stopped const& stopped) {
        base::log_info("stopped", {{"opening", stopped.what()}});
    } catch (store::open_error const& error) {
        base::log_error("the database cannot be used", {{"error", error.what()}});
        status = error.passes ? EX_TEMPFAIL : EX_DATAERR;
    } catch (std::exception const& error) {
        auto const why = daemon::judge_start(error);
        base::log_error(why.passes() ? "engramd cannot start for now" : "engramd cannot run",
                        {{"error", error.what()}, {"cure", why.cure}});
        status = why.status;
    }
    base::log_stop();
    return status;
}

}  // namespace

int main(int argc, char** argv) {
    base::keep_standard_streams();
    std::signal(SIGTERM, leave);
    auto const parsed = daemon::parse_command_line(argc, argv);
    if (auto const* end = std::get_if<daemon::early_exit>(&parsed)) {
        std::fputs(end->output.c_str(), end->status == EX_OK ? stdout : stderr);
        return end->status;
    }
    auto const& arguments = std::get<daemon::command_line>(parsed);
    if (arguments.check) {
        std::signal(SIGTERM, SIG_DFL);
        std::signal(SIGPIPE, SIG_IGN);
        return daemon::run_check(arguments);
    }

    auto const sources = sources_of(arguments);
    auto settings = daemon::load_settings(sources);
    if (!settings) {
        for (auto const& problem : settings.error().problems)
            complain(problem);
        return EX_CONFIG;
    }
    if (arguments.check_config) {
        auto const text =
            daemon::describe(settings->loaded, settings->claude_key.origin, settings->embedding_key_origin);
        if (!arguments.quiet) std::fputs(text.c_str(), stdout);
        return EX_OK;
    }
    if (auto const problem = settings->lacking(); !problem.empty()) {
        complain(problem);
        return EX_CONFIG;
    }
    if (auto const problem = base::arm_failpoint(std::getenv("ENGRAM_FAILPOINT")); !problem.empty()) {
        complain(problem);
        return EX_USAGE;
    }

    std::signal(SIGPIPE, SIG_IGN);
    return run_logged(std::move(*settings), sources, daemon::raise_file_limit());
}

// engramd: reads its arguments and configuration, runs the service, says how it ended.

#include "base/failpoint.hpp"
#include "base/log.hpp"
#include "daemon/api_key.hpp"
#include "daemon/command_line.hpp"
#include "daemon/config.hpp"
#include "daemon/service.hpp"
#include "store/sqlite/opening.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <memory>
#include <string>
#include <sys/resource.h>
#include <sysexits.h>
#include <utility>
#include <variant>

namespace {

using namespace engram;

constexpr char no_key[] =
    "no API key: set ANTHROPIC_API_KEY, or the systemd credential anthropic_api_key, or claude.base_url";

// A local or compatible endpoint may do without.
bool lacks_key(daemon::config const& config, daemon::api_key const& key) {
    return key.value.empty() && config.claude.base_url.find("api.anthropic.com") != std::string::npos;
}

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

// For SIGHUP: the same sources again.
std::unique_ptr<daemon::service::reloaded> reload(daemon::config_sources const& sources) {
    auto const loaded = daemon::load_config(sources);
    if (!loaded) {
        for (auto const& problem : loaded.error().problems)
            base::log_error("the configuration was not reloaded", {{"problem", problem}});
        return nullptr;
    }
    auto const key = daemon::load_api_key(std::getenv);
    if (!key) {
        base::log_error("the API key was not reloaded", {{"problem", key.error().message}});
        return nullptr;
    }
    if (lacks_key(loaded->values, *key)) {
        base::log_error("the configuration was not reloaded", {{"problem", no_key}});
        return nullptr;
    }
    auto fresh = std::make_unique<daemon::service::reloaded>(loaded->values, key->value);
    auto const embedding_key = daemon::load_embedding_key(std::getenv);
    if (!embedding_key) {
        base::log_error("the API key was not reloaded", {{"problem", embedding_key.error().message}});
        return nullptr;
    }
    fresh->fresh.embedding.api_key = embedding_key->value;
    return fresh;
}

// Each job in flight has a connection of its own: take as many files as the system grants.
void raise_file_limit() {
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

// Until the service takes over the signals there is nothing to end in order.
void leave(int) {
    std::_Exit(EX_OK);
}

int run(daemon::loaded_config loaded, daemon::api_key key, daemon::config_sources const& sources) {
    boost::asio::io_context io(1);
    daemon::service service(
        std::move(loaded.values), std::move(key.value), [&sources] { return reload(sources); }, io);
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
    return EX_OK;
}

}  // namespace

int main(int argc, char** argv) {
    std::signal(SIGTERM, leave);
    auto parsed = daemon::parse_command_line(argc, argv);
    if (auto const* end = std::get_if<daemon::early_exit>(&parsed)) {
        std::fputs(end->output.c_str(), end->status == EX_OK ? stdout : stderr);
        return end->status;
    }
    auto const& arguments = std::get<daemon::command_line>(parsed);
    auto const sources = sources_of(arguments);
    auto loaded = daemon::load_config(sources);
    if (!loaded) {
        for (auto const& problem : loaded.error().problems)
            complain(problem);
        return EX_CONFIG;
    }
    auto key = daemon::load_api_key(std::getenv);
    auto const embedding_key = daemon::load_embedding_key(std::getenv);
    if (!key || !embedding_key) {
        complain(key ? embedding_key.error().message : key.error().message);
        return EX_CONFIG;
    }
    if (arguments.check_config) {
        std::fputs(daemon::describe(*loaded, key->origin, embedding_key->origin).c_str(), stdout);
        return EX_OK;
    }
    loaded->values.embedding.api_key = embedding_key->value;
    if (lacks_key(loaded->values, *key)) {
        complain(no_key);
        return EX_CONFIG;
    }

    if (auto const problem = base::arm_failpoint(std::getenv("ENGRAM_FAILPOINT")); !problem.empty()) {
        complain(problem);
        return EX_USAGE;
    }

    std::signal(SIGPIPE, SIG_IGN);
    raise_file_limit();
    base::log_start(loaded->values.log);
    for (auto const& warning : loaded->warnings)
        base::log_warn("configuration", {{"warning", warning}});
    int status = EX_SOFTWARE;
    try {
        status = run(std::move(*loaded), std::move(*key), sources);
    } catch (store::open_stopped const& stopped) {
        base::log_info("stopped", {{"opening", stopped.what()}});
        status = EX_OK;
    } catch (store::open_error const& error) {
        base::log_error("the database cannot be used", {{"error", error.what()}});
        status = EX_DATAERR;
    } catch (std::exception const& error) {
        base::log_error("engramd cannot run", {{"error", error.what()}});
        status = EX_CONFIG;
    }
    base::log_stop();
    return status;
}

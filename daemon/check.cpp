// The order: the unit and its keys, as root → its user → configuration → files, database, Redis, Claude.
#include "daemon/check.hpp"

#include "base/log.hpp"
#include "daemon/check_claude.hpp"
#include "daemon/check_redis.hpp"
#include "daemon/check_store.hpp"
#include "daemon/check_unit.hpp"
#include "daemon/file_limit.hpp"
#include "daemon/finding.hpp"
#include "daemon/settings.hpp"
#include "daemon/start_failure.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_future.hpp>

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <optional>
#include <sysexits.h>
#include <unistd.h>
#include <utility>

namespace engram::daemon {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using enum finding::grade;

constexpr auto longest_search = 30s;               // for damage
constexpr std::size_t limit_of_systemd = 524'288;  // where a unit names none

// Prints what is found.
class report {
public:
    explicit report(bool quiet) : quiet_(quiet) {}

    void add(finding one) {
        if (!quiet_ || one.how == warning || one.how == failure) print(to_line(one));
        all_.push_back(std::move(one));
    }
    void add(findings more) {
        for (auto& one : more)
            add(std::move(one));
    }
    // The exit status.
    int end() {
        if (auto const status = exit_status(all_); !quiet_ || status != EX_OK) print(to_summary(all_));
        return exit_status(all_);
    }

private:
    static void print(std::string const& line) {
        std::puts(line.c_str());
        std::fflush(stdout);
    }

    bool quiet_;
    findings all_;
};

// What is asked over the network, to its end.
void ask(report& into, asio::awaitable<findings> question, std::string const& key) {
    try {
        asio::io_context io(1);
        // What every question needs is there, or this throws before one has begun.
        asio::steady_timer const first(io);
        auto answer = asio::co_spawn(io, std::move(question), asio::use_future);
        io.run();
        into.add(answer.get());
    } catch (std::exception const& failed) {
        auto const why = judge_start(failed);
        if (why.passes())
            into.add({failure, std::string("this machine lacks what it takes to ask (") + failed.what() + ')',
                      std::string(why.cure), true});
        else  // an address or certificates
            into.add({failure, key + " cannot be used (" + failed.what() + ')', "mend it"});
    }
}

void check_files(report& into, std::size_t limit, config const& values) {
    auto const budget = budget_of(limit, values);
    auto const what = "the limit of open files is " + std::to_string(budget.limit);
    auto const needed = std::to_string(budget.needed) + " are needed for queue.max_in_flight jobs at a time";
    constexpr auto cure = "LimitNOFILE=65536 in the unit, or ulimit -n";
    if (!budget.is_enough_to_start())
        into.add({failure,
                  what + ", " + std::to_string(budget.reserved) +
                      " are used by the daemon itself: too few to start",
                  cure});
    else if (!budget.is_enough())
        into.add({warning, what + ", so that fewer jobs run at a time; " + needed, cure});
    else
        into.add({ok, what + ", " + needed});
}

void check_settings(report& into, settings const& found, bool key_is_known) {
    auto const& file = found.loaded.file;
    into.add({ok, file.empty() ? "the configuration, without a file" : "the configuration in " + file});
    for (auto const& odd : found.loaded.warnings)
        into.add({warning, odd});
    if (!key_is_known) return;
    if (auto const problem = found.lacking(); !problem.empty())
        into.add(
            {failure, problem,
             "write it to /etc/engramd/anthropic_api_key, mode 0600, and restart; under systemd, check with "
             "--unit engramd"});
    else if (!found.claude_key.value.empty())
        into.add({ok, "an API key from " + found.claude_key.origin});
}

// What the daemon would be started with.
struct start {
    config_sources sources;
    api_keys keys;
    bool key_is_known = true;
    std::size_t file_limit = 0;
    std::optional<unit_facts> unit;
};

// None: what is missing has been told.
std::optional<start> start_of_process(command_line const& given, report& into) {
    auto keys = load_api_keys(std::getenv);
    if (!keys) {
        for (auto const& problem : keys.error().problems)
            into.add({failure, problem, "write the key alone, on one line"});
        return std::nullopt;
    }
    start found;
    found.sources = {
        .file = given.config_file, .environment = process_environment(), .settings = given.settings};
    found.keys = std::move(*keys);
    found.file_limit = raise_file_limit();
    if (geteuid() == 0)
        into.add({note, "root may do everything: --unit engramd looks at what the daemon's user may do"});
    return found;
}

std::optional<start> start_of_unit(command_line const& given, report& into) {
    auto const text = read_unit(given.unit);
    if (!text) {
        into.add(text.error());
        return std::nullopt;
    }
    auto unit = parse_unit(*text, given.unit);
    start found;
    findings said;
    auto const variables = environment_of(unit, said);
    auto const words = arguments_of(unit, variables);
    std::vector<char const*> arguments{"engramd"};
    for (auto const& word : words)
        arguments.push_back(word.c_str());
    auto const started = parse_command_line(int(arguments.size()), arguments.data());
    auto const* const own = std::get_if<command_line>(&started);
    if (own == nullptr) {
        into.add({failure, "the ExecStart of " + given.unit + " has arguments that make no sense",
                  "mend the unit"});
        return std::nullopt;
    }
    auto keys = keys_of(unit, variables, said);
    bool const is_user = become_user(unit, said);
    into.add(std::move(said));
    if (!is_user) return std::nullopt;

    found.sources.file = given.config_file ? given.config_file : own->config_file;
    found.sources.settings = own->settings;
    found.sources.settings.insert(found.sources.settings.end(), given.settings.begin(), given.settings.end());
    for (auto const& [name, value] : variables)
        found.sources.environment.push_back(name + '=' + value);
    found.keys = std::move(keys.keys);
    found.key_is_known = keys.is_known;
    found.file_limit = unit.file_limit.value_or(limit_of_systemd);
    found.unit = std::move(unit);
    return found;
}

void check_all(start from, report& into) {
    auto const found = load_settings(from.sources, std::move(from.keys));
    if (!found) {
        for (auto const& problem : found.error().problems)
            into.add({failure, problem, "mend it; engramd --check-config shows all keys"});
        return;
    }
    auto const& values = found->loaded.values;
    check_settings(into, *found, from.key_is_known);
    check_files(into, from.file_limit, values);
    if (from.unit)
        if (auto wall = judge_walls(*from.unit, values.store.path)) into.add(std::move(*wall));
    auto database = check_store(values.store, longest_search);
    into.add(std::move(database.found));
    auto queue = values.queue;
    queue.database = std::move(database.id);
    ask(into, check_redis(std::move(queue)), "redis.url or redis.ca_file");
    // Without its key the API would only say that there is none.
    if (from.key_is_known && found->lacking().empty())
        ask(into, check_claude(values, found->claude_key.value), "claude.base_url or claude.ca_file");
}

}  // namespace

int run_check(command_line const& given) {
    base::log_set_level(base::log_level::off);  // what is found is told here
    report told(given.quiet);
    try {
        auto from = given.unit.empty() ? start_of_process(given, told) : start_of_unit(given, told);
        if (from) check_all(std::move(*from), told);
    } catch (std::exception const& failed) {
        told.add({failure, std::string("the check could not go on (") + failed.what() + ')', "", true});
    }
    return told.end();
}

}  // namespace engram::daemon

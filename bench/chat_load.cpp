// chat-load: chat jobs by the thousand, their replies checked, the figures as one JSON object on standard
// output. Status 0: every reply was right; 1: some were not; 64: wrong arguments; 69: Redis failed.

#include "chat_client.hpp"

#include <CLI/CLI.hpp>
#include <boost/json/serialize.hpp>

#include <exception>
#include <iostream>
#include <sys/resource.h>
#include <unistd.h>

namespace {

constexpr int usage_error = 64;
constexpr int unavailable = 69;

double cpu_seconds() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    auto const seconds = [](timeval t) { return double(t.tv_sec) + double(t.tv_usec) / 1e6; };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

}  // namespace

int main(int argc, char** argv) {
    engram::bench::load load;
    load.run = "load" + std::to_string(getpid());
    double patience = double(load.patience.count());
    CLI::App app{"chat-load: pushes chat jobs to engramd's queue and checks every reply."};
    app.add_option("--redis", load.redis, "HOST:PORT, or the path of a Unix socket")->required();
    app.add_option("--prefix", load.prefix, "the daemon's redis.prefix")->capture_default_str();
    app.add_option("--run", load.run, "begins the ids of the jobs")->capture_default_str();
    app.add_option("--jobs", load.jobs)->capture_default_str()->check(CLI::PositiveNumber);
    app.add_option("--users", load.users)->capture_default_str()->check(CLI::PositiveNumber);
    app.add_option("--sessions", load.sessions)->capture_default_str()->check(CLI::PositiveNumber);
    app.add_option("--window", load.window, "closed loop: jobs unanswered at a time")
        ->capture_default_str()
        ->check(CLI::PositiveNumber);
    app.add_option("--rate", load.rate, "open loop: jobs a second, in place of --window")
        ->check(CLI::NonNegativeNumber);
    app.add_option("--memory-every", load.memory_every, "every so-many-th message is worth a memory; 0: none")
        ->capture_default_str();
    app.add_option("--message-bytes", load.message_bytes, "length of a message, about")
        ->capture_default_str();
    app.add_option("--patience", patience, "seconds without any reply before giving up")
        ->capture_default_str();
    try {
        app.parse(argc, argv);
    } catch (CLI::ParseError const& e) {
        return app.exit(e) == 0 ? 0 : usage_error;
    }
    load.patience = std::chrono::seconds(std::max(1L, long(patience)));
    try {
        engram::bench::chat_client client(load);
        auto const before = cpu_seconds();
        client.run();
        auto const cpu = cpu_seconds() - before;
        auto result = client.result();
        result["client_cpu_us_per_job"] = cpu * 1e6 / double(load.jobs);
        std::cout << boost::json::serialize(result) << std::endl;
        return result["good"].as_bool() ? 0 : 1;
    } catch (std::exception const& e) {
        std::cerr << "chat-load: " << e.what() << '\n';
        return unavailable;
    }
}

// claude-simulator: the Claude Messages API without Claude.
#include "listener.hpp"
#include "world.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include <csignal>
#include <cstdio>
#include <exception>
#include <fstream>
#include <iostream>
#include <sys/resource.h>

namespace {

namespace asio = boost::asio;
namespace simulator = engram::simulator;

void raise_descriptor_limit() {
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

/// Readers see the whole port or no file.
void write_port_file(std::string const& file, std::uint16_t port) {
    if (file.empty()) return;
    auto const fresh = file + ".new";
    std::ofstream out(fresh, std::ios::trunc);
    out << port << '\n';
    out.close();
    if (!out || std::rename(fresh.c_str(), file.c_str()) != 0)
        throw std::runtime_error("cannot write the port file " + file);
}

void print_banner(simulator::options const& o, std::uint16_t port) {
    if (o.quiet) return;
    std::cout << "claude-simulator: a SIMULATION of the Claude Messages API, answered by rules; no model is "
                 "asked.\n"
              << "listening on " << (o.tls_cert.empty() ? "http" : "https") << "://" << o.host << ':' << port
              << " (seed " << o.seed << ")" << std::endl;
}

int run(simulator::options options) {
    // Order matters: connections end with the io_context and still count in the world.
    simulator::world world(std::move(options));
    asio::io_context io(1);
    simulator::listener listener(io, world);
    asio::signal_set signals(io, SIGTERM, SIGINT);
    signals.async_wait([&io](boost::system::error_code ec, int) {
        if (!ec) io.stop();
    });
    asio::co_spawn(io, listener.run(), [&io](std::exception_ptr const& e) {
        if (e) io.stop();
    });
    write_port_file(world.options.port_file, listener.port());
    print_banner(world.options, listener.port());
    io.run();
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    std::signal(SIGPIPE, SIG_IGN);
    raise_descriptor_limit();
    auto line = simulator::read_command_line(argc, argv);
    if (!line.options) return line.exit_status;
    try {
        return run(std::move(*line.options));
    } catch (std::exception const& e) {
        std::cerr << "claude-simulator: " << e.what() << '\n';
        return 1;
    }
}

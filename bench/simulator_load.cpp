// simulator-load: how many requests a second the Claude simulator answers by itself, so that it is known what
// of a benchmark's time is the simulator's. Keep-alive connections on one thread, one request at a time on
// each; prints one JSON object. Status 0: all were answered with 200; 1: not; 64: wrong arguments.

#include "distribution.hpp"

#include <CLI/CLI.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <exception>
#include <iostream>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdexcept>
#include <string>
#include <string_view>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <system_error>
#include <unistd.h>
#include <vector>

namespace engram::bench {
namespace {

using clock = std::chrono::steady_clock;
constexpr int usage_error = 64;
constexpr int silence_ms = 30'000;

std::string make_request() {
    std::string const body =
        R"({"model":"claude-opus-4-5","max_tokens":1024,"system":"You are a helpful assistant.",)"
        R"("messages":[{"role":"user","content":"Tell me about subject 17."}]})";
    return "POST /v1/messages HTTP/1.1\r\nhost: 127.0.0.1\r\nx-api-key: bench\r\nanthropic-version: "
           "2023-06-01\r\n"
           "content-type: application/json\r\ncontent-length: " +
           std::to_string(body.size()) + "\r\n\r\n" + body;
}

[[noreturn]] void fail(char const* doing) {
    throw std::system_error(errno, std::generic_category(), doing);
}

struct connection {
    int descriptor = -1;
    std::string received;
    clock::time_point sent;
};

/// The size of the response that `text` begins with, 0 if it is not all there.
std::size_t whole_response(std::string_view text) {
    auto const head = text.find("\r\n\r\n");
    if (head == std::string_view::npos) return 0;
    if (!text.starts_with("HTTP/1.1 200 "))
        throw std::runtime_error("the simulator answers " + std::string(text.substr(0, text.find('\r'))));
    std::string lower(text.substr(0, head));
    std::transform(lower.begin(), lower.end(), lower.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? char(c + 32) : c; });
    constexpr std::string_view name = "\r\ncontent-length: ";
    auto const at = lower.find(name);
    std::size_t length = 0;
    if (at != std::string::npos)
        std::from_chars(lower.data() + at + name.size(), lower.data() + lower.size(), length);
    if (length == 0) throw std::runtime_error("a response without content-length");
    auto const whole = head + 4 + length;
    return text.size() >= whole ? whole : 0;
}

class http_load {
public:
    http_load(std::uint16_t port, std::size_t connections, std::size_t requests)
        : requests_(requests),
          request_(make_request()),
          poll_(epoll_create1(EPOLL_CLOEXEC)),
          all_(connections) {
        if (poll_ < 0) fail("epoll_create1");
        latency_.reserve(requests);
        for (std::size_t i = 0; i < all_.size(); ++i)
            open(i, port);
    }
    ~http_load() {
        for (auto const& one : all_)
            if (one.descriptor >= 0) close(one.descriptor);
        close(poll_);
    }
    http_load(http_load const&) = delete;
    http_load& operator=(http_load const&) = delete;

    boost::json::object run() {
        auto const started = clock::now();
        for (auto& one : all_)
            send_next(one);
        std::array<epoll_event, 256> events;
        while (answered_ < requests_) {
            auto const ready = epoll_wait(poll_, events.data(), int(events.size()), silence_ms);
            if (ready < 0 && errno != EINTR) fail("epoll_wait");
            if (ready == 0) throw std::runtime_error("the simulator does not answer");
            for (int i = 0; i < ready; ++i)
                receive(all_[events[std::size_t(i)].data.u64]);
        }
        std::chrono::duration<double> const seconds = clock::now() - started;
        return {{"requests_per_s", double(answered_) / seconds.count()}, {"latency_ms", latency_.to_json()}};
    }

private:
    void open(std::size_t i, std::uint16_t port) {
        auto& one = all_[i];
        one.descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (one.descriptor < 0) fail("socket");
        sockaddr_in to{};
        to.sin_family = AF_INET;
        to.sin_port = htons(port);
        to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        if (connect(one.descriptor, reinterpret_cast<sockaddr const*>(&to), sizeof to) != 0) fail("connect");
        int const on = 1;
        setsockopt(one.descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        epoll_event event{};
        event.events = EPOLLIN;
        event.data.u64 = i;
        if (epoll_ctl(poll_, EPOLL_CTL_ADD, one.descriptor, &event) != 0) fail("epoll_ctl");
    }

    // A request is far smaller than the socket's buffer and goes in whole.
    void send_next(connection& to) {
        if (sent_ == requests_) return;
        ++sent_;
        to.sent = clock::now();
        auto const written = send(to.descriptor, request_.data(), request_.size(), MSG_NOSIGNAL);
        if (written != ssize_t(request_.size())) fail("send");
    }

    void receive(connection& from) {
        std::array<char, 16384> buffer;
        auto const size = recv(from.descriptor, buffer.data(), buffer.size(), 0);
        if (size < 0) fail("recv");
        if (size == 0) throw std::runtime_error("the simulator closed a connection");
        from.received.append(buffer.data(), std::size_t(size));
        auto const whole = whole_response(from.received);
        if (whole == 0) return;
        from.received.erase(0, whole);
        ++answered_;
        latency_.add(clock::now() - from.sent);
        send_next(from);
    }

    std::size_t const requests_;
    std::string const request_;
    int const poll_;
    std::vector<connection> all_;
    std::size_t sent_ = 0;
    std::size_t answered_ = 0;
    distribution latency_;
};

}  // namespace
}  // namespace engram::bench

int main(int argc, char** argv) {
    std::uint16_t port = 0;
    std::size_t connections = 64, requests = 10'000;
    CLI::App app{"simulator-load: requests a second that the Claude simulator on 127.0.0.1 answers."};
    app.add_option("--port", port)->required();
    app.add_option("--connections", connections)->capture_default_str()->check(CLI::Range(1, 10'000));
    app.add_option("--requests", requests)->capture_default_str()->check(CLI::PositiveNumber);
    try {
        app.parse(argc, argv);
    } catch (CLI::ParseError const& e) {
        return app.exit(e) == 0 ? 0 : engram::bench::usage_error;
    }
    try {
        engram::bench::http_load load(port, connections, requests);
        std::cout << boost::json::serialize(load.run()) << std::endl;
        return 0;
    } catch (std::exception const& e) {
        std::cerr << "simulator-load: " << e.what() << '\n';
        return 1;
    }
}

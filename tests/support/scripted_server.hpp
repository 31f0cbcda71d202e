// A TCP or TLS server that does exactly what a test tells it, connection by connection.
#pragma once

#include "base/task_group.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace engram::tests {

/// The server's end of one connection. Every operation throws boost::system::system_error when the other end
/// is gone.
class peer {
public:
    /// `log`, which must outlive the peer, gets each request.
    peer(boost::asio::ip::tcp::socket socket, std::vector<std::string>& log)
        : socket_(std::move(socket)), log_(log) {}

    boost::asio::awaitable<void> shake_hands(boost::asio::ssl::context& context);
    /// Head and body of the next request.
    boost::asio::awaitable<std::string> request();
    boost::asio::awaitable<void> send(std::string bytes);
    /// Waits for the other end to close; what it sends is thrown away.
    boost::asio::awaitable<void> until_closed();
    void close();
    /// Closes so that the other end gets a reset.
    void reset();
    /// After shake_hands().
    [[nodiscard]] bool resumed();

private:
    boost::asio::awaitable<std::size_t> read_some();

    boost::asio::ip::tcp::socket socket_;
    std::optional<boost::asio::ssl::stream<boost::asio::ip::tcp::socket&>> tls_;
    std::string unread_;
    std::vector<std::string>& log_;
};

using script = std::function<boost::asio::awaitable<void>(peer&)>;

/// Listens on 127.0.0.1. The n-th connection is served by the n-th script, later ones by the last, and closed
/// when the script ends. All on one executor; stop() and run the loop until it is empty before it goes.
class scripted_server {
public:
    scripted_server(boost::asio::any_io_executor executor, std::vector<script> scripts,
                    boost::asio::ssl::context* tls = nullptr);

    [[nodiscard]] std::uint16_t port() const { return port_; }
    /// Connections taken so far.
    [[nodiscard]] std::size_t connections() const { return connections_; }
    /// All requests so far, head and body, in order of arrival.
    [[nodiscard]] std::vector<std::string> const& requests() const { return requests_; }
    /// TLS handshakes that resumed an earlier session.
    [[nodiscard]] std::size_t resumed() const { return resumed_; }
    /// At the next turn of the loop.
    void stop();

private:
    boost::asio::awaitable<void> accept();
    boost::asio::awaitable<void> serve(boost::asio::ip::tcp::socket socket, std::size_t number);

    boost::asio::ip::tcp::acceptor acceptor_;
    std::vector<script> scripts_;
    boost::asio::ssl::context* tls_;
    std::uint16_t port_ = 0;
    std::size_t connections_ = 0;
    std::size_t resumed_ = 0;
    std::vector<std::string> requests_;
    base::task_group tasks_;
};

}  // namespace engram::tests

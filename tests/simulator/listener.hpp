// Accepts connections.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <memory>

namespace boost::asio::ssl {
class context;
}

namespace engram::simulator {

struct world;

/// The world and the context must outlive it and its connections.
class listener {
public:
    /// Throws boost::system::system_error if it cannot listen there or cannot read certificate or key.
    listener(boost::asio::io_context& io, world& w);
    ~listener();
    listener(listener const&) = delete;
    listener& operator=(listener const&) = delete;

    [[nodiscard]] std::uint16_t port() const;
    [[nodiscard]] boost::asio::awaitable<void> run();

private:
    world& world_;
    std::unique_ptr<boost::asio::ssl::context> tls_;
    boost::asio::ip::tcp::acceptor acceptor_;
};

}  // namespace engram::simulator

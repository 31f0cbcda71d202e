// A byte stream to Redis: TCP, TLS or a Unix socket.
#pragma once

#include "base/clock.hpp"
#include "base/result.hpp"
#include "redis/url.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/system/error_code.hpp>

#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace boost::asio::ssl {
class context;
}

namespace engram::redis {

/// One connection. Calls come from one executor; at most one read and one write at a time. Destroying it
/// closes it.
class transport {
public:
    virtual ~transport() = default;

    struct transferred {
        boost::system::error_code error;
        std::size_t bytes = 0;
    };
    virtual boost::asio::awaitable<transferred> read_some(std::span<char> into) = 0;
    /// `bytes` must live until it returns.
    virtual boost::asio::awaitable<boost::system::error_code> write(std::string_view bytes) = 0;
};

/// TLS settings for rediss://: verification against the system's store, or `ca_file`.
/// Throws std::runtime_error if the file cannot be read.
[[nodiscard]] std::shared_ptr<boost::asio::ssl::context> make_tls_context(std::string const& ca_file);

/// Connects to `address`, TLS handshake included, until `until`. The error is a text for people.
/// `tls` may be null unless the address asks for TLS. Throws on cancellation.
boost::asio::awaitable<base::result<std::unique_ptr<transport>, std::string>> connect(
    server_address address, std::shared_ptr<boost::asio::ssl::context> tls, base::steady_time until);

}  // namespace engram::redis

#include "redis/transport.hpp"

#include "base/deadline.hpp"
#include "net/resolve.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <optional>
#include <stdexcept>
#include <type_traits>
#include <utility>

namespace engram::redis {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using local = asio::local::stream_protocol;

namespace {

constexpr auto no_throw = asio::as_tuple(asio::use_awaitable);

template <class Stream>
class stream_transport final : public transport {
public:
    template <class... Args>
    explicit stream_transport(std::shared_ptr<asio::ssl::context> tls, Args&&... args)
        : tls_(std::move(tls)), stream(std::forward<Args>(args)...) {}

    asio::awaitable<transferred> read_some(std::span<char> into) override {
        auto const [error, bytes] =
            co_await stream.async_read_some(asio::buffer(into.data(), into.size()), no_throw);
        co_return transferred{error, bytes};
    }

    asio::awaitable<error_code> write(std::string_view bytes) override {
        auto const [error, written] = co_await asio::async_write(stream, asio::buffer(bytes), no_throw);
        co_return error;
    }

private:
    std::shared_ptr<asio::ssl::context> tls_;  // outlives the stream below

public:
    Stream stream;
};

using tcp_transport = stream_transport<tcp::socket>;
using local_transport = stream_transport<local::socket>;
using tls_transport = stream_transport<asio::ssl::stream<tcp::socket>>;
using connected = base::result<std::unique_ptr<transport>, std::string>;

asio::awaitable<error_code> connect_one(tcp::socket& socket, tcp::endpoint endpoint) {
    error_code ignored;
    socket.close(ignored);
    auto const [error] = co_await socket.async_connect(endpoint, no_throw);
    co_return error;
}

// Each address but the last gets half of what is left, so that one that swallows everything does not hide the
// next. Nothing: not in time.
asio::awaitable<std::optional<error_code>> connect_tcp(tcp::socket& socket, net::endpoints const& endpoints,
                                                       base::steady_time until) {
    std::optional<error_code> error;
    for (std::size_t i = 0; i < endpoints.size(); ++i) {
        auto const now = base::steady_time::clock::now();
        auto const limit = i + 1 < endpoints.size() ? now + (until - now) / 2 : until;
        error = co_await base::with_deadline(limit, connect_one(socket, endpoints[i]));
        if (error && !*error) {
            error_code ignored;
            socket.set_option(tcp::no_delay(true), ignored);
            socket.set_option(asio::socket_base::keep_alive(true), ignored);
            break;
        }
    }
    co_return error;
}

asio::awaitable<error_code> handshake(asio::ssl::stream<tcp::socket>& stream) {
    auto const [error] = co_await stream.async_handshake(asio::ssl::stream_base::client, no_throw);
    co_return error;
}

asio::awaitable<error_code> connect_local(local::socket& socket, std::string const& path) {
    auto const [error] = co_await socket.async_connect(local::endpoint(path), no_throw);
    co_return error;
}

std::string text_of(server_address const& address, std::optional<error_code> const& error) {
    // What the deadline cuts short ends as a value, not as an exception.
    bool const late = !error || *error == asio::error::operation_aborted;
    return address.to_text() + ": " + (late ? std::string("no connection in time") : error->message());
}

asio::awaitable<connected> connect_over_unix(server_address address, base::steady_time until) {
    auto const executor = co_await asio::this_coro::executor;
    // A Unix socket's path has a fixed room in its address; a longer one would throw.
    if (address.host.size() >= sizeof(sockaddr_un::sun_path))
        co_return address.to_text() + ": the path is too long";
    auto made = std::make_unique<local_transport>(nullptr, executor);
    auto const error = co_await base::with_deadline(until, connect_local(made->stream, address.host));
    if (!error || *error) co_return text_of(address, error);
    co_return std::unique_ptr<transport>(std::move(made));
}

asio::awaitable<connected> connect_over_tls(server_address address, net::endpoints endpoints,
                                            std::shared_ptr<asio::ssl::context> tls,
                                            base::steady_time until) {
    auto const executor = co_await asio::this_coro::executor;
    auto made = std::make_unique<tls_transport>(tls, executor, *tls);
    made->stream.set_verify_callback(asio::ssl::host_name_verification(address.host));
    error_code not_numeric;
    asio::ip::make_address(address.host, not_numeric);
    // The name by which the server chooses its certificate; addresses are not allowed there (RFC 6066).
    if (not_numeric) SSL_set_tlsext_host_name(made->stream.native_handle(), address.host.c_str());
    auto error = co_await connect_tcp(made->stream.next_layer(), endpoints, until);
    if (!error || *error) co_return text_of(address, error);
    error = co_await base::with_deadline(until, handshake(made->stream));
    if (!error || *error) co_return text_of(address, error);
    co_return std::unique_ptr<transport>(std::move(made));
}

}  // namespace

std::shared_ptr<asio::ssl::context> make_tls_context(std::string const& ca_file) {
    auto context = std::make_shared<asio::ssl::context>(asio::ssl::context::tls_client);
    error_code error;
    if (ca_file.empty())
        context->set_default_verify_paths(error);
    else
        context->load_verify_file(ca_file, error);
    if (error)
        throw std::runtime_error("the CA certificates in " + ca_file + " cannot be read: " + error.message());
    context->set_verify_mode(asio::ssl::verify_peer);
    return context;
}

asio::awaitable<connected> connect(server_address address, std::shared_ptr<asio::ssl::context> tls,
                                   base::steady_time until) {
    if (address.kind == server_address::kind::local) {
        auto over_unix = co_await connect_over_unix(std::move(address), until);
        co_return over_unix;
    }
    auto endpoints = co_await net::resolve(address.host, address.port, until);
    if (!endpoints) co_return endpoints.error();
    if (address.kind == server_address::kind::tls) {
        auto over_tls =
            co_await connect_over_tls(std::move(address), std::move(*endpoints), std::move(tls), until);
        co_return over_tls;
    }
    auto const executor = co_await asio::this_coro::executor;
    auto made = std::make_unique<tcp_transport>(nullptr, executor);
    auto const error = co_await connect_tcp(made->stream, *endpoints, until);
    if (!error || *error) co_return text_of(address, error);
    co_return std::unique_ptr<transport>(std::move(made));
}

}  // namespace engram::redis

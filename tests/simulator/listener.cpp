#include "listener.hpp"

#include "connection.hpp"
#include "world.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace engram::simulator {
namespace {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);

std::unique_ptr<asio::ssl::context> make_tls(options const& o) {
    if (o.tls_cert.empty()) return nullptr;
    auto tls = std::make_unique<asio::ssl::context>(asio::ssl::context::tls_server);
    tls->set_options(asio::ssl::context::no_tlsv1 | asio::ssl::context::no_tlsv1_1);
    tls->use_certificate_chain_file(o.tls_cert);
    tls->use_private_key_file(o.tls_key, asio::ssl::context::pem);
    return tls;
}

}  // namespace

listener::listener(asio::io_context& io, world& w) : world_(w), tls_(make_tls(w.options)), acceptor_(io) {
    auto const host = w.options.host == "localhost" ? "127.0.0.1" : w.options.host;
    tcp::endpoint const at(asio::ip::make_address(host), w.options.port);
    acceptor_.open(at.protocol());
    acceptor_.set_option(tcp::acceptor::reuse_address(true));
    acceptor_.bind(at);
    acceptor_.listen(4096);
}

listener::~listener() = default;

std::uint16_t listener::port() const {
    return acceptor_.local_endpoint().port();
}

asio::awaitable<void> listener::run() {
    asio::steady_timer pause(acceptor_.get_executor());
    while (acceptor_.is_open()) {
        auto [ec, socket] = co_await acceptor_.async_accept(as_result);
        if (ec == asio::error::operation_aborted) co_return;
        if (ec) {
            // Out of descriptors: the next try at once would fail as well.
            pause.expires_after(std::chrono::milliseconds(10));
            co_await pause.async_wait(asio::use_awaitable);
            continue;
        }
        serve(std::move(socket), tls_.get(), world_);
    }
}

}  // namespace engram::simulator

#include "net/connector.hpp"

#include "net/names.hpp"

#include <boost/asio/this_coro.hpp>

#include <stdexcept>
#include <utility>

namespace engram::net {

namespace asio = boost::asio;
using connected = base::result<std::shared_ptr<stream>, std::string>;

connector::connector(bool with_tls, std::string const& ca_file)
    : tls_(with_tls ? std::make_shared<tls_policy const>(ca_file) : nullptr) {}

asio::awaitable<connected> connector::connect(address to, base::steady_time until) const {
    auto const executor = co_await asio::this_coro::executor;
    if (to.kind == address::kind::local) {
        auto made = std::make_shared<stream>(executor);
        auto const opened = co_await made->open_local(std::move(to.host), until);
        if (!opened.ok()) co_return opened.what;
        co_return made;
    }
    bool const over_tls = to.kind == address::kind::tls;
    if (over_tls && !tls_) throw std::logic_error("a connector without TLS was given an address of TLS");
    names hosts(executor, to.host, to.port);
    auto found = co_await hosts.find(until);
    if (!found) co_return found.error().what;
    auto made =
        std::make_shared<stream>(executor, over_tls ? std::make_shared<tls_host>(tls_, to.host) : nullptr);
    auto const opened = co_await made->open(std::move(*found), until);
    if (!opened.ok()) co_return opened.what;
    co_return made;
}

}  // namespace engram::net

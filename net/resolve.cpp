#include "net/resolve.hpp"

#include "base/event.hpp"

#include <boost/asio/ip/address.hpp>
#include <boost/asio/this_coro.hpp>

#include <memory>
#include <utility>

namespace engram::net {

namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

// Shared with the completion, which may come after the waiter has left.
struct question {
    explicit question(asio::any_io_executor const& executor) : resolver(executor), answered(executor) {}
    tcp::resolver resolver;
    base::event answered;
    bool done = false;
    boost::system::error_code error;
    endpoints found;
};

}  // namespace

asio::awaitable<base::result<endpoints, std::string>> resolve(std::string host, std::uint16_t port,
                                                              base::steady_time until) {
    boost::system::error_code not_numeric;
    auto const address = asio::ip::make_address(host, not_numeric);
    if (!not_numeric) co_return endpoints{tcp::endpoint(address, port)};

    auto const executor = co_await asio::this_coro::executor;
    auto const asked = std::make_shared<question>(executor);
    asked->resolver.async_resolve(
        host, std::to_string(port), tcp::resolver::numeric_service,
        [asked](boost::system::error_code error, tcp::resolver::results_type results) {
            asked->done = true;
            asked->error = error;
            for (auto const& entry : results)
                asked->found.push_back(entry.endpoint());
            asked->answered.notify_all();
        });
    while (!asked->done) {
        bool const woken = co_await asked->answered.wait_until(until);
        if (!woken) break;
    }
    if (!asked->done) co_return "the name " + host + " was not resolved in time";
    if (asked->error) co_return "the name " + host + " cannot be resolved: " + asked->error.message();
    co_return std::move(asked->found);
}

}  // namespace engram::net

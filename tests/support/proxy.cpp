#include "support/proxy.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <memory>
#include <string_view>
#include <utility>
#include <vector>

namespace engram::test {

namespace asio = boost::asio;

namespace {

constexpr auto no_throw = asio::as_tuple(asio::use_awaitable);

void close(asio::local::stream_protocol::socket& socket) {
    boost::system::error_code ignored;
    socket.close(ignored);
}

}  // namespace

proxy::proxy(loop& on, std::string upstream)
    : loop_(on),
      upstream_(std::move(upstream)),
      path_((folder_.path() / "proxy.sock").string()),
      acceptor_(on.io, local::endpoint(path_)),
      tasks_(on.io.get_executor()),
      freed_(on.io.get_executor()) {
    tasks_.spawn("accept", accept());
}

proxy::~proxy() {
    loop_.end(tasks_);
}

void proxy::let_go() {
    holding_ = false;
    freed_.notify_all();
}

std::size_t proxy::count(std::string const& in, std::string const& part) {
    std::size_t found = 0;
    for (auto at = in.find(part); at != std::string::npos; at = in.find(part, at + part.size()))
        ++found;
    return found;
}

task<void> proxy::while_held() {
    while (holding_)
        co_await freed_.wait();
}

task<void> proxy::accept() {
    for (;;) {
        auto socket = co_await acceptor_.async_accept(asio::use_awaitable);
        auto const made = std::make_shared<link>(std::move(socket), loop_.io);
        co_await while_held();
        auto const [error] = co_await made->up.async_connect(local::endpoint(upstream_), no_throw);
        if (error) continue;
        tasks_.spawn("requests", pass_requests(made));
        tasks_.spawn("answers", pass_answers(made));
    }
}

task<void> proxy::pass_requests(std::shared_ptr<link> on) {
    std::vector<char> buffer(1024 * 1024);
    for (;;) {
        auto const [error, bytes] = co_await on->down.async_read_some(asio::buffer(buffer), no_throw);
        if (error) break;
        std::string_view const request(buffer.data(), bytes);
        asked_ += request;
        co_await while_held();
        if (act_ && request.find(awaited_) != std::string_view::npos) std::exchange(act_, nullptr)();
        bool const last = !wanted_.empty() && request.find(wanted_) != std::string_view::npos;
        if (last) {
            wanted_.clear();
            on->losing = true;
        }
        auto const [failed, written] = co_await asio::async_write(on->up, asio::buffer(request), no_throw);
        if (failed || last) break;
    }
    // Redis carries out what it has got, answers, and hangs up; pass_answers() sees that.
    boost::system::error_code ignored;
    on->up.shutdown(local::socket::shutdown_send, ignored);
}

task<void> proxy::pass_answers(std::shared_ptr<link> on) {
    std::vector<char> buffer(1024 * 1024);
    for (;;) {
        auto const [error, bytes] = co_await on->up.async_read_some(asio::buffer(buffer), no_throw);
        if (error) break;
        heard_.append(buffer.data(), bytes);
        co_await while_held();
        if (on->losing) continue;
        auto const [failed, written] =
            co_await asio::async_write(on->down, asio::buffer(buffer.data(), bytes), no_throw);
        if (failed) break;
    }
    co_await while_held();
    if (on->losing) ++lost_;
    close(on->up);
    close(on->down);
}

}  // namespace engram::test

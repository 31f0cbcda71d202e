#include "loop.hpp"

#include <exception>
#include <optional>
#include <stdexcept>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

namespace engram::test {

namespace asio = boost::asio;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

void loop::run(task<void> body, std::chrono::seconds limit) {
    bool ended = false;
    std::exception_ptr error;
    asio::co_spawn(io, std::move(body), [&](std::exception_ptr e) {
        ended = true;
        error = std::move(e);
    });
    auto const end = steady_clock::now() + limit;
    io.restart();
    while (!ended)
        if (io.run_one_until(end) == 0) throw std::runtime_error("the test has not ended in time");
    if (error) std::rethrow_exception(error);
}

bool loop::run_out(std::chrono::seconds limit) {
    auto const end = steady_clock::now() + limit;
    io.restart();
    while (io.run_one_until(end) > 0) continue;
    return io.stopped();
}

task<void> until(std::string what, std::function<bool()> done) {
    auto const executor = co_await asio::this_coro::executor;
    auto const end = steady_clock::now() + most_patience;
    while (!done()) {
        if (steady_clock::now() > end) throw std::runtime_error("waited in vain: " + what);
        co_await asio::post(executor, asio::use_awaitable);
    }
}

client::client(loop& l, queue::redis_options options, std::string name)
    : on(l), redis(std::move(options), std::move(name), l.io.get_executor()), tasks(l.io.get_executor()) {}

client::client(loop& l, std::string const& url) : client(l, redis_at(url)) { start(); }

client::~client() {
    tasks.cancel();
    on.run_out();
}

call::call(client& with, std::vector<std::string> arguments, milliseconds patience)
    : changed_(with.on.io.get_executor()), answer_(queue::redis_error{}) {
    asio::co_spawn(with.on.io, ask(with, std::move(arguments), patience),
                   asio::bind_cancellation_slot(signal_.slot(), [this](std::exception_ptr error) {
                       ended_ = true;
                       cancelled_ = error != nullptr;
                       changed_.notify_all();
                   }));
}

task<void> call::ask(client& with, std::vector<std::string> arguments, milliseconds patience) {
    answer_ = co_await with.redis.command({arguments.begin(), arguments.end()}, patience);
}

void call::cancel() { signal_.emit(asio::cancellation_type::terminal); }

task<queue::redis_result<queue::redis_value>> call::answer() {
    auto const end = steady_clock::now() + most_patience;
    while (!ended_) {
        bool const woken = co_await changed_.wait_until(end);
        if (!woken) throw std::runtime_error("a call has not ended in time");
    }
    co_return answer_;
}

queue::redis_options redis_at(std::string url, milliseconds command_timeout) {
    queue::redis_options options;
    options.url = std::move(url);
    options.command_timeout = command_timeout;
    options.connect_timeout = milliseconds(2'000);
    options.backoff_max = milliseconds(100);
    return options;
}

unsigned free_port() {
    asio::io_context io;
    asio::ip::tcp::acceptor const acceptor(io, {asio::ip::address_v4::loopback(), 0});
    return acceptor.local_endpoint().port();
}

}  // namespace engram::test

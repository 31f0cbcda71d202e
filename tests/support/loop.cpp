#include "support/loop.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <stdexcept>

namespace engram::test {

namespace asio = boost::asio;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

task<void> cancel(base::task_group& tasks) {
    tasks.cancel();
    co_return;
}

}  // namespace

void loop::run(task<void> body, std::chrono::seconds limit) {
    bool ended = false;
    std::exception_ptr error;
    asio::co_spawn(io, std::move(body), [&](std::exception_ptr e) {
        ended = true;
        error = std::move(e);
    });
    auto const until = steady_clock::now() + limit;
    io.restart();
    running_ = true;
    while (!ended && steady_clock::now() < until)
        io.run_one_until(until);
    running_ = false;
    if (!ended) {
        // The body still refers to what the caller is about to destroy, so there is no going on.
        std::fputs("a test has not ended in time\n", stderr);
        std::abort();
    }
    if (error) std::rethrow_exception(error);
}

void loop::end(base::task_group& tasks) {
    // On the loop: from outside of it, Asio would send the cancellation after a task that may be gone by
    // then.
    base::task_group cancelling(io.get_executor());
    cancelling.spawn("cancel", cancel(tasks));
    finish(cancelling);
    finish(tasks);
}

void loop::finish(base::task_group& tasks) {
    auto const until = steady_clock::now() + most_patience;
    if (!running_) io.restart();
    while (tasks.size() > 0 && steady_clock::now() < until)
        io.run_one_until(until);
}

task<void> until(std::string what, std::function<bool()> done) {
    auto const executor = co_await asio::this_coro::executor;
    auto const end = steady_clock::now() + most_patience;
    while (!done()) {
        if (steady_clock::now() > end) throw std::runtime_error("waited in vain: " + what);
        co_await asio::post(executor, asio::use_awaitable);
    }
}

client::client(loop& l, redis::options options, std::string name)
    : on(l), redis(std::move(options), std::move(name), l.io.get_executor()), tasks(l.io.get_executor()) {}

client::client(loop& l, std::string const& url) : client(l, redis_at(url)) {
    start();
}

struct call::state {
    explicit state(client& c) : with(c), changed(c.on.io.get_executor()) {}

    client& with;
    asio::cancellation_signal signal;
    base::event changed;
    bool ended = false, cancelled = false;
    redis::result<redis::value> answer = redis::error{};

    static task<void> ask(std::shared_ptr<state> of, std::vector<std::string> arguments,
                          milliseconds patience) {
        of->answer = co_await of->with.redis.command({arguments.begin(), arguments.end()}, patience);
    }
};

call::call(client& with, std::vector<std::string> arguments, milliseconds patience)
    : state_(std::make_shared<state>(with)) {
    asio::co_spawn(
        with.on.io, state::ask(state_, std::move(arguments), patience),
        asio::bind_cancellation_slot(state_->signal.slot(), [of = state_](std::exception_ptr error) {
            of->ended = true;
            of->cancelled = error != nullptr;
            of->changed.notify_all();
        }));
}

void call::cancel() {
    state_->signal.emit(asio::cancellation_type::terminal);
}
bool call::ended() const {
    return state_->ended;
}
bool call::was_cancelled() const {
    return state_->cancelled;
}

task<redis::result<redis::value>> call::answer() {
    auto const until = steady_clock::now() + most_patience;
    while (!state_->ended) {
        bool const woken = co_await state_->changed.wait_until(until);
        if (!woken) throw std::runtime_error("a command has not ended in time");
    }
    co_return state_->answer;
}

redis::options redis_at(std::string url, milliseconds command_timeout) {
    redis::options options;
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

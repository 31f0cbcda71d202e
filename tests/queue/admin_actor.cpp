// A daemon that answers no request, for tests that kill it: admin_actor <url> <lease in ms>.
// Prints "ready" and "took <body>".
#include "base/event.hpp"
#include "queue/admin_queue.hpp"
#include "queue/job_queue.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>

namespace {

namespace asio = boost::asio;
using namespace engram;
using std::chrono::steady_clock;

void say(std::string const& line) {
    std::puts(line.c_str());
    std::fflush(stdout);
}

asio::awaitable<queue::admin_answer> hold(asio::any_io_executor executor, std::string body) {
    say("took " + body);
    base::event never(executor);
    co_await never.wait();
    co_return queue::admin_answer{};
}

asio::awaitable<void> refuse() {
    co_return;
}

asio::awaitable<void> live(queue::job_queue& jobs) {
    jobs.start([](queue::delivery const&, queue::reply_stream&) { return refuse(); });
    bool const ready = co_await jobs.wait_until_ready(steady_clock::now() + std::chrono::seconds(30));
    say(ready ? "ready" : "not ready");
}

}  // namespace

int main(int, char** arguments) {
    asio::io_context io;
    queue::options options;
    options.server.url = arguments[1];
    options.lease = std::chrono::milliseconds(std::atoi(arguments[2]));
    queue::job_queue jobs(options, io.get_executor());
    queue::admin_queue requests(options, [&] { return jobs.instance(); }, io.get_executor());
    requests.start([&io](std::string body) { return hold(io.get_executor(), std::move(body)); });
    asio::co_spawn(io, live(jobs), [](std::exception_ptr error) {
        if (error) std::rethrow_exception(error);
    });
    io.run();
    return 0;
}

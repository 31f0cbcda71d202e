// A daemon's part in the queue, for tests that kill and stop it: queue_actor <url> <lease in ms>.
// Prints "ready", "took <body>", "cancelled <body>". Jobs whose message is "answer" are answered, those with
// "later" put off for an hour, others never end.
#include "base/event.hpp"
#include "queue/job.hpp"
#include "queue/job_queue.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <csignal>
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

asio::awaitable<void> work(asio::any_io_executor executor, queue::delivery what, queue::reply_stream& reply) {
    say("took " + what.body);
    auto const job = queue::parse_job(what.body, {"engram"});
    if (job && job->message == "answer") {
        reply.end({job->id, queue::default_reply_key("engram", job->id), "from the actor", std::nullopt});
        co_return;
    }
    if (job && job->message == "later") {
        reply.postpone({std::chrono::hours(1), "not now"});
        co_return;
    }
    struct farewell {
        std::string body;
        ~farewell() { say("cancelled " + body); }
    } const end{what.body};
    base::event never(executor);
    co_await never.wait();
}

asio::awaitable<void> live(queue::job_queue& queue, asio::io_context& io) {
    queue.start([&io](queue::delivery what, queue::reply_stream& reply) {
        return work(io.get_executor(), std::move(what), reply);
    });
    bool const ready = co_await queue.wait_until_ready(steady_clock::now() + std::chrono::seconds(30));
    say(ready ? "ready" : "not ready");
    asio::signal_set wanted(io, SIGTERM);
    co_await wanted.async_wait(asio::use_awaitable);
    co_await queue.drain(steady_clock::now());
    io.stop();
}

}  // namespace

int main(int, char** arguments) {
    asio::io_context io;
    queue::options options;
    options.server.url = arguments[1];
    options.server.backoff_max = std::chrono::milliseconds(100);
    options.lease = std::chrono::milliseconds(std::atoi(arguments[2]));
    queue::job_queue queue(options, io.get_executor());
    asio::co_spawn(io, live(queue, io), [](std::exception_ptr error) {
        if (error) std::rethrow_exception(error);
    });
    io.run();
    return 0;
}

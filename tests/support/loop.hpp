// The event loop of a test, and what a test waits with.
#pragma once

#include "base/event.hpp"
#include "base/task_group.hpp"
#include "redis/client.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace engram::test {

template <class T>
using task = boost::asio::awaitable<T>;

/// No wait of a test takes longer; one that is over fails the test.
constexpr std::chrono::seconds most_patience{30};

/// Owns the loop. `run()` is called by the test, everything else from coroutines on it.
class loop {
public:
    boost::asio::io_context io;

    /// Runs the loop until `body` has ended; what it throws is thrown. Throws std::runtime_error after
    /// `limit`.
    void run(task<void> body, std::chrono::seconds limit = 2 * most_patience);

    /// Cancels the tasks and runs the loop until they have ended. May be called from within run().
    void end(base::task_group& tasks);
    /// As end(), but lets them end by themselves.
    void finish(base::task_group& tasks);

private:
    bool running_ = false;
};

/// Resumes when `done()`, asked again in every turn of the loop. Throws std::runtime_error, naming `what`,
/// when that takes too long.
task<void> until(std::string what, std::function<bool()> done);

/// A Redis client with its task.
struct client {
    client(loop& on, redis::options options, std::string name = "test");
    explicit client(loop& on, std::string const& url);
    client(client const&) = delete;
    client& operator=(client const&) = delete;
    ~client() { on.end(tasks); }

    void start() { tasks.spawn("client", redis.run()); }

    loop& on;
    redis::client redis;
    base::task_group tasks;
};

/// A command under way.
class call {
public:
    call(client& with, std::vector<std::string> arguments, std::chrono::milliseconds patience = {});
    call(call const&) = delete;
    call& operator=(call const&) = delete;

    void cancel();
    /// Resumes when it has ended: its answer.
    task<redis::result<redis::value>> answer();
    [[nodiscard]] bool ended() const;
    [[nodiscard]] bool was_cancelled() const;

private:
    struct state;
    std::shared_ptr<state> state_;  // the command's too, which may outlive this
};

/// Options with timeouts that suit a test: short where the test wants one to run out.
[[nodiscard]] redis::options redis_at(std::string url,
                                      std::chrono::milliseconds command_timeout = most_patience);

/// A TCP port that nobody listens on.
[[nodiscard]] unsigned free_port();

}  // namespace engram::test

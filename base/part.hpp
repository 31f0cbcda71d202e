// The contract of a part of the daemon that starts and stops.
#pragma once

#include "base/task_group.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <functional>
#include <string>

namespace engram::base {

/// The coroutines of one part of the daemon, and the way they end. What every owner may rely on:
///
/// - stop() without a start returns at once;
/// - a second stop(), beside the first or after it, changes nothing and returns when the part has ended;
/// - what is started after stop() was called does not run: a start that is still under way when the stop
/// comes
///   leaves nothing behind.
///
/// States: open → stopping (stop() was called) → ended (no task is left). All calls from one executor. Must
/// outlive its tasks, so stop() before it goes.
class part {
public:
    explicit part(boost::asio::any_io_executor executor);

    /// Runs `service()` until stop(). One that fails, or ends by itself, begins anew after a pause: without
    /// it the part would stand still. `name` is for the log.
    void keep_up(std::string name, std::function<boost::asio::awaitable<void>()> service);
    /// Runs `task` once.
    void spawn(std::string name, boost::asio::awaitable<void> task);

    /// Cancels every task and waits for their end. Completes even if its caller is cancelled meanwhile;
    /// the caller cannot be cancelled from then on.
    boost::asio::awaitable<void> stop();

    [[nodiscard]] bool is_stopping() const { return stopping_; }
    [[nodiscard]] std::size_t size() const { return tasks_.size(); }

private:
    boost::asio::awaitable<void> run(std::string name, std::function<boost::asio::awaitable<void>()> service);

    boost::asio::any_io_executor executor_;
    task_group tasks_;
    bool stopping_ = false;
};

}  // namespace engram::base

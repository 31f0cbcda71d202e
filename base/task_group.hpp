// The owner of spawned coroutines.
#pragma once

#include "base/event.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_signal.hpp>

#include <cstdint>
#include <list>
#include <string>

namespace engram::base {

/// Owns every coroutine spawned through it, its completion handler and its cancellation. An exception that
/// leaves a task is logged and counted; it never takes the daemon down. A task that ends by cancellation is
/// not a failure. All calls from one executor; the group must outlive its tasks, so `join()` before it goes.
class task_group {
public:
    explicit task_group(boost::asio::any_io_executor executor);
    task_group(task_group const&) = delete;
    task_group& operator=(task_group const&) = delete;

    /// Starts `task`: from inside the loop it runs up to its first wait before spawn() returns. `name` is for
    /// the log. Throws std::bad_alloc; the task has then not begun.
    void spawn(std::string name, boost::asio::awaitable<void> task);

    /// Asks every task to stop: terminal cancellation. Tasks spawned later are not affected. REQUIRES: called
    /// from inside the loop (a coroutine or a handler); from outside, Asio would post the signal, which could
    /// arrive after its task has gone.
    void cancel();

    /// Resumes when no task is left. Throws on cancellation of the waiter.
    boost::asio::awaitable<void> join();

    /// As join(), but gives up at `until`: false if tasks are left.
    boost::asio::awaitable<bool> join_until(std::chrono::steady_clock::time_point until);

    [[nodiscard]] std::size_t size() const { return tasks_.size(); }
    /// How many tasks ended with an exception that was not cancellation.
    [[nodiscard]] std::uint64_t failures() const { return failures_; }

private:
    struct task {
        std::string name;
        boost::asio::cancellation_signal signal;
    };
    void finished(std::list<task>::iterator which, std::exception_ptr error);

    boost::asio::any_io_executor executor_;
    std::list<task> tasks_;
    event empty_;
    std::uint64_t failures_ = 0;
};

}  // namespace engram::base

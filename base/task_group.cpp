#include "base/task_group.hpp"

#include "base/log.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>

#include <exception>
#include <utility>

namespace engram::base {

namespace asio = boost::asio;

task_group::task_group(asio::any_io_executor executor) : executor_(executor), empty_(executor) {}

void task_group::spawn(std::string name, asio::awaitable<void> body) {
    auto const which = tasks_.emplace(tasks_.end());
    which->name = std::move(name);
    try {
        asio::co_spawn(
            executor_, std::move(body),
            asio::bind_cancellation_slot(which->signal.slot(), [this, which](std::exception_ptr error) {
                finished(which, std::move(error));
            }));
    } catch (...) {
        // join() would wait for it for ever.
        tasks_.erase(which);
        if (tasks_.empty()) empty_.notify_all();
        throw;
    }
}

void task_group::finished(std::list<task>::iterator which, std::exception_ptr error) {
    if (error) {
        try {
            std::rethrow_exception(error);
        } catch (boost::system::system_error const& e) {
            if (e.code() != asio::error::operation_aborted) {
                ++failures_;
                log_error("a task ended with an error", {{"task", which->name}, {"error", e.what()}});
            }
        } catch (std::exception const& e) {
            ++failures_;
            log_error("a task ended with an error", {{"task", which->name}, {"error", e.what()}});
        } catch (...) {
            ++failures_;
            log_error("a task ended with an error",
                      {{"task", which->name}, {"error", "not a std::exception"}});
        }
    }
    tasks_.erase(which);
    if (tasks_.empty()) empty_.notify_all();
}

void task_group::cancel() {
    // A signal may end its task at once and so erase the node: step on before emitting.
    for (auto it = tasks_.begin(); it != tasks_.end();) {
        auto const current = it++;
        current->signal.emit(asio::cancellation_type::terminal);
    }
}

asio::awaitable<void> task_group::join() {
    while (!tasks_.empty())
        co_await empty_.wait();
}

asio::awaitable<bool> task_group::join_until(std::chrono::steady_clock::time_point until) {
    while (!tasks_.empty()) {
        bool const notified = co_await empty_.wait_until(until);
        if (!notified) break;
    }
    co_return tasks_.empty();
}

}  // namespace engram::base

// A condition that coroutines of one executor wait for.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <list>

namespace engram::base {

/// "Look again" for coroutines: a waiter wakes when it is notified or when its time is up, and checks for
/// itself what has changed. A notification with nobody waiting is not remembered, so: check, then wait, with
/// no co_await in between. All calls from one executor. The event must outlive its waiters.
class event {
public:
    explicit event(boost::asio::any_io_executor executor) : executor_(std::move(executor)) {}
    event(event const&) = delete;
    event& operator=(event const&) = delete;

    /// Returns true when notified, false when `until` has come. Throws on cancellation.
    boost::asio::awaitable<bool> wait_until(std::chrono::steady_clock::time_point until);

    /// Waits without an end of its own. Throws on cancellation.
    boost::asio::awaitable<void> wait();

    void notify_one();
    void notify_all();
    [[nodiscard]] bool has_waiters() const { return !waiters_.empty(); }

private:
    struct waiter {
        boost::asio::steady_timer timer;
        bool notified = false;
    };

    boost::asio::any_io_executor executor_;
    std::list<waiter> waiters_;  // in order of arrival; a notified waiter has left the list
    std::list<waiter> leaving_;  // notified, not yet resumed
};

}  // namespace engram::base

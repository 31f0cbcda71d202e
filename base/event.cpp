#include "base/event.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include <utility>

namespace engram::base {

namespace asio = boost::asio;

asio::awaitable<bool> event::wait_until(std::chrono::steady_clock::time_point until) {
    auto const me = waiters_.emplace(waiters_.end(), waiter{asio::steady_timer(executor_, until)});

    // Leaves whichever list the waiter is in, however this coroutine ends.
    struct departure {
        event& of;
        std::list<waiter>::iterator me;
        ~departure() { (me->notified ? of.leaving_ : of.waiters_).erase(me); }
    } const departing{*this, me};

    co_await me->timer.async_wait(asio::as_tuple(asio::use_awaitable));
    auto const state = co_await asio::this_coro::cancellation_state;
    if (state.cancelled() != asio::cancellation_type::none) {
        if (me->notified) notify_one();  // do not lose the wake-up with this waiter
        throw boost::system::system_error(asio::error::operation_aborted);
    }
    co_return me->notified;
}

asio::awaitable<void> event::wait() {
    co_await wait_until(std::chrono::steady_clock::time_point::max());
}

void event::notify_one() {
    if (waiters_.empty()) return;
    auto const first = waiters_.begin();
    leaving_.splice(leaving_.end(), waiters_, first);
    first->notified = true;
    first->timer.cancel();
}

void event::notify_all() {
    while (!waiters_.empty())
        notify_one();
}

}  // namespace engram::base

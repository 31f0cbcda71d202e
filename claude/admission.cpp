#include "claude/admission.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include <algorithm>

namespace engram::claude {

namespace asio = boost::asio;

admission::admission(asio::any_io_executor executor, std::size_t places)
    : executor_(executor), places_(std::max<std::size_t>(places, 1)) {}

admission::place& admission::place::operator=(place&& other) noexcept {
    if (this == &other) return *this;
    leave();
    owner_ = std::exchange(other.owner_, nullptr);
    return *this;
}

void admission::place::leave() {
    if (auto* const owner = std::exchange(owner_, nullptr)) owner->hand_on();
}

void admission::hand_on() {
    auto& queue = chats_.empty() ? background_ : chats_;
    if (queue.empty()) {
        --taken_;
        return;
    }
    auto const first = queue.begin();
    granted_.splice(granted_.end(), queue, first);
    first->granted = true;
    first->timer.cancel();
}

asio::awaitable<admission::place> admission::enter(call_class priority, base::steady_time until) {
    if (taken_ < places_) {
        ++taken_;
        co_return place(this);
    }
    auto& queue = priority == call_class::chat ? chats_ : background_;
    auto const me = queue.emplace(queue.end(), waiter{asio::steady_timer(executor_, until)});

    // Leaves whichever list the waiter is in, however this coroutine ends.
    struct departure {
        std::list<waiter>& queue;
        std::list<waiter>& granted;
        std::list<waiter>::iterator me;
        ~departure() { (me->granted ? granted : queue).erase(me); }
    } const departing{queue, granted_, me};

    co_await me->timer.async_wait(asio::as_tuple(asio::use_awaitable));
    // With a place, even a cancelled caller takes it: its next wait throws, and the place goes on to the
    // next.
    if (me->granted) co_return place(this);
    auto const state = co_await asio::this_coro::cancellation_state;
    if (state.cancelled() != asio::cancellation_type::none)
        throw boost::system::system_error(asio::error::operation_aborted);
    co_return place();
}

}  // namespace engram::claude

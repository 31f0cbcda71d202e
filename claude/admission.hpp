// Who may call now.
#pragma once

#include "base/clock.hpp"
#include "claude/asker.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include <cstddef>
#include <list>
#include <utility>

namespace engram::claude {

/// A fixed number of places. Invariant: somebody waits only while all are taken. A place that becomes free is
/// handed to the first waiting chat, or if no chat waits to the first background call; so nobody can slip in
/// between. All calls from one executor; must outlive its places and waiters.
class admission {
public:
    admission(boost::asio::any_io_executor executor, std::size_t places);
    admission(admission const&) = delete;
    admission& operator=(admission const&) = delete;

    class place {
    public:
        place() = default;
        explicit place(admission* owner) : owner_(owner) {}
        place(place&& other) noexcept : owner_(std::exchange(other.owner_, nullptr)) {}
        place& operator=(place&& other) noexcept;
        ~place() { leave(); }
        explicit operator bool() const { return owner_ != nullptr; }
        void leave();

    private:
        admission* owner_ = nullptr;
    };

    /// An empty place if none became free until then. Throws on cancellation.
    boost::asio::awaitable<place> enter(call_class priority, base::steady_time until);

    [[nodiscard]] std::size_t taken() const { return taken_; }
    [[nodiscard]] std::size_t waiting() const { return chats_.size() + background_.size(); }

private:
    struct waiter {
        boost::asio::steady_timer timer;
        bool granted = false;
    };
    void hand_on();

    boost::asio::any_io_executor executor_;
    std::size_t places_;
    std::size_t taken_ = 0;
    std::list<waiter> chats_;       // in order of arrival
    std::list<waiter> background_;  // likewise
    std::list<waiter> granted_;     // have a place, not yet resumed
};

}  // namespace engram::claude

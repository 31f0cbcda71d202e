#include "base/event.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/system/system_error.hpp>
#include <boost/test/unit_test.hpp>

#include <memory>
#include <string>
#include <vector>

namespace {

namespace asio = boost::asio;
using engram::base::event;

struct fixture {
    asio::io_context io;
    event changed{io.get_executor()};
    std::vector<std::string> log;

    // Runs until nothing can go on by itself.
    void settle() {
        io.restart();
        while (io.poll_one() > 0) {
        }
    }

    asio::awaitable<void> wait_for(std::string name) {
        co_await changed.wait();
        log.push_back(name);
    }

    asio::awaitable<void> wait_with_deadline(std::string name, std::chrono::steady_clock::time_point until) {
        bool const notified = co_await changed.wait_until(until);
        log.push_back(name + (notified ? " notified" : " timed out"));
    }

    void spawn(asio::awaitable<void> task) { asio::co_spawn(io, std::move(task), asio::detached); }

    void spawn(asio::awaitable<void> task, std::string name, asio::cancellation_signal& signal) {
        asio::co_spawn(io, std::move(task),
                       asio::bind_cancellation_slot(signal.slot(), [this, name](std::exception_ptr e) {
                           if (e) log.push_back(name + " cancelled");
                       }));
    }
};

using list = std::vector<std::string>;

BOOST_FIXTURE_TEST_SUITE(events, fixture)

BOOST_AUTO_TEST_CASE(waiters_wake_one_a_notification_in_order_of_arrival) {
    spawn(wait_for("a"));
    spawn(wait_for("b"));
    spawn(wait_for("c"));
    settle();
    BOOST_CHECK(log.empty());
    changed.notify_one();
    settle();
    BOOST_CHECK(log == list({"a"}));
    changed.notify_one();
    changed.notify_one();
    settle();
    BOOST_CHECK(log == list({"a", "b", "c"}));
    BOOST_CHECK(!changed.has_waiters());
}

BOOST_AUTO_TEST_CASE(all_waiters_wake_together) {
    for (auto const* name : {"a", "b", "c"})
        spawn(wait_for(name));
    settle();
    changed.notify_all();
    BOOST_CHECK(!changed.has_waiters());
    settle();
    BOOST_CHECK(log == list({"a", "b", "c"}));
}

BOOST_AUTO_TEST_CASE(a_notification_with_nobody_waiting_is_forgotten) {
    changed.notify_one();
    changed.notify_all();
    spawn(wait_for("a"));
    settle();
    BOOST_CHECK(log.empty());
    BOOST_CHECK(changed.has_waiters());
    changed.notify_all();
    settle();
}

BOOST_AUTO_TEST_CASE(a_deadline_in_the_past_ends_the_wait) {
    spawn(wait_with_deadline("a", std::chrono::steady_clock::now()));
    settle();
    BOOST_CHECK(log == list({"a timed out"}));
    BOOST_CHECK(!changed.has_waiters());
}

BOOST_AUTO_TEST_CASE(a_notification_before_the_deadline_counts) {
    spawn(wait_with_deadline("a", std::chrono::steady_clock::now() + std::chrono::hours(1)));
    settle();
    changed.notify_one();
    settle();
    BOOST_CHECK(log == list({"a notified"}));
}

BOOST_AUTO_TEST_CASE(a_cancelled_waiter_leaves) {
    asio::cancellation_signal signal;
    spawn(wait_for("a"), "a", signal);
    spawn(wait_for("b"));
    settle();
    signal.emit(asio::cancellation_type::terminal);
    settle();
    BOOST_CHECK(log == list({"a cancelled"}));
    changed.notify_one();
    settle();
    BOOST_CHECK(log == list({"a cancelled", "b"}));
}

// In one turn of the loop: from outside of it a cancellation would arrive later, behind the wake-up.
BOOST_AUTO_TEST_CASE(a_waiter_that_is_notified_and_cancelled_hands_the_notification_on) {
    asio::cancellation_signal signal;
    spawn(wait_for("a"), "a", signal);
    spawn(wait_for("b"));
    spawn(wait_for("c"));
    settle();
    asio::post(io, [&] {
        changed.notify_one();
        signal.emit(asio::cancellation_type::terminal);
    });
    settle();
    list const expected = {"a cancelled", "b"};
    BOOST_CHECK_EQUAL_COLLECTIONS(log.begin(), log.end(), expected.begin(), expected.end());
    changed.notify_all();
    settle();
}

BOOST_AUTO_TEST_CASE(a_waiter_may_wait_again_at_once) {
    spawn([](fixture& f) -> asio::awaitable<void> {
        for (int i = 0; i < 3; ++i) {
            co_await f.changed.wait();
            f.log.push_back("woken");
        }
    }(*this));
    settle();
    changed.notify_all();
    changed.notify_all();
    settle();
    BOOST_CHECK_EQUAL(log.size(), 1U);
    changed.notify_one();
    settle();
    BOOST_CHECK_EQUAL(log.size(), 2U);
    changed.notify_one();
    settle();
    BOOST_CHECK_EQUAL(log.size(), 3U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace

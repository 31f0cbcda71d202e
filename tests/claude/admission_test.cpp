#include "claude/admission.hpp"

#include "support/failing_memory.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <new>
#include <string>

using namespace engram::claude;
namespace asio = boost::asio;
using std::chrono::steady_clock;

namespace {

struct fixture {
    asio::io_context loop;
    admission gate{loop.get_executor(), {1, 1}};
    static constexpr std::chrono::hours patience{1};
    std::string order;  // who got a place, in order; upper case: gave up
    admission::place held;

    fixture() {
        asio::co_spawn(loop, hold(), asio::detached);
        loop.poll();
    }
    asio::awaitable<void> hold() {
        held = co_await gate.enter("model", call_class::chat, steady_clock::time_point::max(), patience);
    }

    asio::awaitable<void> visit(char name, call_class priority, steady_clock::time_point until) {
        auto const place = co_await gate.enter("model", priority, until, patience);
        order += place ? name : char(name - 'a' + 'A');
    }
    void come(char name, call_class priority,
              steady_clock::time_point until = steady_clock::time_point::max()) {
        asio::co_spawn(loop, visit(name, priority, until), asio::detached);
        poll();
    }
    void poll() {
        loop.restart();
        loop.poll();
    }
    void cancel(asio::cancellation_signal& signal) {
        asio::post(loop, [&signal] { signal.emit(asio::cancellation_type::terminal); });
        poll();
    }
    void run() {
        loop.restart();
        loop.run();
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(admissions, fixture)

BOOST_AUTO_TEST_CASE(chats_go_first_and_each_class_in_order_of_arrival) {
    come('x', call_class::background);
    come('a', call_class::chat);
    come('y', call_class::background);
    come('b', call_class::chat);
    BOOST_TEST(gate.waiting() == 4U);
    held.leave();
    run();
    BOOST_TEST(order == "abxy");
    BOOST_TEST(gate.taken() == 0U);
}

BOOST_AUTO_TEST_CASE(a_newcomer_does_not_slip_in_between) {
    come('a', call_class::chat);
    held.leave();  // now 'a' has the place but has not run yet
    come('b', call_class::chat);
    run();
    BOOST_TEST(order == "ab");
}

BOOST_AUTO_TEST_CASE(who_waits_too_long_gives_up) {
    come('a', call_class::chat, steady_clock::now() + std::chrono::milliseconds(10));
    run();
    BOOST_TEST(order == "A");
    BOOST_TEST(gate.waiting() == 0U);
    held.leave();
    BOOST_TEST(gate.taken() == 0U);
}

BOOST_AUTO_TEST_CASE(a_cancelled_waiter_leaves_the_queue) {
    asio::cancellation_signal signal;
    asio::co_spawn(loop, visit('a', call_class::chat, steady_clock::time_point::max()),
                   asio::bind_cancellation_slot(signal.slot(), asio::detached));
    poll();
    come('b', call_class::chat);
    cancel(signal);
    BOOST_TEST(gate.waiting() == 1U);
    held.leave();
    run();
    BOOST_TEST(order == "b");
    BOOST_TEST(gate.taken() == 0U);
}

BOOST_AUTO_TEST_CASE(a_place_granted_to_a_cancelled_waiter_is_not_lost) {
    asio::cancellation_signal signal;
    asio::co_spawn(loop, visit('a', call_class::chat, steady_clock::time_point::max()),
                   asio::bind_cancellation_slot(signal.slot(), asio::detached));
    poll();
    asio::post(loop, [&] {
        held.leave();  // 'a' has the place now
        signal.emit(asio::cancellation_type::terminal);
    });
    come('b', call_class::chat);
    run();
    BOOST_TEST(order.ends_with("b"));
    BOOST_TEST(gate.taken() == 0U);
}

BOOST_AUTO_TEST_CASE(who_could_not_wait_for_want_of_memory_keeps_nobody_else_waiting) {
    auto const failures = engram::tests::fail_each_allocation([](std::size_t nth) {
        fixture f;
        // Both wait until a look at the clock says that the pause is over.
        f.held.refused({}, std::chrono::milliseconds(20));
        f.held.leave();
        bool failed = false;
        {
            engram::tests::failing_memory const out(nth);
            try {
                f.come('a', call_class::chat);
            } catch (std::bad_alloc const&) {
            }
            failed = out.has_failed();
        }
        f.come('b', call_class::chat);
        auto const until = steady_clock::now() + std::chrono::seconds(10);
        f.loop.restart();
        while (!f.order.ends_with("b") && f.loop.run_one_until(until) > 0)
            continue;
        BOOST_TEST(f.order.ends_with("b"), "after the failure of allocation " << nth);
        BOOST_TEST(f.gate.taken() == 0U);
        BOOST_TEST(f.gate.waiting() == 0U);
        return failed;
    });
    BOOST_TEST(failures > 0U);
}

BOOST_AUTO_TEST_SUITE_END()

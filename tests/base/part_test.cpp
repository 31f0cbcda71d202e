#include "base/part.hpp"

#include "base/event.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/test/unit_test.hpp>

#include <stdexcept>

namespace {

namespace asio = boost::asio;
using namespace engram::base;
using namespace std::chrono_literals;

struct fixture {
    asio::io_context io;
    part made{io.get_executor()};
    event released{io.get_executor()};
    int begun = 0, ended = 0, stopped = 0;

    struct mark {
        int& ended;
        ~mark() { ++ended; }
    };

    asio::awaitable<void> wait_for_ever() {
        mark const at_the_end{ended};
        ++begun;
        co_await released.wait();
    }

    // Takes its time to end.
    asio::awaitable<void> end_when_released() {
        co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
        co_await wait_for_ever();
    }

    asio::awaitable<void> fail_first() {
        if (++begun == 1) throw std::runtime_error("the first try fails");
        co_await released.wait();
    }

    void stop() {
        asio::co_spawn(io, made.stop(), [this](std::exception_ptr error) { stopped += !error; });
    }

    // Lets everything that can happen now happen.
    void settle() {
        io.restart();
        while (io.poll() > 0)
            continue;
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(a_part, fixture)

BOOST_AUTO_TEST_CASE(that_was_not_started_stops_at_once) {
    stop();
    settle();
    BOOST_TEST(stopped == 1);
}

BOOST_AUTO_TEST_CASE(runs_until_it_is_stopped) {
    made.keep_up("one", [this] { return wait_for_ever(); });
    made.spawn("two", wait_for_ever());
    settle();
    BOOST_TEST(begun == 2);
    BOOST_TEST(made.size() == 2U);
    BOOST_TEST(!made.is_stopping());
    stop();
    settle();
    BOOST_TEST(stopped == 1);
    BOOST_TEST(ended == 2);
    BOOST_TEST(made.size() == 0U);
    BOOST_TEST(made.is_stopping());
}

BOOST_AUTO_TEST_CASE(stopped_twice_at_a_time_ends_for_both_when_its_last_task_has_ended) {
    made.spawn("slow", end_when_released());
    settle();
    stop();
    stop();
    settle();
    BOOST_TEST(stopped == 0);
    released.notify_all();
    settle();
    BOOST_TEST(stopped == 2);
    BOOST_TEST(ended == 1);
}

BOOST_AUTO_TEST_CASE(stopped_again_afterwards_returns_at_once) {
    made.keep_up("one", [this] { return wait_for_ever(); });
    settle();
    stop();
    settle();
    stop();
    settle();
    BOOST_TEST(stopped == 2);
}

BOOST_AUTO_TEST_CASE(stopped_while_it_starts_runs_nothing) {
    made.keep_up("one", [this] { return wait_for_ever(); });
    made.spawn("two", wait_for_ever());
    // The coroutines have not begun yet: they do so at the next turn of the loop.
    stop();
    settle();
    BOOST_TEST(stopped == 1);
    BOOST_TEST(made.size() == 0U);
    BOOST_TEST(begun == ended);
}

BOOST_AUTO_TEST_CASE(that_stops_starts_nothing_more) {
    made.spawn("slow", end_when_released());
    settle();
    stop();
    settle();
    made.keep_up("late", [this] { return wait_for_ever(); });
    made.spawn("late", wait_for_ever());
    settle();
    BOOST_TEST(begun == 1);
    BOOST_TEST(made.size() == 1U);
    released.notify_all();
    settle();
    BOOST_TEST(stopped == 1);
}

BOOST_AUTO_TEST_CASE(begins_a_service_that_failed_anew_after_a_pause) {
    made.keep_up("failing", [this] { return fail_first(); });
    settle();
    BOOST_TEST(begun == 1);
    BOOST_TEST(made.size() == 1U);
    io.restart();
    auto const patience = std::chrono::steady_clock::now() + 10s;
    while (begun < 2 && std::chrono::steady_clock::now() < patience)
        io.run_one_until(patience);
    BOOST_TEST(begun == 2);
    stop();
    settle();
    BOOST_TEST(stopped == 1);
}

BOOST_AUTO_TEST_CASE(stops_in_the_pause_after_a_failure) {
    made.keep_up("failing", [this] { return fail_first(); });
    settle();
    stop();
    settle();
    BOOST_TEST(stopped == 1);
    BOOST_TEST(begun == 1);
}

BOOST_AUTO_TEST_SUITE_END()

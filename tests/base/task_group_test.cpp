#include "base/task_group.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

namespace asio = boost::asio;
using engram::base::task_group;

struct fixture {
    asio::io_context io;
    task_group group{io.get_executor()};
    std::vector<std::string> log;

    void settle() {
        io.restart();
        while (io.poll_one() > 0) {
        }
    }

    asio::awaitable<void> note(std::string text) {
        log.push_back(text);
        co_return;
    }

    asio::awaitable<void> wait_for_ever(std::string name) {
        // On the way out: runs however the task ends.
        struct farewell {
            fixture& f;
            std::string name;
            ~farewell() { f.log.push_back(name + " left"); }
        } const leaving{*this, name};
        log.push_back(name + " started");
        asio::steady_timer timer(io, std::chrono::hours(1));
        co_await timer.async_wait(asio::use_awaitable);
        log.push_back(name + " went on");
    }

    asio::awaitable<void> clean_up_when_cancelled() {
        asio::steady_timer timer(io, std::chrono::hours(1));
        try {
            co_await timer.async_wait(asio::use_awaitable);
        } catch (boost::system::system_error const&) {
            log.push_back("cancelled");
        }
        co_await asio::this_coro::reset_cancellation_state();
        co_await asio::post(io, asio::use_awaitable);
        log.push_back("cleaned up");
        throw boost::system::system_error(asio::error::operation_aborted);
    }

    // Inside of the loop, as a service does it.
    void cancel() {
        asio::post(io, [this] { group.cancel(); });
        settle();
    }

    template <class Exception>
    asio::awaitable<void> fail(Exception what) {
        co_await asio::post(io, asio::use_awaitable);
        throw what;
    }

    asio::awaitable<void> join() {
        co_await group.join();
        log.push_back("joined");
    }

    void start_join() { asio::co_spawn(io, join(), asio::detached); }
};

using list = std::vector<std::string>;

BOOST_FIXTURE_TEST_SUITE(task_groups, fixture)

BOOST_AUTO_TEST_CASE(a_task_starts_at_the_next_turn_of_the_loop) {
    group.spawn("a", note("ran"));
    BOOST_CHECK(log.empty());
    BOOST_CHECK_EQUAL(group.size(), 1U);
    settle();
    BOOST_CHECK(log == list({"ran"}));
    BOOST_CHECK_EQUAL(group.size(), 0U);
    BOOST_CHECK_EQUAL(group.failures(), 0U);
}

BOOST_AUTO_TEST_CASE(an_exception_is_counted_and_goes_no_further) {
    group.spawn("std", fail(std::runtime_error("broken")));
    group.spawn("system", fail(boost::system::system_error(asio::error::connection_reset)));
    group.spawn("other", fail(42));
    group.spawn("fine", note("fine"));
    BOOST_CHECK_NO_THROW(settle());
    BOOST_CHECK_EQUAL(group.failures(), 3U);
    BOOST_CHECK_EQUAL(group.size(), 0U);
    BOOST_CHECK(log == list({"fine"}));
}

BOOST_AUTO_TEST_CASE(cancelled_tasks_unwind_and_are_no_failures) {
    group.spawn("a", wait_for_ever("a"));
    group.spawn("b", wait_for_ever("b"));
    settle();
    cancel();
    BOOST_CHECK(log == list({"a started", "b started", "a left", "b left"}));
    BOOST_CHECK_EQUAL(group.size(), 0U);
    BOOST_CHECK_EQUAL(group.failures(), 0U);
}

BOOST_AUTO_TEST_CASE(a_task_cancelled_before_its_first_step_ends_too) {
    group.spawn("a", wait_for_ever("a"));
    group.cancel();
    settle();
    BOOST_CHECK_EQUAL(group.size(), 0U);
    asio::post(io, [this] {
        group.spawn("b", wait_for_ever("b"));
        group.cancel();
    });
    settle();
    BOOST_CHECK_EQUAL(group.size(), 0U);
    BOOST_CHECK_EQUAL(group.failures(), 0U);
    for (auto const& line : log)
        BOOST_CHECK(!line.ends_with("went on"));
}

BOOST_AUTO_TEST_CASE(cancelling_from_outside_of_the_loop_works_too) {
    group.spawn("a", wait_for_ever("a"));
    settle();
    group.cancel();
    settle();
    BOOST_CHECK(log == list({"a started", "a left"}));
    BOOST_CHECK_EQUAL(group.failures(), 0U);
}

BOOST_AUTO_TEST_CASE(a_task_spawned_after_cancel_is_not_affected) {
    group.spawn("a", wait_for_ever("a"));
    settle();
    asio::post(io, [this] {
        group.cancel();
        group.spawn("b", wait_for_ever("b"));
    });
    settle();
    BOOST_CHECK_EQUAL(group.size(), 1U);
    BOOST_CHECK_EQUAL(log.size(), 3U);
    BOOST_CHECK(std::find(log.begin(), log.end(), "a left") != log.end());
    BOOST_CHECK(std::find(log.begin(), log.end(), "b started") != log.end());
    cancel();
    BOOST_CHECK_EQUAL(group.size(), 0U);
}

BOOST_AUTO_TEST_CASE(a_task_may_clean_up_with_awaits_after_its_cancellation) {
    group.spawn("a", clean_up_when_cancelled());
    settle();
    cancel();
    BOOST_CHECK(log == list({"cancelled", "cleaned up"}));
    BOOST_CHECK_EQUAL(group.failures(), 0U);
}

BOOST_AUTO_TEST_CASE(join_resumes_after_the_last_task) {
    group.spawn("a", wait_for_ever("a"));
    start_join();
    settle();
    BOOST_CHECK(log == list({"a started"}));
    cancel();
    BOOST_CHECK(log == list({"a started", "a left", "joined"}));
}

BOOST_AUTO_TEST_CASE(join_on_an_empty_group_returns_at_once) {
    start_join();
    settle();
    BOOST_CHECK(log == list({"joined"}));
}

BOOST_AUTO_TEST_CASE(join_waits_for_tasks_that_tasks_have_spawned) {
    group.spawn("outer", [](fixture& f) -> asio::awaitable<void> {
        f.group.spawn("inner", f.wait_for_ever("inner"));
        co_return;
    }(*this));
    start_join();
    settle();
    BOOST_CHECK(log == list({"inner started"}));
    cancel();
    BOOST_CHECK(log == list({"inner started", "inner left", "joined"}));
}

BOOST_AUTO_TEST_CASE(join_until_gives_up_at_its_deadline_and_leaves_the_tasks_alone) {
    group.spawn("a", wait_for_ever("a"));
    bool joined = true;
    asio::co_spawn(io, group.join_until(std::chrono::steady_clock::now()),
                   [&](std::exception_ptr, bool all) { joined = all; });
    settle();
    BOOST_CHECK(!joined);
    BOOST_CHECK_EQUAL(group.size(), 1U);
    asio::co_spawn(io, group.join_until(std::chrono::steady_clock::now() + std::chrono::hours(1)),
                   [&](std::exception_ptr, bool all) { joined = all; });
    settle();
    BOOST_CHECK(!joined);
    cancel();
    BOOST_CHECK(joined);
}

BOOST_AUTO_TEST_CASE(a_thousand_tasks_are_cancelled_in_one_go) {
    for (int i = 0; i < 1'000; ++i)
        group.spawn("many", wait_for_ever("t"));
    settle();
    BOOST_CHECK_EQUAL(group.size(), 1'000U);
    cancel();
    BOOST_CHECK_EQUAL(group.size(), 0U);
    BOOST_CHECK_EQUAL(log.size(), 2'000U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace

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
#include <map>
#include <new>
#include <string>
#include <utility>

using namespace engram::claude;
namespace asio = boost::asio;
using std::chrono::steady_clock;
using namespace std::chrono_literals;

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

namespace {

struct several {
    asio::io_context loop;
    int told = 0;  // of the room
    admission gate{loop.get_executor(), {100, 1}, [this] { ++told; }};
    std::map<std::string, admission::place> places;

    // Whoever waits has to go before the admission does.
    ~several() {
        while (gate.waiting() > 0) {
            places.clear();
            loop.restart();
            loop.run_one();
        }
    }

    asio::awaitable<void> visit(admission& where, std::string name, std::string model, call_class priority,
                                std::chrono::milliseconds patience) {
        auto place = co_await where.enter(model, priority, steady_clock::now() + 1h, patience);
        places[name] = std::move(place);
    }
    void come_to(admission& where, std::string name, std::string model,
                 call_class priority = call_class::chat, std::chrono::milliseconds patience = 1h) {
        asio::co_spawn(loop, visit(where, std::move(name), std::move(model), priority, patience),
                       asio::detached);
        poll();
    }
    void come(std::string name, std::string model, call_class priority = call_class::chat,
              std::chrono::milliseconds patience = 1h) {
        come_to(gate, std::move(name), std::move(model), priority, patience);
    }
    void poll() {
        loop.restart();
        loop.poll();
    }
    bool has(std::string const& name) { return places.contains(name) && bool(places[name]); }
    template <class Done>
    void run_until(Done done) {
        loop.restart();
        while (!done())
            BOOST_REQUIRE(loop.run_one() > 0U);
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(admissions_of_several_models, several)

BOOST_AUTO_TEST_CASE(a_model_that_is_held_up_holds_up_no_other) {
    come("a", "one");
    come("b", "one");
    come("c", "two");
    BOOST_TEST(has("a"));
    BOOST_TEST(!has("b"));
    BOOST_TEST(has("c"));
    places["a"].refused({}, 50ms);
    places["a"].leave();
    BOOST_TEST(!has("b"));
    run_until([&] { return has("b"); });  // when the wish is over
}

BOOST_AUTO_TEST_CASE(a_chat_goes_before_background_calls_of_its_model) {
    come("a", "one");
    come("x", "one", call_class::background);
    come("b", "one");
    places["a"].leave();
    run_until([&] { return has("b"); });
    BOOST_TEST(!has("x"));
    places["b"].leave();
    run_until([&] { return has("x"); });
}

BOOST_AUTO_TEST_CASE(in_trouble_a_chat_does_not_wait_for_ever) {
    come("a", "one");
    come("b", "one", call_class::chat, 10ms);
    come("x", "one", call_class::background);
    // Without trouble patience does not matter.
    loop.restart();
    loop.run_for(30ms);
    BOOST_TEST(!places.contains("b"));
    places["a"].failed();
    run_until([&] { return places.contains("b"); });
    BOOST_TEST(!has("b"));
    BOOST_TEST(!places.contains("x"));
    BOOST_TEST(told > 0);
    BOOST_REQUIRE(gate.room().has_value());
    BOOST_TEST(*gate.room() == 2U);
    places["a"].leave();
    run_until([&] { return has("x"); });
}

BOOST_AUTO_TEST_CASE(of_several_models_the_one_with_the_most_room_counts) {
    come("a", "one");
    places["a"].failed();
    come("b", "one");
    run_until([&] { return gate.room().has_value(); });
    come("c", "two");
    BOOST_TEST(!gate.room().has_value());
}

BOOST_AUTO_TEST_CASE(only_paced_models_that_are_wanted_are_reported_and_a_grant_starts_who_waits) {
    admission sharing{loop.get_executor(), {100, 4, true}};
    come_to(sharing, "a", "two");
    come_to(sharing, "b", "one");
    BOOST_TEST(sharing.reports().empty());
    places["b"].answered({}, {});
    places["b"].refused({}, 0ms);
    come_to(sharing, "c", "one");
    BOOST_TEST(!has("c"));
    auto const reports = sharing.reports();
    BOOST_REQUIRE(reports.size() == 1U);
    BOOST_TEST(reports[0].model == "one");
    BOOST_TEST(reports[0].chats == 1U);
    BOOST_REQUIRE(sharing.paced().size() == 1U);
    BOOST_TEST(sharing.paced()[0].waiting == 1U);
    sharing.grant({{"three", 9, 9}, {"one", 1, 60}});
    poll();
    BOOST_TEST(has("c"));
    places.clear();
    BOOST_TEST(sharing.reports().empty());
    sharing.close();
    loop.restart();
    loop.run();  // nothing is left to wait for
}

BOOST_AUTO_TEST_SUITE_END()

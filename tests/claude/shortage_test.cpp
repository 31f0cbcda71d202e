// Calls that wait for what this machine lacks.
#include "claude/shortage.hpp"

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <memory>

namespace {

using namespace engram;
using namespace std::chrono_literals;
using claude::shortage;

struct fixture {
    shortage all;
    base::steady_time now{1h};

    std::unique_ptr<shortage::waiting> wait() {
        auto one = std::make_unique<shortage::waiting>(all, now);
        one->met("this machine: no file descriptor is free", now);
        return one;
    }
};

BOOST_FIXTURE_TEST_SUITE(shortages, fixture)

BOOST_AUTO_TEST_CASE(it_is_told_for_as_long_as_a_call_waits) {
    BOOST_TEST(all.lack() == "");
    auto one = wait();
    auto two = wait();
    BOOST_TEST(all.lack() == "this machine: no file descriptor is free");
    one.reset();
    BOOST_TEST(all.lack() != "");
    two->met("this machine: no memory is free", now);
    BOOST_TEST(all.lack() == "this machine: no memory is free");
    two.reset();
    BOOST_TEST(all.lack() == "");
}

BOOST_AUTO_TEST_CASE(five_seconds_without_an_answer_are_a_standstill) {
    now += 1h;
    BOOST_TEST(!all.stops_everything(now));
    auto one = wait();
    BOOST_TEST(!all.stops_everything(now + 4999ms));
    BOOST_TEST(all.stops_everything(now + 5s));
    one.reset();
    BOOST_TEST(!all.stops_everything(now + 5s));
}

BOOST_AUTO_TEST_CASE(fewer_calls_at_a_time_are_none) {
    auto const first = wait();
    for (int i = 0; i < 10; ++i) {
        now += 4s;
        BOOST_TEST(!all.stops_everything(now));
        all.answered(now);
    }
    // Another call that begins to wait is no answer.
    now += 3s;
    auto const second = wait();
    BOOST_TEST(all.stops_everything(now + 2s));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace

// How the jobs of the last minute ended.
#include "queue/outcomes.hpp"

#include <boost/test/unit_test.hpp>

namespace {

using namespace engram;
using namespace std::chrono_literals;

struct fixture {
    queue::outcome_counts counts;
    base::steady_time now{1000h};

    void fail(int times, std::string const& why = "internal") {
        for (int i = 0; i < times; ++i)
            counts.failed(why, now);
    }
    void answer(int times) {
        for (int i = 0; i < times; ++i)
            counts.answered(now);
    }
    [[nodiscard]] bool mostly_fail() const { return counts.recent(now).mostly_fail(); }
};

BOOST_FIXTURE_TEST_SUITE(recent_outcomes, fixture)

BOOST_AUTO_TEST_CASE(at_first_there_are_none) {
    auto const recent = counts.recent(now);
    BOOST_TEST(recent.ok + recent.failed + recent.delayed == 0u);
    BOOST_TEST(recent.last_error == "");
    BOOST_TEST(!mostly_fail());
}

BOOST_AUTO_TEST_CASE(those_of_a_minute_are_counted_and_then_forgotten) {
    answer(2);
    now += 30s;
    fail(3, "first");
    fail(1, "last");
    counts.delayed("HTTP status 529", now);
    auto const recent = counts.recent(now);
    BOOST_TEST(recent.ok == 2u);
    BOOST_TEST(recent.failed == 4u);
    BOOST_TEST(recent.delayed == 1u);
    BOOST_TEST(recent.last_error == "last");
    BOOST_TEST(recent.last_delay == "HTTP status 529");
    now += 30s;
    BOOST_TEST(counts.recent(now).ok == 0u);
    BOOST_TEST(counts.recent(now).failed == 4u);
    now += 30s;
    BOOST_TEST(counts.recent(now).failed == 0u);
    BOOST_TEST(counts.recent(now).last_error == "");
    BOOST_TEST(counts.recent(now).last_delay == "");
}

BOOST_AUTO_TEST_CASE(none_is_forgotten_before_fifty_five_seconds_or_after_sixty) {
    for (auto const after : {0s, 1s, 3s, 4s}) {
        now += after;
        fail(1);
        BOOST_TEST(counts.recent(now + 54s).failed >= 1u);
        BOOST_TEST(counts.recent(now + 60s).failed == 0u);
    }
}

BOOST_AUTO_TEST_CASE(a_piece_is_used_anew_after_any_pause) {
    fail(5);
    for (auto const pause : {60s, 65s, 120s, 86'400s}) {
        now += pause;
        answer(1);
        BOOST_TEST(counts.recent(now).ok == 1u);
        BOOST_TEST(counts.recent(now).failed == 0u);
    }
}

BOOST_AUTO_TEST_CASE(most_fail_when_it_is_three_at_least_and_more_than_were_answered) {
    fail(2);
    BOOST_TEST(!mostly_fail());
    fail(1);
    BOOST_TEST(mostly_fail());
    answer(3);
    BOOST_TEST(!mostly_fail());
    fail(1);
    BOOST_TEST(mostly_fail());
}

BOOST_AUTO_TEST_CASE(what_is_delayed_has_not_failed) {
    for (int i = 0; i < 40; ++i)
        counts.delayed("HTTP status 529 overloaded_error", now);
    BOOST_TEST(!mostly_fail());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace

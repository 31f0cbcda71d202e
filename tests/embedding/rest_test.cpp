#include "embedding/rest.hpp"

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <utility>

using engram::base::steady_time;
using engram::embedding::rest;
using namespace std::chrono_literals;

namespace {

constexpr steady_time start{1h};

/// Fails one try after the other and returns how long the rest after the n-th is, in whole milliseconds. It
/// is shortened by up to a quarter at random.
std::chrono::milliseconds rest_after(int failures) {
    rest r;
    auto now = start;
    for (int i = 0; i < failures; ++i) {
        now += 1ms;
        r.failed(now, now);
        if (i + 1 < failures) now += 1h;
    }
    auto pause = 0ms;
    while (!r.may_ask(now + pause))
        pause += 1ms;
    return pause;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(rests)

BOOST_AUTO_TEST_CASE(a_well_endpoint_is_asked_by_all) {
    rest r;
    BOOST_TEST(r.may_ask(start));
    BOOST_TEST(!r.begin());
    BOOST_TEST(r.may_ask(start));
    BOOST_TEST(!r.resting());
}

BOOST_AUTO_TEST_CASE(rests_double_from_one_second_to_one_minute) {
    for (auto const& [failures, longest] :
         {std::pair(1, std::chrono::milliseconds(1s)), {2, 2s}, {3, 4s}, {6, 32s}, {7, 60s}, {1000, 60s}}) {
        auto const pause = rest_after(failures);
        BOOST_TEST((pause <= longest));
        BOOST_TEST((pause >= longest * 3 / 4));
    }
}

BOOST_AUTO_TEST_CASE(after_a_rest_only_one_tries) {
    rest r;
    r.failed(start, start);
    BOOST_TEST(!r.may_ask(start + 749ms));
    BOOST_TEST(r.may_ask(start + 1s));
    BOOST_TEST(r.begin());
    BOOST_TEST(!r.may_ask(start + 1s));
    BOOST_TEST(!r.may_ask(start + 1h));
}

BOOST_AUTO_TEST_CASE(a_query_that_may_be_sent_and_is_not_keeps_no_other_from_trying) {
    rest r;
    r.failed(start, start);
    BOOST_TEST(r.may_ask(start + 1s));
    BOOST_TEST(r.may_ask(start + 1s));
}

BOOST_AUTO_TEST_CASE(a_try_that_was_given_up_lets_the_next_one_try) {
    rest r;
    r.failed(start, start);
    r.begin();
    BOOST_TEST(!r.may_ask(start + 1s));
    r.gave_up();
    BOOST_TEST(r.may_ask(start + 1s));
}

BOOST_AUTO_TEST_CASE(any_success_ends_a_rest) {
    rest r;
    BOOST_TEST(!r.succeeded());
    BOOST_TEST(r.failed(start, start));
    BOOST_TEST(!r.failed(start + 1s, start + 1s));
    BOOST_TEST(r.succeeded());
    BOOST_TEST(r.may_ask(start + 1s));
    BOOST_TEST(r.may_ask(start + 1s));
    BOOST_TEST(r.failed(start + 2s, start + 2s));
    BOOST_TEST(r.may_ask(start + 3s));  // begins again with the shortest
}

BOOST_AUTO_TEST_CASE(requests_that_failed_together_are_one_failure) {
    rest r;
    r.failed(start, start + 10ms);
    for (auto const began : {start, start + 5ms, start + 10ms})
        r.failed(began, start + 20ms);
    BOOST_TEST(r.may_ask(start + 1010ms));
}

BOOST_AUTO_TEST_SUITE_END()

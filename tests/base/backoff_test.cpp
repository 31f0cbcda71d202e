#include "base/backoff.hpp"

#include <boost/test/unit_test.hpp>

#include <set>

namespace {

using namespace engram::base;
using namespace std::chrono_literals;
using std::chrono::milliseconds;

bool is_about(milliseconds pause, milliseconds full) {
    return pause <= full && pause >= full * 3 / 4 - 1ms;
}

BOOST_AUTO_TEST_SUITE(backoff_pauses)

BOOST_AUTO_TEST_CASE(they_double_up_to_the_longest) {
    backoff pauses(100ms, 1s);
    for (milliseconds const full : {100ms, 200ms, 400ms, 800ms, 1000ms, 1000ms})
        BOOST_TEST(is_about(pauses.next(), full));
}

BOOST_AUTO_TEST_CASE(a_success_begins_anew) {
    backoff pauses(100ms, 1s);
    for (int i = 0; i < 5; ++i)
        (void)pauses.next();
    pauses.reset();
    BOOST_TEST(is_about(pauses.next(), 100ms));
}

BOOST_AUTO_TEST_CASE(a_first_pause_above_the_longest_is_the_longest) {
    backoff pauses(5s, 1s);
    BOOST_TEST(is_about(pauses.next(), 1s));
    BOOST_TEST(is_about(backoff_after(0, 5s, 1s), 1s));
}

BOOST_AUTO_TEST_CASE(those_who_failed_together_do_not_come_back_together) {
    std::set<milliseconds> pauses;
    for (int i = 0; i < 100; ++i)
        pauses.insert(backoff_after(0, 1h, 1h));
    BOOST_TEST(pauses.size() > 10U);
}

BOOST_AUTO_TEST_CASE(it_can_be_told_how_many_tries_there_were) {
    BOOST_TEST(is_about(backoff_after(0, 30s, 1h), 30s));
    BOOST_TEST(is_about(backoff_after(3, 30s, 1h), 240s));
    BOOST_TEST(is_about(backoff_after(7, 30s, 1h), 1h));
    BOOST_TEST(is_about(backoff_after(4'000'000'000U, 30s, 1h), 1h));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace

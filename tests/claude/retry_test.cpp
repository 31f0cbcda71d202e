#include "claude/retry.hpp"

#include <boost/test/unit_test.hpp>

using namespace engram::claude;
using namespace std::chrono;

namespace {

sys_seconds const now = sys_days(year(2026) / 11 / 22) + hours(10);

// -1: none
std::int64_t delay(std::string_view ms, std::string_view after) {
    auto const found = server_delay(ms, after, now);
    return found ? found->count() : -1;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(retry)

BOOST_AUTO_TEST_CASE(the_status_decides) {
    for (int const yes : {408, 409, 429, 500, 502, 503, 504, 529, 599})
        BOOST_TEST(is_retryable(yes, ""));
    for (int const no : {300, 301, 400, 401, 402, 403, 404, 413, 422, 499})
        BOOST_TEST(!is_retryable(no, ""));
}

BOOST_AUTO_TEST_CASE(the_server_can_overrule_the_status) {
    BOOST_TEST(is_retryable(400, "true"));
    BOOST_TEST(!is_retryable(529, "false"));
    BOOST_TEST(is_retryable(529, "maybe"));
}

BOOST_AUTO_TEST_CASE(milliseconds_come_before_seconds) {
    BOOST_TEST(delay("250", "7") == 250);
    BOOST_TEST(delay("", "7") == 7000);
    BOOST_TEST(delay("soon", "7") == 7000);
}

BOOST_AUTO_TEST_CASE(seconds_may_have_a_fraction) {
    BOOST_TEST(delay("", "1.5") == 1500);
    BOOST_TEST(delay("0.5", "") == 1);  // never earlier than asked
    BOOST_TEST(delay("", " 2 ") == 2000);
}

BOOST_AUTO_TEST_CASE(a_date_counts_from_now) {
    BOOST_TEST(delay("", "Sun, 22 Nov 2026 10:00:30 GMT") == 30'000);
    BOOST_TEST(delay("", "Sun, 22 Nov 2026 09:59:30 GMT") == -1);
    BOOST_TEST(delay("", "Sun, 22 Nov 2026 11:00:00 GMT") == -1);
}

BOOST_AUTO_TEST_CASE(an_unreasonable_wish_is_ignored) {
    for (auto const* bad : {"", "0", "-1", "61", "1e300", "nan", "inf", "-inf", "5 apples", "0x10", "٣"})
        BOOST_TEST(delay("", bad) == -1, bad);
    BOOST_TEST(delay("", "60") == 60'000);
    BOOST_TEST(delay("60001", "") == -1);
}

BOOST_AUTO_TEST_CASE(dates_that_are_none_are_refused) {
    BOOST_TEST(parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT").has_value());
    for (auto const* bad : {"", "Sun, 06 Nov 1994 08:49:37 UTC", "Sun, 31 Feb 1994 08:49:37 GMT",
                            "Sun, 06 Nov 1994 24:49:37 GMT", "Sun, 06 Foo 1994 08:49:37 GMT",
                            "Sun, -6 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT"})
        BOOST_TEST(!parse_http_date(bad).has_value(), bad);
}

BOOST_AUTO_TEST_SUITE_END()

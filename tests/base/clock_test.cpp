#include "base/clock.hpp"

#include <boost/test/unit_test.hpp>

namespace {

using namespace std::chrono;
using namespace engram::base;

wall_time at(sys_days day, milliseconds time) {
    return wall_time(day.time_since_epoch() + time);
}

BOOST_AUTO_TEST_SUITE(clock_text)

BOOST_AUTO_TEST_CASE(utc_text_has_the_form_that_sqlite_reads) {
    BOOST_CHECK_EQUAL(to_utc_text(wall_time{}), "1970-01-01 00:00:00.000");
    BOOST_CHECK_EQUAL(to_utc_text(at(sys_days(2026y / 11 / 23), 9h + 5min + 7s + 42ms)),
                      "2026-11-23 09:05:07.042");
    BOOST_CHECK_EQUAL(to_utc_text(at(sys_days(2028y / 2 / 29), 23h + 59min + 59s + 999ms)),
                      "2028-02-29 23:59:59.999");
}

BOOST_AUTO_TEST_CASE(parts_of_a_millisecond_are_cut_off_before_the_epoch_too) {
    BOOST_CHECK_EQUAL(to_utc_text(wall_time(microseconds(1'999))), "1970-01-01 00:00:00.001");
    BOOST_CHECK_EQUAL(to_utc_text(wall_time(microseconds(-1))), "1969-12-31 23:59:59.999");
}

BOOST_AUTO_TEST_CASE(unix_time_counts_milliseconds) {
    BOOST_CHECK_EQUAL(to_unix_ms(wall_time{}), 0);
    BOOST_CHECK_EQUAL(to_unix_ms(at(sys_days(2026y / 11 / 23), 1ms)), 1'795'392'000'001);
}

BOOST_AUTO_TEST_CASE(elapsed_time_is_never_negative) {
    steady_time const now{5s};
    BOOST_CHECK_EQUAL(elapsed_ms(now, now + 1'500us), 1);
    BOOST_CHECK_EQUAL(elapsed_ms(now, now), 0);
    BOOST_CHECK_EQUAL(elapsed_ms(now, now - 1s), 0);
}

BOOST_AUTO_TEST_CASE(the_clock_of_the_system_runs_forward) {
    engram::base::clock const clock;
    auto const first = clock.steady();
    BOOST_CHECK(clock.steady() >= first);
    BOOST_CHECK_GT(to_unix_ms(clock.wall()), 1'700'000'000'000);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace

#include "recall/dates.hpp"

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <string>

namespace {

using namespace engram::recall;

std::uint32_t minutes(int year, unsigned month, unsigned day, int hour = 12) {
    auto const date =
        std::chrono::sys_days(std::chrono::year(year) / std::chrono::month(month) / std::chrono::day(day));
    return static_cast<std::uint32_t>(date.time_since_epoch().count() * 24 * 60 + hour * 60);
}

/// How close a text of that day is to what the query asks, on Wednesday, 14 June 2023.
double fit(std::string const& query, int year, unsigned month, unsigned day) {
    return closeness(asked_dates(query, minutes(2023, 6, 14)), minutes(year, month, day));
}

BOOST_AUTO_TEST_SUITE(dates)

BOOST_AUTO_TEST_CASE(a_full_date_is_told_that_day_or_soon_after) {
    for (auto const* query :
         {"on 7 May 2023?", "May 7, 2023", "7th of May, 2023", "the 7th of may 2023", "May 7th 2023"}) {
        BOOST_TEST_CONTEXT(query) {
            BOOST_TEST(fit(query, 2023, 5, 7) == 1);
            BOOST_TEST(fit(query, 2023, 5, 8) == 1);
            BOOST_TEST(fit(query, 2023, 5, 6) == .5);
            BOOST_TEST(fit(query, 2023, 5, 21) == .5);
            BOOST_TEST(fit(query, 2023, 5, 22) == 0);
            BOOST_TEST(fit(query, 2022, 5, 7) == 0);
        }
    }
}

BOOST_AUTO_TEST_CASE(a_day_without_a_year_is_of_any_year) {
    BOOST_TEST(fit("on 31 December", 2024, 1, 1) == .5);
    BOOST_TEST(fit("on 3 August", 2021, 8, 4) == 1);
    BOOST_TEST(fit("on 3 August", 2021, 9, 4) == 0);
}

BOOST_AUTO_TEST_CASE(a_month_reaches_into_the_next) {
    BOOST_TEST(fit("in March 2022", 2022, 3, 30) == 1);
    BOOST_TEST(fit("in March 2022", 2022, 4, 15) == .5);
    BOOST_TEST(fit("in March 2022", 2022, 4, 16) == 0);
    BOOST_TEST(fit("in March 2022", 2023, 3, 3) == 0);
    BOOST_TEST(fit("in December 2022", 2023, 1, 3) == .5);
}

BOOST_AUTO_TEST_CASE(a_year_counts_only_without_a_better_date) {
    BOOST_TEST(fit("in 2022", 2022, 12, 1) == 1);
    BOOST_TEST(fit("in 2022", 2023, 1, 1) == 0);
    BOOST_TEST(asked_dates("March 2022 or 2021", 0).size() == 1U);
}

BOOST_AUTO_TEST_CASE(may_is_a_month_only_when_the_words_around_say_so) {
    BOOST_TEST(asked_dates("what may I eat", 0).empty());
    BOOST_TEST(asked_dates("may-be", 0).empty());
    BOOST_TEST(asked_dates("what happened in May", 0).size() == 1U);
    BOOST_TEST(asked_dates("what happened in, well. May", 0).empty());
}

BOOST_AUTO_TEST_CASE(words_count_from_now) {
    BOOST_TEST(fit("what did I say today", 2023, 6, 14) == 1);
    BOOST_TEST(fit("yesterday", 2023, 6, 13) == 1);
    BOOST_TEST(fit("yesterday", 2023, 6, 11) == 0);
    BOOST_TEST(fit("last night", 2023, 6, 13) == 1);
    BOOST_TEST(fit("this week", 2023, 6, 12) == 1);
    BOOST_TEST(fit("last week", 2023, 6, 5) == 1);
    BOOST_TEST(fit("last week", 2023, 6, 11) == 1);
    BOOST_TEST(fit("last week", 2023, 6, 3) == 0);
    BOOST_TEST(fit("this month", 2023, 6, 2) == 1);
    BOOST_TEST(fit("last month", 2023, 5, 2) == 1);
    BOOST_TEST(fit("this year", 2023, 1, 2) == 1);
    BOOST_TEST(fit("last year", 2022, 1, 2) == 1);
    BOOST_TEST(fit("3 days ago", 2023, 6, 11) == 1);
    BOOST_TEST(fit("two weeks ago", 2023, 5, 31) == 1);
    BOOST_TEST(fit("a month ago", 2023, 5, 20) == 1);
    BOOST_TEST(fit("18 months ago", 2021, 12, 20) == 1);
    BOOST_TEST(fit("last Tuesday", 2023, 6, 13) == 1);
    BOOST_TEST(fit("last Wednesday", 2023, 6, 7) == 1);
    BOOST_TEST(fit("last friday", 2023, 6, 9) == 1);
}

BOOST_AUTO_TEST_CASE(without_a_now_such_words_mean_nothing) {
    BOOST_TEST(asked_dates("yesterday, last week, 3 days ago, last year", 0).empty());
}

BOOST_AUTO_TEST_CASE(odd_dates_are_no_dates_or_fit_nothing) {
    BOOST_TEST(fit("31 February 2023", 2023, 2, 28) == 0);
    BOOST_TEST(asked_dates("in 1899 or 2100 or 20231", 0).empty());
    BOOST_TEST(asked_dates("9999 years ago", minutes(2023, 6, 14)).size() == 1U);
    BOOST_TEST(fit("9999 months ago", 2023, 6, 14) == 0);
    BOOST_TEST(fit("9999 weeks ago", 2023, 6, 14) == 0);
    std::string many;
    for (int i = 0; i < 10'000; ++i)
        many += "7 May 2023 ";
    BOOST_TEST(asked_dates(many, 0).size() == 8U);
    BOOST_TEST(closeness(asked_dates("in 2022", 0), 0) == 0);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace

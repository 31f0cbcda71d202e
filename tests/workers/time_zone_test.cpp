#include "workers/time_zone.hpp"

#include "support/no_descriptors.hpp"

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <unistd.h>

namespace {

using namespace std::chrono;
using engram::workers::time_zone;

engram::base::wall_time at(year_month_day day, minutes time) {
    return sys_days(day) + time;
}

std::string told(std::string_view name, engram::base::wall_time when) {
    auto const zone = time_zone::open(name);
    BOOST_REQUIRE_MESSAGE(zone, name << " is not known");
    return zone->describe(when);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(time_zones_by_name)

BOOST_AUTO_TEST_CASE(a_moment_is_told_with_weekday_date_time_and_offset_of_its_place) {
    auto const noon = at(2026y / November / 30, 13h + 5min);
    BOOST_TEST(told("Europe/Berlin", noon) == "Monday, 2026-11-30, 14:05 (Europe/Berlin, UTC+01:00)");
    BOOST_TEST(told("UTC", noon) == "Monday, 2026-11-30, 13:05 (UTC)");
    BOOST_TEST(told("America/New_York", noon) == "Monday, 2026-11-30, 08:05 (America/New_York, UTC-05:00)");
    BOOST_TEST(told("Asia/Kathmandu", noon) == "Monday, 2026-11-30, 18:50 (Asia/Kathmandu, UTC+05:45)");
    BOOST_TEST(told("Etc/GMT+3", noon) == "Monday, 2026-11-30, 10:05 (Etc/GMT+3, UTC-03:00)");
    BOOST_TEST(told("America/Argentina/Buenos_Aires", noon) ==
               "Monday, 2026-11-30, 10:05 (America/Argentina/Buenos_Aires, UTC-03:00)");
}

BOOST_AUTO_TEST_CASE(the_day_is_that_of_the_place) {
    auto const late = at(2026y / December / 31, 22h + 30min);
    BOOST_TEST(told("Pacific/Auckland", late) == "Friday, 2027-01-01, 11:30 (Pacific/Auckland, UTC+13:00)");
    BOOST_TEST(told("Pacific/Honolulu", late) == "Thursday, 2026-12-31, 12:30 (Pacific/Honolulu, UTC-10:00)");
}

BOOST_AUTO_TEST_CASE(summer_time_begins_and_ends) {
    BOOST_TEST(told("Europe/Berlin", at(2026y / March / 29, 59min)).find("01:59 (") != std::string::npos);
    BOOST_TEST(told("Europe/Berlin", at(2026y / March / 29, 60min)) ==
               "Sunday, 2026-03-29, 03:00 (Europe/Berlin, UTC+02:00)");
    BOOST_TEST(told("Europe/Berlin", at(2026y / October / 25, 60min)) ==
               "Sunday, 2026-10-25, 02:00 (Europe/Berlin, UTC+01:00)");
    BOOST_TEST(told("Europe/Berlin", at(2050y / July / 1, 0min)).find("UTC+02:00") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(what_is_no_name_of_a_zone_opens_nothing) {
    for (std::string const name : {"",
                                   " ",
                                   "/",
                                   "Mars/Olympus",
                                   "europe/berlin",
                                   "Europe/Berlin ",
                                   " Europe/Berlin",
                                   "Europe",
                                   "Europe/",
                                   "Europe//Berlin",
                                   "/Europe/Berlin",
                                   "Europe/../Europe/Berlin",
                                   "../../etc/passwd",
                                   "../../../../../../etc/hostname",
                                   "/etc/passwd",
                                   "/usr/share/zoneinfo/Europe/Berlin",
                                   "./UTC",
                                   "localtime",
                                   "posixrules",
                                   "posix/Europe/Berlin",
                                   "right/Europe/Berlin",
                                   "zone.tab",
                                   "tzdata.zi",
                                   "file:Europe/Berlin",
                                   "libc:localtime",
                                   "Fixed/UTC+05:00:00",
                                   "UTC+1",
                                   "utc",
                                   "Z",
                                   "+01:00",
                                   "GMT%2B1",
                                   "Europe\\Berlin",
                                   "Europe/Berl\xC3\xADn"})
        BOOST_TEST(!time_zone::open(name), name);
    BOOST_TEST(!time_zone::open(std::string("Europe/Berlin\0", 14)));
    BOOST_TEST(!time_zone::open("Europe/" + std::string(100'000, 'a')));
}

BOOST_AUTO_TEST_CASE(where_the_system_has_no_table_there_is_still_utc) {
    setenv("TZDIR", "/nowhere", 1);
    auto const utc = time_zone::open("UTC");
    auto const other = time_zone::open("Europe/Rome");
    unsetenv("TZDIR");
    BOOST_TEST(bool(utc));
    BOOST_TEST(!other);
}

BOOST_AUTO_TEST_CASE(a_zone_that_could_not_be_read_for_a_moment_is_read_the_next_time) {
    {
        engram::tests::no_descriptors const none;
        for (int i = 0; i < 2; ++i)
            BOOST_CHECK_THROW((void)time_zone::open("Pacific/Chatham"), engram::workers::unreadable_zone);
        BOOST_TEST(bool(time_zone::open("UTC")));
        BOOST_TEST(!time_zone::open("no name of a zone"));
    }
    auto const noon = at(2026y / November / 30, 13h + 5min);
    BOOST_TEST(told("Pacific/Chatham", noon) == "Tuesday, 2026-12-01, 02:50 (Pacific/Chatham, UTC+13:45)");
}

BOOST_AUTO_TEST_CASE(a_zone_that_was_damaged_is_read_once_it_is_whole) {
    namespace fs = std::filesystem;
    auto const table = fs::temp_directory_path() / ("engram-zones-" + std::to_string(::getpid()));
    fs::create_directories(table);
    std::ofstream(table / "Here") << "no rules";
    setenv("TZDIR", table.c_str(), 1);
    for (int i = 0; i < 3; ++i)
        BOOST_CHECK_THROW((void)time_zone::open("Here"), engram::workers::unreadable_zone);
    fs::copy_file("/usr/share/zoneinfo/Asia/Tokyo", table / "Here", fs::copy_options::overwrite_existing);
    BOOST_TEST(told("Here", at(2026y / November / 30, 13h)) == "Monday, 2026-11-30, 22:00 (Here, UTC+09:00)");
    unsetenv("TZDIR");
    fs::remove_all(table);
}

BOOST_AUTO_TEST_SUITE_END()

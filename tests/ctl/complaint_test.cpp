#include "ctl/complaint.hpp"

#include <boost/test/unit_test.hpp>

#include <string>
#include <sysexits.h>

namespace {

using namespace engram;
using engram::ctl::explain;
using redis::error_kind;

int status_of(std::string message) {
    return explain({redis::error_kind::refused, std::move(message)}).status;
}

BOOST_AUTO_TEST_SUITE(complaints)

BOOST_AUTO_TEST_CASE(each_error_has_its_exit_code) {
    BOOST_TEST(status_of("WRONGTYPE Operation against a key") == EX_CONFIG);
    BOOST_TEST(status_of("READONLY You can't write") == EX_TEMPFAIL);
    BOOST_TEST(status_of("OOM command not allowed") == EX_TEMPFAIL);
    BOOST_TEST(status_of("LOADING Redis is loading") == EX_TEMPFAIL);
    BOOST_TEST(status_of("NOPERM this user has no permissions") == EX_NOPERM);
    BOOST_TEST(status_of("ERR something else") == EX_UNAVAILABLE);
    BOOST_TEST(explain({redis::error_kind::timeout, "late"}).status == EX_UNAVAILABLE);
    BOOST_TEST(explain({redis::error_kind::disconnected, "WRONGTYPE"}).status == EX_UNAVAILABLE);
}

BOOST_AUTO_TEST_CASE(an_error_inside_of_a_script_is_known_too) {
    BOOST_TEST(
        status_of("ERR Error running script (call to f_1): @user_script:9: WRONGTYPE Operation against") ==
        EX_CONFIG);
    BOOST_TEST(status_of("ERR Error running script (call to f_1): @user_script:9: -READONLY You can't") ==
               EX_TEMPFAIL);
    BOOST_TEST(
        status_of("ERR The user executing the script can't run this command or subcommand script: 1") ==
        EX_NOPERM);
    BOOST_TEST(status_of("ERR ACL failure in script: User u has no permissions script: 1") == EX_NOPERM);
}

BOOST_AUTO_TEST_CASE(what_passes_by_itself_is_worth_another_try) {
    using engram::ctl::is_passing;
    BOOST_TEST(is_passing({redis::error_kind::disconnected, "gone"}));
    BOOST_TEST(is_passing({redis::error_kind::timeout, "late"}));
    BOOST_TEST(is_passing({redis::error_kind::refused, "LOADING the data"}));
    BOOST_TEST(!is_passing({redis::error_kind::refused, "WRONGTYPE Operation"}));
    BOOST_TEST(!is_passing({redis::error_kind::refused, "NOPERM"}));
}

BOOST_AUTO_TEST_CASE(whatever_redis_says_stays_one_line) {
    auto const said =
        explain({redis::error_kind::refused, "ERR a\nb\x1b[31m" + std::string(10'000, 'x')}).line;
    BOOST_TEST(said.find('\n') == std::string::npos);
    BOOST_TEST(said.find('\x1b') == std::string::npos);
    BOOST_TEST(said.size() < 400);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace

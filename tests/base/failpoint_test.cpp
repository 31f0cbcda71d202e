// Where a test may have the process killed.
#include "base/failpoint.hpp"

#include <boost/test/unit_test.hpp>

#include <string>

namespace {

using engram::base::arm_failpoint;

BOOST_AUTO_TEST_SUITE(failpoint)

BOOST_AUTO_TEST_CASE(without_a_setting_nothing_is_armed) {
    BOOST_TEST(arm_failpoint(nullptr).empty());
}

#ifdef ENGRAM_FAILPOINTS
BOOST_AUTO_TEST_CASE(a_place_that_does_not_exist_is_refused) {
    for (auto const* odd : {"", "nowhere:1", "committed", "committed:", "committed:0", "committed:x",
                            "committed:1:pause", "committed:1stop"})
        BOOST_TEST(!arm_failpoint(odd).empty());
}

BOOST_AUTO_TEST_CASE(other_places_are_passed) {
    BOOST_TEST(arm_failpoint("committed:1:stop").empty());
    engram::base::failpoint("finished");
    BOOST_TEST(arm_failpoint("claimed:1000000").empty());
    engram::base::failpoint("claimed");
}
#else
BOOST_AUTO_TEST_CASE(a_build_without_them_refuses_all) {
    BOOST_TEST(!arm_failpoint("committed:1").empty());
}
#endif

BOOST_AUTO_TEST_SUITE_END()

}  // namespace

#include "claude/fallbacks.hpp"

#include <boost/test/unit_test.hpp>

using namespace engram::claude;
using namespace std::chrono_literals;
using models = std::vector<std::string>;

namespace {

error failed_with(error_kind kind, int status) {
    return {kind, "x", status, 1};
}

error const gone = failed_with(error_kind::model_gone, 404);
error const overloaded = failed_with(error_kind::unavailable, 529);
auto const now = std::chrono::steady_clock::now();

}  // namespace

BOOST_AUTO_TEST_SUITE(fallbacks_of_models)

BOOST_AUTO_TEST_CASE(the_model_that_was_asked_for_is_first_and_none_comes_twice) {
    fallbacks tested({"b", "a", "c", "b"}, false);
    BOOST_TEST(tested.candidates("a", now) == models({"c", "b", "a"}), boost::test_tools::per_element());
    BOOST_TEST(tested.candidates("x", now) == models({"c", "a", "b", "x"}), boost::test_tools::per_element());
    BOOST_TEST(!tested.empty());
    BOOST_TEST(fallbacks({}, true).empty());
}

BOOST_AUTO_TEST_CASE(what_is_gone_is_left_out_for_ten_minutes) {
    fallbacks tested({"b"}, false);
    BOOST_TEST(tested.failed("a", gone, "b", now));
    BOOST_TEST(tested.candidates("a", now + 9min) == models({"b"}), boost::test_tools::per_element());
    BOOST_TEST(tested.candidates("a", now + 11min) == models({"b", "a"}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(if_all_are_gone_all_are_asked) {
    fallbacks tested({"b"}, false);
    BOOST_TEST(tested.failed("a", gone, "b", now));
    BOOST_TEST(tested.failed("b", gone, "", now));
    BOOST_TEST(tested.candidates("a", now) == models({"b", "a"}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_model_that_answers_or_a_new_list_is_believed) {
    fallbacks tested({"b"}, false);
    BOOST_TEST(tested.failed("a", gone, "b", now));
    tested.answered("a");
    BOOST_TEST(tested.candidates("a", now).size() == 2U);
    BOOST_TEST(tested.failed("a", gone, "b", now));
    tested.set({"b"}, false);
    BOOST_TEST(tested.candidates("a", now).size() == 2U);
}

BOOST_AUTO_TEST_CASE(overload_is_not_remembered_and_counts_only_if_wanted) {
    fallbacks no({"b"}, false), yes({"b"}, true);
    BOOST_TEST(!no.failed("a", overloaded, "b", now));
    BOOST_TEST(yes.failed("a", overloaded, "b", now));
    BOOST_TEST(yes.failed("a", failed_with(error_kind::deadline, 429), "b", now));
    BOOST_TEST(yes.candidates("a", now).size() == 2U);
    for (auto const& why : {failed_with(error_kind::unavailable, 500),
                            failed_with(error_kind::unavailable, 0), failed_with(error_kind::rejected, 429),
                            failed_with(error_kind::auth, 401), failed_with(error_kind::deadline, 0)})
        BOOST_TEST(!yes.failed("a", why, "b", now));
}

BOOST_AUTO_TEST_SUITE_END()

#include "claude/model_info.hpp"

#include <boost/test/unit_test.hpp>

using namespace engram::claude;
using namespace std::chrono;

namespace {

sys_seconds const new_year = sys_days(year(2027) / 1 / 1);

}  // namespace

BOOST_AUTO_TEST_SUITE(descriptions_of_models)

BOOST_AUTO_TEST_CASE(a_description_is_read) {
    auto const found = parse_model(
        R"({"type":"model","id":"claude-opus-5-5","display_name":"Claude Opus 5.5","lifecycle":"deprecated",
            "deprecated_at":"2026-11-01T00:00:00Z","retires_at":"2027-01-01T00:00:00Z","max_input_tokens":1000000})");
    BOOST_REQUIRE(found);
    BOOST_TEST(found->id == "claude-opus-5-5");
    BOOST_CHECK(found->retires_at == new_year);
    BOOST_TEST(found->max_input_tokens == 1'000'000);
}

BOOST_AUTO_TEST_CASE(all_but_the_id_may_be_absent_null_or_odd) {
    for (auto const* body : {R"({"id":"m"})", R"({"id":"m","retires_at":null,"max_input_tokens":null})",
                             R"({"id":"m","retires_at":7,"max_input_tokens":"many"})",
                             R"({"id":"m","retires_at":"soon","max_input_tokens":-5})",
                             R"({"id":"m","max_input_tokens":1.5})"}) {
        auto const found = parse_model(body);
        BOOST_REQUIRE(found);
        BOOST_TEST(!found->retires_at);
        BOOST_TEST(found->max_input_tokens == 0);
    }
}

BOOST_AUTO_TEST_CASE(what_is_no_description_is_none) {
    for (auto const* body : {"", "null", "[]", "7", "<html>", "{}", R"({"id":null})", R"({"id":""})",
                             R"({"id":7})", R"({"data":[{"id":"m"}]})", R"({"id":"m")"})
        BOOST_TEST(!parse_model(body), body);
}

BOOST_AUTO_TEST_CASE(times_are_read_in_the_forms_of_rfc_3339) {
    for (auto const* text :
         {"2027-01-01T00:00:00Z", "2027-01-01t00:00:00z", "2027-01-01 00:00:00Z",
          "2027-01-01T00:00:00.999999Z", "2027-01-01T00:00:00", "2027-01-01", "2027-01-01T02:00:00+02:00",
          "2026-12-31T19:30:00-04:30", "2027-01-01T01:00:00.5+01:00"})
        BOOST_CHECK_MESSAGE(parse_api_time(text) == new_year, text);
    BOOST_CHECK(parse_api_time("2028-02-29T12:34:56Z") ==
                sys_days(year(2028) / 2 / 29) + hours(12) + minutes(34) + seconds(56));
}

BOOST_AUTO_TEST_CASE(times_that_are_none_are_refused) {
    for (auto const* text :
         {"", "2027", "2027-1-1", "2027-13-01", "2027-02-29", "2027-01-01T", "2027-01-01T00:00",
          "2027-01-01T24:00:00Z", "2027-01-01T00:60:00Z", "2027-01-01T00:00:00+2", "2027-01-01T00:00:00X",
          "2027-01-01T00:00:00+25:00", "2027/01/01", "01-01-2027", "-027-01-01", "2027-01-01Z00:00:00Z",
          "2027-01-01T00:00:00ZZ"})
        BOOST_TEST(!parse_api_time(text).has_value(), text);
}

BOOST_AUTO_TEST_CASE(a_name_in_a_path_is_escaped) {
    BOOST_TEST(model_path("claude-opus-5-5") == "/v1/models/claude-opus-5-5");
    BOOST_TEST(model_path("a/b:c d?e#\r\n\xC3\xA4") == "/v1/models/a%2Fb%3Ac%20d%3Fe%23%0D%0A%C3%A4");
}

BOOST_AUTO_TEST_SUITE_END()

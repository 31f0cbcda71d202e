#include "ctl/provider_page.hpp"

#include <boost/test/unit_test.hpp>

#include <string>

namespace {

using namespace engram::ctl;

constexpr std::int64_t november_30 = 1'796'040'000'000;  // 2026-11-30 08:00 UTC

instance_view instance_with(std::string_view status, std::string name = "web-1") {
    instance_view one;
    one.name = std::move(name);
    one.lease_left_ms = 1;
    read_status(status, one);
    return one;
}

std::string lines_of(std::string_view status) {
    return provider_lines({instance_with(status)}, november_30);
}

BOOST_AUTO_TEST_SUITE(provider_pages)

BOOST_AUTO_TEST_CASE(a_gate_that_is_shut_tells_cause_cure_and_next_try) {
    BOOST_TEST(
        lines_of(R"({"api":{"state":"shut","kind":"auth","cause":"HTTP status 401 authentication_error",)"
                 R"("cure":"put a valid key there","next_try_ms":11001,"refused":3}})") ==
        "web-1: Claude refuses every call: HTTP status 401 authentication_error; put a valid key "
        "there; the next try in 12 s\n");
    BOOST_TEST(lines_of(R"({"api":{"state":"trial","next_try_ms":0}})") ==
               "web-1: Claude refuses every call; the next try now\n");
}

BOOST_AUTO_TEST_CASE(an_open_gate_and_what_is_none_tell_nothing) {
    for (std::string_view const status :
         {R"({"api":{"state":"open","kind":"","cause":"","cure":"","next_try_ms":0,"refused":9}})", "{}",
          R"({"api":"shut"})", R"({"api":{"state":7}})", R"({"api":{"state":""}})", R"({"models":{}})",
          R"({"models":[1,null,{"gone":true},{"model":"","gone":true},{"model":"m","retires_at":null},)"
          R"({"model":"m","retires_at":"soon"},{"model":"m","retires_at":"2026-13-01"},)"
          R"({"model":"m","retires_at":"2026-1x-01"},{"model":"m","gone":false}]})"})
        BOOST_TEST(lines_of(status) == "", status);
}

BOOST_AUTO_TEST_CASE(a_model_that_ends_within_sixty_days_is_named) {
    auto const line = [](std::string const& day) {
        return lines_of(R"({"models":[{"model":"claude-opus-4-5","retires_at":")" + day +
                        R"(T00:00:00Z","gone":false}]})");
    };
    BOOST_TEST(
        line("2027-01-22") ==
        "claude-opus-4-5 ends on 2027-01-22 (53 days): name one that stays in its place, then reload\n");
    BOOST_TEST(line("2027-01-29").find("(60 days)") != std::string::npos);
    BOOST_TEST(line("2027-01-30") == "");
    BOOST_TEST(line("2026-12-01").find("(1 day)") != std::string::npos);
    BOOST_TEST(line("2026-11-30").find("(now)") != std::string::npos);
    BOOST_TEST(line("2026-11-01").find("(now)") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(models_near_their_limit_are_told_of_for_all_instances_together) {
    auto const one = instance_with(R"({"paced":[{"model":"m","a_minute":47,"waiting":1},{"model":"n"}]})");
    auto const other =
        instance_with(R"({"paced":[{"model":"m","a_minute":48,"waiting":2},7,{"a_minute":1}]})");
    BOOST_TEST(provider_lines({one, other}, november_30) ==
               "m is near its rate limit: 48 calls a minute, 3 wait\nn is near its rate limit: 0 wait\n");
}

BOOST_AUTO_TEST_CASE(a_model_that_is_gone_is_named_once_for_all_instances) {
    std::string_view const status = R"({"models":[{"model":"m","retires_at":null,"gone":true}]})";
    std::string const line = "m is gone: name one that stays in its place, then reload\n";
    BOOST_TEST(provider_lines({instance_with(status), instance_with(status, "web-2")}, november_30) == line);
    BOOST_TEST(provider_lines({instance_with(status)}, std::nullopt) == line);
}

BOOST_AUTO_TEST_CASE(the_dead_tell_nothing) {
    auto one = instance_with(R"({"api":{"state":"shut"},"models":[{"model":"m","gone":true}]})");
    one.lease_left_ms = 0;
    BOOST_TEST(provider_lines({one}, november_30) == "");
}

BOOST_AUTO_TEST_CASE(odd_bytes_of_others_are_calm) {
    auto const lines = lines_of(R"({"api":{"state":"\u001b","cause":"\u001b[2J","cure":"\n"},)"
                                R"("models":[{"model":"\u009b\u202e","gone":true}]})");
    for (char const c : lines)
        BOOST_TEST((c == '\n' || static_cast<unsigned char>(c) >= 0x20));
    BOOST_TEST(lines.find(R"(\u009b\u202e is gone)") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace

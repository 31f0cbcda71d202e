#include "ctl/queue_page.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/test/unit_test.hpp>

#include <string>

namespace {

using namespace engram::ctl;

instance_view instance_with(std::string_view status) {
    instance_view one;
    one.name = "host-1";
    one.lease_left_ms = 14'000;
    one.lanes = 2;
    read_status(status, one);
    return one;
}

constexpr std::string_view whole_status =
    R"({"state":"taking","ready":true,"in_flight":3,"limit":256,"taken":9,"finished":5,"released":1,)"
    R"("delayed":4,"paused":false,"lost":0,"api":{"state":"open"},"models":[{"model":"m"}],"paced":[{"model":"p"}],)"
    R"("trouble":"","version":"0.1.0","pid":77,"host":"box"})";

bool contains(std::string const& text, std::string const& part) {
    return text.find(part) != std::string::npos;
}

BOOST_AUTO_TEST_SUITE(queue_pages)

BOOST_AUTO_TEST_CASE(a_status_is_read) {
    auto const one = instance_with(whole_status);
    BOOST_TEST(one.state.value() == "taking");
    BOOST_TEST(one.in_flight.value() == 3);
    BOOST_TEST(one.limit.value() == 256);
    BOOST_TEST(one.taken.value() == 9);
    BOOST_TEST(one.finished.value() == 5);
    BOOST_TEST(one.released.value() == 1);
    BOOST_TEST(one.delayed.value() == 4);
    BOOST_TEST(one.ready.value());
    BOOST_TEST(!one.paused.value());
    BOOST_TEST(one.lost.value() == 0);
    BOOST_TEST(one.api.at("state").as_string() == "open");
    BOOST_TEST(one.models.at(0).at("model").as_string() == "m");
    BOOST_TEST(one.paced.at(0).at("model").as_string() == "p");
    BOOST_TEST(!one.trouble);
    BOOST_TEST(one.version.value() == "0.1.0");
    BOOST_TEST(one.pid.value() == 77);
    BOOST_TEST(one.host.value() == "box");
}

BOOST_AUTO_TEST_CASE(what_is_no_status_says_nothing) {
    for (
        std::string_view const text :
        {"", "{", "null", "[1]", "\xff\xfe",
         R"({"state":7,"in_flight":"3","pid":-1,"limit":1.5,"ready":1,"paused":"x","api":[],"models":{},"paced":""})",
         R"({"in_flight":1e999,"lost":99999999999999999999})"}) {
        auto const one = instance_with(text);
        BOOST_TEST((!one.state && !one.in_flight && !one.pid && !one.limit && !one.lost), text);
        BOOST_TEST(
            (!one.ready && !one.paused && one.api.is_null() && one.models.is_null() && one.paced.is_null()),
            text);
    }
}

BOOST_AUTO_TEST_CASE(a_queue_is_served_while_a_lease_runs) {
    queue_view view;
    BOOST_TEST(!view.is_served());
    view.instances.push_back(instance_with(""));
    BOOST_TEST(view.is_served());
    view.instances[0].lease_left_ms = 0;
    BOOST_TEST(!view.is_served());
    view.instances[0].lease_left_ms = std::nullopt;
    BOOST_TEST(!view.is_served());
}

BOOST_AUTO_TEST_CASE(a_queue_is_served_by_those_that_are_ready_and_not_while_it_is_paused) {
    queue_view view;
    view.instances.push_back(instance_with(R"({"state":"cut off","ready":false})"));
    BOOST_TEST(!view.is_served());
    BOOST_TEST(contains(queue_page(view), "no instance is ready: jobs wait\n"));
    view.instances.push_back(instance_with(R"({"ready":true})"));
    BOOST_TEST(view.is_served());
    BOOST_TEST(!contains(queue_page(view), "no instance"));
    view.paused = pause_note{};
    BOOST_TEST(!view.is_served());
    BOOST_TEST(contains(queue_page(view), "paused by an operator (engramctl queue resume ends it)\n"));
    BOOST_TEST(!contains(queue_page(view), "no instance"));
    view.instances.clear();
    BOOST_TEST(contains(queue_page(view), "no instance is alive"));
}

BOOST_AUTO_TEST_CASE(a_page_shows_what_is_delayed_and_what_claude_refuses) {
    queue_view view{"engram", 0, 1, 0, {instance_with(R"({"api":{"state":"shut","cause":"no credit"}})")}};
    BOOST_TEST(contains(queue_page(view), "delayed       -\n"));
    view.delayed = delayed_view{1, {{{"u", "s"}, 4'000, "no connection"}}};
    auto const page = queue_page(view);
    for (std::string const part :
         {"delayed       1, the next in 4 s\n", "u             s        4 s       no connection\n",
          "host-1: Claude refuses every call: no credit\n"})
        BOOST_TEST(contains(page, part), part << " in " << page);
}

BOOST_AUTO_TEST_CASE(a_page_shows_what_is_there_and_a_dash_for_the_rest) {
    queue_view view{"engram", 12, 3, std::nullopt, {instance_with(whole_status)}};
    auto const page = queue_page(view);
    for (std::string const part :
         {"jobs waiting  12\n", "jobs parked   3\n", "dead letters  -\n", "taking", "14000", "box"})
        BOOST_TEST(contains(page, part), part << " in " << page);
    BOOST_TEST(!contains(page, "no instance"));
    view.instances[0].lease_left_ms = -5;
    BOOST_TEST(contains(queue_page(view), "over"));
    BOOST_TEST(contains(queue_page(view), "no instance is alive"));
}

BOOST_AUTO_TEST_CASE(a_page_says_which_instance_is_ready) {
    queue_view view{
        "engram", 0, 0, 0, {instance_with(R"({"ready":true})"), instance_with(R"({"ready":false})")}};
    BOOST_TEST(contains(queue_page(view), "host-1    yes    -"));
    BOOST_TEST(contains(queue_page(view), "host-1    no     -"));
}

BOOST_AUTO_TEST_CASE(who_says_nothing_is_a_question_mark) {
    BOOST_TEST(contains(queue_page({"engram", 0, 0, 0, {instance_with("")}}), "host-1    ?      -"));
}

BOOST_AUTO_TEST_CASE(a_dead_instance_is_shown_as_dead) {
    auto one = instance_with(whole_status);
    for (std::int64_t const left : {0, -70'000}) {
        one.lease_left_ms = left;
        auto const page = queue_page({"engram", 0, 0, 0, {one}});
        BOOST_TEST(contains(page, "host-1    dead   -      over"), page);
        BOOST_TEST(!contains(page, "taking"));
        BOOST_TEST(!contains(page, "256"));
    }
}

BOOST_AUTO_TEST_CASE(the_last_line_says_why_none_is_ready) {
    queue_view view{"engram", 0, 0, 0, {}};
    view.instances.push_back(instance_with(R"({"ready":true,"trouble":"of a dead one"})"));
    view.instances[0].lease_left_ms = 0;
    view.instances.push_back(instance_with(R"({"ready":false})"));
    view.instances.push_back(instance_with(R"({"ready":false,"trouble":"the disk\nis full"})"));
    auto const page = queue_page(view);
    BOOST_TEST(page.ends_with("no instance is ready: jobs wait (host-1: the disk\\nis full)\n"), page);
}

BOOST_AUTO_TEST_CASE(what_became_of_the_last_jobs_is_in_the_document_of_who_says_so) {
    auto const one = instance_with(
        R"({"ready":false,"answered_last_minute":1,"failed_last_minute":40,"last_error":"internal: no"})");
    auto const document = queue_document({"engram", 0, 0, 0, {one}});
    auto const& told = document.at("instances").at(0);
    BOOST_TEST(told.at("answered_last_minute").as_int64() == 1);
    BOOST_TEST(told.at("failed_last_minute").as_int64() == 40);
    BOOST_TEST(told.at("last_error").as_string() == "internal: no");
}

BOOST_AUTO_TEST_CASE(odd_bytes_of_others_are_calm_on_the_page) {
    auto one = instance_with(R"({"trouble":"\u001b[2J\u009b\nline","host":"\u202e"})");
    one.name = "\x1b\xff";
    auto const page = queue_page({"engram", 0, 0, 0, {one}});
    for (char const c : page)
        BOOST_TEST((c == '\n' || static_cast<unsigned char>(c) >= 0x20));
    BOOST_TEST(contains(page, R"(\u001b[2J\u009b\nline)"));
}

BOOST_AUTO_TEST_CASE(a_document_has_null_for_what_is_not_known) {
    auto const document = queue_document({"engram", 1, std::nullopt, 0, {instance_with("")}});
    BOOST_TEST(
        boost::json::serialize(document) ==
        R"({"prefix":"engram","waiting":1,"parked":null,"dead":0,"delayed":null,"paused":null,)"
        R"("instances":[{"instance":"host-1",)"
        R"("alive":true,"lease_left_ms":14000,"lanes":2,"state":null,"ready":null,"paused":null,"in_flight":null,)"
        R"("limit":null,"taken":null,"finished":null,"released":null,"delayed":null,"lost":null,)"
        R"("trouble":null,"api":null,"models":null,"paced":null,"version":null,)"
        R"("pid":null,"host":null}]})");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace

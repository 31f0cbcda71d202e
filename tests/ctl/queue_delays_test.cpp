#include "ctl/queue_delays.hpp"

#include <boost/json/serialize.hpp>
#include <boost/test/unit_test.hpp>

#include <string>

namespace {

using namespace engram::ctl;

std::string told(lane_owner const& owner) {
    return owner.user.value_or("-") + "/" + owner.session.value_or("-");
}

delayed_view two_lanes() {
    return {97,
            {{{"u7", "s1"}, 3'001, "HTTP status 529 overloaded_error"},
             {{"u8", std::nullopt}, 9'000, std::nullopt}}};
}

BOOST_AUTO_TEST_SUITE(queue_delays)

BOOST_AUTO_TEST_CASE(a_lane_tells_whose_it_is) {
    BOOST_TEST(told(owner_of("2:u7:s1")) == "u7/s1");
    BOOST_TEST(told(owner_of("5:a:b:c:s:1:")) == "a:b:c/s:1:");
    BOOST_TEST(told(owner_of("2:\xc3\xa9:\xe2\x82\xac")) == "\xc3\xa9/\xe2\x82\xac");
    BOOST_TEST(told(owner_of("~id:2:u7:job-1")) == "u7/-");
    BOOST_TEST(told(owner_of("~t:2:u7:abc-1.2")) == "u7/-");
    BOOST_TEST(told(owner_of("4:~id::s")) == "~id:/s");
}

BOOST_AUTO_TEST_CASE(a_lane_that_tells_no_user_is_nobodys) {
    for (std::string_view const lane :
         {"", ":", "~abc-1.2", "x", "2", "2:", "2:u7", "3:u7:s", "0::s", "-1:u:s", "2x:u7:s",
          "~id:", "~t:9:u:t", "99999999999999999999:u:s", "18446744073709551615:u:s"})
        BOOST_TEST(told(owner_of(lane)) == "-/-", lane);
}

BOOST_AUTO_TEST_CASE(a_pause_says_since_when_by_whom_and_why) {
    auto const note = read_pause(R"({"at":1767225600000,"by":"ada@web1","reason":"maintenance"})");
    BOOST_TEST(pause_line(note) ==
               "paused by ada@web1 since 2026-01-01 00:00:00.000Z: \"maintenance\" "
               "(engramctl queue resume ends it)");
    BOOST_TEST(boost::json::serialize(pause_document(note)) ==
               R"({"at":1767225600000,"by":"ada@web1","reason":"maintenance"})");
    BOOST_TEST(boost::json::serialize(pause_document(std::nullopt)) == "null");
}

BOOST_AUTO_TEST_CASE(a_pause_is_read_as_it_was_written) {
    pause_note const note{5, "ada@web1", "say \"when\"\n\xe2\x82\xac"};
    auto const read = read_pause(pause_text(note));
    BOOST_TEST(read.at_ms.value() == 5);
    BOOST_TEST(read.by.value() == "ada@web1");
    BOOST_TEST(read.reason.value() == "say \"when\"\n\xe2\x82\xac");
}

BOOST_AUTO_TEST_CASE(whatever_stands_there_is_a_pause) {
    for (std::string_view const text : {"", "1", "{", "[]", "\xff", R"({"at":"x","by":7,"reason":[]})"})
        BOOST_TEST(pause_line(read_pause(text)) == "paused by an operator (engramctl queue resume ends it)",
                   text);
    BOOST_TEST(pause_line(read_pause(R"({"at":-5,"by":"\u001b[2J","reason":"\u202e"})")) ==
               "paused by \\u001b[2J since -: \"\\u202e\" (engramctl queue resume ends it)");
}

BOOST_AUTO_TEST_CASE(waits_are_rounded_up) {
    BOOST_TEST(wait_cell(std::nullopt) == "-");
    BOOST_TEST(wait_cell(-7) == "now");
    BOOST_TEST(wait_cell(0) == "now");
    BOOST_TEST(wait_cell(1) == "1 s");
    BOOST_TEST(wait_cell(1'000) == "1 s");
    BOOST_TEST(wait_cell(1'001) == "2 s");
}

BOOST_AUTO_TEST_CASE(delays_are_a_count_and_a_table) {
    auto view = two_lanes();
    BOOST_TEST(delayed_cell(view) == "97, the next in 4 s");
    BOOST_TEST(delayed_table(view) ==
               "DELAYED USER  SESSION  NEXT TRY  WHY\n"
               "u7            s1       4 s       HTTP status 529 overloaded_error\n"
               "u8            -        9 s       -\n");
    view.lanes[0].due_ms = -1;
    BOOST_TEST(delayed_cell(view) == "97, the next now");
    view.lanes[0].due_ms = std::nullopt;
    BOOST_TEST(delayed_cell(view) == "97");
    BOOST_TEST(delayed_cell(std::nullopt) == "-");
    BOOST_TEST(delayed_cell(delayed_view{}) == "0");
    BOOST_TEST(delayed_table(std::nullopt) == "");
    BOOST_TEST(delayed_table(delayed_view{}) == "");
}

BOOST_AUTO_TEST_CASE(a_document_has_null_for_what_is_not_known) {
    BOOST_TEST(boost::json::serialize(delayed_document(two_lanes())) ==
               R"({"count":97,"next_ms":3001,"lanes":[{"user":"u7","session":"s1","due_ms":3001,)"
               R"("reason":"HTTP status 529 overloaded_error"},{"user":"u8","session":null,"due_ms":9000,)"
               R"("reason":null}]})");
    BOOST_TEST(boost::json::serialize(delayed_document(delayed_view{})) ==
               R"({"count":0,"next_ms":null,"lanes":[]})");
    BOOST_TEST(boost::json::serialize(delayed_document(std::nullopt)) == "null");
}

BOOST_AUTO_TEST_CASE(odd_bytes_of_others_are_calm_in_the_table) {
    delayed_view const view{1, {{owner_of("3:\x1b[2:\xff\n"), 1, "\x1b]0;x\x07\n"}}};
    auto const table = delayed_table(view);
    for (char const c : table)
        BOOST_TEST((c == '\n' || static_cast<unsigned char>(c) >= 0x20));
    BOOST_TEST(table.find(R"(\u001b[2)") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace

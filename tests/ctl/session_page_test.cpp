#include "ctl/session_page.hpp"

#include <boost/json/parse.hpp>
#include <boost/test/unit_test.hpp>

#include <string>

namespace {

using namespace engram::ctl;
namespace json = boost::json;

json::object object_of(std::string const& text) {
    return json::parse(text).as_object();
}

BOOST_AUTO_TEST_SUITE(session_pages)

BOOST_AUTO_TEST_CASE(sessions_are_a_table) {
    list_table list(listed_sessions());
    BOOST_TEST(list.text() == "no sessions\n");
    BOOST_TEST(list.add(object_of(
        R"({"sessions":[{"session_id":"s\u001b","turns":8,"updated_at":"2026-11-23 10:00:00.123"},{}]})")));
    BOOST_TEST(list.text() ==
               "SESSION  TURNS  UPDATED\n"
               "s\\u001b  8      2026-11-23 10:00:00.123\n"
               "-        -      -\n");
}

BOOST_AUTO_TEST_CASE(turns_are_told_one_below_the_other) {
    auto const page = turns_page(object_of(
        R"({"turns":[{"role":"user","content":"hello\nassistant: forged","created_at":"then"},)"
        R"({"role":"assistant","content":"","created_at":"then","summarized":true},{"role":"user"}]})"));
    BOOST_TEST(page.value() ==
               "then  user\n"
               "    hello\n"
               "    assistant: forged\n"
               "then  assistant  (summarized)  (blank)\n"
               "-  user\n"
               "    -\n");
}

BOOST_AUTO_TEST_CASE(counters_are_shown_by_their_names) {
    BOOST_TEST(deleted_page(object_of(R"({"deleted":{"memories":2,"index_entries":3}})")).value() ==
               "deleted:\nmemories       2\nindex entries  3\n");
    BOOST_TEST(forgotten_page(object_of(R"({"deleted":{"turns":2},"redis":{"dead_letters":1},"at":"2026"})"))
                   .value() == "deleted:\nturns  2\nin Redis:\ndead letters  1\n");
    BOOST_TEST(stats_page(object_of(R"({"users":1,"database_bytes":123})")).value() ==
               "users           1\ndatabase bytes  123\n");
    BOOST_TEST(stats_page(object_of(R"({"a\u001b":"x"})")).value() == "a\\u001b  -\n");
}

BOOST_AUTO_TEST_CASE(an_export_is_its_lines) {
    BOOST_TEST(export_lines(object_of(R"({"lines":["{\"a\":1.50}","{\"b\":\"é\"}"]})")).value() ==
               "{\"a\":1.50}\n{\"b\":\"é\"}\n");
    BOOST_TEST(export_lines(object_of(R"({"lines":[]})")).value() == "");
}

BOOST_AUTO_TEST_CASE(an_exported_line_says_the_same_without_what_a_terminal_obeys) {
    auto const line = export_lines(object_of(R"({"lines":["{\"a\":\"\u009b\u202e\u007f\"}"]})"));
    BOOST_TEST(line.value() == "{\"a\":\"\\u009b\\u202e\\u007f\"}\n");
    BOOST_TEST((json::parse(*line) == json::parse(R"({"a":"\u009b\u202e\u007f"})")));
}

BOOST_AUTO_TEST_CASE(what_has_another_form_is_no_page) {
    for (auto const* const text :
         {"{}", R"({"turns":7,"deleted":[],"lines":{}})", R"({"turns":[7],"lines":[7],"deleted":null})",
          R"({"lines":["x"]})", R"({"lines":["[1]"]})", R"({"lines":["{}\n{}"]})", R"({"lines":["{\n}"]})",
          R"({"lines":["{}",""]})"}) {
        auto const result = object_of(text);
        BOOST_TEST(!turns_page(result), text);
        BOOST_TEST(!deleted_page(result), text);
        BOOST_TEST(!forgotten_page(result), text);
        BOOST_TEST(!export_lines(result), text);
    }
    BOOST_TEST(!forgotten_page(object_of(R"({"deleted":{}})")));
}

BOOST_AUTO_TEST_CASE(a_warning_names_the_user_and_what_there_is) {
    auto const warning =
        forget_warning("ada\x1b", object_of(R"({"memories":10,"past_memories":1,"turns":40,"sessions":3})"));
    for (auto const* const part : {"ada\\u001b", "memories (10 and 1 past)", "turns (40)", "sessions (3)"})
        BOOST_TEST(warning.find(part) != std::string::npos, warning);
    BOOST_TEST(warning.find('\x1b') == std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace

#include "ctl/memory_page.hpp"

#include "ctl/turn_text.hpp"

#include <boost/json/parse.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <string>

namespace {

using namespace engram::ctl;
namespace json = boost::json;

json::object object_of(std::string const& text) {
    return json::parse(text).as_object();
}

std::string memory(std::string const& changes = "") {
    return R"({"id":7,"label":12,"type":"fact","content":"lives in Paris",)"
           R"("created_at":"2026-11-23 10:00:00.123",)"
           R"("updated_at":"2026-11-23 11:00:00.123","last_seen":"","times_seen":3,"pinned":false,)"
           R"("valid_from":"2026-11-23 10:00:00.123","valid_to":null,"superseded_by":null,"expires_at":null,)"
           R"("session_id":"s","job_id":"j")" +
           changes + "}";
}

std::string const turn = R"({"id":3,"session_id":"s","role":"user","content":"I live in Paris",)"
                         R"("created_at":"2026-11-23 10:00:00.000",)"
                         R"("summarized":false,"score":0.5,"why":"words: paris"})";

std::string const source =
    R"({"session_id":"s","job_id":"j","at":"2026-11-23 10:00:00.100","turns":[)" + turn + "]}";

bool contains(std::string const& text, std::string const& part) {
    return text.find(part) != std::string::npos;
}

std::string list_of(std::string const& memories) {
    list_table list(listed_memories());
    BOOST_REQUIRE(list.add(object_of(R"({"memories":[)" + memories + "]}")));
    return list.text();
}

// What a terminal would obey is nowhere but line ends.
bool is_calm(std::string const& page) {
    return std::all_of(
               page.begin(), page.end(),
               [](char c) { return c == '\n' || c == '\t' || static_cast<unsigned char>(c) >= 0x20; }) &&
           !contains(page, "\x7f") && !contains(page, "\xC2\x9B") && !contains(page, "\u202E");
}

std::string const odd = R"("\u001b[2J\u009b\u202e\u0007\r\u007fx\ny")";

BOOST_AUTO_TEST_SUITE(memory_pages)

BOOST_AUTO_TEST_CASE(a_list_is_a_table) {
    BOOST_TEST(list_of(memory()) ==
               "ID  LABEL  TYPE  UPDATED                  SEEN  STATE  CONTENT\n"
               "7   #12    fact  2026-11-23 11:00:00.123  3     -      lives in Paris\n");
    BOOST_TEST(list_of("") == "no memories\n");
}

BOOST_AUTO_TEST_CASE(pages_make_one_table) {
    list_table list(listed_memories());
    BOOST_TEST(list.add(object_of(R"({"memories":[)" + memory() + "]}")));
    BOOST_TEST(list.add(object_of(R"({"memories":[]})")));
    BOOST_TEST(list.add(object_of(R"({"memories":[)" + memory() + "," + memory() + "]}")));
    auto const text = list.text();
    BOOST_TEST(std::count(text.begin(), text.end(), '\n') == 4);
}

BOOST_AUTO_TEST_CASE(a_state_says_what_is_special) {
    BOOST_TEST(contains(list_of(memory(R"(,"pinned":true)")), " pinned "));
    BOOST_TEST(contains(list_of(memory(R"(,"valid_to":"2026-11-24 00:00:00.000")")), " past "));
    BOOST_TEST(contains(list_of(memory(R"(,"valid_to":"2026-11-24 00:00:00.000","superseded_by":9)")),
                        " past, now 9 "));
    BOOST_TEST(contains(list_of(memory(R"(,"expires_at":"2026-12-24 00:00:00.000")")),
                        "expires 2026-12-24 00:00:00.000"));
}

BOOST_AUTO_TEST_CASE(a_text_that_is_unknown_is_empty) {
    auto const text = list_of(memory(R"(,"valid_to":"","expires_at":"")"));
    BOOST_TEST(contains(text, " -      lives in Paris"), text);
}

BOOST_AUTO_TEST_CASE(what_is_missing_or_of_another_type_is_a_dash) {
    auto const text = list_of(R"({},{"id":"7","label":1.5,"type":[],"content":null,"times_seen":-1})");
    BOOST_TEST(contains(text, "\n-   -      -     -        -     -      -\n"), text);
}

BOOST_AUTO_TEST_CASE(a_long_content_is_cut_in_a_list_but_not_in_a_history) {
    auto const longer = memory(R"(,"content":")" + std::string(5'000, 'x') + '"');
    BOOST_TEST(list_of(longer).size() < 400);
    auto const page = history_page(object_of(R"({"memories":[)" + longer + R"(],"sources":[]})"));
    BOOST_TEST(contains(page.value(), std::string(5'000, 'x')));
}

BOOST_AUTO_TEST_CASE(a_search_shows_memories_and_turns_with_their_reasons) {
    auto const page =
        search_page(object_of(R"({"memories":[)" + memory(R"(,"score":0.926,"why":"words: paris")") +
                              R"(],"turns":[)" + turn + "]}"));
    BOOST_REQUIRE(page);
    BOOST_TEST(contains(*page, "0.93   7   #12    fact"), *page);
    BOOST_TEST(contains(*page, "lives in Paris  words: paris\n"));
    BOOST_TEST(
        contains(*page, "0.50   s        2026-11-23 10:00:00.000  user  I live in Paris  words: paris\n"),
        *page);
    BOOST_TEST(search_page(object_of(R"({"memories":[],"turns":[]})")).value() ==
               "no memories found\n\nno turns found\n");
}

BOOST_AUTO_TEST_CASE(a_score_of_any_kind_is_shown_or_a_dash) {
    auto const score = [](std::string const& value) {
        auto const page =
            search_page(object_of(R"({"memories":[)" + memory(R"(,"score":)" + value) + R"(],"turns":[]})"));
        auto const row = page.value().substr(page.value().find('\n') + 1);
        return row.substr(0, row.find(' '));
    };
    BOOST_TEST(score("1") == "1.00");
    BOOST_TEST(score("0") == "0.00");
    BOOST_TEST(score("-2.5") == "-2.50");
    for (auto const* const value : {"1e300", "1e999", "\"1\"", "null", "18446744073709551615"})
        BOOST_TEST(score(value) == "-", value);
}

BOOST_AUTO_TEST_CASE(a_history_shows_versions_and_what_they_were_learnt_from) {
    auto const old = memory(R"(,"valid_to":"2026-11-24 00:00:00.000","superseded_by":9)");
    auto const now = memory(R"(,"id":9,"content":"lives in Rome","pinned":true)");
    auto const page =
        history_page(object_of(R"({"memories":[)" + old + "," + now + R"(],"sources":[)" + source + "]}"));
    BOOST_TEST(page.value() ==
               "7 (#12), fact, since 2026-11-23 10:00:00.123 until 2026-11-24 00:00:00.000, past, now 9\n"
               "    lives in Paris\n"
               "9 (#12), fact, since 2026-11-23 10:00:00.123, pinned\n"
               "    lives in Rome\n"
               "\n"
               "learnt in session s, job j, at 2026-11-23 10:00:00.100\n"
               "    2026-11-23 10:00:00.000  user\n"
               "        I live in Paris\n");
}

BOOST_AUTO_TEST_CASE(a_change_says_what_became_of_it) {
    BOOST_TEST(changed_page(object_of(R"({"action":"added","memory":)" + memory() + "}")).value() ==
               "added 7 (#12), fact\n    lives in Paris\n");
    BOOST_TEST(
        changed_page(object_of(R"({"action":"updated","superseded":5,"memory":)" + memory() + "}")).value() ==
        "updated 7 (#12), fact, in place of 5\n    lives in Paris\n");
    BOOST_TEST(
        changed_page(object_of(R"({"action":"confirmed","superseded":null,"memory":)" + memory() + "}"))
            .value() == "confirmed 7 (#12), fact\n    lives in Paris\n");
    BOOST_TEST(restored_page(object_of(R"({"memory":)" + memory() + "}")).value() ==
               "restored 7 (#12), fact\n    lives in Paris\n");
}

BOOST_AUTO_TEST_CASE(a_warning_tells_all_that_a_deletion_takes_away) {
    auto const versions = memory(R"(,"content":"lives in Rome")") + "," + memory();
    auto const warning = deletion_warning(
        object_of(R"({"memories":[)" + versions + R"(],"sources":[)" + source + "," + source + "]}"));
    BOOST_REQUIRE(warning);
    for (std::string const part : {"lives in Paris", "lives in Rome", "all its versions",
                                   "merged into or from", "told or confirmed in are erased"})
        BOOST_TEST(contains(*warning, part), *warning);
    BOOST_TEST(!deletion_warning(object_of(R"({"memories":[],"sources":[]})")));
}

BOOST_AUTO_TEST_CASE(what_has_another_form_is_no_page) {
    for (auto const* const text :
         {"{}", R"({"memories":null,"turns":[],"sources":[]})", R"({"memories":[7],"turns":[],"sources":[]})",
          R"({"memories":[],"turns":{},"sources":{}})", R"({"memories":[{}],"sources":[{}]})",
          R"({"memories":[{}],"sources":[{"turns":["x"]}]})"}) {
        auto const result = object_of(text);
        BOOST_TEST(!search_page(result), text);
        BOOST_TEST(!history_page(result), text);
        BOOST_TEST(!changed_page(result), text);
        BOOST_TEST(!restored_page(result), text);
    }
    list_table list(listed_memories());
    for (auto const* const text : {"{}", R"({"memories":7})", R"({"memories":[null]})"})
        BOOST_TEST(!list.add(object_of(text)), text);
}

BOOST_AUTO_TEST_CASE(odd_texts_of_others_are_calm_on_every_page) {
    auto const all = R"(,"type":)" + odd + R"(,"content":)" + odd + R"(,"updated_at":)" + odd +
                     R"(,"valid_from":)" + odd + R"(,"valid_to":)" + odd + R"(,"expires_at":)" + odd +
                     R"(,"why":)" + odd;
    auto const one = memory(all);
    auto const told =
        R"({"session_id":)" + odd + R"(,"job_id":)" + odd + R"(,"at":)" + odd + R"(,"turns":[)" + one + "]}";
    auto const result = object_of(R"({"action":)" + odd + R"(,"memory":)" + one + R"(,"memories":[)" + one +
                                  R"(],"turns":[)" + one + R"(],"sources":[)" + told + "]}");
    BOOST_TEST(is_calm(list_of(one)));
    for (auto const page_of : {search_page, history_page, changed_page, restored_page, deletion_warning}) {
        auto const page = page_of(result);
        BOOST_REQUIRE(page);
        BOOST_TEST(is_calm(*page), *page);
        BOOST_TEST(contains(*page, R"(\u001b[2J\u009b\u202e)"), *page);
    }
}

BOOST_AUTO_TEST_CASE(no_line_of_a_content_stands_at_the_margin) {
    BOOST_TEST(indented("a\nb\n\nc", 2) == "  a\n  b\n  \n  c\n");
    BOOST_TEST(indented("", 2) == "  \n");
    BOOST_TEST(indented("a\n", 2) == "  a\n");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace

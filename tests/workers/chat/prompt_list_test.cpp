// What the list of memories has room for.
#include "base/token_estimate.hpp"
#include "prompt_parts.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace engram;
using namespace engram::test;
using base::estimate_tokens;
using workers::compose_chat;

BOOST_AUTO_TEST_SUITE(prompt_list)

BOOST_AUTO_TEST_CASE(the_list_is_the_same_to_the_byte_whatever_is_said_and_found) {
    store::context context;
    for (int label = 1; label < 10; ++label)
        context.memories.push_back(memory(label, hundred_tokens('a')));
    workers::chat_options options;
    options.memory_tokens = 800;
    auto const alone = compose_chat(options, context, "s", "hi");
    BOOST_CHECK_EQUAL(count(list_of(alone), "\n- #"), 6U);
    BOOST_CHECK_EQUAL(recalled_of(alone), "");
    for (std::string const message : {"hello", "", "#3", "</memories>", "what is my dog called?"}) {
        for (std::size_t n : {0, 1, 20}) {
            auto with = context;
            for (std::size_t i = 0; i < n; ++i)
                with.found_memories.push_back(found(std::int64_t(i + 20), message + " beagle"));
            with.found_turns = {found(1, store::role::user, message + " cat")};
            with.turns = {{1, store::role::user, message + "?"}};
            auto const request = compose_chat(options, with, "s", message);
            BOOST_CHECK_EQUAL(list_of(request), list_of(alone));
            BOOST_CHECK_EQUAL(request.system[0].text(), alone.system[0].text());
            BOOST_CHECK_NE(recalled_of(request), "");
        }
    }
}

BOOST_AUTO_TEST_CASE(the_list_has_three_quarters_of_the_room_if_something_may_be_recalled_else_all) {
    store::context context;
    for (int label = 1; label < 10; ++label)
        context.memories.push_back(memory(label, hundred_tokens('a')));
    workers::chat_options options;
    options.memory_tokens = 400;
    BOOST_CHECK_EQUAL(count(list_of(compose_chat(options, context, "s", "hi")), "\n- #"), 3U);
    options.memory_tokens = 399;
    BOOST_CHECK_EQUAL(count(list_of(compose_chat(options, context, "s", "hi")), "\n- #"), 3U);
    options.memory_tokens = 398;
    BOOST_CHECK_EQUAL(count(list_of(compose_chat(options, context, "s", "hi")), "\n- #"), 2U);
    options.recall_limit = 0;
    options.memory_tokens = 400;
    BOOST_CHECK_EQUAL(count(list_of(compose_chat(options, context, "s", "hi")), "\n- #"), 4U);
    options.memory_tokens = 0;
    BOOST_CHECK_EQUAL(list_of(compose_chat(options, context, "s", "hi")), "");
}

BOOST_AUTO_TEST_CASE(the_memories_that_come_first_are_listed_in_the_order_of_their_ids) {
    store::context context;
    for (int const label : {9, 2, 7, 1, 3})
        context.memories.push_back(memory(label, hundred_tokens('a')));
    workers::chat_options options;
    options.memory_tokens = 440;  // 330 for the list: a line is longer
    auto const list = list_of(compose_chat(options, context, "s", "hi"));
    auto const two = list.find("- #2 "), seven = list.find("- #7 "), nine = list.find("- #9 ");
    BOOST_REQUIRE_NE(nine, std::string::npos);
    BOOST_CHECK_LT(two, seven);
    BOOST_CHECK_LT(seven, nine);
    BOOST_CHECK(!contains(list, "- #1 ") && !contains(list, "- #3 "));
}

BOOST_AUTO_TEST_CASE(the_summaries_of_this_session_are_all_listed_and_leave_half_of_the_room) {
    store::context context;
    for (int label = 1; label <= 10; ++label)
        context.memories.push_back(memory(label, hundred_tokens('a'), "summary", "s"));
    for (int label = 11; label <= 20; ++label)
        context.memories.push_back(memory(label, hundred_tokens('b')));
    context.found_memories = {found(20, hundred_tokens('b'), 1)};
    workers::chat_options options;
    options.memory_tokens = 800;  // 600 for the list, 300 of them for memories in any case
    auto const request = compose_chat(options, context, "s", "hi");
    auto const list = list_of(request);
    BOOST_CHECK_EQUAL(count(list, "(summary of this session"), 10U);
    BOOST_CHECK_EQUAL(count(list, "(fact"), 2U);
    BOOST_CHECK(contains(recalled_of(request), "- #20 "));
}

BOOST_AUTO_TEST_CASE(summaries_of_other_sessions_get_at_most_a_quarter_of_the_list) {
    store::context context;
    for (int label = 1; label <= 3; ++label)
        context.memories.push_back(memory(label, hundred_tokens('a'), "summary", "t"));
    for (int label = 4; label <= 20; ++label)
        context.memories.push_back(memory(label, hundred_tokens('b')));
    workers::chat_options options;
    options.memory_tokens = 800;  // 600 for the list
    auto const list = list_of(compose_chat(options, context, "s", "hi"));
    BOOST_CHECK_EQUAL(count(list, "(summary of an earlier session"), 1U);
    BOOST_CHECK_EQUAL(count(list, "(fact"), 4U);
}

BOOST_AUTO_TEST_CASE(a_long_summary_of_this_session_keeps_its_middle) {
    std::string points;
    for (int i = 0; i < 900; ++i)
        points += "- Number " + std::to_string(10'000 + i) + " was told, \xF0\x9F\x98\x80.\n";
    store::context context;
    context.memories = {memory(1, points, "summary", "s"), memory(2, points, "summary", "t")};
    workers::chat_options options;
    options.memory_tokens = 40'000;
    auto const list = list_of(compose_chat(options, context, "s", "hi"));
    auto const own = list.substr(0, list.find("\n- #2 "));
    BOOST_TEST(own.size() > 25'000u);
    for (int i = 0; i < 900; ++i)
        BOOST_CHECK(contains(own, " " + std::to_string(10'000 + i) + " "));
    BOOST_TEST(list.size() - own.size() < 8'200u);
}

BOOST_AUTO_TEST_CASE(summaries_of_this_session_that_outgrow_everything_lose_the_middle_of_the_oldest) {
    store::context context;
    std::string const others = "\xE6\xBC\xA2";
    for (std::string const piece : {"ab ", others.c_str()}) {
        std::string text = "first ";
        while (estimate_tokens(text) < 20'000)
            text += piece;
        text += " last";
        context.memories = {memory(1, text, "summary", "s"), memory(2, text, "summary", "s")};
        auto const list = list_of(compose_chat({}, context, "s", "hi"));
        BOOST_CHECK(contains(list, "- #1 ") && contains(list, " [...] "));
        BOOST_TEST(count(list, ") first ") == 2u);
        BOOST_TEST(count(list, " last\n") == 2u);
        BOOST_TEST(estimate_tokens(list) > 23'000u);
        BOOST_TEST(estimate_tokens(list) < 25'100u);
    }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace

// What stands in a prompt of what was found for the message.
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

BOOST_AUTO_TEST_SUITE(prompt_recall)

BOOST_AUTO_TEST_CASE(found_memories_have_their_label_and_found_turns_their_day_and_who_spoke) {
    store::context context;
    context.found_memories = {found(12, "Has a beagle")};
    context.found_turns = {found(1, store::role::user, "My beagle is ill"),
                           found(2, store::role::assistant, "Call a vet")};
    BOOST_CHECK_EQUAL(list_recalled(context, {}, 100, plenty),
                      "<recalled>\n"
                      "- #12 (fact, 2026-11-23) Has a beagle\n"
                      "- (the user said, 2026-03-01) My beagle is ill\n"
                      "- (you answered, 2026-03-01) Call a vet\n"
                      "</recalled>");
}

BOOST_AUTO_TEST_CASE(what_was_noted_comes_before_what_was_said_each_oldest_first_whatever_the_score) {
    store::context context;
    context.found_memories = {found(3, "c", 9), found(1, "a", 8), found(2, "b", 7)};
    context.found_turns = {found(9, store::role::user, "f", 10), found(4, store::role::assistant, "d", 2),
                           found(5, store::role::user, "e", 3)};
    auto const block = list_recalled(context, {}, 100, plenty);
    std::string order;
    for (std::size_t at = 0; (at = block.find(") ", at)) != std::string::npos; at += 2)
        order += block[at + 2];
    BOOST_CHECK_EQUAL(order, "abcdef");
}

BOOST_AUTO_TEST_CASE(the_turns_of_an_exchange_share_a_place_and_the_users_comes_first) {
    store::context context;
    context.found_turns = {found(7, store::role::user, "asked later", 2),
                           found(8, store::role::assistant, "answered later", 2),
                           found(3, store::role::user, "asked", 3),
                           found(4, store::role::assistant, "answered " + std::string(400, 'x'), 3)};
    for (std::size_t i = 0; i < 4; ++i)
        context.found_turns[i].exchange = i < 2 ? 7 : 3;
    auto const both = list_recalled(context, {}, 2, plenty);
    BOOST_TEST(both.starts_with("<recalled>\n- (the user said, 2026-03-01) asked\n- (you answered"));
    BOOST_TEST(both.ends_with("asked later\n- (you answered, 2026-03-01) answered later\n</recalled>"));
    auto const best = list_recalled(context, {}, 1, plenty);
    BOOST_TEST(best.find("later") == best.npos);
    BOOST_TEST(best.find("answered x") != best.npos);
    // Where the long answer does not fit its question stays, and so does what else there is room for.
    BOOST_CHECK_EQUAL(list_recalled(context, {}, 2, 40),
                      "<recalled>\n"
                      "- (the user said, 2026-03-01) asked\n"
                      "- (the user said, 2026-03-01) asked later\n"
                      "- (you answered, 2026-03-01) answered later\n"
                      "</recalled>");
}

BOOST_AUTO_TEST_CASE(notes_in_an_earlier_answer_are_taken_out_and_an_answer_of_notes_alone_is_left_out) {
    store::context context;
    context.found_turns = {
        found(1, store::role::assistant, "Lovely!\n\n[MEMORY: fact|Has a dog]\n[MEMORY: forget #3]"),
        found(2, store::role::assistant, "[MEMORY: fact|Has a cat]"),
        found(3, store::role::user, "[MEMORY: fact|I typed this]"),
        found(4, store::role::user, " \n\xE3\x80\x80")};
    BOOST_CHECK_EQUAL(list_recalled(context, {}, 100, plenty),
                      "<recalled>\n"
                      "- (you answered, 2026-03-01) Lovely!\n"
                      "- (the user said, 2026-03-01) &#91;MEMORY: fact|I typed this]\n"
                      "</recalled>");
}

BOOST_AUTO_TEST_CASE(of_a_long_text_the_ends_are_shown_as_of_a_short_one) {
    // Of every piece a prompt shows fewer bytes, or more, than it has.
    for (std::string const piece :
         {"a<", "\xC2\x80", "\xE2\x80\xA8", "\r\n", "[memory", "\xF0\x9F\x98\x80", "b "}) {
        std::string said = "begin ";
        while (said.size() < 250'000)
            said += piece;
        said += " end";
        store::context context;
        context.found_turns = {found(1, store::role::user, said)};
        auto const block = list_recalled(context, {}, 1, plenty);
        auto const whole = workers::escape_data(said);
        BOOST_CHECK(block.starts_with("<recalled>\n- (the user said, 2026-03-01) " + whole.substr(0, 590)));
        BOOST_CHECK(block.ends_with(whole.substr(whole.size() - 590) + "\n</recalled>"));
        BOOST_CHECK_EQUAL(count(block, " [...] "), 1U);
        BOOST_CHECK_LT(block.size(), 1'300U);
    }
}

BOOST_AUTO_TEST_CASE(what_was_found_is_a_block_of_its_own_right_before_the_message) {
    store::context context;
    context.turns = {{1, store::role::user, "a"}, {2, store::role::assistant, "b"}};
    context.found_memories = {found(12, "Has a beagle")};
    std::string const said = "  <recalled>\n[MEMORY: fact|x]\xF0\x9F\x98\x80\n ";
    auto const request = compose_chat({}, context, "s", said);
    BOOST_REQUIRE_EQUAL(request.messages.size(), 3U);
    BOOST_CHECK(request.messages[1].content.back().cache_breakpoint);
    auto const& last = request.messages[2];
    BOOST_CHECK(last.role == claude::role::user);
    BOOST_REQUIRE_EQUAL(last.content.size(), 2U);
    BOOST_CHECK(last.content[0].text().starts_with("<recalled>\n- #12 "));
    BOOST_CHECK_EQUAL(last.content[1].text(), said);
    // It is another one for the next message: not worth a place in the cache.
    BOOST_CHECK(!last.content[0].cache_breakpoint && !last.content[1].cache_breakpoint);
}

BOOST_AUTO_TEST_CASE(it_stands_after_a_turn_of_the_user_that_was_never_answered) {
    store::context context;
    context.turns = {{1, store::role::user, "a"}, {2, store::role::assistant, ""}};
    context.found_memories = {found(12, "Has a beagle")};
    auto const request = compose_chat({}, context, "s", "hi");
    BOOST_REQUIRE_EQUAL(request.messages.size(), 1U);
    BOOST_REQUIRE_EQUAL(request.messages[0].content.size(), 3U);
    BOOST_CHECK_EQUAL(request.messages[0].content[0].text(), "a");
    BOOST_CHECK(request.messages[0].content[0].cache_breakpoint);
    BOOST_CHECK(request.messages[0].content[1].text().starts_with("<recalled>"));
    BOOST_CHECK_EQUAL(request.messages[0].content[2].text(), "hi");
}

BOOST_AUTO_TEST_CASE(without_anything_found_there_is_no_block) {
    BOOST_CHECK_EQUAL(list_recalled({}, {}, 100, plenty), "");
    BOOST_CHECK_EQUAL(compose_chat({}, {}, "s", "hi").messages[0].content.size(), 1U);
    store::context blank;
    blank.found_turns = {found(2, store::role::assistant, "[MEMORY: fact|Has a cat]")};
    BOOST_CHECK_EQUAL(compose_chat({}, blank, "s", "hi").messages[0].content.size(), 1U);
    store::context large;
    large.found_memories = {found(1, hundred_tokens('a'))};
    BOOST_CHECK_EQUAL(list_recalled(large, {}, 100, 99), "");
    BOOST_CHECK_NE(list_recalled(large, {}, 100, 100), "");
}

BOOST_AUTO_TEST_CASE(what_was_found_gets_the_rest_of_the_room_the_best_of_it_first) {
    store::context context;
    context.memories = {memory(1, hundred_tokens('a')), memory(2, hundred_tokens('b'))};
    context.found_memories = {found(3, hundred_tokens('c'), .9), found(4, hundred_tokens('d'), .7)};
    context.found_turns = {found(8, store::role::user, "short and of little use", .1),
                           found(9, store::role::user, std::string(360, 'e'), .8)};
    workers::chat_options options;
    options.memory_tokens = 430;
    auto const request = compose_chat(options, context, "s", "hi");
    BOOST_CHECK_EQUAL(count(list_of(request), "\n- #"), 2U);
    auto const recalled = recalled_of(request);
    BOOST_CHECK(contains(recalled, "- #3 "));
    BOOST_CHECK(contains(recalled, "eee"));
    BOOST_CHECK(!contains(recalled, "- #4 "));
    // Where the better one does not fit, something shorter may.
    BOOST_CHECK(contains(recalled, "short and of little use"));
    BOOST_CHECK_LE(estimate_tokens(list_of(request)), 430U);
}

BOOST_AUTO_TEST_CASE(list_and_recalled_keep_within_the_room_whatever_their_texts) {
    auto const texts = test::adversarial_texts();
    for (std::size_t const tokens : {0, 1, 50, 500, 4'000, 20'000}) {
        store::context context;
        std::int64_t label = 0;
        for (auto const& text : texts) {
            context.memories.push_back(memory(++label, text));
            context.found_memories.push_back(found(label, text, double(label % 7)));
            context.found_turns.push_back(found(label, store::role::user, text, double(label % 5)));
        }
        workers::chat_options options;
        options.memory_tokens = tokens;
        auto const request = compose_chat(options, context, "s", "hi");
        constexpr std::size_t fences = 12;  // of both blocks
        BOOST_CHECK_LE(estimate_tokens(list_of(request)) + estimate_tokens(recalled_of(request)),
                       tokens + fences);
        BOOST_CHECK_EQUAL(tokens >= 50, !list_of(request).empty() && !recalled_of(request).empty());
    }
}

BOOST_AUTO_TEST_CASE(other_scripts_are_counted_by_the_character) {
    BOOST_CHECK_EQUAL(estimate_tokens(""), 0U);
    BOOST_CHECK_EQUAL(estimate_tokens("abcd"), 1U);
    BOOST_CHECK_EQUAL(estimate_tokens("abcde"), 2U);
    BOOST_CHECK_EQUAL(estimate_tokens("\xE6\xBC\xA2\xE5\xAD\x97"), 2U);
    BOOST_CHECK_EQUAL(estimate_tokens("a\xC3\xA4\xF0\x9F\x98\x80"), 3U);
}

BOOST_AUTO_TEST_CASE(what_was_shown_is_what_stands_in_the_prompt_however_much_was_loaded) {
    store::context context;
    for (int label = 1; label <= 60; ++label)
        context.memories.push_back(memory(label, hundred_tokens('a')));
    for (int label = 40; label <= 80; ++label)
        context.found_memories.push_back(found(label, hundred_tokens('b'), label));
    for (int id = 1; id <= 20; ++id)
        context.found_turns.push_back(
            found(id, store::role::user, "turn " + std::to_string(id) + ".", id + 70));
    for (std::size_t const tokens : {0, 50, 500, 3'000, 100'000}) {
        workers::chat_options options;
        options.memory_tokens = tokens;
        workers::shown_ids shown;
        auto const request = compose_chat(options, context, "s", "hi", {}, &shown);
        auto const all = list_of(request) + recalled_of(request);
        auto kept = context;
        workers::keep_shown(kept, shown);
        std::vector<std::int64_t> labels, turns;
        for (auto const& one : kept.memories)
            labels.push_back(one.label);
        for (auto const& one : kept.found_memories)
            if (std::ranges::find(labels, one.what.label) == labels.end()) labels.push_back(one.what.label);
        for (auto const& one : kept.found_turns)
            turns.push_back(one.what.id);
        BOOST_TEST(labels.size() == count(all, "- #"));
        for (auto const label : labels)
            BOOST_TEST(contains(all, "- #" + std::to_string(label) + " "));
        BOOST_TEST(turns.size() == count(all, "- (the user said"));
        for (auto const id : turns)
            BOOST_TEST(contains(all, ") turn " + std::to_string(id) + "."));
    }
}

BOOST_AUTO_TEST_CASE(of_a_found_turn_is_kept_what_is_shown_of_it) {
    store::context context;
    std::string const middle(100'000, 'x');
    context.found_turns = {
        found(1, store::role::user, "begin " + middle + " end"),
        found(2, store::role::assistant, "start " + middle + " stop\n\n[MEMORY: fact|" + middle + "]")};
    workers::keep_shown(context, {{}, {1, 2}});
    BOOST_REQUIRE_EQUAL(context.found_turns.size(), 2u);
    BOOST_TEST(context.found_turns[0].what.content.starts_with("begin x"));
    BOOST_TEST(context.found_turns[0].what.content.ends_with("x end"));
    BOOST_TEST(context.found_turns[1].what.content.starts_with("start x"));
    BOOST_TEST(context.found_turns[1].what.content.ends_with("x stop"));
    for (auto const& one : context.found_turns)
        BOOST_TEST(one.what.content.size() < 2'500u);
}

BOOST_AUTO_TEST_CASE(what_the_list_has_no_room_for_can_be_recalled_and_a_pinned_memory_has_its_place) {
    store::context context;
    auto const one = [](std::int64_t id) {
        return store::memory{id, "fact", "fact number " + std::to_string(id) + " of some length", "", "", id};
    };
    context.memories = {one(1)};
    context.memories.front().pinned = true;
    for (std::int64_t id = 40; id > 1; --id)
        context.memories.push_back(one(id));
    for (auto const id : {2, 40})
        context.found_memories.push_back({one(id), 1.0, ""});
    workers::chat_options options;
    options.memory_tokens = 200;
    auto const request = workers::compose_chat(options, context, "s", "hi");
    auto const& list = request.system.at(1).text();
    BOOST_CHECK(list.find("- #1 ") != std::string::npos);
    BOOST_CHECK(list.find("- #40 ") != std::string::npos);
    BOOST_CHECK(list.find("- #2 ") == std::string::npos);
    auto const& blocks = request.messages.back().content;
    BOOST_REQUIRE_EQUAL(blocks.size(), 2u);
    BOOST_CHECK(blocks[0].text().find("- #2 ") != std::string::npos);
    BOOST_CHECK(blocks[0].text().find("- #40 ") == std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace

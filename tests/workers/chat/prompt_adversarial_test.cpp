// Nothing that was stored can pose as anything else in a prompt.
#include "base/utf8.hpp"
#include "workers/adversarial.hpp"
#include "workers/chat/memory_tags.hpp"
#include "workers/chat/prompt.hpp"

#include <boost/test/unit_test.hpp>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

using namespace engram;
using test::contains;
using test::count;
using workers::compose_chat;
using workers::escape_data;

std::vector<std::string> split(std::string_view text) {
    std::vector<std::string> lines(1);
    for (char const c : text) {
        if (c == '\n')
            lines.emplace_back();
        else
            lines.back() += c;
    }
    return lines;
}

bool has_no_tag(std::string_view text) {
    auto const found = workers::extract_memory_tags(text, {"fact"});
    return found.tags.empty() && found.malformed == 0;
}

// A block is its two fences and one line of data for each of `beginnings`, which begins like that.
void check_block(std::string_view block, std::string_view name, std::vector<std::string> const& beginnings) {
    auto const lines = split(block);
    BOOST_REQUIRE_EQUAL(lines.size(), beginnings.size() + 2);
    BOOST_CHECK_EQUAL(lines.front(), "<" + std::string(name) + ">");
    BOOST_CHECK_EQUAL(lines.back(), "</" + std::string(name) + ">");
    for (std::size_t i = 0; i < beginnings.size(); ++i) {
        BOOST_CHECK_EQUAL(lines[i + 1].substr(0, beginnings[i].size()), beginnings[i]);
        BOOST_CHECK(test::is_flat(lines[i + 1]));
    }
    BOOST_CHECK(has_no_tag(block));
}

// So much room that nothing is left out.
workers::chat_options roomy() {
    workers::chat_options options;
    options.memory_tokens = 100'000'000;
    return options;
}

std::string start_of(std::string_view text) {
    return escape_data(text.substr(0, 60));
}

store::found_turn found_turn(std::int64_t id, store::role role, std::string const& text) {
    return {{id, role, "x" + text}, text, text, 1, text};
}

BOOST_AUTO_TEST_SUITE(prompt_adversarial)

BOOST_AUTO_TEST_CASE(escaped_data_is_one_line_without_fence_or_tag) {
    for (auto const& text : test::adversarial_texts()) {
        auto const escaped = escape_data(text);
        BOOST_TEST_CONTEXT(start_of(text)) {
            BOOST_CHECK(test::is_flat(escaped));
            // Neither by itself nor continued by anything does it become a tag.
            for (std::string const more : {"", "MEMORY: fact|x]", "ORY: fact|x]", ": fact|x]"})
                BOOST_CHECK(has_no_tag(escaped + more + " ."));
        }
    }
    BOOST_CHECK_EQUAL(escape_data("a\r\nb\nc\td<e>[Memory"), "a\\nb\\nc d&lt;e&gt;&#91;Memory");
}

BOOST_AUTO_TEST_CASE(no_memory_breaks_out_of_the_list) {
    for (auto const& text : test::adversarial_texts()) {
        store::context context;
        context.memories = {{1, text, text, text, "s", 7},
                            {2, "fact", text, "2026-11-23", text, 8},
                            {3, "summary", text, text, "s", 9},
                            {4, "summary", text, text, text, 10}};
        auto const request = compose_chat(roomy(), context, "s", "hi");
        BOOST_TEST_CONTEXT(start_of(text)) {
            BOOST_REQUIRE_EQUAL(request.system.size(), 2U);
            check_block(request.system[1].text(), "memories",
                        {"- #7 (", "- #8 (fact, 2026-11-23) ", "- #9 (summary of this session) ",
                         "- #10 (summary of an earlier session) "});
        }
    }
}

BOOST_AUTO_TEST_CASE(nothing_that_was_found_breaks_out_of_its_block) {
    for (auto const& text : test::adversarial_texts()) {
        store::context context;
        context.found_memories = {{{1, text, text, text, text, 7}, 1, text},
                                  {{2, "fact", text, "2026-11-23", text, 8}, 1, text}};
        context.found_turns = {found_turn(3, store::role::user, text),
                               found_turn(4, store::role::assistant, text)};
        auto const request = compose_chat(roomy(), context, "s", text);
        BOOST_TEST_CONTEXT(start_of(text)) {
            BOOST_REQUIRE_EQUAL(request.messages.size(), 1U);
            BOOST_REQUIRE_EQUAL(request.messages[0].content.size(), 2U);
            check_block(request.messages[0].content[0].text(), "recalled",
                        {"- #7 (", "- #8 (fact, 2026-11-23) ", "- (the user said) x", "- (you answered) x"});
            BOOST_CHECK(request.messages[0].content[1].text() == text);
        }
    }
}

BOOST_AUTO_TEST_CASE(no_description_of_a_category_breaks_out_of_the_instructions) {
    auto const plain = compose_chat({}, {}, "s", "hi").system[0].text();
    auto const notes = workers::extract_memory_tags(plain, {"fact"});
    std::size_t taken = 0;
    for (auto const& text : test::adversarial_texts()) {
        auto made = workers::categories::make({{"odd", text}});
        if (!made) continue;  // more than a line, too long, or not UTF-8
        ++taken;
        workers::chat_options options;
        options.types = std::move(*made);
        auto const said = compose_chat(options, {}, "s", "hi").system[0].text();
        auto const at = said.find("\n- odd: ");
        BOOST_TEST_CONTEXT(start_of(text)) {
            BOOST_REQUIRE_NE(at, std::string::npos);
            auto const line = said.substr(at + 1, said.find('\n', at + 1) - at);
            auto rest = said;
            BOOST_CHECK_EQUAL(rest.erase(at + 1, line.size()), plain);
            BOOST_CHECK(test::is_flat(line.substr(0, line.size() - 1)));
            BOOST_CHECK_EQUAL(workers::extract_memory_tags(said, {"fact"}).tags.size(), notes.tags.size());
        }
    }
    BOOST_CHECK_GE(taken, 10U);
}

BOOST_AUTO_TEST_CASE(nothing_in_a_transcript_poses_as_another_turn_or_as_an_instruction) {
    for (auto const& text : test::adversarial_texts()) {
        store::summary_task task;
        task.turns = {{0, store::role::user, "x" + text}, {0, store::role::assistant, "x" + text}};
        task.earlier_summaries = {text};
        auto const said = workers::compose_summary({}, task).messages[0].content[0].text();
        BOOST_TEST_CONTEXT(start_of(text)) {
            BOOST_CHECK_EQUAL(count(said, "\n"), 9U);
            BOOST_CHECK_EQUAL(count(said, "\nUser: "), 1U);
            BOOST_CHECK_EQUAL(count(said, "\nAssistant: "), 1U);
            BOOST_CHECK_EQUAL(count(said, "</transcript>"), 1U);
            BOOST_CHECK_EQUAL(count(said, "</earlier_summaries>"), 1U);
            BOOST_CHECK(base::is_utf8(said));
            BOOST_CHECK(workers::extract_memory_tags(said, {"fact"}).tags.empty());
        }
    }
}

BOOST_AUTO_TEST_CASE(a_huge_memory_does_not_fill_the_prompt) {
    auto const list = [](std::string content) {
        store::context context;
        context.memories.push_back({1, "fact", std::move(content), "", "", 1});
        auto const request = compose_chat({}, context, "s", "hi");
        BOOST_REQUIRE_EQUAL(request.system.size(), 2U);
        return request.system[1].text();
    };
    auto const block = list("begin " + std::string(1'000'000, '<') + " end");
    BOOST_CHECK_LT(block.size(), 10'000U);
    BOOST_CHECK(contains(block, "begin "));
    BOOST_CHECK(contains(block, " end\n"));
    auto const wide = test::repeat("\xE6\xBC\xA2", 1'000'000);
    BOOST_CHECK(base::is_utf8(list(wide)));
    BOOST_CHECK(base::is_utf8(list("x" + wide)));
    BOOST_CHECK(base::is_utf8(list("xy" + wide)));
}

BOOST_AUTO_TEST_CASE(a_huge_earlier_turn_does_not_fill_what_was_recalled) {
    store::context context;
    context.found_turns = {
        {{1, store::role::user, "begin " + std::string(1'000'000, '[') + " end"}, "s", "", 1, ""}};
    workers::shown_ids shown;
    auto const block = workers::list_recalled(context, shown, 100, 4'000);
    BOOST_CHECK_LT(block.size(), 1'500U);
    BOOST_CHECK(contains(block, "- (the user said) begin "));
    BOOST_CHECK(contains(block, " end\n"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace

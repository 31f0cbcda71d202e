// What is made to take long takes linear time.
#include "workers/chat/given_notes.hpp"
#include "workers/chat/memory_tags.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <ctime>
#include <string>
#include <string_view>
#include <vector>

namespace {

using engram::workers::extract_memory_tags;

std::vector<std::string> const types = {"fact", "preference", "summary"};

std::string repeat(std::string_view part, std::size_t bytes) {
    std::string text;
    while (text.size() < bytes)
        text += part;
    return text;
}

std::vector<std::string> hostile_answers(std::size_t size) {
    auto const blanks = std::string(size / 2, ' ');
    std::string const tag = "[MEMORY: fact|x]";
    return {std::string(size, '['),
            std::string(size, ']'),
            std::string(size, '`'),
            repeat("[]", size),
            repeat("``` ", size),
            repeat("```\n", size),
            repeat("` `` ``` ```` ", size),
            repeat("[MEMORY:", size),
            repeat("x [MEMORY:", size),
            repeat("[MEMORY: fact|x [", size),
            repeat("[MEMORY: |", size),
            repeat("[ MEMORY : ", size),
            repeat("[MEMORY:]", size),
            repeat("x [MEMORY:] ", size),
            repeat("[MEMORY:\n", size),
            repeat("x [MEMORY: fact|a\n", size),
            repeat("[MEMORY: fact|x] ", size),
            repeat("[MEMORY: fact|x]\n", size),
            repeat("[MEMORY: fact|x]\n\n", size),
            repeat("```\n[MEMORY: fact|x]\n```\n", size),
            repeat("    [MEMORY: fact|x]\n\n", size),
            repeat("`[MEMORY: fact|x]`\n", size),
            repeat("1. [MEMORY: fact|x]\n", size),
            repeat("**[MEMORY: fact|x]** ", size),
            "[" + blanks + blanks,
            "[MEMORY" + blanks + blanks,
            repeat("[        ", size),
            "[" + blanks + repeat(tag, size / 2),
            "[" + blanks + repeat(tag + "M", size / 2),
            "x [MEMORY: fact|" + repeat("[MEMORY: fact|", size / 2) + std::string(size / 28, ']'),
            repeat("[MEM", size / 2) + tag + repeat("ORY:]", size / 2),
            repeat("[MEM" + tag + "ORY:]", size),
            blanks + repeat(tag + " ", size / 2),
            "a" + blanks + repeat(tag, size / 2),
            repeat("[" + tag, size / 2) + blanks,
            repeat("a [MEMORY: fact|[", size),
            repeat("\n", size / 2) + repeat(tag + "\n", size / 2),
            "[MEMORY: fact|" + std::string(size, '[') + "]",
            repeat("[MEM", size),
            repeat("[MEMORY", size),
            repeat("\xEF\xBC\xBB", size),
            repeat("\xEF\xBC\xBBMEMORY\xEF\xBC\x9A", size),
            repeat("\r[MEMORY:]\n", size),
            repeat("] [MEMORY: x\n", size) + "] end",
            repeat("~[MEMORY: a]] [MEMORY: b\n", size) + "]] end",
            repeat("[MEMORY: x\n] ", size) + "end",
            repeat("[ [MEMORY: fact|a ", size / 2) + "]" + blanks + "M",
            "\"" + repeat("[MEMORY: fact|x] ", size),
            repeat("\"[MEMORY: fact|x]\xC2\xAB ", size) + "\xC2\xBB",
            repeat("<code>", size) + repeat("</code>", size / 8) + tag,
            repeat("<blockquote>" + tag + "</blockquote>\n", size),
            repeat("> x\n" + tag + "\n", size),
            repeat("\\", size) + tag,
            repeat("\\" + tag, size),
            repeat("[m: a|b] ", size),
            repeat("[m: [m: [m ", size)};
}

// The fastest of a few, so that what else the machine does counts little.
template <class Work>
double least_seconds(Work work) {
    double least = 1e9;
    for (int i = 0; i < 5; ++i) {
        auto const begin = std::clock();
        work();
        least = std::min(least, double(std::clock() - begin) / CLOCKS_PER_SEC);
    }
    return least;
}

BOOST_AUTO_TEST_SUITE(memory_tags_hostile)

BOOST_AUTO_TEST_CASE(a_large_hostile_answer_takes_linear_time) {
    constexpr std::size_t size = 16 * 1024;
    auto const small = hostile_answers(size), large = hostile_answers(16 * size);
    for (std::size_t i = 0; i < small.size(); ++i) {
        BOOST_TEST_CONTEXT(small[i].substr(0, 30) << "...") {
            auto const first = least_seconds([&] { (void)extract_memory_tags(small[i], types); });
            auto const second = least_seconds([&] { (void)extract_memory_tags(large[i], types); });
            // 16 times the work if it is linear, 256 times if it is quadratic.
            BOOST_CHECK_LT(second, 64 * std::max(first, 1e-4));
        }
    }
}

BOOST_AUTO_TEST_CASE(a_large_hostile_message_takes_linear_time) {
    constexpr std::size_t size = 16 * 1024;
    auto const read = [](std::string const& message) {
        auto const given = engram::workers::given_notes::find({}, message);
        while (given && given->read_on()) {
        }
        (void)extract_memory_tags("[MEMORY: fact|a word or two]", types, false, given.get());
    };
    auto const small = hostile_answers(size), large = hostile_answers(16 * size);
    for (std::size_t i = 0; i < small.size(); ++i) {
        BOOST_TEST_CONTEXT(small[i].substr(0, 30) << "...") {
            auto const first = least_seconds([&] { read(small[i]); });
            auto const second = least_seconds([&] { read(large[i]); });
            BOOST_CHECK_LT(second, 64 * std::max(first, 1e-4));
        }
    }
}

// Contents without a word of weight are compared as a whole, with each note that was given.
BOOST_AUTO_TEST_CASE(many_short_notes_after_a_long_message_take_little_time) {
    constexpr std::size_t size = 16 * 1024;
    auto const read = [](std::size_t bytes) {
        engram::store::context context;
        for (int i = 0; i < 2; ++i)
            context.turns.push_back({0, engram::store::role::user, repeat("[MEMORY: fact|a b] ", bytes)});
        context.turns.back().content = "Hi";
        auto const given = engram::workers::given_notes::find(context, "Hi");
        while (given->read_on()) {
        }
        auto const found =
            extract_memory_tags("Hi.\n" + repeat("[MEMORY: fact|c d]\n", bytes), types, false, given.get());
        BOOST_CHECK_GT(found.tags.size(), 100U);
    };
    auto const first = least_seconds([&] { read(size); });
    auto const second = least_seconds([&] { read(16 * size); });
    BOOST_CHECK_LT(second, 64 * std::max(first, 1e-4));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace

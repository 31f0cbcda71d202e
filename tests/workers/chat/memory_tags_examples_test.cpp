// The examples of docs/memory-tags.md.
#include "workers/chat/memory_tags.hpp"

#include <boost/test/unit_test.hpp>

#include <fstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

using engram::workers::memory_tag;

std::vector<std::string> memories(engram::workers::extraction const& found) {
    std::vector<std::string> list;
    for (auto const& tag : found.tags) {
        auto const label = '#' + std::to_string(tag.label);
        if (tag.what == memory_tag::kind::add) list.push_back(tag.type + '|' + tag.content);
        if (tag.what == memory_tag::kind::update) list.push_back("update " + label + '|' + tag.content);
        if (tag.what == memory_tag::kind::forget) list.push_back("forget " + label + tag.content);
    }
    return list;
}

struct example {
    std::size_t line = 0;
    std::string answer, reply;
    std::vector<std::string> memories;
    std::size_t malformed = 0, retyped = 0;
};

std::string unmask(std::string text) {
    for (auto const& [mask, meant] : {std::pair{"⏎", "\n"}, {"→", "\t"}, {"·", " "}}) {
        for (std::size_t at = 0; (at = text.find(mask, at)) != std::string::npos;)
            text.replace(at, std::string_view(mask).size(), meant);
    }
    return text;
}

std::vector<example> read_examples(std::string const& path) {
    std::ifstream file(path);
    std::vector<example> examples;
    bool inside = false;
    std::size_t number = 0;
    for (std::string line; std::getline(file, line);) {
        ++number;
        if (line == "```example") {
            inside = true;
            examples.push_back({number, {}, {}, {}, 0, 0});
        } else if (line == "```") {
            inside = false;
        } else if (inside) {
            auto& e = examples.back();
            auto const value = line.size() > 2 ? line.substr(2) : std::string();
            switch (line[0]) {
                case '>':
                    e.answer = unmask(value);
                    break;
                case '<':
                    e.reply = value == "·" ? "" : unmask(value);
                    break;
                case '+':
                    e.memories.push_back(unmask(value));
                    break;
                case '-':
                    e.memories.push_back("forget " + unmask(value));
                    break;
                case '!':
                    e.malformed = std::stoul(value);
                    break;
                case '~':
                    e.retyped = std::stoul(value);
                    break;
                default:
                    BOOST_FAIL("line " << number << " of an example is not understood: " << line);
            }
        }
    }
    return examples;
}

BOOST_AUTO_TEST_SUITE(memory_tags_examples)

BOOST_AUTO_TEST_CASE(every_example_of_the_documentation_holds) {
    auto const examples = read_examples(ENGRAM_DOCS "/memory-tags.md");
    BOOST_REQUIRE_GE(examples.size(), 18U);
    for (auto const& e : examples) {
        BOOST_TEST_CONTEXT("docs/memory-tags.md line " << e.line) {
            auto const found =
                engram::workers::extract_memory_tags(e.answer, {"fact", "preference", "summary"});
            auto const kept = memories(found);
            BOOST_CHECK_EQUAL(found.reply, e.reply);
            BOOST_CHECK_EQUAL_COLLECTIONS(kept.begin(), kept.end(), e.memories.begin(), e.memories.end());
            BOOST_CHECK_EQUAL(found.malformed, e.malformed);
            BOOST_CHECK_EQUAL(found.retyped, e.retyped);
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace

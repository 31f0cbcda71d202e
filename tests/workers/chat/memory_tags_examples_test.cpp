// The table of cases in docs/memory-tags.md.
#include "workers/chat/given_notes.hpp"
#include "workers/chat/memory_tags.hpp"

#include <boost/test/unit_test.hpp>

#include <fstream>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

using namespace engram::workers;

std::vector<std::string> notes_of(extraction const& found) {
    std::vector<std::string> list;
    for (auto const& tag : found.tags) {
        auto const label = '#' + std::to_string(tag.label);
        if (tag.what == memory_tag::kind::add) list.push_back("⊕ " + tag.type + '|' + tag.content);
        if (tag.what == memory_tag::kind::update) list.push_back("⊕ update " + label + '|' + tag.content);
        if (tag.what == memory_tag::kind::forget) list.push_back("⊖ " + label + tag.content);
    }
    if (found.malformed > 0) list.push_back("✗ " + std::to_string(found.malformed));
    if (found.retyped > 0) list.push_back("↦ " + std::to_string(found.retyped));
    return list;
}

struct example {
    std::size_t line = 0;
    std::string message, answer, reply;
    std::vector<std::string> notes;
};

std::string unmask(std::string text) {
    for (auto const& [mask, meant] : {std::pair{"⏎", "\n"}, {"→", "\t"}, {"·", " "}, {"∅", ""}}) {
        for (std::size_t at = 0; (at = text.find(mask, at)) != std::string::npos;)
            text.replace(at, std::string_view(mask).size(), meant);
    }
    return text;
}

// Where the next note or count begins, with the blank before it.
std::size_t find_sign(std::string_view text, std::size_t from) {
    auto first = text.size();
    for (std::string_view const sign : {" ⊕ ", " ⊖ ", " ✗ ", " ↦ "})
        first = std::min(first, text.find(sign, from));
    return first;
}

example read_example(std::string_view line) {
    constexpr std::string_view arrow = " ⇒ ", mark = " ▷ ";
    example read;
    auto const middle = line.find(arrow);
    BOOST_REQUIRE_MESSAGE(middle != line.npos, "no arrow: " << line);
    auto left = line.substr(0, middle);
    auto right = line.substr(middle + arrow.size());
    if (auto const given = left.find(mark); given != left.npos) {
        read.message = unmask(std::string(left.substr(0, given)));
        left.remove_prefix(given + mark.size());
    }
    read.answer = unmask(std::string(left));
    auto at = find_sign(right, 0);
    read.reply = unmask(std::string(right.substr(0, at)));
    while (at < right.size()) {
        auto const next = find_sign(right, at + 1);
        read.notes.emplace_back(right.substr(at + 1, next - at - 1));
        at = next;
    }
    return read;
}

std::vector<example> read_examples(std::string const& path) {
    std::ifstream file(path);
    std::vector<example> examples;
    bool inside = false;
    std::size_t number = 0;
    for (std::string line; std::getline(file, line);) {
        ++number;
        if (line == "```cases") {
            inside = true;
        } else if (line == "```") {
            inside = false;
        } else if (inside) {
            examples.push_back(read_example(line));
            examples.back().line = number;
        }
    }
    return examples;
}

BOOST_AUTO_TEST_SUITE(memory_tags_examples)

BOOST_AUTO_TEST_CASE(every_case_of_the_documentation_holds) {
    auto const examples = read_examples(ENGRAM_DOCS "/memory-tags.md");
    BOOST_REQUIRE_GE(examples.size(), 80U);
    for (auto const& e : examples) {
        BOOST_TEST_CONTEXT("docs/memory-tags.md line " << e.line << ": " << e.answer) {
            auto const given = e.message.empty() ? nullptr : given_notes::find({}, e.message);
            while (given && given->read_on()) {
            }
            auto const found =
                extract_memory_tags(e.answer, {"fact", "preference", "summary"}, false, given.get());
            auto const notes = notes_of(found);
            BOOST_CHECK_EQUAL(found.reply, e.reply);
            BOOST_CHECK_EQUAL_COLLECTIONS(notes.begin(), notes.end(), e.notes.begin(), e.notes.end());
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace

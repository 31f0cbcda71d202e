#include "workers/chat/note_limits.hpp"

#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

namespace {

using engram::workers::memory_tag;
using engram::workers::shown_memory;
using kind = memory_tag::kind;

std::vector<shown_memory> const shown = {{7, "fact"}, {8, "fact"}, {9, "hobby"}};

engram::workers::notes_left_out apply_limits(engram::workers::note_limits limits,
                                             std::vector<memory_tag>& tags) {
    return engram::workers::apply_limits(limits, shown, tags);
}

std::vector<memory_tag> tags_of(std::vector<std::string> const& contents) {
    std::vector<memory_tag> tags;
    for (auto const& content : contents)
        tags.push_back({"fact", content});
    return tags;
}

std::vector<std::string> contents_of(std::vector<memory_tag> const& tags) {
    std::vector<std::string> contents;
    for (auto const& tag : tags)
        contents.push_back(tag.content);
    return contents;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(note_limits)

BOOST_AUTO_TEST_CASE(the_longest_note_and_the_greatest_number_are_allowed) {
    auto tags = tags_of({"12345", "1234",
                         "\xC3\xA4\xC3\xA4"
                         "5"});
    auto const left_out = apply_limits({5, 3}, tags);
    BOOST_TEST(tags.size() == 3u);
    BOOST_TEST(left_out.too_long == 0u);
    BOOST_TEST(left_out.too_many == 0u);
}

BOOST_AUTO_TEST_CASE(what_is_too_long_goes_as_a_whole_and_takes_no_place) {
    auto tags = tags_of({"123456", "a", "1234567", "b", "c", "d"});
    auto const left_out = apply_limits({5, 3}, tags);
    BOOST_TEST(contents_of(tags) == std::vector<std::string>({"a", "b", "c"}),
               boost::test_tools::per_element());
    BOOST_TEST(left_out.too_long == 2u);
    BOOST_TEST(left_out.too_many == 1u);
}

BOOST_AUTO_TEST_CASE(an_update_is_a_note_like_any_other) {
    std::vector<memory_tag> tags = {
        {"", "a", kind::update, 7}, {"", "123456", kind::update, 8}, {"", "b", kind::update, 9}};
    auto const left_out = apply_limits({5, 1}, tags);
    BOOST_REQUIRE_EQUAL(tags.size(), 1u);
    BOOST_TEST(tags[0].label == 7);
    BOOST_TEST(left_out.too_long == 1u);
    BOOST_TEST(left_out.too_many == 1u);
}

BOOST_AUTO_TEST_CASE(all_that_was_shown_can_be_forgotten_however_few_notes_are_allowed) {
    std::vector<memory_tag> tags = {{"", "", kind::forget, 9},
                                    {"fact", "a"},
                                    {"", "", kind::forget, 8},
                                    {"fact", "b"},
                                    {"", "", kind::forget, 7}};
    auto const left_out = apply_limits({5, 1}, tags);
    BOOST_REQUIRE_EQUAL(tags.size(), 4u);
    BOOST_TEST(tags[0].label == 9);
    BOOST_TEST(tags[1].content == "a");
    BOOST_TEST(tags[2].label == 8);
    BOOST_TEST(tags[3].label == 7);
    BOOST_TEST(left_out.too_many == 1u);
}

BOOST_AUTO_TEST_CASE(what_was_not_shown_is_left_out_and_takes_no_place) {
    std::vector<memory_tag> tags;
    for (std::int64_t label = 10; label < 60; ++label) {
        tags.push_back({"", "", kind::forget, label});
        tags.push_back({"", "x", kind::update, label});
    }
    tags.push_back({"", "y", kind::update, 7});
    auto const left_out = apply_limits({5, 1}, tags);
    BOOST_REQUIRE_EQUAL(tags.size(), 1u);
    BOOST_TEST(tags[0].content == "y");
    BOOST_TEST(left_out.not_shown == 100u);
    BOOST_TEST(left_out.too_many == 0u);
}

BOOST_AUTO_TEST_CASE(what_is_said_again_is_left_out_and_takes_no_place) {
    std::vector<memory_tag> tags;
    for (int i = 0; i < 100; ++i) {
        tags.push_back({"fact", "a"});
        tags.push_back({"", "", kind::forget, 7});
        tags.push_back({"", "c", kind::update, 8});
    }
    tags.push_back({"preference", "a"});
    auto const left_out = apply_limits({5, 3}, tags);
    BOOST_REQUIRE_EQUAL(tags.size(), 4u);
    BOOST_TEST(tags[3].type == "preference");
    BOOST_TEST(left_out.too_many == 0u);
}

BOOST_AUTO_TEST_CASE(a_change_that_is_taken_back_is_no_repetition) {
    std::vector<memory_tag> tags = {
        {"", "a", kind::update, 7}, {"", "b", kind::update, 7}, {"", "a", kind::update, 7}};
    BOOST_TEST(apply_limits({5, 9}, tags).too_many == 0u);
    BOOST_REQUIRE_EQUAL(tags.size(), 3u);
    BOOST_TEST(tags[2].content == "a");
}

// What forgets must not become many by what stands between.
BOOST_AUTO_TEST_CASE(no_order_of_changes_brings_more_than_is_allowed) {
    std::vector<memory_tag> tags;
    for (int i = 0; i < 1'000; ++i) {
        tags.push_back({"", std::to_string(i), kind::update, 7});
        tags.push_back({"", "", kind::forget, 7});
    }
    BOOST_TEST(apply_limits({5, 4}, tags).too_many == 996u);
    BOOST_TEST(tags.size() == 8u);
}

BOOST_AUTO_TEST_CASE(none_can_be_allowed) {
    auto tags = tags_of({"a", "b"});
    BOOST_TEST(apply_limits({5, 0}, tags).too_many == 2u);
    BOOST_TEST(tags.empty());
}

BOOST_AUTO_TEST_SUITE_END()

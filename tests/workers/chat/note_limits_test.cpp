#include "workers/chat/note_limits.hpp"

#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

namespace {

using engram::workers::apply_limits;
using engram::workers::memory_tag;

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

BOOST_AUTO_TEST_CASE(a_change_is_a_note_like_any_other) {
    std::vector<memory_tag> tags = {{"", "", memory_tag::kind::forget, 7},
                                    {"", "123456", memory_tag::kind::update, 8},
                                    {"", "", memory_tag::kind::forget, 9}};
    auto const left_out = apply_limits({5, 1}, tags);
    BOOST_REQUIRE_EQUAL(tags.size(), 1u);
    BOOST_TEST(tags[0].label == 7);
    BOOST_TEST(left_out.too_long == 1u);
    BOOST_TEST(left_out.too_many == 1u);
}

BOOST_AUTO_TEST_CASE(none_can_be_allowed) {
    auto tags = tags_of({"a", "b"});
    BOOST_TEST(apply_limits({5, 0}, tags).too_many == 2u);
    BOOST_TEST(tags.empty());
}

BOOST_AUTO_TEST_SUITE_END()

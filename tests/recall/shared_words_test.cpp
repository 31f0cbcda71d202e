#include "recall/shared_words.hpp"

#include <boost/test/unit_test.hpp>

#include <string>

namespace {

using namespace engram::recall;

double share(std::string_view part, std::string_view whole) {
    auto const stems = stems_of(part);
    shared_words text(whole);
    text.look_for(stems);
    while (text.read_part()) {
    }
    return share_within(stems, {&text});
}

std::string many(std::string const& words, std::size_t bytes) {
    std::string text;
    while (text.size() < bytes)
        text += words;
    return text;
}

BOOST_AUTO_TEST_SUITE(words_shared)

BOOST_AUTO_TEST_CASE(the_share_of_words_within_another_text) {
    BOOST_TEST(share("The user likes dogs", "My dog and I like walks") == 2. / 3);
    BOOST_TEST(share("likes tea", "I like tea") == 1);
    BOOST_TEST(share("tea", "coffee") == 0);
    BOOST_TEST(share("tea tea tea milk", "tea") == .5);
    BOOST_TEST(share("", "coffee") == 1);
    BOOST_TEST(share("and the", "") == 1);
    BOOST_TEST(share("tea", "") == 0);
}

BOOST_AUTO_TEST_CASE(words_may_be_spread_over_texts) {
    auto const stems = stems_of("green tea from Japan");
    shared_words one("Is there tea?"), other("Japan is green");
    for (auto* const text : {&one, &other}) {
        text->look_for(stems);
        BOOST_TEST(!text->read_part());
    }
    BOOST_TEST(share_within(stems, {&one}) == 1. / 3);
    BOOST_TEST(share_within(stems, {&other}) == 2. / 3);
    BOOST_TEST(share_within(stems, {&one, &other}) == 1);
    BOOST_TEST(share_within(stems, {}) == 0);
}

BOOST_AUTO_TEST_CASE(a_long_text_is_read_in_parts_once_whatever_is_looked_for) {
    auto const text = many("nothing of interest, ", 100'000) + "tea";
    shared_words words(text);
    for (int i = 0; i < 60; ++i)
        words.look_for(stems_of("tea number " + std::to_string(i)));
    std::size_t before = 0;
    for (bool more = true; more; before = words.bytes_read()) {
        more = words.read_part();
        BOOST_TEST(words.bytes_read() > before);
        BOOST_TEST(words.bytes_read() - before <= 10'000U);
    }
    BOOST_TEST(words.bytes_read() == text.size());
    BOOST_TEST(share_within(stems_of("tea"), {&words}) == 1);
    BOOST_TEST(!words.read_part());
}

BOOST_AUTO_TEST_CASE(no_word_is_cut_by_the_end_of_a_part) {
    for (std::size_t shift = 0; shift < 12; ++shift) {
        auto const text = std::string(shift, '.') + many("elephants\n", 3 * shared_words::bytes_a_part);
        BOOST_TEST(share("elephant", text) == 1);
        BOOST_TEST(share("ele phants ep hants", text) == 0);
    }
}

BOOST_AUTO_TEST_CASE(a_text_is_read_no_further_than_needed) {
    auto const text = "I like tea. " + many("nothing of interest, ", 100'000);
    shared_words words(text);
    words.look_for(stems_of("likes tea"));
    BOOST_TEST(!words.read_part());
    BOOST_TEST(words.bytes_read() <= shared_words::bytes_a_part);
    shared_words nothing(text);
    BOOST_TEST(!nothing.read_part());
    BOOST_TEST(nothing.bytes_read() == 0U);
}

BOOST_AUTO_TEST_CASE(a_text_without_blanks_is_cut_between_characters) {
    auto const cats = many("\xE7\x8C\xAB", 3 * shared_words::bytes_a_part + 3);
    BOOST_TEST(share("\xE7\x8C\xAB\xE7\x8C\xAB", cats) == 1);
    BOOST_TEST(share("\xE7\x8A\xAC", cats + "\xE7\x8A\xAC") == 0);  // it stands in a pair there
    BOOST_TEST(share("tea", many("\xBF", 3 * shared_words::bytes_a_part) + " tea") == 1);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace

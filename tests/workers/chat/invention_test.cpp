#include "workers/chat/invention.hpp"

#include <boost/test/unit_test.hpp>

#include <string_view>
#include <vector>

namespace {

using sources = std::vector<std::string_view>;

bool invents(std::string_view text, sources const& from) {
    return engram::workers::invents(text, from);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(inventions)

BOOST_AUTO_TEST_CASE(what_the_sources_say_is_no_invention) {
    sources const from{"The user's name is Ada Lovelace",
                       "The user moved to Bonn on 2026-11-23 with 3.5 cats"};
    BOOST_TEST(!invents("The user Ada Lovelace moved to Bonn on 2026-11-23 and has 3.5 cats", from));
    BOOST_TEST(!invents("", from));
    BOOST_TEST(!invents("lives there, and likes it", from));
}

BOOST_AUTO_TEST_CASE(a_number_must_occur_as_a_whole) {
    sources const from{"born on 1990-02-03, has 3.5 cats, runs 10:30 km, weighs 1,000 g, at -5 degrees"};
    for (auto const invented : {"has 4 cats", "has 5.3 cats", "has 5 cats", "has 3 cats", "on 1990-03-02",
                                "at 5 degrees", "weighs 100 g", "weighs 1000 g", "runs 30:10 km", "is 1990"})
        BOOST_TEST(invents(invented, from), invented);
    for (auto const known : {"3.5", "on 1990-02-03.", "(10:30)", "1,000!", "is -5 now"})
        BOOST_TEST(!invents(known, from), known);
}

BOOST_AUTO_TEST_CASE(what_makes_a_number_another_one_counts) {
    BOOST_TEST(invents("pays 20", {"pays 20%"}));
    BOOST_TEST(invents("pays 20%", {"pays 20"}));
    BOOST_TEST(invents("earns 5k", {"earns 5"}));
    BOOST_TEST(invents("pays $5", {"pays 5"}));
    BOOST_TEST(invents("pays €5", {"pays $5"}));
    BOOST_TEST(invents("10 m²", {"10 m³"}));
    BOOST_TEST(invents("pays 50%6", {"pays 50%"}));
    BOOST_TEST(!invents("pays 20% and 6", {"6 and 20%"}));
}

BOOST_AUTO_TEST_CASE(a_name_must_occur_as_it_is) {
    sources const from{"The user has a sister named Eva", "The user pays the bill in Bonn"};
    for (auto const invented : {"The user knows Bill", "The user lives in Berlin", "The user knows EVA",
                                "The user knows Ev", "The user knows Evan", "knows mcEva", "has an iPhone"})
        BOOST_TEST(invents(invented, from), invented);
    BOOST_TEST(!invents("The user has a sister, Eva, in Bonn", from));
}

BOOST_AUTO_TEST_CASE(a_name_of_several_words_is_not_put_together_from_others) {
    sources const from{"Ada Miller is a friend", "Bob Smith is a friend", "so is Jean-Luc"};
    BOOST_TEST(invents("a friend is Ada Smith", from));
    BOOST_TEST(invents("a friend is Bob Jean", from));
    BOOST_TEST(invents("a friend is Ada Smith", {"friends are Ada, Smith"}));
    BOOST_TEST(!invents("friends are Ada Miller, Bob Smith and Jean-Luc", from));
    BOOST_TEST(!invents("friends are Ada, Bob and Luc", from));
}

BOOST_AUTO_TEST_CASE(a_sentence_may_begin_with_a_word_that_was_small) {
    sources const from{"the user likes tea", "the user lives in Bonn"};
    BOOST_TEST(!invents("Likes tea. In Bonn lives the user", from));
    BOOST_TEST(invents("Drinks tea", from));
    BOOST_TEST(invents("The user likes Tea", from));
}

BOOST_AUTO_TEST_CASE(capitals_beyond_ascii_are_seen) {
    BOOST_TEST(invents("wohnt in Überlingen", {"wohnt in Bonn"}));
    BOOST_TEST(invents("wohnt in überlingen und Ýstad", {"wohnt in überlingen"}));
    BOOST_TEST(invents("живёт в Москве", {"живёт в Омске"}));
    BOOST_TEST(invents("μένει στην Αθήνα", {"μένει στην Πάτρα"}));
    BOOST_TEST(invents("mieszka w Łodzi", {"mieszka w domu"}));
    BOOST_TEST(!invents("живёт в Омске и любит чай", {"живёт в Омске"}));
    BOOST_TEST(!invents("größer, œuvre, żółć, được, μένει", {"x"}));
}

BOOST_AUTO_TEST_CASE(without_capitals_every_word_or_character_must_occur) {
    BOOST_TEST(invents("住在上海", {"住在北京"}));
    BOOST_TEST(!invents("住北京", {"住在北京"}));
    BOOST_TEST(invents("三个孩子", {"二个孩子"}));
    BOOST_TEST(invents("서울", {"부산"}));
    BOOST_TEST(invents("يسكن في دمشق", {"يسكن في عمان"}));
    BOOST_TEST(!invents("في عمان", {"يسكن في عمان"}));
    BOOST_TEST(invents("٣ قطط", {"٢ قطط"}));
    BOOST_TEST(invents("likes 🍺", {"likes 🍵"}));
}

BOOST_AUTO_TEST_CASE(addresses_must_occur) {
    BOOST_TEST(invents("writes from ada@other", {"writes from ada@home"}));
    BOOST_TEST(!invents("from ada@home", {"writes from ada@home"}));
}

BOOST_AUTO_TEST_CASE(a_retelling_lacks_a_name_also_at_the_beginning_of_a_sentence) {
    engram::workers::retelling const said("- The user has friends; zofia, Waldi, Müller-Wagner and Ödön.");
    for (auto const lacking : {"- Lovelace came to tea", "- they met. Ngozi sang", "- Łukasz sang",
                               "- Ирина пела", "Waldemar barks"})
        BOOST_TEST(said.lacks(lacking), lacking);
    for (auto const known :
         {"- Waldi barks", "- Zofia sings", "- Ödön sings", "- Müller sings", "- Likes to sing. Talked of it",
          "- Heute singt er", "- Сегодня они пели", "- Yesterday"})
        BOOST_TEST(!said.lacks(known), known);
}

BOOST_AUTO_TEST_CASE(bytes_that_are_no_text_are_survived) {
    BOOST_TEST(invents("\xff\xfe", {"a"}));
    BOOST_TEST(!invents("a", {"\xf0\x9f a", "\xe2\x88"}));
    BOOST_TEST(!invents("1", {"1\xe2", "\xe2\x88\x92"}));
    BOOST_TEST(invents("1", {}));
}

BOOST_AUTO_TEST_SUITE_END()

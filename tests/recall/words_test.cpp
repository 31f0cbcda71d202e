#include "recall/words.hpp"

#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

namespace {

using namespace engram::recall;
using strings = std::vector<std::string>;

strings words_in(std::string_view text, marks with = marks::strip) {
    strings all;
    word_reader reader(text, with);
    for (word one{}; reader.next(one);)
        all.emplace_back(one.text);
    return all;
}

void check(std::string_view text, strings const& expected) {
    auto const all = words_in(text);
    BOOST_CHECK_EQUAL_COLLECTIONS(all.begin(), all.end(), expected.begin(), expected.end());
}

BOOST_AUTO_TEST_SUITE(words)

BOOST_AUTO_TEST_CASE(words_are_runs_of_letters_and_digits) {
    check("Hello, World! It's the 18th of May_be 2023.",
          {"hello", "world", "it", "s", "the", "18th", "of", "may", "be", "2023"});
    check("", {});
    check(" ... \n", {});
    check("well-known rock'n'roll", {"well", "known", "rock", "n", "roll"});
    check("user’s", {"user", "s"});
}

BOOST_AUTO_TEST_CASE(case_and_compatibility_forms_are_folded_and_marks_stripped) {
    check("CAFÉ Cafe\xCC\x81 ﬁn Straße ＡＢＣ İstanbul",
          {"cafe", "cafe", "fin", "strasse", "abc", "istanbul"});
    check("ПРИВЕТ Ελλάδα", {"привет", "ελλαδα"});
}

BOOST_AUTO_TEST_CASE(marks_are_kept_when_asked_in_whatever_form_they_come) {
    auto const composed = words_in("Schön", marks::keep), decomposed = words_in("Scho\xCC\x88n", marks::keep);
    BOOST_TEST(composed == decomposed, boost::test_tools::per_element());
    BOOST_TEST(composed != words_in("schon", marks::keep));
}

BOOST_AUTO_TEST_CASE(vowels_of_india_stay) {
    BOOST_TEST(words_in("कि") != words_in("की"));
    BOOST_TEST(words_in("हिन्दी भाषा").size() == 2U);
}

BOOST_AUTO_TEST_CASE(scripts_without_blanks_come_as_pairs) {
    check("東京タワー", {"東京", "京タ", "タワ", "ワー"});
    check("猫", {"猫"});
    check("私はTokyoにいる", {"私は", "tokyo", "にい", "いる"});
    check("가나다", {"가나", "나다"});
    check("สวัสดี", {"สว", "วั", "ัส", "สด", "ดี"});
    check("ﾊﾞﾅﾅ", {"バナ", "ナナ"});
}

BOOST_AUTO_TEST_CASE(bytes_that_are_no_utf_8_separate_words) {
    check("one\xFFtwo\xC3three\xE2\x82", {"one", "two", "three"});
    check(std::string("nul\0byte", 8), {"nul", "byte"});
    check("\xED\xA0\x80surrogate", {"surrogate"});
}

BOOST_AUTO_TEST_CASE(marks_and_joiners_alone_are_no_word) {
    check("\xCC\x81\xCC\x82 \xE2\x80\x8D", {});
    check("co\xC2\xADoperate", {"cooperate"});
    check("zero\xE2\x80\x8Bwidth", {"zero", "width"});
}

BOOST_AUTO_TEST_CASE(a_word_knows_where_it_stands) {
    word_reader reader("é Ab");
    word one{};
    BOOST_REQUIRE(reader.next(one) && reader.next(one));
    BOOST_TEST(one.begin == 3U);
    BOOST_TEST(one.end == 5U);
}

BOOST_AUTO_TEST_CASE(a_name_before_a_colon_is_the_speaker) {
    BOOST_TEST(speaker_prefix("Caroline: hello") == 10U);
    BOOST_TEST(speaker_prefix("Mary-Jane O'Neil Jr.: hello") == 22U);
    BOOST_TEST(speaker_prefix("Zoë: hi") == 6U);
    for (auto const* text : {"caroline: hello", "Caroline:hello", "Note 1: hello", "Hello", "", ":", "A",
                             "Abcdefghijklmnopqrstuvwxyzabcdefg: too long", "What, me: no"}) {
        BOOST_TEST_CONTEXT(text) BOOST_TEST(speaker_prefix(text) == 0U);
    }
}

BOOST_AUTO_TEST_CASE(a_question_ends_with_its_mark) {
    BOOST_TEST(is_question("really? \n"));
    BOOST_TEST(is_question("何？"));
    BOOST_TEST(!is_question("really? yes"));
    BOOST_TEST(!is_question(" "));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace

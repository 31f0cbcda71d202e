#include "recall/stem.hpp"

#include "recall/hash.hpp"
#include "recall/word_lists.hpp"

#include <boost/test/unit_test.hpp>

#include <string>
#include <utility>

namespace {

using namespace engram::recall;

BOOST_AUTO_TEST_SUITE(stems)

BOOST_AUTO_TEST_CASE(porter_gives_the_published_stems) {
    std::pair<char const*, char const*> const expected[] = {{"caresses", "caress"},
                                                            {"ponies", "poni"},
                                                            {"caress", "caress"},
                                                            {"cats", "cat"},
                                                            {"feed", "feed"},
                                                            {"agreed", "agre"},
                                                            {"plastered", "plaster"},
                                                            {"bled", "bled"},
                                                            {"motoring", "motor"},
                                                            {"sing", "sing"},
                                                            {"conflated", "conflat"},
                                                            {"troubled", "troubl"},
                                                            {"sized", "size"},
                                                            {"hopping", "hop"},
                                                            {"tanned", "tan"},
                                                            {"falling", "fall"},
                                                            {"hissing", "hiss"},
                                                            {"fizzed", "fizz"},
                                                            {"failing", "fail"},
                                                            {"filing", "file"},
                                                            {"happy", "happi"},
                                                            {"sky", "sky"},
                                                            {"relational", "relat"},
                                                            {"conditional", "condit"},
                                                            {"rational", "ration"},
                                                            {"valenci", "valenc"},
                                                            {"hesitanci", "hesit"},
                                                            {"digitizer", "digit"},
                                                            {"radicalli", "radic"},
                                                            {"differentli", "differ"},
                                                            {"vileli", "vile"},
                                                            {"analogousli", "analog"},
                                                            {"vietnamization", "vietnam"},
                                                            {"predication", "predic"},
                                                            {"operator", "oper"},
                                                            {"feudalism", "feudal"},
                                                            {"decisiveness", "decis"},
                                                            {"hopefulness", "hope"},
                                                            {"callousness", "callous"},
                                                            {"formaliti", "formal"},
                                                            {"sensitiviti", "sensit"},
                                                            {"sensibiliti", "sensibl"},
                                                            {"triplicate", "triplic"},
                                                            {"formative", "form"},
                                                            {"formalize", "formal"},
                                                            {"electriciti", "electr"},
                                                            {"electrical", "electr"},
                                                            {"hopeful", "hope"},
                                                            {"goodness", "good"},
                                                            {"revival", "reviv"},
                                                            {"allowance", "allow"},
                                                            {"inference", "infer"},
                                                            {"airliner", "airlin"},
                                                            {"gyroscopic", "gyroscop"},
                                                            {"adjustable", "adjust"},
                                                            {"defensible", "defens"},
                                                            {"irritant", "irrit"},
                                                            {"replacement", "replac"},
                                                            {"adjustment", "adjust"},
                                                            {"dependent", "depend"},
                                                            {"adoption", "adopt"},
                                                            {"homologou", "homolog"},
                                                            {"communism", "commun"},
                                                            {"activate", "activ"},
                                                            {"angulariti", "angular"},
                                                            {"homologous", "homolog"},
                                                            {"effective", "effect"},
                                                            {"bowdlerize", "bowdler"},
                                                            {"probate", "probat"},
                                                            {"rate", "rate"},
                                                            {"cease", "ceas"},
                                                            {"controll", "control"},
                                                            {"roll", "roll"},
                                                            {"puppies", "puppi"},
                                                            {"running", "run"},
                                                            {"allergies", "allergi"},
                                                            {"yyyy", "yyyi"},
                                                            {"by", "by"}};
    for (auto const& [word, stem] : expected) {
        std::string found = word;
        apply_porter(found);
        BOOST_TEST(found == stem, word << " became " << found);
    }
}

BOOST_AUTO_TEST_CASE(short_words_and_words_with_other_letters_stay) {
    for (std::string const word : {"as", "18ths", "éclairs", "привет", "a1ing"}) {
        BOOST_TEST(stem_of(word) == word);
    }
}

BOOST_AUTO_TEST_CASE(irregular_forms_have_the_stem_of_their_base) {
    BOOST_TEST(stem_of("went") == stem_of("going"));
    BOOST_TEST(stem_of("children") == stem_of("child"));
    BOOST_TEST(stem_of("mum") == stem_of("mom"));
    BOOST_TEST(stem_of("bought") == "bui");
}

BOOST_AUTO_TEST_CASE(a_very_long_word_stays_as_it_is) {
    std::string const long_word = std::string(60, 'x') + "running";
    BOOST_TEST(stem_of(long_word) == long_word);
    std::string const hostile(100'000, 'y');
    BOOST_TEST(stem_of(hostile) == hostile);
}

BOOST_AUTO_TEST_CASE(the_hash_never_changes) {
    // Entries on disk hold it.
    BOOST_TEST(hash_of("") == 0x4FD0BFC1U);
    BOOST_TEST(hash_of("dog") == 0x3EDB43F1U);
    BOOST_TEST(hash_of("猫") == 0x4B69E754U);
}

BOOST_AUTO_TEST_CASE(lists_are_searched_right) {
    for (auto const* word : {"a", "about", "yourselves", "your", "ve", "don", "the"}) {
        BOOST_TEST(is_stop_word(word) == (std::string(word) != "yourselves"), word);
    }
    BOOST_TEST(is_first_person("ourselves"));
    BOOST_TEST(is_time_word("yesterday"));
    BOOST_TEST(!is_time_word("later"));
    BOOST_TEST(month_number("december") == 12);
    BOOST_TEST(weekday_number("sunday") == 7);
    BOOST_TEST(number_of("twelve") == 12);
    BOOST_TEST(number_of("0012") == 12);
    BOOST_TEST(number_of("12345") == -1);
    BOOST_TEST(number_of("") == -1);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace

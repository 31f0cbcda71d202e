#include "recall/likeness.hpp"

#include <boost/test/unit_test.hpp>

#include <string>
#include <utility>

namespace {

using namespace engram::recall;

bool same(std::string_view a, std::string_view b) {
    auto const one = make_fingerprint(a), other = make_fingerprint(b);
    bool const there = says_the_same(one, other);
    BOOST_TEST(says_the_same(other, one) == there, "not both ways: " << a << " / " << b);
    return there;
}

BOOST_AUTO_TEST_SUITE(likeness)

BOOST_AUTO_TEST_CASE(differences_that_do_not_matter) {
    std::pair<char const*, char const*> const pairs[] = {
        {"The user likes tea.", "user likes tea"},
        {"The user likes tea", "Likes tea!"},
        {"The user likes tea", "THE USER LIKES TEA"},
        {"The user's name is Ada", "name: Ada"},
        {"The user is a nurse", "User is  a\n nurse."},
        {"The user really likes green tea", "The user likes green tea very, very"},
        {"The user currently works at Siemens", "The user works at Siemens"},
        {"The user also actually has two dogs", "User has 2 dogs"},
        {"The user has a dog and a cat", "The user has dog, cat"},
        {"The user likes dog", "The user likes dogs"},
        {"They live in a small city", "They lives in small cities"},
        {"The user doesn't like tea", "The user does not like tea"},
        {"The user doesn’t like tea", "User doesnt like tea"},
        {"The user can't swim", "The user cannot swim"},
        {"The user’s favourite colour is blue", "Blue is the user's favourite colour"},
        {"The user lives in Köln", "The user lives in Ko\xCC\x88ln"},
        {"The user likes tea, coffee", "The user likes tea & coffee"},
        {"The user works as a senior software engineer at Siemens building motor controllers",
         "The user works as a senior embedded software engineer at Siemens building motor controllers"},
    };
    for (auto const& [a, b] : pairs)
        BOOST_TEST(same(a, b), a << " / " << b);
}

BOOST_AUTO_TEST_CASE(differences_that_matter) {
    std::pair<char const*, char const*> const pairs[] = {
        {"The user's name is Ada", "The user's name is Eva"},
        {"2 dogs", "3 dogs"},
        {"The user has two dogs", "The user has three dogs"},
        {"The user moved from Paris to Rome", "The user moved from Rome to Paris"},
        {"moved from paris to rome", "moved from rome to paris"},
        {"The user moved to Rome", "The user moved from Rome"},
        {"likes tea", "does not like tea"},
        {"likes tea", "doesn't like tea"},
        {"likes tea", "never likes tea"},
        {"works with Bob", "works with Rob"},
        {"allergic to nuts", "allergic to milk"},
        {"allergic to nuts", "allergic to nuts and milk"},
        {"worked at Siemens", "works at Siemens"},
        {"The user was a nurse", "The user is a nurse"},
        {"The user liked tea", "The user likes tea"},
        {"The user prefers tea to coffee", "The user prefers coffee to tea"},
        {"The dog bites the man", "The man bites the dog"},
        {"Ada is taller than Eva", "Eva is taller than Ada"},
        {"The user will move", "The user moves"},
        {"knows C++", "knows C#"},
        {"knows C++", "knows C"},
        {"takes 5 mg", "takes 50 mg"},
        {"earns $5", "earns €5"},
        {"it was -5 degrees", "it was 5 degrees"},
        {"takes 1.5 pills", "takes 15 pills"},
        {"likes 🍎", "likes 🍌"},
        {"likes 猫", "likes 犬"},
        {"喜欢猫", "不喜欢猫"},
        {"works with Adam", "works with Adams"},
        {"takes vitamin A", "takes vitamin"},
        {"The user is Müller", "The user is Muller"},
        {"lives with his brother", "lives with her brother"},
        {"The user likes tea?", "The user likes tea"},
        // Long ones: a single word that matters.
        {"The user is allergic to nuts, shellfish, eggs, soy, wheat, sesame and kiwis",
         "The user is allergic to nuts, shellfish, eggs, soy, wheat, sesame, kiwis and milk"},
        {"The user lives with two old cats near the big river bank in Bonn with friends",
         "The user lives with three old cats near the big river bank in Bonn with friends"},
        {"The user plays the violin in a small local amateur orchestra every single week",
         "The user never plays the violin in a small local amateur orchestra every single week"},
        {"The user plays the violin in a small local amateur orchestra every single week",
         "The user formerly plays the violin in a small local amateur orchestra every single week"},
        {"The user plays the violin in a small local amateur orchestra every single week with friends there",
         "The user plays the cello in a small local amateur orchestra every single week with friends there"},
        {"The user plays the violin in a small local amateur orchestra every single week",
         "The user plays the violin in a small local amateur orchestra every single week with Bob"},
        {"The user plays the violin in a small local amateur orchestra every single week",
         "The user doesnt plays the violin in a small local amateur orchestra every single week"},
    };
    for (auto const& [a, b] : pairs)
        BOOST_TEST(!same(a, b), a << " / " << b);
}

BOOST_AUTO_TEST_CASE(a_memory_without_words_is_like_nothing) {
    BOOST_TEST(!same("", ""));
    BOOST_TEST(!same("The user is", "the"));
    BOOST_TEST(!same("The user", "The user likes tea"));
}

BOOST_AUTO_TEST_CASE(very_long_memories_are_the_same_only_if_all_of_them_is) {
    std::string text;
    for (int i = 0; i < 3'000; ++i)
        text += "word" + std::to_string(i) + ' ';
    BOOST_TEST(same(text + "tea", text + "Tea."));
    BOOST_TEST(!same(text + "tea", text + "coffee"));
    BOOST_TEST(make_fingerprint(text).size() < 100U);
    std::string const one_word(100'000, 'x');
    BOOST_TEST(same(one_word, one_word));
}

BOOST_AUTO_TEST_CASE(fingerprints_hold_no_text_and_malformed_ones_are_like_nothing) {
    auto const good = make_fingerprint("The user likes tea");
    BOOST_TEST(good.find("tea") == std::string::npos);
    BOOST_TEST(says_the_same(good, good));
    for (std::size_t size = 0; size < good.size(); ++size)
        BOOST_TEST(!says_the_same(good.substr(0, size), good));
    auto bad = good;
    bad[0] = 2;
    BOOST_TEST(!says_the_same(bad, bad));
    bad = good;
    bad.back() = '\x7F';
    BOOST_TEST(!says_the_same(bad, bad));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace

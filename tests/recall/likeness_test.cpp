#include "recall/likeness.hpp"

#include <boost/test/unit_test.hpp>

#include <string>
#include <utility>

namespace {

using namespace engram::recall;

using pair = std::pair<char const*, char const*>;

bool same(std::string_view a, std::string_view b) {
    auto const one = make_fingerprint(a), other = make_fingerprint(b);
    bool const there = says_the_same(one, other);
    BOOST_TEST(says_the_same(other, one) == there, "not both ways: " << a << " / " << b);
    BOOST_TEST(says_the_same(one, one), "not like itself: " << a);
    return there;
}

BOOST_AUTO_TEST_SUITE(likeness)

BOOST_AUTO_TEST_CASE(differences_that_do_not_matter) {
    pair const pairs[] = {
        // Case, blanks, the end.
        {"The user likes tea.", "The user likes tea"},
        {"The user likes tea", "the user likes tea"},
        {"The user likes tea", "THE USER LIKES TEA"},
        {"The user lives in Paris", "the user lives in paris."},
        {"the user lives in paris.", "User lives in PARIS!"},
        {"User lives in PARIS!", "Lives in  Paris"},
        {"The user's name is Ada", "the user's name is ada"},
        {"The user is ALLERGIC to nuts", "The user is allergic to nuts"},
        {" The user likes\ttea\n", "The\u00A0user likes\u3000tea"},
        {"Tea is what the user likes", "tea is what the user likes"},
        {"The user likes tea...", "The user likes tea\u2026"},
        {"The user has 2 dogs.", "The user has 2 dogs"},
        {"The user knows C++.", "The user knows C++"},
        // The subject.
        {"The user likes tea", "User likes tea"},
        {"The user likes tea", "Likes tea!"},
        {"The user does not like tea", "Does not like tea"},
        {"The user’s name is Ada", "User's name is Ada"},
        {"Der Nutzer mag Tee", "Nutzer mag Tee."},
        {"Die Benutzerin wohnt in Köln", "Benutzerin wohnt in Köln"},
        {"El usuario vive en Madrid", "Usuario vive en Madrid."},
        {"L’utilisateur habite à Lyon", "Utilisateur habite à Lyon"},
        {"O usuário mora no Rio", "Usuário mora no Rio!"},
        {"De gebruiker woont in Gent", "de gebruiker woont in gent"},
        // Articles.
        {"The user plays the piano", "The user plays piano"},
        {"The user is a nurse", "User is  nurse."},
        {"The user is a teacher at the school", "The user is teacher at school"},
        {"The user has an old dog", "Has old dog"},
        // Ways to write a character.
        {"The user's dog is “Rex”", "The user's dog is \"Rex\""},
        {"L'utente ama l’opera", "L’utente ama l'opera"},
        {"Der Nutzer liest »Emma«", "Der Nutzer liest „Emma“"},
        {"用户喜欢《家》和「猫」", "用户喜欢《家》和『猫』。"},
        {"open 9\u20135", "open 9-5"},
        {"it was \u22125 degrees", "it was -5 degrees"},
        {"The user lives in Köln", "The user lives in Ko\u0308ln"},
        {"The user has \uFF12 dogs", "The user has 2 dogs"},
        {"用户使用 Ｐｙｔｈｏｎ！", "用户使用 Python"},
        {"ユーザーはｺｰﾋｰとﾊﾟﾝが好き", "ユーザーはコーヒーとパンが好き。"},
        {"사용자는 차를 좋아한다.", "사용자는 차를 좋아한다"},
        {"उपयोगकर्ता को चाय पसंद है।", "उपयोगकर्ता को चाय पसंद है"},
        {"Օգտատերը սիրում է թեյ։", "Օգտատերը սիրում է թեյ"},
        {"\uFEDB\uFE98\uFE8E\uFE8F", "كتاب"},
        // Case in other scripts and languages.
        {"Пользователь живёт в Париже", "пользователь живёт в париже."},
        {"Ο χρήστης ζει στη Ρόδο", "ο χρήστης ζει στη ρόδο"},
        {"Kullanıcı İzmir'de yaşıyor", "kullanıcı izmir'de yaşıyor"},
        {"DER NUTZER TRINKT KÄSETEE", "der nutzer trinkt käsetee"},
    };
    for (auto const& [a, b] : pairs)
        BOOST_TEST(same(a, b), a << " / " << b);
}

BOOST_AUTO_TEST_CASE(a_word_more_or_another_one_makes_another_memory) {
    pair const pairs[] = {
        {"The user likes tea", "The user likes coffee"},
        {"The user likes tea", "The user really likes tea"},
        {"The user works at Siemens", "The user currently works at Siemens"},
        {"The user likes dog", "The user likes dogs"},
        {"The user plays the violin in a small local amateur orchestra every single week",
         "The user plays the violin in a small local vegan amateur orchestra every single week"},
        {"The user's sister works as a nurse at the big hospital near the old bridge in Bonn",
         "The user's pregnant sister works as a nurse at the big hospital near the old bridge in Bonn"},
        {"The user has a new address in Bonn near the big old bridge over the river Rhine",
         "The user has a new temporary address in Bonn near the big old bridge over the river Rhine"},
        {"The user likes tea", "The user does not like tea"},
        {"The user can swim", "The user can't swim"},
        {"Der Nutzer isst am Abend mit Freunden in Köln gerne Fisch und Reis",
         "Der Nutzer isst am Abend mit Freunden in Köln nie gerne Fisch und Reis"},
        {"Der Nutzer hat einen Hund", "Der Nutzer hat keinen Hund"},
        {"El usuario come carne con su familia los domingos en casa de sus padres",
         "El usuario nunca come carne con su familia los domingos en casa de sus padres"},
        {"L'utilisateur mange du poisson", "L'utilisateur ne mange pas de poisson"},
        {"L'utilisateur a peu d'amis", "L'utilisateur a un peu d'amis"},
        {"L'utente mangia carne con gli amici", "L'utente non mangia mai carne con gli amici"},
        {"O usuário bebe café com leite", "O usuário não bebe café com leite"},
        {"De gebruiker eet vlees", "De gebruiker eet geen vlees"},
        {"Användaren dricker kaffe", "Användaren dricker inte kaffe"},
        {"Użytkownik lubi koty", "Użytkownik nie lubi kotów"},
        {"Пользователь ест мясо", "Пользователь не ест мясо"},
        {"Kullanıcı et yiyor", "Kullanıcı et yemiyor"},
        {"المستخدم يحب القهوة", "المستخدم لا يحب القهوة"},
        {"המשתמש אוכל בשר", "המשתמש לא אוכל בשר"},
        {"उपयोगकर्ता मांस खाता है", "उपयोगकर्ता मांस नहीं खाता है"},
        {"用户喜欢猫", "用户不喜欢猫"},
        {"ユーザーは肉を食べます", "ユーザーは肉を食べません"},
        {"사용자는 고기를 먹는다", "사용자는 고기를 안 먹는다"},
        {"The user worked at Siemens", "The user works at Siemens"},
        {"The user moved from Paris to Rome", "The user moved from Rome to Paris"},
        {"The dog bites the man", "The man bites the dog"},
        {"Den Hund beißt der Mann", "Der Hund beißt den Mann"},
        {"Le gusta el cura", "Le gusta la cura"},
        {"The user likes tea, coffee", "The user likes tea & coffee"},
        {"The user likes tea?", "The user likes tea"},
        {"Στον χρήστη αρέσει το τσάι;", "Στον χρήστη αρέσει το τσάι"},
        {"The user's experience is bad", "The user is bad"},
        {"User experience matters", "Experience matters"},
        {"The user is a therapist", "The user is the rapist"},
        {"The user's name is Ada", "Name is Ada"},
    };
    for (auto const& [a, b] : pairs)
        BOOST_TEST(!same(a, b), a << " / " << b);
}

BOOST_AUTO_TEST_CASE(names_make_another_memory_whatever_words_they_are) {
    pair const pairs[] = {
        {"The user's cat is called My", "The user's cat is called Very"},
        {"The user's cat is called My", "The user's cat is called The"},
        {"The user's cat is called The", "The user's cat is called An"},
        {"The user's cat is called the", "The user's cat is called"},
        {"The user's friend An Li lives here", "The user's friend Li lives here"},
        {"The user likes The Who", "The user likes Who"},
        {"The user Will Smith called", "Will Smith called"},
        {"Der Nutzer heißt Die", "Der Nutzer heißt Der"},
        {"The user works with Adam", "The user works with Adams"},
        {"The user has few friends", "The user has a few friends"},
        {"The user speaks little German", "The user speaks a little German"},
        {"The user takes vitamin a pills", "The user takes vitamin pills"},
        {"User denkt an Ada", "User denkt Ada"},
    };
    for (auto const& [a, b] : pairs)
        BOOST_TEST(!same(a, b), a << " / " << b);
}

BOOST_AUTO_TEST_CASE(case_that_means_something_makes_another_memory) {
    pair const pairs[] = {
        {"The user calls it fooBar", "The user calls it FooBar"},
        {"The user calls it fooBar", "The user calls it foobar"},
        {"the user calls it fooBar", "the user calls it foobar"},
        {"The user likes Turkey", "The user likes turkey"},
        {"The user's cat is called My", "The user's cat is called my"},
        {"The user works in IT", "The user works in it"},
        {"the user works in it", "The user works in IT"},
        {"The user moved to the US", "The user moved to the us"},
        {"The user's password is aB3x", "The user's password is Ab3x"},
        {"The file is /Home/ada", "The file is /home/ada"},
        {"The constant is MAX_SIZE", "The constant is max_size"},
        {"Der Nutzer liebt Essen", "Der Nutzer liebt essen"},
        {"Kullanıcının DIŞI", "Kullanıcının dişi"},
    };
    for (auto const& [a, b] : pairs)
        BOOST_TEST(!same(a, b), a << " / " << b);
}

BOOST_AUTO_TEST_CASE(signs_numbers_and_accents_make_another_memory) {
    pair const pairs[] = {
        {"The mail is a.b@example.org", "The mail is a_b@example.org"},
        {"The mail is a.b@example.org", "The mail is ab@example.org"},
        {"The user knows C", "The user knows C++"},
        {"The user knows C++", "The user knows C#"},
        {"The user knows NET", "The user knows .NET"},
        {"The password is hunter2!", "The password is hunter2"},
        {"The user takes 5 mg", "The user takes 5 g"},
        {"The user takes 1.5 pills", "The user takes 15 pills"},
        {"The user takes 1,5 pills", "The user takes 1.5 pills"},
        {"The user has two dogs", "The user has three dogs"},
        {"it was -5 degrees", "it was 5 degrees"},
        {"earns $5", "earns €5"},
        {"The flat has 50 m²", "The flat has 50 m2"},
        {"The user wrote a résumé", "The user wrote a resume"},
        {"The user is Müller", "The user is Muller"},
        {"El usuario tiene 3 años", "El usuario tiene 3 anos"},
        {"Der Nutzer trinkt in Maßen", "Der Nutzer trinkt in Massen"},
        {"Người dùng thích bò", "Người dùng thích bơ"},
        {"Kullanıcı kır seviyor", "Kullanıcı kir seviyor"},
        {"likes 🍎", "likes 🍌"},
        {"likes tea 👍", "likes tea 👎"},
        {"ユーザーはハハが好き", "ユーザーはババが好き"},
        {"ユーザーはビルに住む", "ユーザーはビールに住む"},
        {"The user is called M\xFCller", "The user is called M\xE4ller"},
    };
    for (auto const& [a, b] : pairs)
        BOOST_TEST(!same(a, b), a << " / " << b);
}

BOOST_AUTO_TEST_CASE(a_memory_that_says_nothing_is_like_nothing) {
    for (char const* const text : {"", " \n", "...", "。"}) {
        auto const print = make_fingerprint(text);
        BOOST_TEST(!says_the_same(print, print));
    }
    BOOST_TEST(!same("The user is", "the"));
    BOOST_TEST(!same("The user", "The user likes tea"));
}

BOOST_AUTO_TEST_CASE(very_long_memories_are_the_same_only_if_all_of_them_is) {
    std::string text;
    for (int i = 0; i < 3'000; ++i)
        text += "word" + std::string(1, char('a' + i % 26)) + ' ';
    BOOST_TEST(same(text + "tea", text + " tea."));
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
    bad[0] = 1;
    BOOST_TEST(!says_the_same(bad, bad));
    bad = good;
    bad.back() = '\x7F';
    BOOST_TEST(!says_the_same(bad, bad));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace

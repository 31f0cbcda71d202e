#include "recall/search.hpp"

#include "recall/entry.hpp"
#include "recall/hash.hpp"
#include "recall/neighbours.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

namespace {

using namespace engram::recall;

constexpr std::uint32_t may_2023 = 28'054'080;  // 2023-05-05 00:00

struct said {
    std::string text;
    std::uint32_t session = 1;
    std::uint32_t minutes = may_2023;
    voice by = voice::user;
};

struct asking {
    word_neighbours const* neighbours = nullptr;
    std::uint32_t now = 0;
    std::set<std::int64_t> without = {};
    std::size_t limit = 20;
};

/// The ids are the places in the list.
std::vector<found> ask(std::string const& query, std::vector<said> const& texts, asking const& how = {}) {
    search one(query, how.neighbours, how.now);
    for (std::size_t i = 0; i < texts.size(); ++i) {
        auto const entry = make_entry(texts[i].text, texts[i].by);
        one.see({static_cast<std::int64_t>(i), texts[i].session, texts[i].minutes, entry});
    }
    return one.best(how.limit, [&how](std::int64_t id) { return how.without.contains(id); });
}

std::vector<std::int64_t> ids(std::vector<found> const& all) {
    std::vector<std::int64_t> list;
    for (auto const& one : all)
        list.push_back(one.id);
    return list;
}

std::string why(std::vector<found> const& all, std::int64_t id) {
    auto const at = std::find_if(all.begin(), all.end(), [id](found const& one) { return one.id == id; });
    return at == all.end() ? "not found" : at->why;
}

/// Texts of a session each, so that nothing but their words counts.
std::vector<said> apart(std::vector<std::string> const& texts, voice by = voice::user) {
    std::vector<said> all;
    std::uint32_t session = 0;
    for (auto const& text : texts)
        all.push_back({text, ++session, may_2023, by});
    return all;
}

BOOST_AUTO_TEST_SUITE(searching)

BOOST_AUTO_TEST_CASE(the_text_with_the_words_is_found_with_the_reason) {
    auto const all =
        ask("What is the dog called?", apart({"blue sky", "The dogs are called Rex", "a dog ran", "tea"}));
    BOOST_TEST(ids(all) == (std::vector<std::int64_t>{1, 2}), boost::test_tools::per_element());
    BOOST_TEST(all[0].why == "words: dog, called; session");
    BOOST_TEST(all[0].score > all[1].score);
}

BOOST_AUTO_TEST_CASE(rare_words_count_more_and_of_equals_the_newer_is_first) {
    auto const texts = apart({"garden party", "garden shed", "garden shed", "garden tools", "violin party"});
    auto const all = ask("garden violin", texts);
    BOOST_TEST(ids(all) == (std::vector<std::int64_t>{4, 3, 2, 1, 0}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(turns_next_to_a_hit_are_found_but_not_across_sessions_or_memories) {
    std::vector<said> const texts = {{"Which instrument do you play?", 1, may_2023, voice::assistant},
                                     {"Violin, since childhood.", 1},
                                     {"Lovely weather here.", 2},
                                     {"Likes painting.", 1, may_2023, voice::memory},
                                     {"Cello sometimes.", 1}};
    auto const all = ask("which instrument", texts);
    BOOST_TEST(why(all, 0) == "words: instrument; session");
    BOOST_TEST(why(all, 1) == "neighbours; session");
    BOOST_TEST(why(all, 2) == "not found");
    BOOST_TEST(why(all, 3) == "session");
    BOOST_TEST(why(all, 4) == "neighbours; session");
}

BOOST_AUTO_TEST_CASE(an_episode_ends_with_a_long_pause_or_after_forty_turns) {
    std::vector<said> const pause = {
        {"about the violin", 1, may_2023}, {"yes", 1, may_2023 + 6 * 60}, {"so", 1, may_2023 + 13 * 60}};
    auto const after_pause = ask("violin", pause);
    BOOST_TEST(why(after_pause, 1) == "neighbours; session");
    BOOST_TEST(why(after_pause, 2) == "not found");

    std::vector<said> many(82, {"well", 1});
    many[39].text = "violin";
    auto const all = ask("violin", many, {.limit = 100});
    BOOST_TEST(all.size() == 40U);
    BOOST_TEST(why(all, 38) == "neighbours; session");
    BOOST_TEST(why(all, 40) == "not found");
}

BOOST_AUTO_TEST_CASE(turns_without_a_session_have_no_neighbours) {
    auto const all = ask("violin", {{"violin", 0}, {"yes", 0}});
    BOOST_TEST(ids(all) == std::vector<std::int64_t>{0}, boost::test_tools::per_element());
    BOOST_TEST(why(all, 0) == "words: violin");
}

BOOST_AUTO_TEST_CASE(the_speaker_asked_for_is_preferred) {
    auto const texts =
        apart({"Ada: tea every morning", "Caroline: tea every morning", "Ada: tea every evening"});
    auto const all = ask("When does Caroline drink tea?", texts);
    BOOST_REQUIRE(!all.empty());
    BOOST_TEST(all[0].id == 1);
    BOOST_TEST(all[0].why == "words: tea; session; name: caroline");
    BOOST_TEST(why(all, 0) == "words: tea; session");
}

BOOST_AUTO_TEST_CASE(roles_are_no_names) {
    auto const all = ask("the assistant manager", apart({"Assistant: hello there", "a manager"}));
    BOOST_TEST(ids(all) == std::vector<std::int64_t>{1}, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_date_in_the_query_finds_what_was_said_then) {
    constexpr std::uint32_t day = 24 * 60;
    std::vector<said> const texts = {
        {"went hiking", 1, may_2023 - 400 * day}, {"went hiking", 2, may_2023}, {"tea", 3, may_2023}};
    auto const all = ask("Who went hiking on 5 May 2023?", texts);
    BOOST_TEST(all[0].id == 1);
    BOOST_TEST(why(all, 1) == "words: went, hiking; session; date");
    BOOST_TEST(why(all, 2) == "date");
    auto const relative = ask("what did I do yesterday?", texts, {.now = may_2023 + day + 60});
    BOOST_TEST(ids(relative) == (std::vector<std::int64_t>{2, 1}), boost::test_tools::per_element());
    BOOST_TEST(ask("what did I do yesterday?", texts).empty());
}

BOOST_AUTO_TEST_CASE(a_near_word_stands_in_for_one_that_is_missing) {
    auto const table = word_neighbours::open(WORD_NEIGHBOURS);
    auto const texts = apart({"Our puppy is cute", "The sky is blue", "Dog food"});
    auto const all = ask("dogs", texts, {.neighbours = table.get()});
    BOOST_TEST(ids(all) == (std::vector<std::int64_t>{2, 0}), boost::test_tools::per_element());
    BOOST_TEST(why(all, 0) == "words: dogs ~ puppy");
    BOOST_TEST(ask("dogs", texts).size() == 1U);
}

BOOST_AUTO_TEST_CASE(what_is_left_out_gives_context_all_the_same) {
    std::vector<said> const texts = {{"Which instrument?", 1}, {"Violin.", 1}, {"rain", 2}};
    auto const all = ask("instrument", texts, {.without = {0}});
    BOOST_TEST(ids(all) == std::vector<std::int64_t>{1}, boost::test_tools::per_element());
    BOOST_TEST(why(all, 1) == "neighbours; session");
}

BOOST_AUTO_TEST_CASE(a_boost_ranks_and_finds) {
    auto const texts = apart({"violin", "violin", "cello", "rain"}, voice::memory);
    search one("violin", nullptr, 0);
    for (std::size_t i = 0; i < texts.size(); ++i) {
        auto const entry = make_entry(texts[i].text, texts[i].by);
        one.see({static_cast<std::int64_t>(i), texts[i].session, texts[i].minutes, entry});
    }
    auto const all = one.best(10, {}, [](std::int64_t id) { return id == 0 ? .2 : id == 2 ? 7. : -1.; });
    BOOST_TEST(ids(all) == (std::vector<std::int64_t>{0, 1, 2}), boost::test_tools::per_element());
    BOOST_TEST(why(all, 2) == "embedding");
    BOOST_TEST(all[2].score == .5);
}

BOOST_AUTO_TEST_CASE(at_most_the_limit_and_the_best_of_them) {
    auto const texts = apart({"violin a b", "violin", "violin rain storm wind", "rain"});
    auto const all = ask("violin", texts, {.limit = 2}), every = ask("violin", texts);
    BOOST_REQUIRE(every.size() == 3U);
    BOOST_TEST(ids(all) == (std::vector<std::int64_t>{every[0].id, every[1].id}),
               boost::test_tools::per_element());
    BOOST_TEST(ask("violin", texts, {.limit = 0}).empty());
}

BOOST_AUTO_TEST_CASE(nothing_to_search_for_is_said) {
    for (auto const* query : {"", " ?!", "\xFF\xFE", "'s 'll"})
        BOOST_TEST(search(query, nullptr, 0).empty(), query);
    BOOST_TEST(!search("dog", nullptr, 0).empty());
    BOOST_TEST(!search("2023", nullptr, 0).empty());
    BOOST_TEST(ask("", apart({"dog"})).empty());
    BOOST_TEST(ask("dog", {}).empty());
}

BOOST_AUTO_TEST_CASE(other_scripts_are_found) {
    auto const texts = apart(
        {"私は東京に住んでいます", "Ich trinke gern Café", "Привет, мир", "나는 서울에 산다", "ฉันชอบแมว"});
    BOOST_TEST(ask("東京", texts)[0].id == 0);
    BOOST_TEST(ask("cafe", texts)[0].id == 1);
    BOOST_TEST(ask("МИР", texts)[0].id == 2);
    BOOST_TEST(ask("서울", texts)[0].id == 3);
    BOOST_TEST(ask("แมว", texts)[0].id == 4);
}

BOOST_AUTO_TEST_CASE(malformed_entries_are_skipped) {
    search one("dog", nullptr, 0);
    auto const entry = make_entry("dog", voice::user);
    for (std::string_view const bad :
         {std::string_view(), std::string_view("x"), std::string_view(entry).substr(0, 5)}) {
        one.see({1, 1, 0, bad});
    }
    BOOST_TEST(one.best(10, {}).empty());
    one.see({2, 1, 0, entry});
    BOOST_TEST(ids(one.best(10, {})) == std::vector<std::int64_t>{2}, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(hostile_queries_are_answered) {
    auto const table = word_neighbours::open(WORD_NEIGHBOURS);
    std::string all_words, dates, names;
    for (std::uint16_t i = 0; i < table->size(); i += 7)
        all_words += std::string(table->word(i)) + ' ';
    for (int i = 0; i < 20'000; ++i)
        dates += "7 may 2023 ago last ";
    for (int i = 0; i < 20'000; ++i)
        names += "n" + std::to_string(i) + ": ";
    auto const texts = apart({"Dog: " + all_words, "a dog " + std::string(100'000, 'x'), dates, names});
    for (auto const& query :
         {all_words, dates, names, std::string(100'000, 'x'), std::string(100'000, '\xFF')}) {
        auto const found = ask(query, texts, {.neighbours = table.get(), .now = may_2023});
        for (auto const& one : found)
            BOOST_TEST((one.score > 0 && one.why.size() < 10'000));
        BOOST_TEST(found.empty() == (query[0] == '\xFF'));
    }
}

BOOST_AUTO_TEST_CASE(of_many_terms_the_rarest_that_occur_count) {
    std::string query;
    for (int i = 0; i < 500; ++i)
        query += "unknown" + std::to_string(i) + ' ';
    auto const all = ask(query + "violin", apart({"rain", "violin"}));
    BOOST_TEST(ids(all) == std::vector<std::int64_t>{1}, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace

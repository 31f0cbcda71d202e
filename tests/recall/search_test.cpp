#include "recall/search.hpp"

#include "recall/entry.hpp"
#include "recall/hash.hpp"
#include "recall/neighbours.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <set>
#include <string>
#include <utility>
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

double score(std::vector<found> const& all, std::int64_t id) {
    auto const at = std::find_if(all.begin(), all.end(), [id](found const& one) { return one.id == id; });
    return at == all.end() ? 0 : at->score;
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
        {"about the violin", 1, may_2023}, {"yes", 1, may_2023 + 2 * 60}, {"so", 1, may_2023 + 4 * 60 + 1}};
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

BOOST_AUTO_TEST_CASE(what_comes_before_lends_twice_what_comes_after_and_as_much_as_the_session) {
    auto const all = ask("violin", {{"a violin", 1},
                                    {"indeed", 1},
                                    {"indeed", 1},
                                    {"indeed", 1},
                                    {"indeed", 2},
                                    {"indeed", 2},
                                    {"indeed", 2},
                                    {"a violin", 2}});
    auto const near = boost::test_tools::tolerance(1e-9);
    BOOST_TEST(score(all, 0) == score(all, 7), near);
    BOOST_TEST(score(all, 3) == .3, near);  // two others stand between
    BOOST_TEST(score(all, 4) == .3, near);
    BOOST_TEST(score(all, 1) == .3 + .6, near);
    BOOST_TEST(score(all, 6) == .3 + .3, near);
    BOOST_TEST(score(all, 2) == .3 + .3, near);
    BOOST_TEST(score(all, 5) == .3 + .2, near);
}

BOOST_AUTO_TEST_CASE(who_says_i_is_no_speaker_of_that_name) {
    auto const all = ask("what do I read about violins?",
                         apart({"I get this error: no such table", "Violins are hard to tune"}));
    BOOST_TEST(ids(all) == std::vector<std::int64_t>{1}, boost::test_tools::per_element());
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

/// One entry each for messages and the answers to them.
std::vector<found> ask_exchanges(std::string const& query,
                                 std::vector<std::pair<std::string, std::string>> const& said) {
    search one(query, nullptr, 0);
    for (std::size_t i = 0; i < said.size(); ++i) {
        part const parts[] = {{said[i].first, voice::user}, {said[i].second, voice::assistant}};
        auto const entry = make_entry(parts);
        one.see({static_cast<std::int64_t>(i), static_cast<std::uint32_t>(i + 1), may_2023, entry});
    }
    return one.best(20, {});
}

BOOST_AUTO_TEST_CASE(an_exchange_is_found_once_and_by_the_words_that_fit) {
    auto const all = ask_exchanges("violin lessons", {{"I take violin lessons", "Enjoy the violin lessons"},
                                                      {"What shall I do?", "Take violin lessons"},
                                                      {"tea", "coffee"}});
    BOOST_TEST(ids(all) == (std::vector<std::int64_t>{0, 1}), boost::test_tools::per_element());
    BOOST_TEST((all[0].by == voice::user && all[1].by == voice::assistant));
    BOOST_TEST(all[0].why == "words: violin, lessons; session");
}

BOOST_AUTO_TEST_CASE(the_answer_comes_first_when_it_is_asked_for) {
    std::vector<std::pair<std::string, std::string>> const said = {
        {"My back aches, any stretching exercises?", "Rest a little"},
        {"What helps?", "Stretching exercises for the back"}};
    BOOST_TEST(ask_exchanges("stretching exercises", said)[0].id == 0);
    auto const all = ask_exchanges("Which stretching exercises did you recommend?", said);
    BOOST_TEST(all[0].id == 1);
    BOOST_TEST((all[0].by == voice::assistant));
}

BOOST_AUTO_TEST_CASE(turns_that_are_kept_apart_are_one_exchange_all_the_same) {
    std::vector<said> const texts = {{"I take violin lessons", 1},
                                     {"Enjoy the violin lessons", 1, may_2023, voice::assistant},
                                     {"tea", 1},
                                     {"a violin", 1, may_2023, voice::assistant},
                                     {"a violin", 2, may_2023, voice::assistant}};
    auto const all = ask("violin", texts);
    BOOST_TEST(all.size() == 3U);
    BOOST_TEST(why(all, 1) == "not found");
    BOOST_TEST(why(all, 2) == "not found");
    BOOST_TEST(why(all, 3).starts_with("words: violin"));
    // What stands in the prompt already gives way to the other turn.
    BOOST_TEST(why(ask("violin", texts, {.without = {0}}), 1).starts_with("words: violin"));
    auto const without = ask("violin", texts, {.without = {0, 1}});
    BOOST_TEST((why(without, 0) == "not found" && why(without, 1) == "not found"));
}

BOOST_AUTO_TEST_CASE(a_long_text_counts_by_its_best_passage) {
    std::string spread, together;
    for (int i = 0; i < 300; ++i) {
        spread += i == 10 ? "violin " : i == 290 ? "teacher " : "rain" + std::to_string(i) + ' ';
        together += i == 150 ? "violin teacher " : "wind" + std::to_string(i) + ' ';
    }
    auto const all = ask("violin teacher", apart({together, spread, "tea"}));
    BOOST_TEST(ids(all) == (std::vector<std::int64_t>{0, 1}), boost::test_tools::per_element());
    BOOST_TEST(all[0].score > 1.3 * all[1].score);
}

BOOST_AUTO_TEST_CASE(a_stand_in_has_the_smaller_rarity_and_the_norm_of_its_text) {
    auto const table = word_neighbours::open(WORD_NEIGHBOURS);
    std::string filled = "puppy";
    for (int i = 0; i < 45; ++i)
        filled += " filling" + std::to_string(i);
    auto const lengths =
        ask("dogs", apart({"a puppy", filled, "a long dog story"}), {.neighbours = table.get()});
    BOOST_TEST(ids(lengths) == (std::vector<std::int64_t>{2, 0, 1}), boost::test_tools::per_element());
    // "puppy" is everywhere, "dog" is rare: the puppies are worth little beside another rare word.
    std::vector<std::string> texts(40, "a puppy");
    texts.push_back("a dog");
    texts.push_back("the violin");
    auto const all = ask("dog violin", apart(texts), {.neighbours = table.get()});
    BOOST_REQUIRE(all.size() > 2U);
    BOOST_TEST(all[2].score < .2 * all[1].score);
}

BOOST_AUTO_TEST_CASE(small_talk_finds_nothing_whatever_is_similar) {
    auto const texts =
        apart({"Good morning, I had a bad dream", "ok thanks", "lol", "Guten Morgen, ich bin krank"});
    for (auto const* query : {"Good morning", "ok thanks", "lol", "Guten Morgen", "\xF0\x9F\x91\x8D"}) {
        BOOST_TEST(ask(query, texts).empty(), query);
        search one(query, nullptr, 0);
        for (std::size_t i = 0; i < texts.size(); ++i) {
            auto const entry = make_entry(texts[i].text, texts[i].by);
            one.see({static_cast<std::int64_t>(i), texts[i].session, texts[i].minutes, entry});
        }
        BOOST_TEST(one.empty(), query);
        BOOST_TEST(one.best(10, {}, [](std::int64_t) { return 1.; }).empty(), query);
    }
    BOOST_TEST(!ask("Good morning, what was my dream?", texts).empty());
}

BOOST_AUTO_TEST_CASE(a_word_of_all_texts_finds_none) {
    std::vector<std::string> texts(30, "dear diary");
    texts.push_back("dear violin");
    BOOST_TEST(ask("dear", apart(texts)).empty());
    BOOST_TEST(ids(ask("dear violin", apart(texts))) == std::vector<std::int64_t>{30},
               boost::test_tools::per_element());
    BOOST_TEST(ask("dear", apart({"dear diary"})).size() == 1U);
}

BOOST_AUTO_TEST_CASE(likeness_must_stand_out) {
    auto const texts = apart(std::vector<std::string>(20, "rain"), voice::memory);
    search one("violin", nullptr, 0);
    for (std::size_t i = 0; i < texts.size(); ++i) {
        auto const entry = make_entry(texts[i].text, texts[i].by);
        one.see({static_cast<std::int64_t>(i), texts[i].session, texts[i].minutes, entry});
    }
    // A model that calls all texts alike.
    auto const all = one.best(10, {}, [](std::int64_t id) { return id == 3 ? .85 : .7 + .001 * double(id); });
    BOOST_TEST(ids(all) == std::vector<std::int64_t>{3}, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_question_behind_a_long_text_finds_its_own) {
    std::string mail;
    for (int i = 0; i < 60; ++i)
        mail += "invoice" + std::to_string(i % 25) + " garden" + std::to_string(i % 25) + " of ";
    std::vector<std::string> texts;
    for (int i = 0; i < 25; ++i)
        texts.push_back("invoice" + std::to_string(i) + " garden" + std::to_string(i) + " invoice" +
                        std::to_string((i + 1) % 25) + " garden" + std::to_string((i + 1) % 25));
    texts.push_back("my dog is called Rex");
    auto const all = ask(mail + ".\n\nWhat is my dog called?", apart(texts));
    BOOST_REQUIRE(all.size() > 1U);
    BOOST_TEST(all[0].id == 25);
    BOOST_TEST(all[1].score > .2);  // what is aside is found as well
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

#include "workers/chat/recollection.hpp"

#include <boost/test/unit_test.hpp>

#include <string>
#include <utility>
#include <vector>

namespace {

using namespace engram;
using store::text_kind;

base::wall_time const now{std::chrono::hours(500'000)};

struct fixture {
    workers::recollection texts{nullptr};

    struct text {
        std::int64_t id;
        std::string said;
        text_kind kind = text_kind::memory;
    };

    std::shared_ptr<store::ranker> search(std::string query, std::vector<text> const& all) const {
        auto ranker = texts.ranker_for(std::move(query), now);
        for (auto const& one : all) {
            auto const entry = texts.entry(one.said, one.kind);
            ranker->see({one.id, 0, 0, entry});
        }
        return ranker;
    }
};

bool keep_all(std::int64_t) {
    return false;
}

std::vector<std::int64_t> ids(std::vector<store::ranked_item> const& found) {
    std::vector<std::int64_t> list;
    for (auto const& one : found)
        list.push_back(one.id);
    return list;
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(recollection, fixture)

BOOST_AUTO_TEST_CASE(a_text_is_found_by_its_words_and_says_why) {
    auto const ranker = search("What is my dog called?", {{1, "Has a dog called Rex"},
                                                          {2, "Plays the piano"},
                                                          {3, "My dogs bark", text_kind::user_turn},
                                                          {4, "Dogs do that", text_kind::assistant_turn}});
    auto const found = ranker->best(10, keep_all, {});
    BOOST_REQUIRE_EQUAL(found.size(), 3u);
    BOOST_TEST(found[0].id == 1);
    for (auto const& one : found) {
        BOOST_TEST(one.id != 2);
        BOOST_TEST(one.score > 0);
        BOOST_TEST(one.why.find("dog") != std::string::npos);
    }
    BOOST_TEST(found[0].score >= found[1].score);
}

BOOST_AUTO_TEST_CASE(notes_in_an_answer_are_not_indexed) {
    std::string const note = "[MEMORY: fact|Plays badminton]";
    std::vector<std::string> const tags = {note, "[MEMORY: update #3|Plays badminton]",
                                           "[MEMORY: forget #3|badminton]", "[MEMORY: badminton",
                                           "[MEMORY: badminton]"};
    for (auto const& tag : tags) {
        BOOST_TEST_CONTEXT(tag) {
            BOOST_TEST(texts.entry("Lovely weather.\n" + tag, text_kind::assistant_turn) ==
                       texts.entry("Lovely weather.", text_kind::assistant_turn));
            BOOST_TEST(texts.entry("Lovely weather.\n" + tag, text_kind::assistant_turn) ==
                       texts.entry("Lovely weather.", text_kind::assistant_said));
        }
    }
    auto const ranker =
        search("Who plays badminton?", {{1, "Lovely weather.\n" + note, text_kind::assistant_turn}});
    BOOST_TEST(ranker->best(10, keep_all, {}).empty());
}

BOOST_AUTO_TEST_CASE(what_a_user_typed_is_indexed_though_it_looks_like_a_note) {
    for (auto const kind : {text_kind::user_turn, text_kind::memory}) {
        auto const ranker = search("Who plays badminton?", {{1, "[MEMORY: fact|Plays badminton]", kind}});
        BOOST_TEST(ranker->best(10, keep_all, {}).size() == 1u);
    }
}

BOOST_AUTO_TEST_CASE(who_spoke_is_part_of_an_entry) {
    std::string const said = "The weather is lovely";
    BOOST_TEST(texts.entry(said, text_kind::user_turn) != texts.entry(said, text_kind::assistant_turn));
    BOOST_TEST(texts.entry(said, text_kind::user_turn) != texts.entry(said, text_kind::memory));
    BOOST_TEST(texts.version() > 0u);
}

BOOST_AUTO_TEST_CASE(at_most_the_limit_and_nothing_that_is_left_out_is_found) {
    std::vector<text> all;
    for (int i = 1; i <= 9; ++i)
        all.push_back({i, "Has a dog number " + std::to_string(i)});
    auto const ranker = search("dog", all);
    BOOST_TEST(ranker->best(4, keep_all, {}).size() == 4u);
    auto const odd = ranker->best(10, [](std::int64_t id) { return id % 2 == 0; }, {});
    BOOST_TEST(odd.size() == 5u);
    for (auto const id : ids(odd))
        BOOST_TEST(id % 2 == 1);
    BOOST_TEST(ranker->best(0, keep_all, {}).empty());
}

BOOST_AUTO_TEST_CASE(meaning_raises_a_text_but_opposite_meaning_does_not_sink_it) {
    auto const ranker = search("dog", {{1, "Has a dog"}, {2, "Has a dog"}, {3, "Has a dog"}});
    auto const by_words = ranker->best(3, keep_all, {});
    auto const with = [&](double first, double second) {
        return ranker->best(3, keep_all, [=](std::int64_t id) {
            return id == 1 ? first : id == 2 ? second : 0;
        });
    };
    BOOST_TEST(with(.1, .9)[0].id == 2);
    BOOST_TEST(with(.9, .1)[0].id == 1);
    // Out of range: as the nearest that is in it.
    auto const opposite = with(-1, -1);
    BOOST_REQUIRE_EQUAL(opposite.size(), by_words.size());
    for (std::size_t i = 0; i < opposite.size(); ++i) {
        BOOST_TEST(opposite[i].id == by_words[i].id);
        BOOST_TEST(opposite[i].score == by_words[i].score);
    }
    BOOST_TEST(with(7, 0)[0].score == with(1, 0)[0].score);
}

BOOST_AUTO_TEST_CASE(a_search_that_saw_nothing_or_has_nothing_to_go_by_finds_nothing) {
    BOOST_TEST(texts.ranker_for("dog", now)->best(10, keep_all, {}).empty());
    for (std::string const query : {"", " \n", "?!", "\xFF\xFE"})
        BOOST_TEST(search(query, {{1, "Has a dog"}, {2, ""}})->best(10, keep_all, {}).empty());
}

BOOST_AUTO_TEST_CASE(an_exchange_of_many_turns_is_found_by_each_of_them) {
    std::vector<std::string> const animals{"dog",   "cat",  "goat", "horse", "duck", "sheep",
                                           "camel", "crow", "mole", "whale", "bear", "frog"};
    for (bool const in_turns : {false, true}) {
        for (std::size_t count = 1; count <= 32; ++count) {
            std::vector<store::spoken> turns;
            for (std::size_t i = 0; i < count; ++i) {
                bool const by_user = in_turns ? i % 2 == 0 : i == 0;
                turns.push_back({animals[i % animals.size()],
                                 by_user ? text_kind::user_turn : text_kind::assistant_said});
            }
            auto const entry = texts.exchange_entry(turns);
            for (auto const& turn : turns) {
                auto const ranker = texts.ranker_for(std::string(turn.text), now);
                ranker->see({7, 0, 0, entry});
                BOOST_TEST_CONTEXT(turn.text << " in " << count)
                BOOST_TEST(ids(ranker->best(1, keep_all, {})) == std::vector<std::int64_t>{7},
                           boost::test_tools::per_element());
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(entries_that_are_damaged_are_passed_over) {
    auto const ranker = search("dog", {{1, "Has a dog"}});
    auto entry = texts.entry("Has a dog", text_kind::memory);
    entry.pop_back();
    ranker->see({2, 0, 0, entry});
    ranker->see({3, 0, 0, {}});
    ranker->see({4, 0, 0, "\xFF\xFF\xFF\xFF"});
    BOOST_TEST(ids(ranker->best(10, keep_all, {})) == std::vector<std::int64_t>{1},
               boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(memories_that_say_the_same_are_recognized) {
    auto const print = [&](std::string const& text) { return texts.fingerprint(text); };
    BOOST_TEST(texts.same(print("The user's name is Ada"), print("the user's name is ada.")));
    BOOST_TEST(!texts.same(print("Lives in Rome"), print("Lives in Paris")));
    BOOST_TEST(!texts.same(print("Likes tea"), print("Does not like tea")));
}

BOOST_AUTO_TEST_CASE(without_a_table_of_words_the_search_goes_on_without) {
    BOOST_TEST(!workers::open_word_neighbours("/nowhere/word-neighbours"));
    workers::recollection const without(workers::open_word_neighbours("/nowhere/word-neighbours"));
    auto const entry = without.entry("Has a dog", text_kind::memory);
    auto const ranker = without.ranker_for("dog", now);
    ranker->see({1, 0, 0, entry});
    BOOST_TEST(ranker->best(1, keep_all, {}).size() == 1u);
}

BOOST_AUTO_TEST_SUITE_END()

// What was written is found again, at once, by its own user and by nobody else.
#include "store/sqlite/recall_block.hpp"
#include "store_fixture.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>

using namespace engram;
using namespace engram::store::test;
using namespace std::chrono_literals;
using engram::store::conversation;

namespace {

struct fixture {
    temporary_folder folder;
    std::string path = folder.file("engram.db");
    watched_index index;
    opened_store db{options_for(path), &index};
    conversation of{"ada", "s1"};
    int jobs = 0;

    void say(conversation const& where, std::string const& question, std::string const& answer,
             std::vector<store::new_memory> notes = {}) {
        auto what = exchange_of(where, job("j" + std::to_string(jobs++)), std::move(notes));
        what.turns[0].content = question;
        what.turns[1].content = answer;
        what.seen = db.get(db->load_context(query_of(where))).seen;
        BOOST_REQUIRE(db.get(db->commit_exchange(what)).committed);
    }

    // With nothing in the window and one memory in the list, unless told otherwise.
    store::context find(std::string const& query, std::size_t limit = 10, std::size_t memories = 0,
                        std::size_t turns = 0) {
        auto asked = query_of(of);
        asked.memory_limit = memories;
        asked.history_turns = turns;
        asked.find.limit = limit;
        asked.now = at();
        asked.find.text = query;
        return db.get(db->load_context(asked));
    }
    static std::string texts(store::context const& seen) {
        std::string all;
        for (auto const& one : seen.found_memories)
            all += "m:" + one.what.content + "|";
        for (auto const& one : seen.found_turns)
            all += "t:" + one.what.content + "|";
        return all;
    }
    // What the index holds of ada, in order.
    std::vector<std::string> indexed() {
        auto asked = query_of(of);
        asked.find = {"-", 1, {}, {}};
        db.get(db->load_context(asked));
        return index.last_search->seen;
    }
    std::int64_t rows() { return number(path, "SELECT count(*) FROM engram_recall"); }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(store_recall, fixture)

BOOST_AUTO_TEST_CASE(what_is_written_is_found_in_the_same_moment) {
    say({"ada", "s2"}, "my dog is called Rex", "a fine name", {{"fact", "has a dog called Rex"}});
    auto const seen = find("what is the dog called?");
    BOOST_REQUIRE(seen.found_memories.size() == 1u);
    BOOST_TEST(seen.found_memories[0].what.content == "has a dog called Rex");
    BOOST_TEST(seen.found_memories[0].what.label == 1);
    BOOST_TEST(seen.found_memories[0].score == 2);
    BOOST_TEST(seen.found_memories[0].why == "words");
    BOOST_REQUIRE(seen.found_turns.size() == 2u);
    BOOST_TEST(seen.found_turns[0].what.content == "my dog is called Rex");
    BOOST_TEST(seen.found_turns[1].what.content == "a fine name");
    BOOST_TEST(seen.found_turns[0].session_id == "s2");
    BOOST_TEST(seen.found_turns[0].created_at == "2024-01-01 00:00:00.000");
    auto const one = find("dog", 1);
    BOOST_TEST(one.found_memories.size() + one.found_turns.size() / 2 == 1u);
    BOOST_TEST(texts(find("dog", 0)).empty());
}

BOOST_AUTO_TEST_CASE(
    what_stands_in_the_window_is_not_found_and_a_listed_memory_takes_nothing_else_its_place) {
    say(of, "my dog is called Rex", "a fine name", {{"fact", "has a dog called Rex"}});
    say({"ada", "s2"}, "the dog is ill", "oh");
    BOOST_TEST(texts(find("dog", 1, 20, 40)).ends_with("t:the dog is ill|t:oh|"));
    say(of, "x", "y");
    // What the window is too short for can be found.
    BOOST_TEST(texts(find("dog Rex", 10, 20, 2)) ==
               "m:has a dog called Rex|t:my dog is called Rex|t:a fine name|t:the dog is ill|t:oh|");
}

BOOST_AUTO_TEST_CASE(what_the_bytes_of_the_window_have_no_room_for_is_found) {
    say(of, "my dog is called Rex", "a fine name");
    say(of, std::string(100, 'x'), "y");
    auto asked = query_of(of);
    asked.find.limit = 10;
    asked.find.text = "dog";
    auto const found = [&](std::size_t bytes) {
        asked.history_bytes = bytes;
        return texts(db.get(db->load_context(asked)));
    };
    BOOST_TEST(found(1'000).empty());
    // "a fine name" is loaded and stands in no prompt without its message.
    BOOST_TEST(found(120) == "t:my dog is called Rex|t:a fine name|");
    BOOST_TEST(found(0) == "t:my dog is called Rex|t:a fine name|");
    asked.history_bytes = 112;
    BOOST_TEST(db.get(db->load_context(asked)).turns.size() == 3u);
}

BOOST_AUTO_TEST_CASE(texts_of_others_are_never_shown_to_a_search) {
    for (int i = 0; i < 200; ++i) {
        say({"bob", "s1"}, "bob has a dog", "fine", {{"fact", "bob's dog " + std::to_string(i)}});
        say({"ada", "s9"}, "ada has a cat", "fine");
    }
    auto const all = indexed();
    BOOST_TEST(all.size() == 200u);
    BOOST_TEST(
        (std::ranges::none_of(all, [](auto const& one) { return one.find("bob") != std::string::npos; })));
    BOOST_TEST(texts(find("dog")).empty());
}

BOOST_AUTO_TEST_CASE(what_holds_no_more_is_not_found) {
    say({"ada", "s2"}, "x", "y", {{"fact", "lives in Ghent"}, {"fact", "has a dog"}});
    say({"ada", "s2"}, "x", "y",
        {{.type = "mood", .content = "is tired of Ghent", .lifetime = 1s},
         {.type = {}, .content = "lives in Bruges", .what = store::new_memory::kind::update, .label = 1},
         {.type = {}, .content = {}, .what = store::new_memory::kind::forget, .label = 2}});
    BOOST_TEST(texts(find("Ghent dog Bruges")) == "m:lives in Bruges|m:is tired of Ghent|");
    auto asked = query_of(of);
    asked.memory_limit = 0;
    asked.find.limit = 10;
    asked.find.text = "Ghent dog Bruges";
    asked.now = at(1);
    BOOST_TEST(texts(db.get(db->load_context(asked))) == "m:lives in Bruges|");
    db.get(db->restore_memory("ada", 1, at()));
    BOOST_TEST(texts(find("Ghent dog Bruges")) == "m:is tired of Ghent|m:lives in Ghent|");
}

BOOST_AUTO_TEST_CASE(every_64_texts_share_a_row_and_none_is_lost) {
    std::vector<std::string> expected;
    for (int i = 0; i < 66; ++i) {
        auto const n = std::to_string(i);
        say({"ada", "s2"}, "question " + n, "answer " + n);
        expected.push_back("question " + n + " answer " + n);
        BOOST_REQUIRE(indexed().size() == expected.size());
    }
    BOOST_TEST(indexed() == expected, boost::test_tools::per_element());
    BOOST_TEST(rows() == 1 + 2);  // 66 exchanges: a full row and the rest
    BOOST_TEST(texts(find("63", 1)).find("63") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(texts_without_words_leave_gaps_that_do_no_harm) {
    for (int i = 0; i < 150; ++i)
        say({"ada", "s2"}, i % 3 == 0 ? "question " + std::to_string(i) : "...", "");
    BOOST_TEST(indexed().size() == 50u);
    BOOST_TEST(number(path, "SELECT count(*) FROM conversation_history WHERE item IS NOT NULL") == 100);
}

BOOST_AUTO_TEST_CASE(removed_texts_leave_rows_that_pack_all_the_same) {
    for (int i = 0; i < 20; ++i)
        say({"ada", "s" + std::to_string(i)}, "question " + std::to_string(i), "ok",
            {{"fact", "number " + std::to_string(i)}});
    for (int i = 0; i < 19; ++i)  // all but the last of the first row
        db.get(db->delete_session({"ada", "s" + std::to_string(i)}, true, at()));
    for (int i = 20; i < 50; ++i)
        say({"ada", "late"}, "question " + std::to_string(i), "ok");
    auto const all = indexed();
    BOOST_TEST(all.size() == 2u + 30u);
    BOOST_TEST(all.at(0) == "question 19 ok");
    BOOST_TEST(texts(find("49", 1)) == "t:question 49|t:ok|");
    // And out of packed rows: first, last and all in between.
    db.get(db->delete_session({"ada", "late"}, false, at()));
    BOOST_TEST(indexed().size() == 2u);
    db.get(db->forget_user("ada", store::finished_jobs::remove, at()));
    BOOST_TEST(rows() == 0);
}

BOOST_AUTO_TEST_CASE(people_find_the_same_as_a_turn_and_turns_that_are_known_are_left_out) {
    say({"ada", "s2"}, "my dog is called Rex", "a dog of that name", {{"fact", "has a dog called Rex"}});
    auto const all = db.get(db->find("ada", {"dog Rex", 10, {}, {}}, {}, at()));
    auto const turn = find("dog Rex");
    BOOST_REQUIRE(all.memories.size() == 1u);
    BOOST_REQUIRE(all.turns.size() == 2u);
    BOOST_TEST(all.memories[0].first.what.id == turn.found_memories.at(0).what.id);
    for (std::size_t i = 0; i < 2; ++i)
        BOOST_TEST(all.turns[i].first.what.id == turn.found_turns.at(i).what.id);
    auto const other = all.turns[1].first.what.id;
    auto const rest = db.get(db->find("ada", {"dog Rex", 10, {}, {}}, {all.turns[0].first.what.id}, at()));
    BOOST_REQUIRE(rest.turns.size() == 1u);
    BOOST_TEST(rest.turns[0].first.what.id == other);
    BOOST_TEST(rest.memories.size() == 1u);
    BOOST_TEST(db.get(db->find("ada", {"dog Rex", 0, {}, {}}, {}, at())).turns.empty());
}

BOOST_AUTO_TEST_CASE(people_find_one_turn_of_each_exchange_and_the_rest_where_there_is_room) {
    for (int i = 0; i < 4; ++i)
        say({"ada", "s2"}, "dog " + std::to_string(i), "answer " + std::to_string(i));
    say({"ada", "s2"}, "a cat", "oh", {{"fact", "has a dog"}});
    auto const found = [&](std::size_t limit) {
        auto const all = db.get(db->find("ada", {"dog", limit, {}, {}}, {}, at()));
        std::string list = all.memories.empty() ? "" : "a memory|";
        for (auto const& [turn, rank] : all.turns)
            list += turn.what.content + "|";
        return list;
    };
    BOOST_TEST(found(2) == "dog 3|dog 2|");
    BOOST_TEST(found(5) == "a memory|dog 3|dog 2|dog 1|dog 0|");
    BOOST_TEST(found(7) == "a memory|dog 3|answer 3|dog 2|answer 2|dog 1|dog 0|");
    BOOST_TEST(found(20) == "a memory|dog 3|answer 3|dog 2|answer 2|dog 1|answer 1|dog 0|answer 0|");
    index.answers_fit = true;
    BOOST_TEST(found(6) == "a memory|answer 3|dog 3|answer 2|answer 1|answer 0|");
}

BOOST_AUTO_TEST_CASE(vectors_bring_what_shares_no_word) {
    say({"ada", "s2"}, "my puppy", "nice", {{"fact", "has a puppy"}});
    say({"ada", "s2"}, "a cat", "oh");
    auto const left = db.get(db->find_unembedded("m1", 10));
    BOOST_REQUIRE(left.size() == 3u);
    std::string const along(4, '\x7F'), across{'\x7F', '\x81', '\x7F', '\x81'};
    db.get(db->store_vectors("m1", {{left[0], along}, {left[1], along}, {left[2], across}}));
    auto asked = query_of(of);
    asked.memory_limit = asked.history_turns = 0;
    asked.find.limit = 10;
    asked.find.text = "dog";
    asked.find.vector = along;
    asked.find.vector_model = "m1";
    auto const seen = db.get(db->load_context(asked));
    BOOST_TEST(texts(seen) == "m:has a puppy|t:my puppy|t:nice|");
    BOOST_TEST(seen.found_memories.at(0).score == 4.0, boost::test_tools::tolerance(1e-9));
    asked.find.vector_model = "another";
    BOOST_TEST(texts(db.get(db->load_context(asked))).empty());
    asked.find.vector_model = "m1";
    asked.find.vector = "short";
    BOOST_TEST(texts(db.get(db->load_context(asked))).empty());
}

BOOST_AUTO_TEST_CASE(damaged_rows_cost_what_was_in_them_and_nothing_else) {
    for (int i = 0; i < 66; ++i)
        say({"ada", "s2"}, "question " + std::to_string(i), "answer " + std::to_string(i));
    auto raw = look_at(path);
    auto const whole = indexed();
    for (std::string const bytes :
         {"x''", "x'ff'", "x'ffffffffffffffffffff'", "x'0000000000000000000000000000ff7f'",
          "substr(entries, 1, 100)", "substr(entries, 2)", "zeroblob(5000)", "'text'"}) {
        raw.execute("SAVEPOINT s; UPDATE engram_recall SET entries = " + bytes +
                    " WHERE place = (SELECT min(place) FROM engram_recall); RELEASE s");
        auto const left = indexed();
        BOOST_TEST(std::ranges::count(left, "question 65 answer 65") == 1);
        auto const found = find("question", 200);
        BOOST_TEST(std::ranges::count(found.found_turns, "question 64",
                                      [](auto const& one) { return one.what.content; }) == 1);
        for (auto const& one : found.found_turns)
            BOOST_TEST((one.what.content.starts_with("question") || one.what.content.starts_with("answer")));
    }
    // What cannot be read any more goes all the same.
    db.get(db->delete_session({"ada", "s2"}, false, at()));
    BOOST_TEST(indexed().empty());
    BOOST_TEST(rows() == 0);
}

BOOST_AUTO_TEST_CASE(turns_that_told_only_what_holds_no_more_are_not_found) {
    using kind = store::new_memory::kind;
    conversation const then{"ada", "s2"};
    say(then, "a bus to Ghent", "nothing to learn of Ghent");
    say(then, "I live in Ghent", "Ghent it is", {{"fact", "lives in town"}});
    say(then, "Ghent again", "Ghent, I know", {{"fact", "lives in town"}});
    say(then, "from Ghent, with a dog", "Ghent and a dog",
        {{"fact", "was born there"}, {"fact", "has a dog"}});
    auto const all = [&] {
        auto const seen = find("Ghent", 20);
        std::vector<std::string> found;
        for (auto const& one : seen.found_turns)
            found.push_back(one.what.content);
        std::ranges::sort(found);
        return found;
    };
    using texts = std::vector<std::string>;
    BOOST_TEST(all().size() == 8u);
    say(then, "no more Ghent", "farewell Ghent",
        {{.type = {}, .content = "lives in Bruges", .what = kind::update, .label = 1},
         {.type = {}, .content = {}, .what = kind::forget, .label = 2}});
    texts const left{"Ghent and a dog",        "a bus to Ghent", "farewell Ghent",
                     "from Ghent, with a dog", "no more Ghent",  "nothing to learn of Ghent"};
    BOOST_TEST(all() == left, boost::test_tools::per_element());
    // As many as there may be are found all the same, and people see everything.
    BOOST_TEST(find("Ghent", 3).found_turns.size() == 6u);
    BOOST_TEST(find("Ghent", 2).found_turns.size() == 4u);
    BOOST_TEST(db.get(db->find("ada", {"Ghent", 10, {}, {}}, {}, at())).turns.size() == 10u);
    // What is undone holds again.
    db.get(db->restore_memory("ada", number(path, "SELECT min(id) FROM long_term_memory"), at()));
    BOOST_TEST(all().size() == 8u);
}

BOOST_AUTO_TEST_CASE(times_of_any_form_are_read_or_unknown) {
    BOOST_TEST(store::minutes_of("1970-01-02 00:01:00.000") == 24u * 60 + 1);
    BOOST_TEST(store::minutes_of("1970-01-02T00:01Z") == 24u * 60 + 1);
    BOOST_TEST(store::minutes_of("1970-01-02") == 24u * 60);
    BOOST_TEST(store::minutes_of("120") == 2u);
    BOOST_TEST(store::minutes_of("120.5") == 2u);
    for (std::string const bad : {"", "x", "-5", "1970-13-01", "1970-02-30", "99999999999999999999", "12:30"})
        BOOST_TEST(store::minutes_of(bad) == 0u, bad);
}

BOOST_AUTO_TEST_SUITE_END()

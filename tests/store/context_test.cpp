// What a chat turn is given: which memories, which turns, in which order.
#include "store_fixture.hpp"

#include <boost/test/unit_test.hpp>

#include <set>

using namespace engram;
using namespace engram::store::test;
using engram::store::conversation;

namespace {

struct fixture {
    temporary_folder folder;
    std::string path = folder.file("engram.db");
    opened_store db{options_for(path)};
    conversation of{"ada", "s1"};
    int jobs = 0;

    void remember(conversation const& where, std::string const& type, std::string const& content) {
        db.get(db->commit_exchange(exchange_of(where, job("m" + std::to_string(jobs++)), {{type, content}})));
    }

    store::context load(std::size_t memories, std::size_t turns) {
        auto query = query_of(of);
        query.memory_limit = memories;
        query.history_turns = turns;
        return db.get(db->load_context(query));
    }

    std::string contents(store::context const& seen) {
        std::string all;
        for (auto const& one : seen.memories)
            all += one.content + " ";
        return all;
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(store_context, fixture)

BOOST_AUTO_TEST_CASE(an_unknown_conversation_has_nothing) {
    auto const seen = load(20, 40);
    BOOST_TEST(!seen.recorded.has_value());
    BOOST_TEST(seen.memories.empty());
    BOOST_TEST(seen.turns.empty());
}

BOOST_AUTO_TEST_CASE(what_was_noted_first_and_what_was_noted_last_share_the_room) {
    for (int i = 0; i < 8; ++i)
        remember({"ada", "other"}, "fact", std::to_string(i));
    BOOST_TEST(contents(load(4, 40)) == "7 6 0 5 ");
    BOOST_TEST(contents(load(1, 40)) == "7 ");
    BOOST_TEST(contents(load(100, 40)) == "7 6 0 5 4 1 3 2 ");
}

BOOST_AUTO_TEST_CASE(pinned_ones_come_first_then_confirmed_ones_and_preferences_have_their_turn) {
    for (int i = 0; i < 12; ++i)
        remember({"ada", "other"}, i == 5 ? "preference" : "fact", "f" + std::to_string(i));
    look_at(path).execute("UPDATE long_term_memory SET pinned = 1 WHERE content = 'f6'");
    for (auto const* told : {"f4", "f3", "f4"})
        remember({"ada", "other"}, "fact", told);
    BOOST_TEST(contents(load(5, 40)) == "f6 f4 f5 f11 f10 ");
    BOOST_TEST(contents(load(7, 40)) == "f6 f4 f5 f11 f10 f0 f3 ");
}

BOOST_AUTO_TEST_CASE(what_was_corrected_counts_as_confirmed) {
    for (int i = 0; i < 9; ++i)
        remember({"ada", "other"}, "fact", "f" + std::to_string(i));
    auto change = exchange_of(of, job("change"));
    change.memories.push_back(
        {.type = {}, .content = "f4, now", .what = store::new_memory::kind::update, .label = 5});
    db.get(db->commit_exchange(change));
    for (int i = 10; i < 15; ++i)
        remember({"ada", "other"}, "fact", "f" + std::to_string(i));
    BOOST_TEST(contents(load(3, 40)) == "f4, now f14 f13 ");
}

BOOST_AUTO_TEST_CASE(the_list_ends_when_there_is_no_room_for_more_tokens) {
    for (int i = 0; i < 10; ++i)
        remember({"ada", "other"}, "fact", std::string(400, char('a' + i)));
    auto query = query_of(of);
    query.memory_tokens = 250;
    auto const seen = db.get(db->load_context(query));
    BOOST_REQUIRE(seen.memories.size() == 3u);  // the last is begun within the room
    BOOST_TEST(seen.memories[0].content[0] == 'j');
    BOOST_TEST(seen.memories[2].content[0] == 'a');
    query.memory_tokens = 0;
    BOOST_TEST(db.get(db->load_context(query)).memories.empty());
}

BOOST_AUTO_TEST_CASE(all_summaries_of_the_session_and_the_last_of_others_stand_before_the_rest) {
    for (int i = 0; i < 5; ++i)
        remember({"ada", "other"}, "summary", "other" + std::to_string(i));
    for (int i = 0; i < 4; ++i)
        remember(of, "summary", "own" + std::to_string(i));
    for (int i = 0; i < 6; ++i)
        remember({"ada", "other"}, "fact", std::to_string(i));
    BOOST_TEST(contents(load(2, 40)) == "own0 own1 own2 own3 other4 other3 other2 5 4 ");
    auto query = query_of(of);
    query.recent_summaries = 0;
    query.memory_limit = 1;
    BOOST_TEST(contents(db.get(db->load_context(query))) == "own0 own1 own2 own3 5 ");
    query.memory_limit = 0;
    BOOST_TEST(db.get(db->load_context(query)).memories.empty());
}

BOOST_AUTO_TEST_CASE(no_memory_comes_twice_and_none_that_has_ended_at_all) {
    remember(of, "preference", "told often");
    remember(of, "fact", "ended");
    remember(of, "fact", "over");
    remember(of, "preference", "told often");
    look_at(path).execute(
        "UPDATE long_term_memory SET valid_to = '2024' WHERE content = 'ended';"
        "UPDATE long_term_memory SET expires_at = 1 WHERE content = 'over';"
        "UPDATE long_term_memory SET pinned = 1 WHERE content = 'told often'");
    auto query = query_of(of);
    query.now = at(0);
    BOOST_TEST(contents(db.get(db->load_context(query))) == "told often ");
}

BOOST_AUTO_TEST_CASE(limits_of_nothing_and_of_everything_are_taken_at_their_word) {
    for (int i = 0; i < 3; ++i)
        remember(of, "fact", std::to_string(i));
    auto const none = load(0, 0);
    BOOST_TEST(none.memories.empty());
    BOOST_TEST(none.turns.empty());
    auto const all = load(std::size_t(-1), std::size_t(-1));
    BOOST_TEST(all.memories.size() == 3u);
    BOOST_TEST(all.turns.size() == 6u);
}

BOOST_AUTO_TEST_CASE(the_newest_turns_come_oldest_first) {
    fill(db, of, 10);
    auto const seen = load(20, 4);
    BOOST_REQUIRE(seen.turns.size() == 4u);
    BOOST_TEST(seen.turns[0].content == "question f-ada-s1-3");
    BOOST_TEST(seen.turns[3].content == "answer f-ada-s1-4");
}

BOOST_AUTO_TEST_CASE(order_is_that_of_arrival_even_when_the_clock_is_set_back) {
    auto first = exchange_of(of, job("a"), {{"fact", "first"}});
    first.at = at(1'000'000);
    db.get(db->commit_exchange(first));
    auto second = exchange_of(of, job("b"), {{"fact", "second"}});
    second.at = at(-1'000'000);
    db.get(db->commit_exchange(second));
    auto const seen = load(20, 40);
    BOOST_TEST(seen.memories.size() == 2u);
    BOOST_TEST(seen.turns[0].content == "question a");
    BOOST_TEST(seen.turns[2].content == "question b");
}

BOOST_AUTO_TEST_CASE(rows_that_are_no_turns_are_not_loaded_and_null_is_empty) {
    look_at(path).execute(
        "INSERT INTO conversation_history(user_id, session_id, role, content) VALUES "
        "('ada', 's1', 'system', 'rules'), ('ada', 's1', 'user', NULL), ('ada', 's1', NULL, 'x'), "
        "('ada', 's1', 'assistant', x'c3a9'), ('ada', 's1', 'assistant', 42);"
        "INSERT INTO long_term_memory(user_id, memory_type, content) VALUES ('ada', NULL, NULL), ('ada', "
        "'fact', 1.5)");
    auto const seen = load(20, 40);
    BOOST_REQUIRE(seen.turns.size() == 3u);
    BOOST_TEST(seen.turns[0].content.empty());
    BOOST_TEST(seen.turns[1].content == "\xC3\xA9");
    BOOST_TEST(seen.turns[2].content == "42");
    BOOST_REQUIRE(seen.memories.size() == 2u);  // the newest first
    BOOST_TEST(seen.memories[1].type.empty());
    BOOST_TEST(seen.memories[1].created_at.empty());
    BOOST_TEST(seen.memories[0].content == "1.5");
}

BOOST_AUTO_TEST_CASE(many_calls_at_once_are_all_answered_each_with_its_own) {
    std::vector<std::future<store::result<store::context>>> answers;
    for (int i = 0; i < 50; ++i)
        remember({"user" + std::to_string(i), "s"}, "fact", std::to_string(i));
    for (int i = 0; i < 500; ++i) {
        conversation const whose{"user" + std::to_string(i % 50), "s"};
        answers.push_back(
            boost::asio::co_spawn(db.loop(), db->load_context(query_of(whose)), boost::asio::use_future));
    }
    db.loop().restart();
    db.loop().run();
    for (int i = 0; i < 500; ++i) {
        auto const seen = answers[static_cast<std::size_t>(i)].get();
        BOOST_REQUIRE(seen.has_value());
        BOOST_REQUIRE(seen->memories.size() == 1u);
        BOOST_TEST(seen->memories[0].content == std::to_string(i % 50));
    }
}

BOOST_AUTO_TEST_SUITE_END()

// Summaries of a long conversation that become one, and what goes with them.
#include "summary_fixture.hpp"

#include <boost/test/unit_test.hpp>

using namespace engram;
using namespace engram::store::test;
using namespace std::chrono_literals;

BOOST_FIXTURE_TEST_SUITE(store_condensed_summaries, summary_fixture)

BOOST_AUTO_TEST_CASE(summaries_within_their_room_stay_as_they_are) {
    condense_tokens = 500;
    summarize(5);
    auto const task = claim("me");
    BOOST_REQUIRE(task.has_value());
    BOOST_TEST(task->to_condense.empty());
    BOOST_TEST(task->earlier_summaries.size() == 5u);
}

BOOST_AUTO_TEST_CASE(summaries_that_outgrow_their_room_become_one_that_stands_for_all_their_turns) {
    summarize(6);
    condense_tokens = 500;
    auto const task = claim("me");
    BOOST_REQUIRE(task.has_value());
    BOOST_REQUIRE(task->to_condense.size() == 5u);
    BOOST_TEST(task->to_condense[0].content[0] == '0');
    BOOST_REQUIRE(task->earlier_summaries.size() == 1u);
    BOOST_TEST(task->earlier_summaries[0][0] == '5');
    BOOST_TEST(covered() == 84);
    BOOST_TEST(condense(*task, "C of five"));
    BOOST_TEST(summaries() == "C5");
    BOOST_TEST(covered() == 84);
    BOOST_TEST(number(path, "SELECT count(*) FROM long_term_memory") == 2);
    BOOST_TEST(number(path, "SELECT count(DISTINCT summary_id) FROM conversation_history") == 2);
    // The conversation is still theirs, and the turns are summarized next.
    BOOST_TEST(!claim("you").has_value());
    BOOST_TEST(commit(*task, "S"));
    BOOST_TEST(summaries() == "C5S");
    BOOST_TEST(window() == 6);
}

BOOST_AUTO_TEST_CASE(what_was_condensed_is_found_by_its_new_words_and_not_by_the_old_ones) {
    summarize(4);
    condense_tokens = 100;
    auto const task = claim("me");
    BOOST_REQUIRE(condense(*task, "the beagle is called Waldi"));
    auto const find = [&](std::string const& text) {
        return db.get(db->find("ada", {text, 10, {}, {}}, {}, at())).memories.size();
    };
    BOOST_TEST(find("beagle") == 1u);
    BOOST_TEST(find("0" + std::string(399, 'a')) == 0u);
    BOOST_TEST(find("3" + std::string(399, 'd')) == 1u);
}

BOOST_AUTO_TEST_CASE(summaries_are_condensed_once) {
    summarize(6);
    condense_tokens = 500;
    auto const slow = claim("slow");
    auto const quick = claim("quick", 61);
    BOOST_TEST(condense(*quick, "Q"));
    BOOST_TEST(!condense(*slow, "S"));
    BOOST_TEST(!condense(*quick, "again"));
    BOOST_TEST(summaries() == "Q5");
    BOOST_TEST(covered() == 84);
}

BOOST_AUTO_TEST_CASE(summaries_of_which_one_was_pinned_meanwhile_stay) {
    summarize(6);
    condense_tokens = 500;
    auto const task = claim("me");
    db.get(db->change_memory(
        "ada", {.id = task->to_condense[1].id, .content = {}, .type = {}, .pinned = true}, at()));
    BOOST_TEST(!condense(*task, "C"));
    BOOST_TEST(summaries() == "012345");
}

BOOST_AUTO_TEST_CASE(a_claim_says_when_each_turn_was) {
    fill(db, of, 20);
    auto const task = claim("me");
    BOOST_REQUIRE(task.has_value());
    BOOST_REQUIRE_EQUAL(task->said_at.size(), task->turns.size());
    auto raw = look_at(path);
    auto all = raw.prepare("SELECT created_at FROM conversation_history WHERE id = ?1");
    for (std::size_t i = 0; i < task->turns.size(); ++i) {
        auto row = all.query(task->turns[i].id);
        BOOST_REQUIRE(row.next());
        BOOST_TEST(row.text(0) == task->said_at[i]);
        BOOST_TEST(!task->said_at[i].empty());
    }
}

BOOST_AUTO_TEST_CASE(summaries_are_not_condensed_if_something_was_erased_meanwhile) {
    summarize(6);
    remember_secret();
    condense_tokens = 500;
    auto const task = claim("me");
    db.get(db->delete_session({"ada", "secret"}, true, at()));
    BOOST_TEST(!condense(*task, "with the secret"));
    BOOST_TEST(summaries() == "012345");
}

BOOST_AUTO_TEST_CASE(summaries_of_another_conversation_are_not_condensed) {
    summarize(6);
    condense_tokens = 500;
    auto task = *claim("me");
    task.of.session_id = "s2";
    BOOST_TEST(!condense(task, "x"));
    task.of = {"eve", "s1"};
    BOOST_TEST(!condense(task, "x"));
    task.of = of;
    task.to_condense.clear();
    BOOST_TEST(!condense(task, "x"));
    BOOST_TEST(summaries() == "012345");
    BOOST_TEST((db.fail(db->commit_condensed(task, " \n", at())).kind == store::error_kind::internal));
}

BOOST_AUTO_TEST_CASE(erasing_finds_the_turns_of_a_condensed_summary_and_what_was_written_after_them) {
    summarize(6);
    condense_tokens = 500;
    auto const task = claim("me");
    BOOST_REQUIRE(condense(*task, "C of five"));
    BOOST_REQUIRE(commit(*task, "S"));
    // A fact that was told in the first exchange: its turns are covered by C, which 5 and S were written
    // after.
    look_at(path).execute(
        "INSERT INTO long_term_memory(user_id, memory_type, content, label) VALUES ('ada', 'fact', 'told', "
        "99);"
        "INSERT INTO engram_memory_source VALUES (last_insert_rowid(), 1, 2, 's1', 'j', '')");
    auto const fact = number(path, "SELECT max(id) FROM long_term_memory");
    auto const gone = db.get(db->delete_memory("ada", fact, at()));
    BOOST_REQUIRE(gone.has_value());
    BOOST_TEST(gone->counts.summaries == 3u);
    BOOST_TEST(summaries().empty());
    BOOST_TEST(window() == 102);  // all but the exchange that is blank now
    BOOST_TEST(number(path, "SELECT count(*) FROM conversation_history WHERE summary_id IS NULL") == 102);
}

BOOST_AUTO_TEST_CASE(a_summary_that_was_corrected_by_hand_is_condensed_with_its_versions) {
    summarize(6);
    for (std::int64_t const id : {1, 2})
        db.get(db->change_memory(
            "ada", {.id = id, .content = "by hand " + std::to_string(id), .type = {}, .pinned = {}}, at()));
    condense_tokens = 300;
    auto const task = claim("me");
    BOOST_REQUIRE(task.has_value());
    BOOST_REQUIRE(condense(*task, "C"));
    BOOST_TEST(number(path,
                      "SELECT count(*) FROM conversation_history WHERE summary_id NOT IN "
                      "(SELECT id FROM long_term_memory)") == 0);
    BOOST_TEST(number(path, "SELECT count(*) FROM conversation_history WHERE summary_id IS NOT NULL") == 84);
}

BOOST_AUTO_TEST_SUITE_END()

// Summaries: claimed by one, committed once, turns always in the window or in a summary.
#include "store/sqlite/summary_lease.hpp"
#include "store/sqlite/summary_queries.hpp"
#include "summary_fixture.hpp"

#include <boost/test/unit_test.hpp>

using namespace engram;
using namespace engram::store::test;
using namespace std::chrono_literals;
using engram::store::conversation;

BOOST_FIXTURE_TEST_SUITE(store_summary, summary_fixture)

BOOST_AUTO_TEST_CASE(a_conversation_is_due_from_the_trigger_on) {
    fill(db, of, 18);
    BOOST_TEST(due() == 0u);
    BOOST_TEST(!claim("me").has_value());
    fill(db, of, 2, "more");
    BOOST_TEST(due() == 1u);
    auto const task = claim("me");
    BOOST_REQUIRE(task.has_value());
    BOOST_REQUIRE(task->turns.size() == 14u);
    BOOST_TEST(task->turns.front().content == "question f-ada-s1-0");
    BOOST_TEST(task->turns.back().content == "answer f-ada-s1-6");
    BOOST_TEST(task->earlier_summaries.empty());
}

BOOST_AUTO_TEST_CASE(the_longest_windows_are_found_first_and_no_more_than_asked_for) {
    fill(db, {"ada", "s1"}, 20);
    fill(db, {"ada", "s2"}, 24);
    fill(db, {"bob", "s1"}, 22);
    auto const found = db.get(db->find_due_sessions(20, at(), 2));
    BOOST_REQUIRE(found.size() == 2u);
    BOOST_TEST((found[0] == conversation{"ada", "s2"}));
    BOOST_TEST((found[1] == conversation{"bob", "s1"}));
}

BOOST_AUTO_TEST_CASE(a_committed_summary_takes_its_turns_out_of_the_window_and_keeps_them) {
    fill(db, of, 20);
    auto const task = claim("me");
    BOOST_REQUIRE(task.has_value());
    BOOST_TEST(turns() == 20u);
    BOOST_TEST(commit(*task, "they talked"));
    auto const seen = db.get(db->load_context(query_of(of)));
    BOOST_REQUIRE(seen.turns.size() == 6u);
    BOOST_TEST((seen.turns[0].role == store::role::user));
    BOOST_REQUIRE(seen.memories.size() == 1u);
    BOOST_TEST(seen.memories[0].type == "summary");
    BOOST_TEST(seen.memories[0].content == "they talked");
    BOOST_TEST(seen.memories[0].session_id == "s1");
    BOOST_TEST(window() == 6);
    BOOST_TEST(number(path, "SELECT count(*) FROM conversation_history") == 20);
    BOOST_TEST(number(path,
                      "SELECT count(*) FROM conversation_history WHERE summary_id = "
                      "(SELECT id FROM long_term_memory)") == 14);
    BOOST_TEST(due() == 0u);
    BOOST_TEST(!claim("me").has_value());
}

BOOST_AUTO_TEST_CASE(turns_are_deleted_when_that_is_wanted) {
    fill(db, of, 20);
    BOOST_TEST(commit(*claim("me"), "they talked", true));
    BOOST_TEST(number(path, "SELECT count(*) FROM conversation_history") == 6);
    BOOST_TEST(window() == 6);
}

BOOST_AUTO_TEST_CASE(the_next_summary_knows_the_earlier_ones) {
    fill(db, of, 20);
    BOOST_TEST(commit(*claim("me"), "first"));
    fill(db, of, 14, "b");
    BOOST_TEST(commit(*claim("me"), "second"));
    fill(db, of, 14, "c");
    auto const task = claim("me");
    BOOST_REQUIRE(task.has_value());
    BOOST_REQUIRE(task->earlier_summaries.size() == 2u);
    BOOST_TEST(task->earlier_summaries[0] == "first");
    BOOST_TEST(task->earlier_summaries[1] == "second");
}

BOOST_AUTO_TEST_CASE(nobody_else_takes_what_is_taken_and_neither_does_its_owner) {
    fill(db, of, 20);
    BOOST_TEST(claim("me").has_value());
    BOOST_TEST(!claim("you").has_value());
    BOOST_TEST(!claim("me").has_value());
    BOOST_TEST(!claim("you", 59).has_value());
    BOOST_TEST(due(59) == 0u);
    BOOST_TEST(due(60) == 1u);
    BOOST_TEST(claim("you", 60).has_value());
}

BOOST_AUTO_TEST_CASE(the_first_end_of_a_live_lease_is_known) {
    auto const next = [&](std::int64_t second, std::size_t trigger = 20) {
        return db.get(db->find_next_lease_end(trigger, at(second)));
    };
    fill(db, of, 20);
    fill(db, {"bob", "s1"}, 20);
    BOOST_TEST(!next(0).has_value());
    BOOST_TEST(claim("me", 10).has_value());
    auto later = request("you", 20);
    later.of = {"bob", "s1"};
    auto const held = db.get(db->claim_summary(later));
    BOOST_REQUIRE(held.has_value());
    BOOST_TEST((next(20) == at(70)));
    BOOST_TEST((next(69) == at(70)));
    BOOST_TEST((next(70) == at(80)));
    BOOST_TEST(!next(80).has_value());
    BOOST_TEST(!next(20, 21).has_value());
    // One that was given back is kept from everybody until its pause is over.
    db.get(db->release_summary(*held, at(300)));
    BOOST_TEST((next(70) == at(300)));
}

BOOST_AUTO_TEST_CASE(the_same_turns_are_never_summarized_twice) {
    fill(db, of, 20);
    auto const slow = claim("slow");
    auto const quick = claim("quick", 61);
    BOOST_REQUIRE(slow.has_value());
    BOOST_REQUIRE(quick.has_value());
    BOOST_TEST(commit(*quick, "quick's"));
    BOOST_TEST(!commit(*slow, "slow's"));
    BOOST_TEST(!commit(*quick, "quick's again"));
    BOOST_TEST(number(path, "SELECT count(*) FROM long_term_memory") == 1);
    BOOST_TEST(window() == 6);
}

BOOST_AUTO_TEST_CASE(an_expired_claim_that_nobody_took_over_still_counts) {
    fill(db, of, 20);
    auto const slow = claim("slow");
    BOOST_TEST(db.get(db->commit_summary(*slow, "late", false, at(1000))));
    BOOST_TEST(window() == 6);
}

BOOST_AUTO_TEST_CASE(one_turn_that_is_gone_makes_the_summary_void) {
    fill(db, of, 20);
    auto const task = claim("me");
    look_at(path).execute("DELETE FROM conversation_history WHERE id = 14");
    BOOST_TEST(!commit(*task, "they talked"));
    BOOST_TEST(number(path, "SELECT count(*) FROM conversation_history WHERE summary_id IS NOT NULL") == 0);
    BOOST_TEST(number(path, "SELECT count(*) FROM long_term_memory") == 0);
}

BOOST_AUTO_TEST_CASE(turns_of_another_conversation_cannot_be_covered) {
    fill(db, of, 20);
    auto task = *claim("me");
    task.of.session_id = "s2";
    BOOST_TEST(!commit(task, "they talked"));
    task = {of, "me", {}, {}, {}, {}};
    BOOST_TEST(!commit(task, "of nothing"));
    BOOST_TEST(number(path, "SELECT count(*) FROM long_term_memory") == 0);
}

BOOST_AUTO_TEST_CASE(a_blank_summary_is_refused) {
    fill(db, of, 20);
    auto const task = claim("me");
    BOOST_TEST((db.fail(db->commit_summary(*task, " \n", false, at())).kind == store::error_kind::internal));
    BOOST_TEST(turns() == 20u);
}

BOOST_AUTO_TEST_CASE(a_released_conversation_waits_until_it_may_be_tried_again) {
    fill(db, of, 20);
    auto const task = claim("me");
    db.get(db->release_summary(*task, at(500)));
    BOOST_TEST(due(499) == 0u);
    BOOST_TEST(!claim("you", 499).has_value());
    BOOST_TEST(due(500) == 1u);
    BOOST_TEST(claim("you", 500).has_value());
    // Too late: it is another's now.
    db.get(db->release_summary(*task, at(501)));
    BOOST_TEST(!claim("me", 501).has_value());
}

BOOST_AUTO_TEST_CASE(a_renewed_claim_holds_longer_but_only_for_who_has_it) {
    fill(db, of, 20);
    auto const task = claim("me");
    db.get(db->renew_summary(*task, at(500)));
    BOOST_TEST(!claim("you", 499).has_value());
    BOOST_TEST(due(499) == 0u);
    BOOST_TEST(claim("you", 500).has_value());
    db.get(db->renew_summary(*task, at(9000)));
    BOOST_TEST(due(560) == 1u);
}

BOOST_AUTO_TEST_CASE(turns_that_come_while_a_summary_is_written_stay_in_the_window) {
    fill(db, of, 20);
    auto const task = claim("me");
    fill(db, of, 4, "meanwhile");
    BOOST_TEST(commit(*task, "they talked"));
    BOOST_TEST(window() == 10);
    BOOST_TEST(turns() == 10u);
}

BOOST_AUTO_TEST_CASE(what_stays_begins_with_a_user_turn) {
    fill(db, of, 20);
    auto const task = claim("me", 0, 5);
    BOOST_REQUIRE(task.has_value());
    BOOST_TEST(task->turns.size() == 14u);
    BOOST_TEST((task->turns.back().role == store::role::assistant));
}

BOOST_AUTO_TEST_CASE(keeping_nothing_takes_everything) {
    fill(db, of, 20);
    BOOST_TEST(claim("me", 0, 0)->turns.size() == 20u);
}

BOOST_AUTO_TEST_CASE(a_history_that_is_not_in_pairs_is_cut_where_it_can_be) {
    write_history("uaaaaaaaaaaaaaaaaaaauaaa");  // 24: a user turn at 0 and at 20
    auto const task = claim("me");
    BOOST_REQUIRE(task.has_value());
    BOOST_TEST(task->turns.size() == 20u);
}

BOOST_AUTO_TEST_CASE(a_history_without_user_turns_is_taken_whole) {
    write_history(std::string(25, 'a'));
    BOOST_TEST(claim("me")->turns.size() == 25u);
}

BOOST_AUTO_TEST_CASE(a_count_that_is_wrong_is_put_right_and_not_found_again) {
    write_history("ua" + std::string(30, 's'));
    BOOST_TEST(due() == 1u);
    BOOST_TEST(!claim("me").has_value());
    BOOST_TEST(window() == 2);
    BOOST_TEST(due() == 0u);
}

BOOST_AUTO_TEST_CASE(a_very_long_history_is_taken_piece_by_piece) {
    std::string roles;
    for (int i = 0; i < 1000; ++i)
        roles += "ua";
    write_history(roles);
    std::vector<std::size_t> sizes;
    for (int n = 0; due(n * 100) == 1; ++n) {
        auto const task = claim("me", n * 100);
        BOOST_REQUIRE(task.has_value());
        sizes.push_back(task->turns.size());
        BOOST_REQUIRE(commit(*task, "part"));
    }
    std::vector<std::size_t> const expected{500, 500, 500, 494};
    BOOST_TEST(sizes == expected, boost::test_tools::per_element());
    BOOST_TEST(window() == 6);
}

BOOST_AUTO_TEST_CASE(long_turns_are_taken_a_few_at_a_time_but_at_least_one_exchange) {
    for (int i = 0; i < 12; ++i) {
        auto what = exchange_of(of, job("big" + std::to_string(i)));
        what.turns[0].content.assign(i == 4 ? 900'000 : 50'000, 'x');
        db.get(db->commit_exchange(what));
    }
    BOOST_TEST(claim("me")->turns.size() == 8u);
    look_at(path).execute("DELETE FROM conversation_history WHERE id <= 8");
    BOOST_TEST(claim("me", 100)->turns.size() == 2u);
}

BOOST_AUTO_TEST_CASE(a_lease_of_a_clock_that_was_set_back_does_not_hold_for_ever) {
    fill(db, of, 20);
    constexpr std::int64_t year = 365 * 24 * 3600;
    BOOST_TEST(claim("me", year).has_value());
    BOOST_TEST(due(0) == 1u);
    BOOST_TEST(claim("you", 0).has_value());
    static_assert(store::is_leased(1000, 2000, 999), "clocks may disagree a little");
    static_assert(!store::is_leased(1000, 2000, 2000));
}

BOOST_AUTO_TEST_SUITE_END()

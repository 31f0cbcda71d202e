// Summaries: claimed by one, committed once, turns always in the window or in a summary.
#include "store/sqlite/summary_lease.hpp"
#include "store/sqlite/summary_queries.hpp"
#include "store_fixture.hpp"

#include <boost/test/unit_test.hpp>

using namespace engram;
using namespace engram::store::test;
using namespace std::chrono_literals;
using engram::store::conversation;

namespace {

struct fixture {
    temporary_folder folder;
    std::string path = folder.file("engram.db");
    opened_store db{options_for(path)};
    conversation of{"ada", "s1"};
    std::size_t condense_tokens = 1'500;

    store::summary_request request(std::string const& owner, std::int64_t second = 0, std::size_t keep = 6) {
        return {of, 20, keep, owner, 60s, at(second), condense_tokens};
    }
    std::optional<store::summary_task> claim(std::string const& owner, std::int64_t second = 0,
                                             std::size_t keep = 6) {
        return db.get(db->claim_summary(request(owner, second, keep)));
    }
    bool commit(store::summary_task const& task, std::string const& text, bool delete_turns = false) {
        return db.get(db->commit_summary(task, text, delete_turns, at(1)));
    }
    std::size_t due(std::int64_t second = 0, std::size_t trigger = 20, std::size_t limit = 10) {
        return db.get(db->find_due_sessions(trigger, at(second), limit)).size();
    }
    std::int64_t window() {
        return number(path, "SELECT window_turns FROM engram_session WHERE session_id = 's1'");
    }
    std::size_t turns() { return db.get(db->load_context(query_of(of))).turns.size(); }

    void write_history(std::string const& roles) {
        auto raw = look_at(path);
        raw.execute("BEGIN");
        auto add = raw.prepare(
            "INSERT INTO conversation_history(user_id, session_id, role, content) "
            "VALUES ('ada', 's1', ?1, 'x')");
        for (char const one : roles)
            add.run(std::string(one == 'u' ? "user" : one == 'a' ? "assistant" : "system"));
        raw.prepare(
               "INSERT INTO engram_session(user_id, session_id, window_turns, updated_at) VALUES ('ada', "
               "'s1', ?1, '')")
            .run(roles.size());
        raw.execute("COMMIT");
    }

    void remember_secret() {
        db.get(db->commit_exchange(exchange_of({"ada", "secret"}, job("secret"), {{"fact", "a secret"}})));
    }

    // So many summaries of the conversation, of 100 tokens each, and a window that is due.
    void summarize(int count) {
        fill(db, of, 6, "begin");
        for (int i = 0; i < count; ++i) {
            fill(db, of, 14, "part" + std::to_string(i));
            BOOST_REQUIRE(commit(*claim("me"), std::to_string(i) + std::string(399, char('a' + i))));
        }
        fill(db, of, 14, "now");
    }
    // Which summaries the conversation has in a prompt, by their first character, oldest first.
    std::string summaries() {
        std::string all;
        for (auto const& one : db.get(db->load_context(query_of(of))).memories)
            if (one.type == "summary") all += one.content[0];
        return all;
    }
    bool condense(store::summary_task const& task, std::string const& text) {
        return db.get(db->commit_condensed(task, text, at(2)));
    }
    std::int64_t covered() {
        return number(path,
                      "SELECT count(*) FROM conversation_history t JOIN long_term_memory m "
                      "ON m.id = t.summary_id WHERE m.memory_type = 'summary' AND m.valid_to IS NULL");
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(store_summary, fixture)

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

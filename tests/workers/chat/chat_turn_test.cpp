#include "workers/chat/chat_turn.hpp"

#include "workers/turn_fixture.hpp"

#include <boost/json/parse.hpp>
#include <boost/test/unit_test.hpp>

#include <optional>
#include <string>
#include <vector>

namespace {

namespace json = boost::json;
using namespace engram;
using test::error_of;
using test::job;

}  // namespace

BOOST_FIXTURE_TEST_SUITE(chat_turn, test::turn_fixture)

BOOST_AUTO_TEST_CASE(an_answer_is_stored_as_written_and_sent_clean) {
    claude.will_say("Hello Ada.\n[MEMORY: fact|The user's name is Ada]");
    auto const outcome = answer(job);
    BOOST_REQUIRE(outcome);
    auto const reply = json::parse(outcome->reply).as_object();
    BOOST_TEST(reply.at("reply").as_string() == "Hello Ada.");
    BOOST_TEST(reply.at("memories").as_array().size() == 1u);
    BOOST_TEST(reply.at("memories").as_array()[0].at("content").as_string() == "The user's name is Ada");
    BOOST_TEST(outcome->reply.find("\"metadata\":{\"n\":1.0}") != std::string::npos);
    BOOST_TEST(outcome->reply_to == "engram:reply:1");
    BOOST_TEST(!outcome->dead);
    BOOST_REQUIRE_EQUAL(store.exchanges.size(), 1u);
    BOOST_TEST(store.exchanges[0].turns[0].content == "hello");
    BOOST_TEST(store.exchanges[0].turns[1].content == "Hello Ada.\n[MEMORY: fact|The user's name is Ada]");
    BOOST_TEST(considered == std::vector<std::size_t>{2}, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(the_store_is_told_what_was_said_in_an_answer_without_its_notes) {
    claude.will_say("Hello Ada.\n[MEMORY: fact|The user's name is Ada]");
    answer_well();
    auto const& turns = store.exchanges.at(0).turns;
    BOOST_REQUIRE_EQUAL(turns.size(), 2u);
    BOOST_TEST(!turns[0].said);
    BOOST_REQUIRE(turns[1].said);
    BOOST_TEST(*turns[1].said == "Hello Ada.");
}

BOOST_AUTO_TEST_CASE(what_a_recorded_error_was_is_not_read_from_its_reply) {
    store.failed["t-1.1"] = {false, true, "no JSON at all", "poisoned", "twice"};
    auto const outcome = answer(job);
    BOOST_REQUIRE(outcome && outcome->dead);
    BOOST_TEST(outcome->reply == "no JSON at all");
    BOOST_TEST(outcome->dead->reason == "poisoned");
    BOOST_TEST(outcome->dead->message == "twice");
    claude.will_fail(claude::error_kind::rejected, "too long");
    answer(job, "t-2.1");
    BOOST_TEST(store.failures.at(0).error_type == "claude_rejected");
    BOOST_TEST(store.failures.at(0).error_message == "too long");
}

BOOST_AUTO_TEST_CASE(a_repeat_after_success_is_answered_from_the_store_without_a_call) {
    auto const first = answer(job);
    auto const again = answer(job, "t-2.1");
    BOOST_REQUIRE(first && again);
    BOOST_TEST(claude.asked.size() == 1u);
    BOOST_TEST(json::parse(again->reply).at("reply") == json::parse(first->reply).at("reply"));
    BOOST_TEST(store.exchanges.size() == 1u);
}

BOOST_AUTO_TEST_CASE(a_repeat_after_an_error_runs_anew_but_a_redelivery_gets_the_same_error) {
    claude.will_fail(claude::error_kind::rejected);
    BOOST_TEST(error_of(answer(job)) == "claude_rejected");
    BOOST_TEST(error_of(answer(job)) == "claude_rejected");  // the same ticket: delivered again
    BOOST_TEST(claude.asked.size() == 1u);
    auto const anew = answer(job, "t-2.1");
    BOOST_REQUIRE(anew);
    BOOST_TEST(!anew->dead);
    BOOST_TEST(claude.asked.size() == 2u);
}

BOOST_AUTO_TEST_CASE(the_same_id_with_other_bytes_is_a_conflict) {
    answer(job);
    auto const other = answer(R"({"id":"1","user_id":"u","session_id":"s","message":"other"})", "t-2.1");
    BOOST_TEST(error_of(other) == "id_conflict");
    BOOST_TEST(claude.asked.size() == 1u);
    BOOST_TEST(store.exchanges.size() == 1u);
}

BOOST_AUTO_TEST_CASE(a_job_that_came_to_its_end_meanwhile_changes_nothing) {
    claude.will_say("mine");
    auto const got = answer_while_another_ends_it();
    BOOST_TEST(error_of(got) == "poisoned");
    BOOST_TEST(store.exchanges.empty());
}

BOOST_AUTO_TEST_CASE(a_job_that_came_to_another_end_meanwhile_has_that_ones_reply_and_dead_letter) {
    claude.will_fail(claude::error_kind::rejected);
    auto const got = answer_while_another_ends_it();
    BOOST_TEST(error_of(got) == "poisoned");
    BOOST_REQUIRE(got && got->dead);
    BOOST_TEST(got->dead->reason == "poisoned");
    BOOST_TEST(got->dead->message == "m");
}

BOOST_AUTO_TEST_CASE(each_failure_of_the_call_has_its_error_type) {
    claude.will_fail(claude::error_kind::unavailable);
    BOOST_TEST(error_of(answer(job, "a")) == "claude_unavailable");
    claude.will_fail(claude::error_kind::deadline);
    BOOST_TEST(error_of(answer(job, "b")) == "deadline_exceeded");
    claude.will_fail(claude::error_kind::rejected);
    BOOST_TEST(error_of(answer(job, "c")) == "claude_rejected");
    BOOST_TEST(intake.empty());
}

BOOST_AUTO_TEST_CASE(a_rejected_key_is_borne_by_one_job_and_the_others_go_back) {
    for (int i = 0; i < 3; ++i)
        claude.will_fail(claude::error_kind::auth, "invalid x-api-key");
    BOOST_TEST(error_of(answer(job, "a")) == "claude_auth");
    BOOST_TEST(!answer(job, "b"));
    BOOST_TEST(!answer(job, "c"));
    BOOST_REQUIRE_EQUAL(intake.size(), 1u);
    BOOST_TEST(bool(intake[0] == claude::gate::state::shut));
    gate.try_now();
    auto const trial = answer(job, "d");
    BOOST_REQUIRE(trial);
    BOOST_TEST(!trial->dead);
    BOOST_TEST(bool(intake.back() == claude::gate::state::open));
}

BOOST_AUTO_TEST_CASE(a_job_that_cannot_be_read_has_no_id_in_its_error) {
    auto const unread = answer("not json", "c");
    BOOST_REQUIRE(unread);
    BOOST_TEST(unread->id == "");
    BOOST_TEST(!json::parse(unread->reply).as_object().contains("id"));
}

BOOST_AUTO_TEST_CASE(a_spend_limit_shuts_the_gate_too_and_a_trial_that_meets_it_goes_back) {
    claude.will_fail(claude::error_kind::spend_limit);
    claude.will_fail(claude::error_kind::spend_limit);
    BOOST_TEST(error_of(answer(job, "a")) == "claude_spend_limit");
    gate.try_now();
    BOOST_TEST(bool(gate.current() == claude::gate::state::trial));
    BOOST_TEST(!answer(job, "b"));
    BOOST_TEST(bool(gate.current() == claude::gate::state::shut));
}

BOOST_AUTO_TEST_CASE(a_poisoned_job_is_not_tried_again) {
    BOOST_TEST(error_of(answer(job, "a", 3)) == "poisoned");
    BOOST_TEST(claude.asked.empty());
}

BOOST_AUTO_TEST_CASE(a_job_that_waited_too_long_is_not_asked) {
    BOOST_TEST(error_of(answer(job, "a", 0, 600'000)) == "deadline_exceeded");
    BOOST_TEST(claude.asked.empty());
}

BOOST_AUTO_TEST_CASE(a_store_that_is_away_for_a_while_costs_time_and_nothing_else) {
    store.unavailable = 2;
    auto const outcome = answer(job);
    BOOST_REQUIRE(outcome);
    BOOST_TEST(!outcome->dead);
    BOOST_TEST(store.exchanges.size() == 1u);
    BOOST_TEST(claude.asked.size() == 1u);
}

BOOST_AUTO_TEST_CASE(a_broken_store_is_an_internal_error_and_the_caller_is_told) {
    store.broken = "the database is damaged";
    BOOST_TEST(error_of(answer(job)) == "internal");
    BOOST_TEST(claude.asked.empty());
}

BOOST_AUTO_TEST_CASE(an_invalid_job_is_answered_where_its_id_says_and_one_without_an_address_is_only_kept) {
    auto const addressed = answer(R"({"id":"x","message":"hi"})");
    BOOST_TEST(error_of(addressed) == "invalid_job");
    BOOST_TEST(addressed->reply_to == "engram:reply:x");
    auto const foreign = answer(R"({"id":"y","user_id":"u","message":"hi","reply_to":"elsewhere"})", "b");
    BOOST_TEST(error_of(foreign) == "invalid_job");
    BOOST_TEST(foreign->reply_to == "engram:reply:y");
    auto const lost = answer("not json", "c");
    BOOST_TEST(error_of(lost) == "invalid_job");
    BOOST_TEST(lost->reply_to.empty());
}

BOOST_AUTO_TEST_CASE(a_session_and_an_id_are_made_where_none_is_given) {
    auto const outcome = answer(R"({"user_id":"u","message":"hi"})", "t-9.1");
    BOOST_REQUIRE(outcome);
    auto const reply = json::parse(outcome->reply).as_object();
    BOOST_TEST(reply.at("id").as_string() == "t-9.1");
    BOOST_TEST(reply.at("session_id").as_string() == "s-t-9.1");
    BOOST_TEST(outcome->reply_to == "engram:reply:t-9.1");
}

BOOST_AUTO_TEST_CASE(an_empty_answer_is_an_ok_reply_with_its_stop_reason) {
    claude.will_say("", "refusal");
    auto const outcome = answer(job);
    BOOST_REQUIRE(outcome);
    auto const reply = json::parse(outcome->reply).as_object();
    BOOST_TEST(reply.at("status").as_string() == "ok");
    BOOST_TEST(reply.at("reply").as_string() == "");
    BOOST_TEST(reply.at("stop_reason").as_string() == "refusal");
}

BOOST_AUTO_TEST_SUITE_END()

// A turn during which, or before which, something of its user was erased.
#include "workers/turn_fixture.hpp"

#include <boost/json/parse.hpp>
#include <boost/test/unit_test.hpp>

#include <chrono>
#include <string>
#include <utility>

namespace {

namespace json = boost::json;
using namespace engram;
using test::error_of;
using test::job;
using staleness = store::commit_outcome::staleness;
using std::chrono::milliseconds;

struct fixture : test::turn_fixture {
    // A job with this ticket that is answered; false if it was cancelled.
    bool is_answered(std::string ticket, std::int64_t queued_ms) {
        auto const outcome = answer(job, std::move(ticket), 0, queued_ms);
        BOOST_REQUIRE(outcome);
        auto const reply = queue::parse_reply(outcome->reply);
        BOOST_REQUIRE(reply);
        BOOST_TEST((reply->ok || reply->error_type == "cancelled"));
        return reply->ok;
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(chat_turn_erasures, fixture)

BOOST_AUTO_TEST_CASE(what_the_context_had_seen_is_handed_back_with_the_exchange) {
    store.context.seen = {3, 1};
    answer_well();
    BOOST_REQUIRE_EQUAL(store.exchanges.size(), 1u);
    BOOST_TEST(bool(store.exchanges[0].seen == store::erasures{3, 1}));
    BOOST_TEST(store.exchanges[0].reply_to == "engram:reply:1");
}

BOOST_AUTO_TEST_CASE(what_the_context_had_seen_is_handed_back_with_a_failure) {
    store.context.seen = {3, 1};
    claude.will_fail(claude::error_kind::rejected);
    BOOST_TEST(error_of(answer(job)) == "claude_rejected");
    BOOST_REQUIRE_EQUAL(store.failures.size(), 1u);
    BOOST_REQUIRE(store.failures[0].seen);
    BOOST_TEST(bool(*store.failures[0].seen == store::erasures{3, 1}));
    BOOST_TEST(store.failures[0].user_id == "u");
}

BOOST_AUTO_TEST_CASE(a_job_that_was_never_loaded_has_seen_nothing) {
    BOOST_TEST(error_of(answer(R"({"id":"x","user_id":"u"})")) == "invalid_job");
    BOOST_REQUIRE_EQUAL(store.failures.size(), 1u);
    BOOST_TEST(!store.failures[0].seen);
}

BOOST_AUTO_TEST_CASE(after_a_deletion_the_job_is_asked_again_and_nothing_of_the_first_answer_is_used) {
    store::context before, after;
    before.seen = {1, 0};
    before.memories = {{1, "fact", "The secret is 42", "", "", 1}};
    after.seen = {2, 0};
    store.contexts = {before, after};
    store.stale = {staleness::deletion, staleness::none};
    claude.will_say("It is 42.\n[MEMORY: fact|Asked for 42]");
    claude.will_say("I do not know.");
    auto const outcome = answer_well();
    BOOST_REQUIRE_EQUAL(claude.asked.size(), 2u);
    BOOST_REQUIRE_EQUAL(claude.asked[0].system.size(), 2u);
    BOOST_TEST(claude.asked[0].system[1].text().find("42") != std::string::npos);
    BOOST_TEST(claude.asked[1].system.size() == 1u);
    BOOST_REQUIRE_EQUAL(store.exchanges.size(), 1u);
    auto const& kept = store.exchanges[0];
    BOOST_TEST(bool(kept.seen == after.seen));
    BOOST_TEST(kept.turns[1].content == "I do not know.");
    BOOST_TEST(kept.turns[0].content == "hello");
    BOOST_TEST(kept.memories.empty());
    BOOST_TEST(outcome.reply.find("42") == std::string::npos);
    BOOST_TEST(considered.size() == 1u);
    BOOST_TEST(store.failures.empty());
}

BOOST_AUTO_TEST_CASE(what_was_recalled_before_a_deletion_makes_no_echo_after_it) {
    store::context before;
    before.found_turns = {
        {{5, store::role::assistant, "You adopted a beagle named Biscuit in March"}, "earlier", "", 1, ""}};
    store.contexts = {before, {}};
    store.stale = {staleness::deletion};
    claude.will_say("first");
    claude.will_say("second\n[MEMORY: fact|Adopted a beagle named Biscuit in March]");
    answer_well();
    BOOST_REQUIRE_EQUAL(store.exchanges.size(), 1u);
    BOOST_TEST(store.exchanges[0].memories.size() == 1u);
}

BOOST_AUTO_TEST_CASE(a_job_that_meets_a_deletion_every_time_ends_after_five_calls_and_may_be_sent_again) {
    store.stale.assign(10, staleness::deletion);
    auto const outcome = answer(job);
    BOOST_TEST(error_of(outcome) == "internal");
    BOOST_TEST(queue::parse_reply(outcome->reply)->retryable);
    BOOST_TEST(claude.asked.size() == 5u);
    BOOST_TEST(store.exchanges.empty());
    BOOST_TEST(considered.empty());
    BOOST_TEST(store.failures.size() == 1u);
}

BOOST_AUTO_TEST_CASE(the_fifth_answer_still_counts) {
    store.stale.assign(4, staleness::deletion);
    answer_well();
    BOOST_TEST(claude.asked.size() == 5u);
    BOOST_TEST(store.exchanges.size() == 1u);
}

BOOST_AUTO_TEST_CASE(a_user_who_is_forgotten_during_the_call_has_the_job_cancelled_and_nothing_recorded) {
    store.stale = {staleness::forget};
    claude.will_say("Hello Ada.\n[MEMORY: fact|Her name is Ada]");
    auto const outcome = answer(job);
    BOOST_REQUIRE(outcome);
    auto const reply = json::parse(outcome->reply).as_object();
    BOOST_TEST(reply.at("status").as_string() == "error");
    BOOST_TEST(reply.at("error").at("type").as_string() == "cancelled");
    BOOST_TEST(!reply.at("error").at("retryable").as_bool());
    BOOST_TEST(outcome->reply_to == "engram:reply:1");
    BOOST_TEST(outcome->reply.find("Ada") == std::string::npos);
    BOOST_TEST(!outcome->dead);  // a dead letter would keep the job's bytes
    BOOST_TEST(store.exchanges.empty());
    BOOST_TEST(store.failures.empty());
    BOOST_TEST(claude.asked.size() == 1u);
    BOOST_TEST(considered.empty());
}

BOOST_AUTO_TEST_CASE(a_job_from_before_its_user_was_forgotten_is_cancelled_without_a_call) {
    store.context.forgotten_at = clock.wall() - milliseconds(500);
    BOOST_TEST(!is_answered("a", 501));
    BOOST_TEST(claude.asked.empty());
    BOOST_TEST(store.failures.empty());
    BOOST_TEST(store.exchanges.empty());
}

BOOST_AUTO_TEST_CASE(a_job_from_after_its_user_was_forgotten_is_answered) {
    store.context.forgotten_at = clock.wall() - milliseconds(500);
    BOOST_TEST(is_answered("a", 499));
    BOOST_TEST(claude.asked.size() == 1u);
}

BOOST_AUTO_TEST_CASE(the_time_in_this_process_counts_for_when_a_job_was_first_seen) {
    store.contexts.emplace_back();
    store.context.forgotten_at = clock.wall() + milliseconds(100);
    store.stale = {staleness::deletion};
    // The second try comes after the erasure, the job does not.
    claude.after_ask = [this] { clock.advance(milliseconds(200)); };
    BOOST_TEST(!is_answered("a", 0));
    BOOST_TEST(claude.asked.size() == 1u);
}

BOOST_AUTO_TEST_CASE(a_job_of_a_user_who_was_never_forgotten_may_be_as_old_as_it_likes) {
    BOOST_TEST(is_answered("a", 599'999));
}

BOOST_AUTO_TEST_SUITE_END()

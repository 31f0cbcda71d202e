// Prompts that are too long for the model.
#include "workers/turn_fixture.hpp"

#include <boost/json/parse.hpp>
#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <string>

namespace {

namespace json = boost::json;
using namespace engram;
using claude::error_kind;
using test::error_of;
using test::job;

claude::error too_long() {
    return {error_kind::too_long, "prompt is too long: 208310 tokens > 200000 maximum", 400, 1};
}

struct grown : test::turn_fixture {
    grown() {
        for (int i = 0; i < 10; ++i) {
            store.context.turns.push_back({2 * i + 1, store::role::user, std::string(300, 'q')});
            store.context.turns.push_back({2 * i + 2, store::role::assistant, std::string(700, 'a')});
        }
    }

    void fail(int times) {
        for (int i = 0; i < times; ++i)
            claude.will_fail(too_long());
    }

    static std::string text_of(claude::request const& request) {
        std::string text;
        for (auto const& one : request.system)
            text += one.text();
        for (auto const& one : request.messages)
            for (auto const& block : one.content)
                text += block.text();
        return text;
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(chat_turn_too_long, grown)

BOOST_AUTO_TEST_CASE(it_is_asked_again_with_half_and_the_newest_turns_stay) {
    fail(1);
    answer_well();
    BOOST_REQUIRE_EQUAL(claude.asked.size(), 2u);
    auto const& before = store.queries.at(0);
    auto const& after = store.queries.at(1);
    BOOST_TEST(after.history_bytes == 5'000u);
    BOOST_TEST(after.memory_tokens == before.memory_tokens / 2);
    BOOST_TEST(after.find.limit == before.find.limit / 2);
    BOOST_TEST(after.memory_limit == before.memory_limit);
    // Also where the store gives more than it was asked for.
    BOOST_TEST(text_of(claude.asked[0]).size() - text_of(claude.asked[1]).size() == 5'000u);
    BOOST_TEST(text_of(claude.asked[1]).ends_with("hello"));
    BOOST_TEST(intake.empty());
}

BOOST_AUTO_TEST_CASE(the_fourth_prompt_has_little_but_the_message) {
    store::memory summary;
    summary.id = summary.label = 1;
    summary.type = "summary";
    summary.session_id = "s";
    summary.content = std::string(60'000, 'x');
    store::memory fact;
    fact.id = fact.label = 2;
    fact.type = "fact";
    fact.content = "The user is called Ada";
    store.context.memories = {summary, fact};
    fail(3);
    answer_well();
    BOOST_REQUIRE_EQUAL(claude.asked.size(), 4u);
    auto const& last = store.queries.at(3);
    BOOST_TEST(last.history_bytes == 0u);
    BOOST_TEST(last.find.limit == 0u);
    BOOST_TEST(last.find.text.empty());
    BOOST_TEST(last.memory_tokens == 500u);
    BOOST_TEST(claude.asked[3].messages.size() == 1u);
    auto const text = text_of(claude.asked[3]);
    BOOST_TEST(text.find("The user is called Ada") != std::string::npos);
    BOOST_TEST(text.find("xxxx") != std::string::npos);  // its own summary, shortened
    BOOST_TEST(text.size() < 30'000u);
    BOOST_TEST(text_of(claude.asked[2]).size() > 60'000u);
}

BOOST_AUTO_TEST_CASE(a_fourth_refusal_rejects_the_job) {
    fail(4);
    auto const outcome = answer(job);
    BOOST_TEST(error_of(outcome) == "claude_rejected");
    BOOST_TEST(claude.asked.size() == 4u);
    auto const error = json::parse(outcome->reply).at("error");
    BOOST_TEST(!error.at("retryable").as_bool());
    BOOST_TEST(
        std::string(error.at("message").as_string()).starts_with("the message is too long for the model: "));
    BOOST_TEST(intake.empty());
    BOOST_TEST(considered.empty());
}

BOOST_AUTO_TEST_CASE(a_message_that_is_too_long_by_itself_is_asked_once) {
    store.context = {};
    fail(1);
    BOOST_TEST(error_of(answer(job)) == "claude_rejected");
    BOOST_TEST(claude.asked.size() == 1u);
}

BOOST_AUTO_TEST_CASE(the_next_turn_begins_with_everything_again) {
    fail(1);
    answer_well();
    answer(R"({"id":"2","user_id":"u","session_id":"s","message":"more"})", "t-2.1");
    BOOST_REQUIRE_EQUAL(store.queries.size(), 3u);
    BOOST_TEST(store.queries[2].history_bytes == store.queries[0].history_bytes);
}

BOOST_AUTO_TEST_CASE(erasures_are_counted_apart) {
    for (int i = 0; i < 4; ++i)
        store.stale.push_back(store::commit_outcome::staleness::deletion);
    store.stale.push_back(store::commit_outcome::staleness::none);
    fail(3);
    answer_well();
    BOOST_TEST(claude.asked.size() == 8u);
}

BOOST_AUTO_TEST_CASE(many_of_them_shut_no_gate_but_tell_nothing_in_a_trial) {
    store.context = {};
    fail(7);
    for (int i = 0; i < 6; ++i)
        BOOST_TEST(error_of(answer(job, "t-" + std::to_string(i))) == "claude_rejected");
    BOOST_TEST(intake.empty());
    claude.answers.clear();
    claude.will_fail(error_kind::auth);
    BOOST_TEST(error_of(answer(job, "b")) == "claude_auth");
    gate.try_now();
    fail(1);
    BOOST_TEST(!answer(job, "c"));
    BOOST_TEST(postponed.has_value());
    BOOST_TEST((gate.current() == claude::gate::state::shut));
}

BOOST_AUTO_TEST_CASE(a_conversation_that_was_too_long_counts_as_larger_than_any_bound) {
    answer_well();
    fail(1);
    answer(R"({"id":"2","user_id":"u","session_id":"s","message":"more"})", "t-2.1");
    BOOST_REQUIRE_EQUAL(considered_bytes.size(), 2u);
    BOOST_TEST(considered_bytes[0] == 10'000u + std::string("hello").size() + std::string("ok").size());
    BOOST_TEST(considered_bytes[1] == SIZE_MAX);
}

BOOST_AUTO_TEST_SUITE_END()

// Calls that fail, and a lack of this machine: what puts a job off, what ends it, what gives it back.
#include "support/no_descriptors.hpp"
#include "workers/turn_fixture.hpp"

#include <boost/json/parse.hpp>
#include <boost/test/unit_test.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <utility>

namespace {

namespace json = boost::json;
using namespace engram;
using namespace std::chrono_literals;
using claude::error_kind;
using std::chrono::milliseconds;
using test::error_of;
using test::job;

claude::error failed(error_kind kind, int status, std::string code) {
    claude::error why{kind, "you said hello", status, 3};
    why.code = std::move(code);
    why.passes = kind == error_kind::unavailable;
    return why;
}

claude::error overloaded() {
    return failed(error_kind::unavailable, 529, "overloaded_error");
}

queue::delivery delivery_of(std::optional<milliseconds> failing, std::int64_t queued_ms = 0) {
    queue::delivery delivery;
    delivery.ticket = "t-1.1";
    delivery.body = job;
    delivery.attempts = 4;
    delivery.failing = failing;
    delivery.queued_ms = queued_ms;
    return delivery;
}

// Its zone is read for the first time.
queue::delivery delivery_with_zone(std::string const& zone, std::optional<milliseconds> failing = {},
                                   std::int64_t queued_ms = 0) {
    auto delivery = delivery_of(failing, queued_ms);
    delivery.attempts = 24;
    delivery.body =
        R"({"id":"1","user_id":"u","session_id":"s","message":"hello","timezone":")" + zone + "\"}";
    return delivery;
}

struct patient : test::turn_fixture {
    // The job waits for later, and nothing is kept of it anywhere else.
    void check_postponed(std::optional<queue::settlement> const& outcome, std::string const& reason) {
        BOOST_TEST(!outcome);
        BOOST_REQUIRE(postponed);
        BOOST_TEST(postponed->reason == reason);
        BOOST_TEST(store.failures.empty());
        BOOST_TEST(store.exchanges.empty());
        BOOST_TEST(considered.empty());
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(chat_turn_patience, patient)

BOOST_AUTO_TEST_CASE(a_call_that_did_not_get_its_turn_gives_the_job_back_untouched) {
    claude.will_fail(failed(error_kind::busy, 0, ""));
    BOOST_TEST(!deliver(delivery_of({})));
    BOOST_TEST(!postponed);
    BOOST_TEST(store.failures.empty());
    BOOST_TEST(store.exchanges.empty());
    BOOST_TEST(intake.empty());
}

BOOST_AUTO_TEST_CASE(a_failure_that_passes_puts_the_job_off_and_is_recorded_nowhere) {
    claude.will_fail(overloaded());
    check_postponed(deliver(delivery_of({})), "HTTP status 529 overloaded_error");
    BOOST_TEST(postponed->pause.count() <= 1000);
    BOOST_TEST(postponed->pause.count() >= 750);
    BOOST_TEST(intake.empty());
    // The next delivery is answered as if nothing had happened.
    auto const outcome = deliver(delivery_of(1s));
    BOOST_REQUIRE(outcome);
    BOOST_TEST(!outcome->dead);
    BOOST_TEST(!postponed);
    BOOST_TEST(store.exchanges.size() == 1u);
}

BOOST_AUTO_TEST_CASE(the_time_that_calls_have_failed_is_carried_over_and_what_this_one_took_counts) {
    claude.will_fail(overloaded());
    claude.after_ask = [this] { clock.advance(4s); };
    check_postponed(deliver(delivery_of(16s)), "HTTP status 529 overloaded_error");
    BOOST_TEST(postponed->pause.count() <= 20'000);
    BOOST_TEST(postponed->pause.count() >= 15'000);
}

BOOST_AUTO_TEST_CASE(a_slow_first_failure_is_the_first_all_the_same) {
    claude.will_fail(overloaded());
    claude.after_ask = [this] { clock.advance(20s); };
    check_postponed(deliver(delivery_of({})), "HTTP status 529 overloaded_error");
    BOOST_TEST(postponed->pause.count() <= 1000);
}

BOOST_AUTO_TEST_CASE(the_wish_of_the_server_is_waited_for) {
    auto why = overloaded();
    why.wait = 20s;
    claude.will_fail(why);
    check_postponed(deliver(delivery_of({})), "HTTP status 529 overloaded_error");
    BOOST_TEST(postponed->pause.count() >= 20'000);
    BOOST_TEST(postponed->pause.count() <= 22'000);
}

BOOST_AUTO_TEST_CASE(patience_that_is_over_ends_it) {
    claude.will_fail(overloaded());
    auto last = delivery_of(599s + 600ms);
    last.attempts = 24;
    auto const outcome = deliver(std::move(last));
    BOOST_TEST(error_of(outcome) == "claude_unavailable");
    BOOST_TEST(!postponed);
    auto const reply = json::parse(outcome->reply).as_object();
    BOOST_TEST(reply.at("error").at("retryable").as_bool());
    BOOST_TEST(reply.at("attempts").as_int64() == 24);
    BOOST_TEST(store.failures.size() == 1u);
}

// While the queue was paused, or the gate shut.
BOOST_AUTO_TEST_CASE(time_in_which_nobody_tried_is_no_time_of_failing) {
    claude.will_fail(overloaded());
    auto second = delivery_of(599s + 600ms);
    second.attempts = 2;
    check_postponed(deliver(std::move(second)), "HTTP status 529 overloaded_error");
}

BOOST_AUTO_TEST_CASE(without_patience_the_first_failure_is_the_last) {
    workers::chat_options options;
    options.retry_for = 0ms;
    turn.set_options(options);
    claude.will_fail(overloaded());
    BOOST_TEST(error_of(deliver(delivery_of({}))) == "claude_unavailable");
}

BOOST_AUTO_TEST_CASE(a_pause_that_would_reach_the_deadline_ends_it_and_the_message_says_what_failed) {
    claude.will_fail(overloaded());
    auto const outcome = deliver(delivery_of(30s, 580'000));
    BOOST_TEST(error_of(outcome) == "deadline_exceeded");
    auto const error = json::parse(outcome->reply).at("error");
    BOOST_TEST(error.at("retryable").as_bool());
    BOOST_TEST(error.at("message").as_string() ==
               "the deadline comes before another try; the last one failed: you said hello");
}

BOOST_AUTO_TEST_CASE(a_server_that_says_that_it_does_not_pass_is_believed) {
    auto why = overloaded();
    why.passes = false;
    claude.will_fail(why);
    BOOST_TEST(error_of(deliver(delivery_of({}))) == "claude_unavailable");
    BOOST_TEST(!postponed);
}

BOOST_AUTO_TEST_CASE(a_failure_during_a_trial_does_not_open_the_gate_and_puts_the_job_off) {
    claude.will_fail(failed(error_kind::auth, 401, "authentication_error"));
    BOOST_TEST(error_of(answer(job, "a")) == "claude_auth");
    gate.try_now();
    store.failures.clear();
    claude.will_fail(overloaded());
    check_postponed(deliver(delivery_of({})), "HTTP status 529 overloaded_error");
    BOOST_TEST((gate.current() == claude::gate::state::trial));
}

BOOST_AUTO_TEST_CASE(what_concerns_every_job_has_its_error_type_and_shuts_the_gate) {
    struct {
        error_kind kind;
        std::string type;
    } const cases[] = {{error_kind::auth, "claude_auth"},
                       {error_kind::on_hold, "claude_auth"},
                       {error_kind::spend_limit, "claude_spend_limit"},
                       {error_kind::model_gone, "claude_model_gone"}};
    for (auto const& one : cases) {
        test::turn_fixture fresh;
        fresh.claude.will_fail(failed(one.kind, 400, "some_error"));
        fresh.claude.will_fail(failed(one.kind, 400, "some_error"));
        auto const outcome = fresh.answer(job, "a");
        BOOST_TEST(error_of(outcome) == one.type);
        BOOST_TEST(json::parse(outcome->reply).at("error").at("retryable").as_bool());
        BOOST_TEST(!fresh.answer(job, "b"));
        BOOST_TEST(!fresh.postponed);
        BOOST_TEST((fresh.gate.current() == claude::gate::state::shut));
    }
}

BOOST_AUTO_TEST_CASE(a_page_instead_of_the_api_is_borne_by_no_job) {
    claude.will_fail(failed(error_kind::no_api, 403, ""));
    BOOST_TEST(!deliver(delivery_of({})));
    BOOST_TEST(!postponed);
    BOOST_TEST(store.failures.empty());
    BOOST_TEST((gate.current() == claude::gate::state::shut));
}

BOOST_AUTO_TEST_CASE(the_fifth_refusal_without_an_answer_shuts_the_gate_and_its_job_lets_others_try) {
    for (int i = 0; i < 5; ++i)
        claude.will_fail(failed(error_kind::rejected, 400, "invalid_request_error"));
    for (auto const* const ticket : {"a", "b", "c", "d"})
        BOOST_TEST(error_of(answer(job, ticket)) == "claude_rejected");
    store.failures.clear();
    check_postponed(deliver(delivery_of({})), "HTTP status 400 invalid_request_error");
    BOOST_TEST(postponed->pause.count() == 15'000);  // as often as one is tried
    BOOST_TEST((gate.current() == claude::gate::state::shut));
}

BOOST_AUTO_TEST_CASE(a_refusal_during_a_trial_lets_others_try_and_opens_nothing) {
    claude.will_fail(failed(error_kind::auth, 401, "authentication_error"));
    BOOST_TEST(error_of(answer(job, "a")) == "claude_auth");
    store.failures.clear();
    gate.try_now();
    claude.will_fail(failed(error_kind::rejected, 400, "invalid_request_error"));
    check_postponed(deliver(delivery_of({})), "HTTP status 400 invalid_request_error");
    BOOST_TEST((gate.current() == claude::gate::state::shut));
}

BOOST_AUTO_TEST_CASE(a_refused_job_whose_deadline_comes_first_ends_with_its_refusal) {
    claude.will_fail(failed(error_kind::auth, 401, "authentication_error"));
    BOOST_TEST(error_of(answer(job, "a")) == "claude_auth");
    gate.try_now();
    claude.will_fail(failed(error_kind::rejected, 400, "invalid_request_error"));
    BOOST_TEST(error_of(deliver(delivery_of({}, 590'000))) == "claude_rejected");
    BOOST_TEST(!postponed);
}

BOOST_AUTO_TEST_CASE(a_time_zone_that_cannot_be_read_puts_the_job_off_and_is_not_its_fault) {
    {
        tests::no_descriptors const none;
        check_postponed(deliver(delivery_with_zone("Africa/Accra")), "time zones cannot be read");
        BOOST_TEST(postponed->pause.count() <= 1000);
        BOOST_TEST(claude.asked.empty());
    }
    auto const outcome = deliver(delivery_with_zone("Africa/Accra", 1s));
    BOOST_REQUIRE(outcome);
    BOOST_TEST(!outcome->dead);
    BOOST_TEST(claude.asked.size() == 1u);
}

BOOST_AUTO_TEST_CASE(a_time_zone_that_cannot_be_read_for_long_ends_the_job_and_the_message_says_why) {
    tests::no_descriptors const none;
    auto const outcome = deliver(delivery_with_zone("Africa/Tunis", 599s + 600ms));
    BOOST_TEST(error_of(outcome) == "internal");
    auto const error = json::parse(outcome->reply).at("error");
    BOOST_TEST(error.at("retryable").as_bool());
    BOOST_TEST(error.at("message").as_string().starts_with(
        "the time zone Africa/Tunis cannot be read: this machine: no file descriptor is free"));
}

BOOST_AUTO_TEST_CASE(a_time_zone_that_cannot_be_read_until_the_deadline_ends_the_job) {
    tests::no_descriptors const none;
    BOOST_TEST(error_of(deliver(delivery_with_zone("Africa/Tunis", 30s, 580'000))) == "deadline_exceeded");
}

BOOST_AUTO_TEST_SUITE_END()

// What the client does with answers that are no messages.
#include "harness.hpp"
#include "recorder.hpp"

#include <boost/test/unit_test.hpp>

using namespace engram;
using namespace engram::tests;
using claude::error_kind;

namespace {

// Keeps the tests short.
constexpr char const* soon = "retry-after-ms: 1\r\n";

std::string overloaded() {
    return http_answer(529, error_json("overloaded_error", "Overloaded"), soon);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(retries)

BOOST_AUTO_TEST_CASE(an_overloaded_server_is_asked_again) {
    harness h({answers({overloaded(), overloaded(), http_answer(200, message_json("at last"))})});
    auto const answer = h.ask();
    BOOST_REQUIRE(answer.has_value());
    BOOST_TEST(answer->text() == "at last");
    BOOST_TEST(answer->attempts == 3U);
    BOOST_TEST(h.client().status().retries == 2U);
    BOOST_TEST(h.server().connections() == 1U);
    BOOST_TEST(h.server().requests().at(0) == h.server().requests().at(2));
}

BOOST_AUTO_TEST_CASE(after_the_last_retry_the_failure_is_told) {
    harness h({answers({overloaded(), overloaded(), overloaded()})});
    auto const answer = h.ask();
    BOOST_REQUIRE(answer.has_error());
    BOOST_CHECK(answer.error().kind == error_kind::unavailable);
    BOOST_TEST(answer.error().status == 529);
    BOOST_TEST(answer.error().attempts == 3U);
    BOOST_TEST(answer.error().message ==
               "the Messages API answered 529 overloaded_error: Overloaded (request req_9)");
}

BOOST_AUTO_TEST_CASE(what_cannot_get_better_is_not_tried_again) {
    struct row {
        int status;
        std::string body;
        error_kind kind;
    };
    for (auto const& [status, body, kind] :
         {row{400, error_json("invalid_request_error", "x"), error_kind::rejected},
          row{401, error_json("authentication_error", "invalid x-api-key"), error_kind::auth},
          row{403, error_json("permission_error", "x"), error_kind::auth},
          row{404, error_json("not_found_error", "x"), error_kind::model_gone},
          row{404, "<html>", error_kind::no_api}, row{302, "", error_kind::no_api},
          row{400, error_json("invalid_request_error", "prompt is too long: 2 > 1"), error_kind::too_long},
          row{400, error_json("invalid_request_error", "Your credit balance is too low …"),
              error_kind::spend_limit},
          row{429, error_json("rate_limit_error", "x", R"({"error_code":"enforced_spend_limit_reached"})"),
              error_kind::spend_limit}}) {
        harness h({answers({http_answer(status, body, soon)})});
        auto const answer = h.ask();
        BOOST_REQUIRE(answer.has_error());
        BOOST_TEST(int(answer.error().kind) == int(kind));
        BOOST_TEST(answer.error().status == status);
        BOOST_TEST(answer.error().attempts == 1U);
        BOOST_TEST(h.server().requests().size() == 1U);
    }
}

BOOST_AUTO_TEST_CASE(retry_after_is_obeyed) {
    harness h({answers({http_answer(429, error_json("rate_limit_error", "slow down"), "retry-after: 0.6\r\n"),
                        http_answer(200, message_json("ok"))})});
    auto const begin = std::chrono::steady_clock::now();
    BOOST_TEST(h.ask().has_value());
    // Our own delay would be half a second at most.
    BOOST_TEST((std::chrono::steady_clock::now() - begin >= std::chrono::milliseconds(600)));
}

BOOST_AUTO_TEST_CASE(a_retry_beyond_the_deadline_is_not_waited_for) {
    for (auto const* wish : {"retry-after: 4\r\n", "retry-after: 30\r\n"}) {
        harness h({answers({http_answer(429, error_json("rate_limit_error", "slow down"), wish)})});
        auto const begin = std::chrono::steady_clock::now();
        auto const answer = h.ask(question(), std::chrono::seconds(3));
        BOOST_REQUIRE(answer.has_error());
        BOOST_CHECK(answer.error().kind == error_kind::deadline);
        BOOST_TEST(answer.error().status == 429);
        BOOST_TEST(answer.error().message.find("slow down") != std::string::npos);
        BOOST_TEST((std::chrono::steady_clock::now() - begin < std::chrono::seconds(2)));
    }
}

BOOST_AUTO_TEST_CASE(a_long_wish_of_the_server_ends_the_call_which_tells_of_it) {
    harness h({answers({http_answer(429, error_json("rate_limit_error", "x"), "retry-after: 6\r\n")})});
    auto const begin = std::chrono::steady_clock::now();
    auto const answer = h.ask(question(), std::chrono::seconds(60));
    BOOST_REQUIRE(answer.has_error());
    BOOST_CHECK(answer.error().kind == error_kind::unavailable);
    BOOST_TEST(answer.error().passes);
    BOOST_TEST(answer.error().wait.value().count() == 6'000);
    BOOST_TEST(answer.error().attempts == 1U);
    BOOST_TEST(answer.error().code == "rate_limit_error");
    BOOST_TEST((std::chrono::steady_clock::now() - begin < std::chrono::seconds(3)));
    BOOST_TEST(h.client().status().calls_in_flight == 0U);
    BOOST_TEST(h.client().status().calls_waiting == 0U);
}

BOOST_AUTO_TEST_CASE(a_wish_of_the_server_holds_other_calls_too) {
    harness h({answers({http_answer(429, error_json("rate_limit_error", "x"), "retry-after-ms: 300\r\n"),
                        http_answer(200, message_json("ok"))})});
    h.options.max_retries = 0;
    BOOST_TEST(h.ask().error().status == 429);
    auto const begin = std::chrono::steady_clock::now();
    BOOST_TEST(h.ask()->text() == "ok");
    BOOST_TEST((std::chrono::steady_clock::now() - begin >= std::chrono::milliseconds(250)));
}

BOOST_AUTO_TEST_CASE(a_call_that_gets_no_turn_while_the_server_wants_none_is_busy) {
    harness h({answers({http_answer(429, error_json("rate_limit_error", "x"), "retry-after: 60\r\n")})});
    h.options.max_retries = 0;
    h.options.place_wait = std::chrono::milliseconds(20);
    std::vector<std::optional<std::size_t>> rooms;
    h.client().on_room([&](std::optional<std::size_t> room) { rooms.push_back(room); });
    BOOST_TEST(h.ask().error().status == 429);
    auto const second = h.ask();
    BOOST_CHECK(second.error().kind == error_kind::busy);
    BOOST_TEST(second.error().attempts == 0U);
    BOOST_TEST(h.server().requests().size() == 1U);
    BOOST_REQUIRE(!rooms.empty());
    BOOST_TEST(rooms.back().value_or(99) == 2U);
}

BOOST_AUTO_TEST_CASE(a_limit_that_an_answer_tells_is_heeded_and_shown) {
    harness h({answers({http_answer(200, message_json("ok"),
                                    "Anthropic-Ratelimit-Requests-Limit: 50\r\n"
                                    "Anthropic-Ratelimit-Requests-Remaining: 7\r\n")})});
    BOOST_TEST(h.client().status().paced.empty());
    BOOST_TEST(h.ask().has_value());
    BOOST_REQUIRE(h.client().status().paced.size() == 1U);
    BOOST_TEST(h.client().status().paced[0].model == question().model);
}

BOOST_AUTO_TEST_CASE(what_is_forbidden_to_be_tried_again_does_not_pass) {
    harness h({answers({http_answer(503, error_json("api_error", "x"), "x-should-retry: false\r\n")})});
    auto const answer = h.ask();
    BOOST_CHECK(answer.error().kind == error_kind::unavailable);
    BOOST_TEST(!answer.error().passes);
}

BOOST_AUTO_TEST_CASE(the_server_can_ask_for_or_against_a_retry) {
    harness no(
        {answers({http_answer(529, error_json("overloaded_error", "x"), "x-should-retry: false\r\n")})});
    BOOST_TEST(no.ask().error().attempts == 1U);
    harness yes({answers({http_answer(400, error_json("invalid_request_error", "x"),
                                      "x-should-retry: true\r\nretry-after-ms: 1\r\n"),
                          http_answer(200, message_json("ok"))})});
    BOOST_TEST(yes.ask()->attempts == 2U);
}

BOOST_AUTO_TEST_CASE(no_place_is_held_between_two_tries) {
    harness h({answers({http_answer(529, error_json("overloaded_error", "x"), "retry-after: 5\r\n"),
                        http_answer(200, message_json("the other"))})});
    h.options.max_connections = 1;
    pending_call waiting(h, question(), claude::call_class::chat, std::chrono::seconds(60));
    h.run_until(
        [&] { return h.client().status().requests == 1 && h.client().status().calls_in_flight == 0; });
    BOOST_TEST(h.client().status().calls_waiting == 1U);
    BOOST_TEST(h.ask()->text() == "the other");
    waiting.cancel();
    h.run_until([&] { return waiting.ended(); });
    BOOST_TEST(waiting.was_cancelled());
    BOOST_TEST(h.client().status().calls_waiting == 0U);
}

BOOST_AUTO_TEST_CASE(a_new_key_is_used_from_the_next_try_on) {
    harness h({answers({http_answer(401, error_json("authentication_error", "invalid x-api-key")),
                        http_answer(200, message_json("ok"))})});
    BOOST_CHECK(h.ask().error().kind == error_kind::auth);
    h.client().set_api_key(base::secret("sk-new"));
    BOOST_TEST(h.ask().has_value());
    BOOST_TEST(h.server().requests().at(0).find("x-api-key: sk-test-0123456789\r\n") != std::string::npos);
    BOOST_TEST(h.server().requests().at(1).find("x-api-key: sk-new\r\n") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(the_key_is_never_in_an_error) {
    harness h({answers({http_answer(401, error_json("authentication_error", "bad sk-test-0123456789")),
                        http_answer(200, "sk-test-0123456789"),
                        http_answer(403, std::string(195, 'x') + "sk-test-0123456789")})});
    h.options.max_retries = 0;
    for (int i = 0; i < 3; ++i) {
        auto const message = h.ask().error().message;
        BOOST_TEST(message.find("sk-test") == std::string::npos);
    }
}

BOOST_AUTO_TEST_CASE(a_paused_answer_is_continued) {
    harness h({answers({http_answer(200, message_json("one ", "pause_turn")),
                        http_answer(200, message_json("two ", "pause_turn")),
                        http_answer(200, message_json("three"))})});
    auto const answer = h.ask();
    BOOST_REQUIRE(answer.has_value());
    BOOST_TEST(answer->text() == "one two three");
    BOOST_TEST(answer->stop_reason == "end_turn");
    BOOST_TEST(answer->usage.input_tokens == 30);
    BOOST_TEST(answer->usage.output_tokens == 6);
    BOOST_TEST(answer->attempts == 3U);
    BOOST_TEST(*answer->cost_usd == 300e-6, boost::test_tools::tolerance(1e-9));
    auto const& last = h.server().requests().at(2);
    BOOST_TEST(last.ends_with(R"(,{"role":"assistant","content":[{"type":"text","text":"one "}]},)"
                              R"({"role":"assistant","content":[{"type":"text","text":"two "}]}]})"));
}

BOOST_AUTO_TEST_CASE(what_is_heard_is_the_answer) {
    recorder hears;
    harness h({answers({http_answer(200, message_json("one ", "pause_turn")), overloaded(),
                        http_answer(200, message_json("two"))})});
    auto const answer = h.ask(question(), std::chrono::seconds(20), hears);
    BOOST_REQUIRE(answer.has_value());
    BOOST_TEST(answer->text() == "one two");
    BOOST_TEST(hears.heard == "one |two|end");
}

BOOST_AUTO_TEST_CASE(who_heard_the_beginning_of_a_bad_answer_is_told_that_it_is_void) {
    recorder hears;
    harness h({answers({http_answer(200, R"({"content":[{"type":"text","text":"bad"},7]})"),
                        http_answer(200, message_json("good"))})});
    auto const answer = h.ask(question(), std::chrono::seconds(20), hears);
    BOOST_REQUIRE(answer.has_value());
    BOOST_TEST(answer->text() == "good");
    BOOST_TEST(answer->content.size() == 1U);
    BOOST_TEST(hears.heard == "bad|restart|good|end");
}

BOOST_AUTO_TEST_CASE(a_call_that_fails_has_no_end) {
    recorder hears;
    harness h({answers({http_answer(400, error_json("invalid_request_error", "no"))})});
    BOOST_TEST(h.ask(question(), std::chrono::seconds(20), hears).has_error());
    BOOST_TEST(hears.heard == "");
}

BOOST_AUTO_TEST_CASE(an_answer_that_pauses_for_ever_is_given_back_paused) {
    auto const paused = http_answer(200, message_json("x", "pause_turn"));
    harness h({answers({paused, paused, paused, paused})});
    auto const answer = h.ask();
    BOOST_REQUIRE(answer.has_value());
    BOOST_TEST(answer->text() == "xxxx");
    BOOST_TEST(answer->stop_reason == "pause_turn");
    BOOST_TEST(h.server().requests().size() == 4U);
}

BOOST_AUTO_TEST_CASE(an_unknown_model_has_no_cost) {
    harness h({answers({http_answer(200, R"({"content":[],"model":"llama3","usage":{"input_tokens":1}})")})});
    auto const answer = h.ask();
    BOOST_REQUIRE(answer.has_value());
    BOOST_TEST(!answer->cost_usd.has_value());
}

BOOST_AUTO_TEST_SUITE_END()

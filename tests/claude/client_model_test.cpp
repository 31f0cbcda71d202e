// Which model answers, and what the API tells of one.
#include "harness.hpp"
#include "recorder.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/test/unit_test.hpp>

#include <exception>
#include <optional>

using namespace engram;
using namespace engram::tests;
using claude::error_kind;

namespace {

// Keeps the tests short.
constexpr char const* soon = "retry-after-ms: 1\r\n";

std::string gone(std::string_view model) {
    return http_answer(404, error_json("not_found_error", "model: " + std::string(model)));
}

std::string troubled(int status) {
    return http_answer(status, error_json("overloaded_error", "Overloaded"), soon);
}

std::string answered() {
    return http_answer(200, R"({"content":[{"type":"text","text":"ok"}],"stop_reason":"end_turn"})");
}

claude::request ask_of(std::string model) {
    auto what = question();
    what.model = std::move(model);
    return what;
}

/// The model of the n-th request.
std::string model_of(harness& h, std::size_t n) {
    auto const& request = h.server().requests().at(n);
    constexpr std::string_view mark = "\r\n\r\n{\"model\":\"";
    auto const from = request.find(mark) + mark.size();
    return request.substr(from, request.find("\",\"max_tokens\"", from) - from);
}

auto in_a_minute() {
    return std::chrono::steady_clock::now() + std::chrono::minutes(1);
}

claude::result<claude::model_info> describe(harness& h, std::string id,
                                            base::steady_time deadline = in_a_minute()) {
    std::optional<claude::result<claude::model_info>> outcome;
    boost::asio::co_spawn(h.loop(), h.client().describe_model(std::move(id), deadline),
                          [&](std::exception_ptr error, claude::result<claude::model_info> found) {
                              if (error) std::rethrow_exception(error);
                              outcome = std::move(found);
                          });
    h.run_until([&] { return outcome.has_value(); });
    return *outcome;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(models)

BOOST_AUTO_TEST_CASE(a_model_that_is_gone_is_replaced_by_the_next_that_is_there) {
    harness h({answers({gone("a"), gone("b"), answered(), answered()})});
    h.options.fallback_models = {"b", "c", "d"};
    auto const first = h.ask(ask_of("a"));
    BOOST_REQUIRE(first.has_value());
    BOOST_TEST(first->text() == "ok");
    BOOST_TEST(first->model == "c");
    BOOST_TEST(first->attempts == 3U);
    BOOST_TEST(model_of(h, 0) == "a");
    BOOST_TEST(model_of(h, 1) == "b");
    BOOST_TEST(model_of(h, 2) == "c");
    BOOST_TEST(h.client().status().failures == 0U);
    // What is known to be gone is not asked again by the next call.
    BOOST_TEST(h.ask(ask_of("a"))->model == "c");
    BOOST_TEST(model_of(h, 3) == "c");
    BOOST_TEST(h.server().requests().size() == 4U);
}

BOOST_AUTO_TEST_CASE(the_request_is_the_same_but_for_its_model) {
    harness h({answers({gone("a"), answered()})});
    h.options.fallback_models = {"a-much-longer \"name\" \xC3\xA4\n"};
    BOOST_TEST(h.ask(ask_of("a")).has_value());
    auto const body = [&](std::size_t n) {
        auto const& request = h.server().requests().at(n);
        return request.substr(request.find("\r\n\r\n") + 4);
    };
    auto const first = body(0), second = body(1);
    auto const rest = first.find(",\"max_tokens\"");
    BOOST_TEST(first.substr(0, rest) == R"({"model":"a")");
    BOOST_TEST(second == "{\"model\":\"a-much-longer \\\"name\\\" \xC3\xA4\\n\"" + first.substr(rest));
    BOOST_TEST(h.server().requests().at(1).find("content-length: " + std::to_string(second.size())) !=
               std::string::npos);
}

BOOST_AUTO_TEST_CASE(the_same_model_is_not_asked_twice) {
    harness h({answers({gone("a"), gone("b")})});
    h.options.fallback_models = {"a", "b", "a", "b"};
    auto const answer = h.ask(ask_of("a"));
    BOOST_REQUIRE(answer.has_error());
    BOOST_CHECK(answer.error().kind == error_kind::model_gone);
    BOOST_TEST(answer.error().attempts == 2U);
}

BOOST_AUTO_TEST_CASE(when_all_are_gone_that_is_told_and_all_are_asked_again) {
    harness h({answers({gone("a"), gone("b"), gone("a"), answered()})});
    h.options.fallback_models = {"b"};
    auto const answer = h.ask(ask_of("a"));
    BOOST_REQUIRE(answer.has_error());
    BOOST_CHECK(answer.error().kind == error_kind::model_gone);
    BOOST_TEST(answer.error().message.find("model: b") != std::string::npos);
    BOOST_TEST(h.client().status().failures == 1U);
    BOOST_TEST(h.ask(ask_of("a"))->model == "b");
    BOOST_TEST(model_of(h, 2) == "a");
}

BOOST_AUTO_TEST_CASE(without_others_a_model_that_is_gone_is_asked_every_time) {
    harness h({answers({gone("a"), answered()})});
    BOOST_CHECK(h.ask(ask_of("a")).error().kind == error_kind::model_gone);
    BOOST_TEST(h.ask(ask_of("a"))->model == "a");
}

BOOST_AUTO_TEST_CASE(fallbacks_are_taken_over_while_it_runs_and_what_was_gone_is_tried_again) {
    harness h({answers({gone("a"), gone("a"), answered(), answered()})});
    BOOST_CHECK(h.ask(ask_of("a")).error().kind == error_kind::model_gone);
    h.client().set_fallbacks({"b"}, false);
    BOOST_TEST(h.ask(ask_of("a"))->model == "b");
    h.client().set_fallbacks({"b"}, false);
    BOOST_TEST(h.ask(ask_of("a"))->model == "a");
}

BOOST_AUTO_TEST_CASE(an_overloaded_model_is_replaced_only_if_that_is_wanted) {
    for (int const status : {429, 503, 529}) {
        harness no({answers({troubled(status)})});
        no.options.fallback_models = {"b"};
        no.options.max_retries = 0;
        BOOST_CHECK(no.ask(ask_of("a")).error().kind == error_kind::unavailable);
        BOOST_TEST(no.server().requests().size() == 1U);

        harness yes({answers({troubled(status), troubled(status), answered(), answered()})});
        yes.options.fallback_models = {"b"};
        yes.options.fallback_on_overload = true;
        yes.options.max_retries = 1;
        auto const answer = yes.ask(ask_of("a"));
        BOOST_REQUIRE(answer.has_value());
        BOOST_TEST(answer->model == "b");
        BOOST_TEST(model_of(yes, 1) == "a");
        // The next call begins with the model that was asked for.
        BOOST_TEST(yes.ask(ask_of("a"))->model == "a");
    }
}

BOOST_AUTO_TEST_CASE(another_model_is_asked_at_once_if_the_first_wants_a_long_pause) {
    for (auto const* wish : {"retry-after: 30\r\n", "retry-after: 6\r\n"}) {
        harness h({answers({http_answer(429, error_json("rate_limit_error", "x"), wish), answered()})});
        h.options.fallback_models = {"b"};
        h.options.fallback_on_overload = true;
        auto const answer = h.ask(ask_of("a"), std::chrono::seconds(20));
        BOOST_REQUIRE(answer.has_value());
        BOOST_TEST(answer->model == "b");
        BOOST_TEST(answer->attempts == 2U);
    }
}

BOOST_AUTO_TEST_CASE(other_failures_are_no_overload) {
    for (int const status : {400, 401, 402, 500, 504}) {
        harness h({answers({http_answer(status, error_json("x", "y"))})});
        h.options.fallback_models = {"b"};
        h.options.fallback_on_overload = true;
        h.options.max_retries = 0;
        BOOST_TEST(h.ask(ask_of("a")).has_error());
        BOOST_TEST(h.server().requests().size() == 1U);
    }
}

// Else the gate would shut, though the right model is only overloaded.
BOOST_AUTO_TEST_CASE(a_model_that_refuses_in_place_of_an_overloaded_one_changes_nothing) {
    for (auto const& refusal :
         {gone("b"), http_answer(403, error_json("permission_error", "not for this key")),
          http_answer(401, error_json("authentication_error", "invalid x-api-key")),
          http_answer(402, error_json("billing_error", "no")), http_answer(403, "<html>"),
          http_answer(400, error_json("invalid_request_error", "effort is not supported")),
          http_answer(400, error_json("invalid_request_error", "prompt is too long: 2 > 1"))}) {
        harness h({answers({troubled(529), refusal})});
        h.options.fallback_models = {"b"};
        h.options.fallback_on_overload = true;
        h.options.max_retries = 0;
        auto const answer = h.ask(ask_of("a"));
        BOOST_REQUIRE(answer.has_error());
        BOOST_CHECK(answer.error().kind == error_kind::unavailable);
        BOOST_TEST(answer.error().passes);
        BOOST_TEST(answer.error().status == 529);
        BOOST_TEST(answer.error().attempts == 2U);
    }
}

// A model that cannot be asked now is not gone, nor is the one before it refused by it.
BOOST_AUTO_TEST_CASE(a_model_without_a_place_is_not_taken_for_the_one_before_it) {
    struct row {
        std::string first;
        error_kind end;
        bool on_overload;
    };
    for (auto const& one :
         {row{gone("a"), error_kind::busy, false}, row{troubled(529), error_kind::unavailable, true}}) {
        harness h({answers({http_answer(429, error_json("rate_limit_error", "x"), "retry-after: 60\r\n"),
                            one.first, troubled(529)})});
        h.options.fallback_models = {"b"};
        h.options.fallback_on_overload = one.on_overload;
        h.options.max_retries = 0;
        h.options.place_wait = std::chrono::milliseconds(50);
        BOOST_TEST(h.ask(ask_of("b")).error().status == 429);
        auto const answer = h.ask(ask_of("a"));
        BOOST_REQUIRE(answer.has_error());
        BOOST_CHECK(answer.error().kind == one.end);
        BOOST_TEST(answer.error().attempts == 1U);
        BOOST_TEST(h.server().requests().size() == 2U);
    }
}

BOOST_AUTO_TEST_CASE(what_runs_in_the_background_waits_for_its_model_but_not_for_one_that_is_gone) {
    harness h({answers({troubled(529), gone("a"), answered()})});
    h.options.fallback_models = {"b"};
    h.options.fallback_on_overload = true;
    h.options.max_retries = 0;
    pending_call overloaded(h, ask_of("a"), claude::call_class::background);
    h.run_until([&] { return overloaded.ended(); });
    BOOST_TEST(overloaded.outcome().error().status == 529);
    pending_call replaced(h, ask_of("a"), claude::call_class::background);
    h.run_until([&] { return replaced.ended(); });
    BOOST_TEST(replaced.outcome().has_value());
}

BOOST_AUTO_TEST_CASE(who_heard_the_model_that_failed_is_told_that_it_is_void) {
    recorder hears;
    harness h({answers(
        {http_answer(200, R"({"content":[{"type":"text","text":"bad"},7]})"), troubled(529), answered()})});
    h.options.fallback_models = {"a-name-that-is-longer-than-the-other"};
    h.options.fallback_on_overload = true;
    h.options.max_retries = 1;
    auto const answer = h.ask(ask_of("a"), std::chrono::seconds(20), hears);
    BOOST_REQUIRE(answer.has_value());
    BOOST_TEST(answer->model == "a-name-that-is-longer-than-the-other");
    BOOST_TEST(hears.heard == "bad|restart|ok|end");
}

BOOST_AUTO_TEST_CASE(a_model_is_described) {
    harness h({answers(
        {http_answer(200, R"({"id":"a b","retires_at":"2027-01-22T00:00:00Z","max_input_tokens":5})")})});
    auto const found = describe(h, "a b");
    BOOST_REQUIRE(found.has_value());
    BOOST_TEST(found->id == "a b");
    BOOST_TEST(found->max_input_tokens == 5);
    BOOST_CHECK(found->retires_at == std::chrono::sys_days(std::chrono::year(2027) / 1 / 22));
    auto const& request = h.server().requests().at(0);
    BOOST_TEST(request.starts_with("GET /v1/models/a%20b HTTP/1.1\r\n"));
    BOOST_TEST(request.find("\r\nx-api-key: sk-test-0123456789\r\n") != std::string::npos);
    BOOST_TEST(request.find("\r\nanthropic-version: 2023-06-01\r\n") != std::string::npos);
    BOOST_TEST(request.ends_with("\r\ncontent-length: 0\r\n\r\n"));
    BOOST_TEST(h.client().status().calls_in_flight == 0U);
}

BOOST_AUTO_TEST_CASE(only_the_api_can_say_that_a_model_is_gone) {
    struct row {
        std::string reply;
        bool is_gone;
    };
    for (auto const& [reply, is_gone] :
         {row{gone("m"), true}, row{http_answer(404, "<html>"), false}, row{http_answer(404, ""), false},
          row{http_answer(501, ""), false}, row{http_answer(405, error_json("x", "y")), false},
          row{http_answer(200, "{}"), false}, row{http_answer(200, "<html>"), false},
          row{troubled(529), false}, row{http_answer(401, error_json("authentication_error", "x")), false}}) {
        harness h({answers({reply})});
        auto const found = describe(h, "m");
        BOOST_REQUIRE(found.has_error());
        BOOST_TEST((found.error().kind == error_kind::model_gone) == is_gone);
        BOOST_TEST(h.server().requests().size() == 1U);  // asked once
    }
}

BOOST_AUTO_TEST_CASE(who_does_not_answer_does_not_tell) {
    harness h({stalls()});
    auto const soon_over = std::chrono::steady_clock::now() + std::chrono::milliseconds(50);
    auto const found = describe(h, "m", soon_over);
    BOOST_REQUIRE(found.has_error());
    BOOST_CHECK(found.error().kind == error_kind::deadline);
}

BOOST_AUTO_TEST_CASE(a_description_waits_for_no_place) {
    harness h({stalls(), answers({http_answer(200, R"({"id":"m"})")})});
    h.options.max_connections = 1;
    pending_call holds(h, question(), claude::call_class::chat);
    h.run_until([&] { return h.client().status().requests == 1; });
    BOOST_TEST(describe(h, "m").has_value());
    holds.cancel();
    h.run_until([&] { return holds.ended(); });
}

BOOST_AUTO_TEST_SUITE_END()

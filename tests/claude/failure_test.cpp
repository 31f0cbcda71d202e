#include "claude/failure.hpp"

#include "base/utf8.hpp"
#include "replies.hpp"

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <ostream>

using namespace engram::claude;
using engram::tests::error_json;
namespace data = boost::unit_test::data;

namespace {

failure seen(int status, std::string body, std::string should_retry = {}, std::string retry_after = {}) {
    engram::http::reply reply;
    reply.status = status;
    reply.body = std::move(body);
    reply.should_retry = std::move(should_retry);
    reply.retry_after = std::move(retry_after);
    return classify(reply, {});
}

std::string code(std::string_view name) {
    return R"({"error_code":")" + std::string(name) + "\"}";
}

std::string invalid(std::string_view message, std::string_view details = "null") {
    return error_json("invalid_request_error", message, details);
}

char const* name_of(error_kind kind) {
    static constexpr char const* names[] = {"auth",       "spend_limit", "on_hold",  "no_api",
                                            "model_gone", "too_long",    "rejected", "unavailable",
                                            "deadline",   "busy"};
    return names[int(kind)];
}

struct row {
    int status;
    std::string body;
    error_kind kind;
    std::string should_retry = {};
};

std::ostream& operator<<(std::ostream& out, row const& r) {
    return out << r.status << ' ' << r.should_retry << ' ' << r.body;
}

using enum error_kind;

// Each status, type and code that the API has, with its code and without.
row const rows[] = {
    // 400: this request
    {400, invalid("no"), rejected},
    {400, invalid("image too large", code("image_dimensions_too_large")), rejected},
    {400, invalid("messages: text content blocks must be non-empty"), rejected},
    {400, invalid("max_tokens: 70000 > 64000, which is the maximum allowed number of output tokens for M"),
     rejected},
    {400, "", rejected},
    {400, "<html>bad request</html>", rejected},
    {400, invalid("prompt is too long: 208310 tokens > 200000 maximum"), too_long},
    {400, invalid("Prompt is too long"), too_long},
    {400, invalid("input length and `max_tokens` exceed context limit: 1 + 2 > 2, decrease them"), too_long},
    {400, invalid("Input is too long for requested model."), too_long},
    {400, error_json("exceed_context_size_error", "the request exceeds the available context size"),
     too_long},
    // 400: every request
    {400, invalid("Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing"),
     spend_limit},
    {400, invalid("x", code("credit_balance_too_low")), spend_limit},
    {400, invalid("You have reached your specified API usage limits. You will regain access on 2026-12-01"),
     spend_limit},
    {400, invalid("You have reached your specified workspace API usage limits."), spend_limit},
    {400, invalid("You have reached your API usage limits."), spend_limit},
    {400, invalid("YOUR CREDIT BALANCE IS TOO LOW"), spend_limit},
    {400, invalid("x", code("enforced_spend_limit_reached")), spend_limit},
    {400, invalid("x", code("organization_on_hold")), on_hold},
    {400, invalid("x", code("organization_disabled")), on_hold},
    {400, invalid("x", code("cmek_key_disabled")), on_hold},
    {400, invalid("This organization has been disabled."), on_hold},
    {400, invalid("Your account has been disabled after an automatic review."), on_hold},
    // 401, 403
    {401, error_json("authentication_error", "invalid x-api-key"), auth},
    {401, "", auth},
    {401, error_json("authentication_error", "x"), auth, "true"},
    {403, error_json("permission_error", "no"), auth},
    {403, error_json("permission_error", "x", code("organization_on_hold")), on_hold},
    {403, error_json("permission_error", "Your organization has been disabled."), on_hold},
    {403, error_json("permission_error", "You have reached your specified API usage limits."), spend_limit},
    {403, error_json("permission_error", "The workspace is above its spend limit."), spend_limit},
    {403, "<html>blocked</html>", no_api},
    {403, R"({"error":{"message":"Request not allowed"}})", no_api},
    // 402
    {402, error_json("billing_error", "pay"), spend_limit},
    {402, error_json("billing_error", "x", code("linked_organization_spend_limit_reached")), spend_limit},
    {402, error_json("billing_error", "x", code("linked_organization_billing_unavailable")), spend_limit},
    {402, "", spend_limit},
    {402, error_json("billing_error", "pay"), spend_limit, "true"},
    // 404: of the API, and of something else
    {404, error_json("not_found_error", "model: x"), model_gone},
    {404, error_json("NotFoundError", "The model `x` does not exist."), model_gone},
    {404, "<html>not found</html>", no_api},
    {404, "", no_api},
    {404, R"({"detail":"Not Found"})", no_api},
    // other pages of what stands between
    {301, "", no_api},
    {302, "<html>log in</html>", no_api},
    {307, error_json("x", "y"), no_api},
    {405, "", no_api},
    {407, "<html>proxy</html>", no_api},
    {410, "", no_api},
    {421, "", no_api},
    {451, "<html>not in your country</html>", no_api},
    // 408, 409
    {408, error_json("timeout_error", "x"), unavailable},
    {408, "", unavailable},
    {409, error_json("conflict_error", "x"), unavailable},
    // 413, in the shape of the network edge too, and 422
    {413, error_json("request_too_large", "x"), rejected},
    {413, R"({"error":{"type":"request_too_large","message":"Request exceeds the maximum size"}})", rejected},
    {422, invalid("x"), rejected},
    // 429
    {429, error_json("rate_limit_error", "x"), unavailable},
    {429, error_json("rate_limit_error", "x", code("ramp_limit_exceeded")), unavailable},
    {429,
     error_json("rate_limit_error",
                "This request would exceed your organization's rate limit of 50 "
                "requests per minute. See your current usage limits."),
     unavailable},
    {429, error_json("rate_limit_error", "You have reached your rate limit."), unavailable},
    {429, "", unavailable},
    {429, error_json("rate_limit_error", "x", code("enforced_spend_limit_reached")), spend_limit},
    {429, error_json("rate_limit_error", "x", code("enforced_spend_limit_reached")), spend_limit, "true"},
    {429, error_json("rate_limit_error", "x", code("contract_spend_limit_reached")), spend_limit},
    {429, error_json("rate_limit_error", "You have reached your specified API usage limits."), spend_limit},
    {429, error_json("rate_limit_error", "Monthly spending limit reached."), spend_limit},
    // 5xx
    {500, error_json("api_error", "x"), unavailable},
    {500, "", unavailable},
    {502, "<html>bad gateway</html>", unavailable},
    {503, error_json("api_error", "x"), unavailable},
    {503, error_json("api_error", "x", code("cmek_key_unreachable")), unavailable},
    {503, error_json("api_error", "x", code("cmek_key_disabled")), unavailable},
    {504, error_json("timeout_error", "x"), unavailable},
    {529, error_json("overloaded_error", "Overloaded"), unavailable},
    {599, "", unavailable},
    {400, "", unavailable, "true"},
};

}  // namespace

BOOST_AUTO_TEST_SUITE(failures)

BOOST_DATA_TEST_CASE(the_table_of_errors, data::make(rows), r) {
    auto const found = seen(r.status, r.body, r.should_retry);
    BOOST_TEST(name_of(found.kind) == name_of(r.kind));
    BOOST_TEST(found.passes == (r.kind == unavailable));
    BOOST_TEST(found.status == r.status);
}

BOOST_AUTO_TEST_CASE(what_a_user_says_shuts_nothing) {
    for (auto const* said :
         {"messages: 'Your credit balance is too low' is not a role",
          "x: This organization has been disabled", "metadata.user_id: 'spend limit' is not allowed",
          "tool 'prompt is too long' is unknown",
          "messages.0: You have reached your specified API usage limits"})
        BOOST_TEST(name_of(seen(400, invalid(said)).kind) == name_of(rejected), said);
}

BOOST_AUTO_TEST_CASE(the_server_can_forbid_a_retry) {
    for (int const status : {408, 429, 500, 503, 529}) {
        auto const f = seen(status, error_json("api_error", "x"), "false");
        BOOST_TEST(name_of(f.kind) == name_of(unavailable));
        BOOST_TEST(!f.passes);
    }
}

BOOST_AUTO_TEST_CASE(the_wish_of_the_server_is_kept_where_waiting_helps) {
    BOOST_TEST(seen(429, "", {}, "30").wait.value().count() == 30'000);
    BOOST_TEST(seen(529, "", {}, "0.5").wait.value().count() == 500);
    BOOST_TEST(!seen(429, "").wait);
    BOOST_TEST(!seen(429, "", {}, "61").wait);
    BOOST_TEST(!seen(402, error_json("billing_error", "x"), {}, "30").wait);
}

BOOST_AUTO_TEST_CASE(the_code_is_made_of_the_names_of_the_api_alone) {
    BOOST_TEST(seen(529, error_json("overloaded_error", "x")).code == "overloaded_error");
    BOOST_TEST(seen(429, error_json("rate_limit_error", "x", code("ramp_limit_exceeded"))).code ==
               "rate_limit_error/ramp_limit_exceeded");
    BOOST_TEST(seen(502, "<html></html>").code == "");
    BOOST_TEST(seen(400, error_json("what the user said", "x")).code == "");
    BOOST_TEST(seen(400, error_json("api_error", "x", code("I am Ada"))).code == "api_error");
    BOOST_TEST(seen(400, error_json(std::string(61, 'a'), "x")).code == "");
}

BOOST_AUTO_TEST_CASE(kinds_that_concern_all) {
    for (auto const kind : {auth, spend_limit, on_hold, no_api, model_gone})
        BOOST_TEST(concerns_all(kind), name_of(kind));
    for (auto const kind : {too_long, rejected, unavailable, deadline, busy})
        BOOST_TEST(!concerns_all(kind), name_of(kind));
}

BOOST_AUTO_TEST_CASE(a_message_names_status_type_and_request) {
    auto const f = seen(404, error_json("not_found_error", "model: nope"));
    BOOST_TEST(f.message == "the Messages API answered 404 not_found_error: model: nope (request req_9)");
    auto const edge =
        seen(413, R"({"error":{"type":"request_too_large","message":"Request exceeds the maximum size"}})");
    BOOST_TEST(edge.message.find("Request exceeds the maximum size") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(bodies_of_any_shape_are_survived) {
    for (auto const* body : {"", "null", "[]", "{}", R"({"error":null})", R"({"error":"text"})",
                             R"({"error":{"type":null}})", R"({"error":{"type":"x","details":"text"}})",
                             R"({"error":{"type":"x","details":{"error_code":7}}})"})
        BOOST_TEST(name_of(seen(500, body).kind) == name_of(unavailable), body);
}

BOOST_AUTO_TEST_CASE(a_proxy_page_is_quoted_short_and_printable) {
    auto const f = seen(502, "<html>\r\n\r\n  bad\x01\x1b gate\xffway " + std::string(100'000, 'x'));
    BOOST_TEST(f.message.size() < 400);
    BOOST_TEST(engram::base::is_utf8(f.message));
    BOOST_TEST(f.message.starts_with("the Messages API answered 502: <html> bad gate"));
    for (char const c : f.message)
        BOOST_TEST((static_cast<unsigned char>(c) >= 0x20 && c != 0x7f));
}

BOOST_AUTO_TEST_CASE(the_words_of_a_server_stay_out_of_the_log) {
    auto const said = seen(400, invalid("secret words"));
    BOOST_TEST(said.message.find("secret words") != std::string::npos);
    BOOST_TEST(loggable(said) == "HTTP status 400 invalid_request_error");
    BOOST_TEST(loggable(seen(502, "secret words")) == "HTTP status 502");
    BOOST_TEST(loggable(error{unavailable, "no connection in time", 0, 1}) == "no connection in time");
}

BOOST_AUTO_TEST_CASE(a_sentence_that_is_known_is_logged_in_our_words_and_without_what_follows) {
    std::string const prefix = "HTTP status 400 invalid_request_error: ";
    auto const logged = [](std::string const& said) { return loggable(seen(400, invalid(said))); };
    BOOST_TEST(
        logged("Your credit balance is too low to access the Anthropic API. Please go to secret words") ==
        prefix + "Your credit balance is too low to access the Anthropic API");
    BOOST_TEST(logged("YOUR CREDIT BALANCE IS TOO LOW secret words") ==
               prefix + "Your credit balance is too low to access the Anthropic API");
    BOOST_TEST(logged("This organization has been disabled.") ==
               prefix + "This organization has been disabled");
    BOOST_TEST(logged("prompt is too long: 210000 tokens > 200000 maximum") ==
               prefix + "The prompt is too long");
    BOOST_TEST(logged("secret: your credit balance is too low") == "HTTP status 400 invalid_request_error");
}

BOOST_AUTO_TEST_CASE(the_day_on_which_a_limit_ends_is_logged_if_it_is_one) {
    std::string const known = "You have reached your specified API usage limits";
    auto const logged = [&](std::string const& more) { return loggable(seen(400, invalid(known + more))); };
    std::string const plain = "HTTP status 400 invalid_request_error: " + known;
    BOOST_TEST(logged(". You will regain access on 2027-01-01 at 00:00 UTC.") ==
               plain + "; access is regained on 2027-01-01");
    for (std::string const odd : {"", ". You will regain access on ", ". You will regain access on 2027-01-0",
                                  ". You will regain access on secretword", " 2027-01-01"})
        BOOST_TEST(logged(odd) == plain, odd);
}

BOOST_AUTO_TEST_CASE(what_this_machine_lacks_is_not_said_of_the_api) {
    using engram::net::io_end;
    auto const why = no_answer({io_end::lacking, "this machine: no memory is free", false}, "a:1");
    BOOST_TEST(why.message == "the Messages API at a:1 could not be asked: this machine: no memory is free");
    BOOST_TEST(why.code == "local_lack");
    BOOST_TEST(why.passes);
    BOOST_TEST(no_answer({io_end::closed, "Connection refused", false}, "a:1").code == "no_connection");
}

BOOST_AUTO_TEST_SUITE_END()

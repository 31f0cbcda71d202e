#include "claude/failure.hpp"

#include "base/utf8.hpp"
#include "replies.hpp"

#include <boost/test/unit_test.hpp>

using namespace engram::claude;
using engram::tests::error_json;

namespace {

failure seen(int status, std::string body, std::string should_retry = {}) {
    engram::http::reply reply;
    reply.status = status;
    reply.body = std::move(body);
    reply.should_retry = std::move(should_retry);
    return classify(reply, {});
}

bool is(failure const& f, error_kind kind, bool retryable) {
    return f.kind == kind && f.retryable == retryable;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(failures)

BOOST_AUTO_TEST_CASE(the_table_of_errors) {
    BOOST_TEST(is(seen(400, error_json("invalid_request_error", "no")), error_kind::rejected, false));
    BOOST_TEST(
        is(seen(401, error_json("authentication_error", "invalid x-api-key")), error_kind::auth, false));
    BOOST_TEST(is(seen(402, error_json("billing_error", "pay")), error_kind::spend_limit, false));
    BOOST_TEST(is(seen(403, error_json("permission_error", "no")), error_kind::auth, false));
    BOOST_TEST(is(seen(403, "<html>blocked</html>"), error_kind::rejected, false));
    BOOST_TEST(is(seen(404, error_json("not_found_error", "model: x")), error_kind::rejected, false));
    BOOST_TEST(is(seen(422, error_json("invalid_request_error", "x")), error_kind::rejected, false));
    BOOST_TEST(is(seen(301, ""), error_kind::rejected, false));
    for (int const status : {408, 409, 429, 500, 503, 504, 529})
        BOOST_TEST(is(seen(status, error_json("api_error", "x")), error_kind::unavailable, true));
}

BOOST_AUTO_TEST_CASE(spend_limits_are_never_retried) {
    for (auto const* code : {"enforced_spend_limit_reached", "contract_spend_limit_reached"}) {
        auto const body =
            error_json("rate_limit_error", "limit", R"({"error_code":")" + std::string(code) + "\"}");
        BOOST_TEST(is(seen(429, body, "true"), error_kind::spend_limit, false));
        BOOST_TEST(is(seen(400, body), error_kind::spend_limit, false));
    }
    BOOST_TEST(is(
        seen(400, error_json("invalid_request_error", "Your credit balance is too low to access the API.")),
        error_kind::spend_limit, false));
    BOOST_TEST(is(seen(429, error_json("rate_limit_error", "x", R"({"error_code":"ramp_limit_exceeded"})")),
                  error_kind::unavailable, true));
}

BOOST_AUTO_TEST_CASE(a_message_that_only_talks_of_credit_is_no_spend_limit) {
    auto const body =
        error_json("invalid_request_error", "messages: 'Your credit balance is too low' is not a role");
    BOOST_TEST(is(seen(400, body), error_kind::rejected, false));
}

BOOST_AUTO_TEST_CASE(the_server_can_overrule_the_retry) {
    BOOST_TEST(is(seen(529, "", "false"), error_kind::unavailable, false));
    BOOST_TEST(is(seen(400, "", "true"), error_kind::rejected, true));
}

BOOST_AUTO_TEST_CASE(the_odd_shape_of_413_is_read) {
    auto const f =
        seen(413, R"({"error":{"type":"request_too_large","message":"Request exceeds the maximum size"}})");
    BOOST_TEST(is(f, error_kind::rejected, false));
    BOOST_TEST(f.message.find("Request exceeds the maximum size") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_message_names_status_type_and_request) {
    auto const f = seen(404, error_json("not_found_error", "model: nope"));
    BOOST_TEST(f.status == 404);
    BOOST_TEST(f.message == "the Messages API answered 404 not_found_error: model: nope (request req_9)");
}

BOOST_AUTO_TEST_CASE(bodies_of_any_shape_are_survived) {
    for (auto const* body : {"", "null", "[]", "{}", R"({"error":null})", R"({"error":"text"})",
                             R"({"error":{"type":null}})", R"({"error":{"type":"x","details":"text"}})",
                             R"({"error":{"type":"x","details":{"error_code":7}}})"})
        BOOST_TEST(is(seen(500, body), error_kind::unavailable, true), body);
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
    auto const said = seen(400, error_json("invalid_request_error", "secret words"));
    BOOST_TEST(said.message.find("secret words") != std::string::npos);
    BOOST_TEST(loggable(said) == "HTTP status 400");
    BOOST_TEST(loggable(error{error_kind::unavailable, "no connection in time", 0, 1}) ==
               "no connection in time");
}

BOOST_AUTO_TEST_SUITE_END()

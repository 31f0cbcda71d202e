// The prefix cache, the rate limits, the recorder.
#include "prefix_cache.hpp"
#include "rate_limits.hpp"
#include "recorder.hpp"
#include "test_request.hpp"

#include <boost/json/parse.hpp>
#include <boost/test/unit_test.hpp>

namespace {

using namespace engram::simulator;
using namespace std::chrono_literals;

/// A system block of about `tokens` tokens with a breakpoint, and a message.
std::string cached_request(std::size_t tokens, std::string const& message, std::string const& control) {
    return R"({"model":"claude-opus-4-5","max_tokens":9,"system":[{"type":"text","text":")" +
           std::string(tokens * 4, 's') + R"(","cache_control":)" + control +
           R"(}],"messages":[{"role":"user","content":")" + message + R"("}]})";
}

struct cache_fixture {
    prefix_cache cache;
    prefix_cache::clock::time_point now{};

    cache_plan plan(std::string const& body) {
        test_request const t(body);
        cache_plan p;
        auto const bad = cache.plan(t.good(), now, p);
        BOOST_REQUIRE_MESSAGE(!bad, (bad ? bad->message : ""));
        return p;
    }
};

std::string const five_minutes = R"({"type":"ephemeral"})";

BOOST_FIXTURE_TEST_CASE(a_prefix_is_written_first_and_read_after_the_first_byte_of_the_answer,
                        cache_fixture) {
    auto const first = plan(cached_request(5000, "one", five_minutes));
    BOOST_TEST(first.usage.cache_write_5m == 5000);
    BOOST_TEST(first.usage.cache_read == 0);
    // Before the first answer began nothing can be read.
    BOOST_TEST(plan(cached_request(5000, "two", five_minutes)).usage.cache_read == 0);
    cache.publish(first.writes);
    auto const third = plan(cached_request(5000, "three", five_minutes));
    BOOST_TEST(third.usage.cache_read == 5000);
    BOOST_TEST(third.usage.cache_write_5m == 0);
    BOOST_TEST(third.usage.input_tokens < 50);
}

BOOST_FIXTURE_TEST_CASE(a_prefix_below_the_minimum_is_not_cached, cache_fixture) {
    auto const p = plan(cached_request(4000, "one", five_minutes));
    BOOST_TEST(p.writes.empty());
    BOOST_TEST(p.usage.cache_write_5m == 0);
    BOOST_TEST(p.usage.input_tokens > 4000);
}

BOOST_FIXTURE_TEST_CASE(the_models_of_autumn_2026_cache_from_512_tokens_on, cache_fixture) {
    for (std::string const model : {"claude-opus-5-5", "claude-sonnet-5-5", "claude-haiku-5-5"})
        for (std::size_t const tokens : {511, 512}) {
            auto body = cached_request(tokens, "one", five_minutes);
            body.replace(body.find("claude-opus-4-5"), 15, model);
            BOOST_TEST(plan(body).usage.cache_write_5m == (tokens == 512 ? 512 : 0));
        }
}

BOOST_FIXTURE_TEST_CASE(a_prefix_lives_from_the_start_of_its_request_and_reading_refreshes_it,
                        cache_fixture) {
    cache.publish(plan(cached_request(5000, "one", five_minutes)).writes);
    now += 4min;
    BOOST_TEST(plan(cached_request(5000, "two", five_minutes)).usage.cache_read == 5000);
    now += 4min;
    BOOST_TEST(plan(cached_request(5000, "three", five_minutes)).usage.cache_read == 5000);
    now += 6min;
    BOOST_TEST(plan(cached_request(5000, "four", five_minutes)).usage.cache_read == 0);
}

BOOST_FIXTURE_TEST_CASE(an_hour_can_be_asked_for, cache_fixture) {
    auto const p = plan(cached_request(5000, "one", R"({"type":"ephemeral","ttl":"1h"})"));
    BOOST_TEST(p.usage.cache_write_1h == 5000);
    cache.publish(p.writes);
    now += 59min;
    BOOST_TEST(plan(cached_request(5000, "two", five_minutes)).usage.cache_read == 5000);
}

BOOST_FIXTURE_TEST_CASE(five_breakpoints_are_too_many, cache_fixture) {
    std::string blocks;
    for (int i = 0; i < 5; ++i)
        blocks +=
            std::string(i ? "," : "") + R"({"type":"text","text":"a","cache_control":{"type":"ephemeral"}})";
    test_request const t(
        R"({"model":"claude-opus-4-5","max_tokens":9,"messages":[{"role":"user","content":[)" + blocks +
        "]}]}");
    cache_plan p;
    auto const bad = cache.plan(t.good(), now, p);
    BOOST_REQUIRE(bad);
    BOOST_TEST(bad->message.find("maximum of 4") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(the_request_after_the_last_of_a_minute_has_to_wait) {
    rate_options o;
    o.requests_a_minute = 2;
    rate_limits limits(o);
    BOOST_TEST(limits.admit(1) == 0);
    BOOST_TEST(limits.admit(1) == 0);
    auto const seconds = limits.admit(1);
    BOOST_TEST(seconds >= 1);
    BOOST_TEST(seconds <= 30);
}

BOOST_AUTO_TEST_CASE(a_bucket_may_hold_less_than_a_minute_brings) {
    rate_options o;
    o.requests_a_minute = 600;
    o.requests_at_once = 3;
    rate_limits limits(o);
    int taken = 0;
    while (limits.admit(1) == 0)
        ++taken;
    BOOST_TEST(taken >= 3);
    BOOST_TEST(taken < 10);  // ten a second come meanwhile
    BOOST_TEST(limits.admit(1) == 1);
    auto const lines = limits.header_lines();
    BOOST_TEST(lines.find("anthropic-ratelimit-requests-limit: 600\r\n") != std::string::npos);
    BOOST_TEST(lines.find("anthropic-ratelimit-requests-remaining: 0\r\n") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(nothing_is_enforced_unless_asked_for) {
    rate_limits limits({});
    for (int i = 0; i < 100'000; ++i)
        BOOST_REQUIRE(limits.admit(1'000'000) == 0);
}

BOOST_AUTO_TEST_CASE(there_are_twelve_rate_limit_headers) {
    rate_limits limits({});
    auto const lines = limits.header_lines();
    for (std::string kind : {"requests", "tokens", "input-tokens", "output-tokens"})
        for (std::string what : {"limit", "remaining", "reset"})
            BOOST_TEST(lines.find("anthropic-ratelimit-" + kind + "-" + what + ": ") != std::string::npos);
    rate_options none;
    none.headers = false;
    BOOST_TEST(rate_limits(none).header_lines().find("ratelimit") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(the_recorder_keeps_the_last_ones_and_numbers_all) {
    recorder r(2);
    for (auto const* body : {"{\"n\":1}", "{\"n\":2}", "not json \xFF"})
        r.add({0, "POST", "/v1/messages", {}, body, true});
    auto const all = boost::json::parse(r.to_json(0));
    auto const& requests = all.at("requests").as_array();
    BOOST_TEST(requests.size() == 2U);
    BOOST_TEST(requests[0].at("number").to_number<int>() == 2);
    BOOST_TEST(requests[1].at("body").is_null());
    BOOST_TEST(requests[1].at("body_text").as_string() == "not json ?");
    BOOST_TEST(boost::json::parse(r.to_json(2)).at("requests").as_array().size() == 1U);
}

BOOST_AUTO_TEST_CASE(keys_are_kept_by_their_last_four_characters) {
    BOOST_TEST(redact("x-api-key", "sk-ant-secret-1234") == "...1234");
    BOOST_TEST(redact("authorization", "Bearer sk-ant-secret-1234") == "Bearer ...1234");
    BOOST_TEST(redact("x-api-key", "short") == "...");
    BOOST_TEST(redact("user-agent", "curl") == "curl");
}

}  // namespace

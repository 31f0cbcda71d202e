#include "queue/reply.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <boost/test/unit_test.hpp>

#include <string>

namespace {

namespace json = boost::json;
using namespace engram::queue;

ok_reply sample() {
    ok_reply reply;
    reply.id = "7";
    reply.user_id = "u";
    reply.session_id = "s";
    reply.reply = "Hello";
    reply.model = "m";
    reply.stop_reason = "end_turn";
    reply.memories = {{1, "fact", "likes tea", "added"}, {2, "preference", "short answers", "added"}};
    reply.usage = {10, 20, 30, 40, 0.5};
    reply.timing = {1, 2, 3, 4, 5};
    reply.attempts = 2;
    reply.metadata = R"({ "k" : 1 })";
    return reply;
}

BOOST_AUTO_TEST_SUITE(replies)

BOOST_AUTO_TEST_CASE(an_ok_reply_has_the_fields_of_the_contract_and_no_others) {
    auto const value = json::parse(to_json(sample()));
    auto const expected = json::parse(
        R"({"id":"7","status":"ok","user_id":"u","session_id":"s","reply":"Hello",
            "memories":[{"id":1,"type":"fact","content":"likes tea","action":"added"},
                        {"id":2,"type":"preference","content":"short answers","action":"added"}],
            "model":"m","stop_reason":"end_turn",
            "usage":{"input_tokens":10,"output_tokens":20,"cache_read_input_tokens":30,"cache_creation_input_tokens":40,"cost_usd":0.5},
            "timing_ms":{"queued":1,"load":2,"claude":3,"commit":4,"total":5},"attempts":2,"metadata":{"k":1}})");
    BOOST_TEST(value == expected);
}

BOOST_AUTO_TEST_CASE(only_a_reply_with_cut_notes_says_something_of_notes) {
    auto reply = sample();
    BOOST_TEST(!json::parse(to_json(reply)).as_object().contains("notes"));
    reply.notes_cut = true;
    BOOST_TEST(json::parse(to_json(reply)).at("notes").as_string() == "cut");
}

BOOST_AUTO_TEST_CASE(an_empty_ok_reply_still_has_every_field) {
    auto const value = json::parse(to_json(ok_reply()));
    for (auto const* name : {"id", "status", "user_id", "session_id", "reply", "memories", "model",
                             "stop_reason", "usage", "timing_ms", "attempts", "metadata"})
        BOOST_TEST(value.as_object().contains(name), name);
    BOOST_TEST(value.at("memories").as_array().empty());
    BOOST_TEST(value.at("usage").at("cost_usd").is_null());
}

BOOST_AUTO_TEST_CASE(an_error_reply_has_the_fields_of_the_contract) {
    error_reply reply;
    reply.id = "7";
    reply.user_id = "u";
    reply.session_id = "s";
    reply.type = "claude_unavailable";
    reply.message = "no \"answer\"";
    reply.retryable = true;
    reply.attempts = 3;
    reply.metadata = "{\"a\":[1]}";
    BOOST_TEST(json::parse(to_json(reply)) ==
               json::parse(
                   R"({"id":"7","status":"error","user_id":"u","session_id":"s",
            "error":{"type":"claude_unavailable","message":"no \"answer\"","retryable":true},"attempts":3,"metadata":{"a":[1]}})"));
}

BOOST_AUTO_TEST_CASE(an_error_reply_leaves_out_what_is_not_known) {
    error_reply reply;
    reply.type = "invalid_job";
    auto const value = json::parse(to_json(reply));
    BOOST_TEST(!value.as_object().contains("id"));
    BOOST_TEST(!value.as_object().contains("user_id"));
    BOOST_TEST(!value.as_object().contains("session_id"));
    BOOST_TEST(value.at("error").at("retryable") == json::value(false));
}

BOOST_AUTO_TEST_CASE(texts_come_back_as_they_were) {
    std::string every;
    for (int c = 0; c < 128; ++c)
        every += char(c);
    every += "ü€😀\u2028";
    auto reply = sample();
    reply.user_id = reply.session_id = reply.reply = reply.model = reply.stop_reason = every;
    reply.memories = {{1, every, every, every}};
    auto const value = json::parse(to_json(reply));
    for (auto const* name : {"user_id", "session_id", "reply", "model", "stop_reason"})
        BOOST_TEST((value.at(name).as_string() == every), name);
    for (auto const* name : {"type", "content", "action"})
        BOOST_TEST((value.at("memories").at(0).at(name).as_string() == every), name);
    error_reply error;
    error.message = every;
    BOOST_TEST((json::parse(to_json(error)).at("error").at("message").as_string() == every));
}

BOOST_AUTO_TEST_CASE(a_reply_is_one_line_unless_the_metadata_is_not) {
    auto reply = sample();
    reply.reply = "a\r\nb\x1f";
    BOOST_TEST(to_json(reply).find_first_of("\r\n\x1f") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(metadata_goes_out_untouched) {
    auto reply = sample();
    reply.metadata = "{\n \"big\" : 123456789012345678901234567890 , \"d\":1.10}";
    BOOST_TEST(to_json(reply).find("\"metadata\":" + reply.metadata + "}") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(costs_of_any_size_are_numbers) {
    for (double const cost : {0.0, 1e-9, 0.1, 1234.5678, 1e21}) {
        auto reply = sample();
        reply.usage.cost_usd = cost;
        BOOST_TEST(json::parse(to_json(reply)).at("usage").at("cost_usd").to_number<double>() == cost);
    }
}

BOOST_AUTO_TEST_CASE(with_timing_changes_the_times_and_nothing_else) {
    auto reply = sample();
    auto const before = to_json(reply);
    reply.timing = {111, 0, 333'333, 44, 5};
    BOOST_TEST(with_timing(before, reply.timing) == to_json(reply));
    BOOST_TEST(with_timing(with_timing(before, {}), reply.timing) == to_json(reply));
}

BOOST_AUTO_TEST_CASE(with_timing_is_not_misled_by_texts_that_look_like_it) {
    auto reply = sample();
    std::string const bait = R"("status":"ok","timing_ms":{"queued":9})";
    reply.user_id = reply.session_id = reply.reply = reply.model = bait;
    reply.memories = {{1, bait, bait, bait}};
    reply.metadata = "{" + bait + "}";
    auto const before = to_json(reply);
    reply.timing = {7, 7, 7, 7, 7};
    BOOST_TEST(with_timing(before, reply.timing) == to_json(reply));
}

BOOST_AUTO_TEST_CASE(with_timing_leaves_what_is_not_an_ok_reply) {
    error_reply error;
    error.id = "7";
    error.type = "internal";
    error.message = R"(","status":"ok","timing_ms":{)";
    error.metadata = R"({"status":"ok","timing_ms":{"queued":9}})";
    for (auto const& text : {to_json(error), std::string(), std::string("{}"), std::string(R"({"id":")"),
                             std::string(R"({"id":"7","status":"ok","timing_ms":{)"), error.metadata})
        BOOST_TEST(with_timing(text, {1, 2, 3, 4, 5}) == text);
    error.id.clear();
    BOOST_TEST(with_timing(to_json(error), {1, 2, 3, 4, 5}) == to_json(error));
}

BOOST_AUTO_TEST_CASE(a_caller_reads_what_was_written) {
    auto const ok = parse_reply(to_json(sample()));
    BOOST_REQUIRE(ok.has_value());
    BOOST_TEST(ok->ok);
    BOOST_TEST(ok->id == "7");
    BOOST_TEST(ok->session_id == "s");
    BOOST_TEST(ok->reply == "Hello");
    BOOST_TEST(ok->stop_reason == "end_turn");
    error_reply error;
    error.type = "poisoned";
    error.message = "died three times";
    auto const bad = parse_reply(to_json(error));
    BOOST_REQUIRE(bad.has_value());
    BOOST_TEST(!bad->ok);
    BOOST_TEST(bad->error_type == "poisoned");
    BOOST_TEST(bad->error_message == "died three times");
}

BOOST_AUTO_TEST_CASE(what_is_not_a_reply_is_none) {
    for (auto const* text :
         {"", "x", "[]", "{}", "\"ok\"", R"({"status":1})", R"({"status":"maybe"})", R"({"status":"ok")"})
        BOOST_TEST(!parse_reply(text).has_value(), text);
    auto const odd = parse_reply(R"({"status":"error","id":5,"error":"text"})");
    BOOST_REQUIRE(odd.has_value());
    BOOST_TEST(odd->id.empty());
    BOOST_TEST(odd->error_type.empty());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace

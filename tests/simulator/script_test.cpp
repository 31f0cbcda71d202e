// Steps, faults, and how they reach the wire.
#include "script.hpp"

#include "delivery.hpp"
#include "sse.hpp"

#include <boost/json/parse.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

namespace {

using namespace engram::simulator;
namespace data = boost::unit_test::data;

step step_of(std::string const& text) {
    auto reading = read_step(boost::json::parse(text));
    BOOST_REQUIRE_MESSAGE(reading.step, reading.problem);
    return std::move(*reading.step);
}

std::vector<step> steps_of(std::initializer_list<std::string> texts) {
    std::vector<step> steps;
    for (auto const& t : texts)
        steps.push_back(step_of(t));
    return steps;
}

std::string taken_text(script& s, request_view const& r) {
    random_engine random(1);
    auto const taken = s.take(r, random);
    return taken && taken->text ? *taken->text : "";
}

BOOST_AUTO_TEST_CASE(steps_are_taken_in_order_and_as_often_as_they_say) {
    script s;
    s.append(steps_of({R"({"text":"a"})", R"({"text":"b","repeat":2})", R"({"text":"c","repeat":-1})"}));
    std::string taken;
    for (int i = 0; i < 6; ++i)
        taken += taken_text(s, {});
    BOOST_TEST(taken == "abbccc");
}

BOOST_AUTO_TEST_CASE(a_step_that_does_not_fit_waits_for_its_request) {
    script s;
    s.append(steps_of({R"({"text":"for haiku","model":"haiku"})", R"({"text":"for ada","match":"Ada"})",
                       R"({"text":"for streams","stream":true})",
                       R"({"text":"for summaries","match_system":"three"})"}));
    BOOST_TEST(taken_text(s, {"hi", "", "claude-opus-4-5", false}) == "");
    BOOST_TEST(taken_text(s, {"hi", "three to five", "claude-opus-4-5", false}) == "for summaries");
    BOOST_TEST(taken_text(s, {"hi", "", "claude-opus-4-5", true}) == "for streams");
    BOOST_TEST(taken_text(s, {"I am Ada", "", "claude-opus-4-5", false}) == "for ada");
    BOOST_TEST(taken_text(s, {"hi", "", "claude-haiku-4-5", false}) == "for haiku");
    BOOST_TEST(s.steps_left() == 0U);
}

BOOST_AUTO_TEST_CASE(a_step_can_be_for_long_prompts_alone) {
    script s;
    s.append(steps_of({R"({"text":"long","after_tokens":100})"}));
    BOOST_TEST(taken_text(s, {"hi", "", "m", false, 100}) == "");
    BOOST_TEST(taken_text(s, {"hi", "", "m", false, 101}) == "long");
}

BOOST_AUTO_TEST_CASE(errors_of_everybody_have_names) {
    auto const limit = step_of(R"({"fault":"usage_limit"})");
    BOOST_TEST(limit.status == 400);
    BOOST_TEST(limit.error_message.starts_with("You have reached your specified API usage limits"));
    auto const hold = step_of(R"({"fault":"on_hold"})");
    BOOST_TEST(hold.status == 400);
    BOOST_TEST(hold.error_code == "organization_on_hold");
    auto const page = step_of(R"({"fault":"edge_page"})");
    BOOST_TEST(page.status == 403);
    BOOST_REQUIRE(page.body);
    BOOST_TEST(page.body->as_string().starts_with("<html>"));
    auto const too_long = step_of(R"({"fault":"prompt_too_long"})");
    BOOST_TEST(too_long.status == 400);
    BOOST_TEST(too_long.error_message.starts_with("prompt is too long: "));
}

BOOST_AUTO_TEST_CASE(faults_strike_with_their_probability_and_the_same_seed_repeats_them) {
    auto const strikes = [](std::uint64_t seed) {
        script s;
        std::vector<step> faults;
        faults.push_back(*read_fault("529:0.25").step);
        s.set_faults(std::move(faults));
        random_engine random(seed);
        std::vector<bool> hits;
        for (int i = 0; i < 4000; ++i)
            hits.push_back(s.take({}, random) != nullptr);
        return hits;
    };
    auto const first = strikes(7);
    auto const count = std::count(first.begin(), first.end(), true);
    BOOST_TEST(count > 850);
    BOOST_TEST(count < 1150);
    BOOST_TEST((first == strikes(7)));
    BOOST_TEST((first != strikes(8)));
}

BOOST_AUTO_TEST_CASE(a_fault_before_reading_is_taken_only_before_reading) {
    script s;
    s.append(steps_of({R"({"fault":"reset","at":"before_reading"})", R"({"text":"a"})"}));
    random_engine random(1);
    BOOST_TEST((s.take_before_reading(random) != nullptr));
    BOOST_TEST((s.take_before_reading(random) == nullptr));
    BOOST_TEST(taken_text(s, {}) == "a");
}

char const* const wrong_steps[] = {
    "[]",
    R"({"txt":"a"})",
    R"({"text":5})",
    R"({"repeat":0})",
    R"({"repeat":-2})",
    R"({"status":99})",
    R"({"fault":"sneeze"})",
    R"({"fault":[5]})",
    R"({"fault":"reset","at":"noon"})",
    R"({"fault":"reset","at":"before_reading","match":"x"})",
    R"({"fault":"stall","at":"before_reading"})",
    R"({"latency_ms":"soon"})",
    R"({"latency_ms":-1})",
    R"({"probability":2})",
    R"({"ms":-1})",
    R"({"hold":""})",
    R"({"headers":{"a":5}})",
};

BOOST_DATA_TEST_CASE(a_wrong_step_is_refused, data::make(wrong_steps), text) {
    auto const reading = read_step(boost::json::parse(text));
    BOOST_TEST(!reading.step.has_value());
    BOOST_TEST(!reading.problem.empty());
}

BOOST_AUTO_TEST_CASE(faults_of_the_command_line_are_read) {
    auto const reset = read_fault("reset:0.01,at=mid_body,at_byte=10");
    BOOST_REQUIRE(reset.step);
    BOOST_TEST(reset.step->probability == 0.01);
    BOOST_TEST((reset.step->at == fault_point::mid_body));
    BOOST_TEST(reset.step->at_byte.value() == 10U);
    auto const spend = read_fault("spend_limit:1");
    BOOST_REQUIRE(spend.step);
    BOOST_TEST(spend.step->status == 429);
    BOOST_TEST(spend.step->error_code == "enforced_spend_limit_reached");
    auto const limited = read_fault("429:0.5,retry_after=2,should_retry=false");
    BOOST_REQUIRE(limited.step);
    BOOST_TEST(limited.step->headers.size() == 2U);
    for (auto const* wrong : {"", "reset", "reset:often", "reset:2", "reset:1,at", "nothing:1", "42:1"})
        BOOST_TEST(!read_fault(wrong).step.has_value(), wrong);
}

BOOST_AUTO_TEST_CASE(latencies_are_read_and_drawn) {
    random_engine random(3);
    BOOST_TEST(latency::parse("200")->draw(random).count() == 200'000);
    BOOST_TEST(latency::parse("fixed:1.5")->draw(random).count() == 1'500);
    auto const uniform = *latency::parse("uniform:100-300");
    double sum = 0;
    for (int i = 0; i < 2000; ++i) {
        auto const us = uniform.draw(random).count();
        BOOST_REQUIRE(us >= 100'000);
        BOOST_REQUIRE(us <= 300'000);
        sum += static_cast<double>(latency::parse("exp:200")->draw(random).count());
    }
    BOOST_TEST(sum / 2000 > 180'000);
    BOOST_TEST(sum / 2000 < 220'000);
    for (auto const* wrong :
         {"", "x", "-1", "uniform:3", "uniform:300-100", "exp:", "normal:3", "1e99", "nan"})
        BOOST_TEST(!latency::parse(wrong).has_value(), wrong);
}

reply plain_reply(std::string body) {
    reply r;
    r.head = "HTTP/1.1 200 OK\r\nrequest-id: a\r\nanthropic-ratelimit-x: 1\r\nanthropic-ratelimit-y: 2\r\n";
    r.body.push_back({{}, std::move(body)});
    return r;
}

/// The actions in a line: sent bytes are counted together.
std::string outline(std::vector<action> const& actions) {
    std::string out;
    for (auto const& a : actions)
        switch (a.what) {
            case action::kind::send:
                out += out.ends_with("send ") ? "" : "send ";
                break;
            case action::kind::pause:
                out += "pause ";
                break;
            case action::kind::stall:
                out += "stall ";
                break;
            case action::kind::reset:
                out += "reset ";
                break;
            case action::kind::close:
                out += "close ";
                break;
            case action::kind::doom:
                out += "doom ";
                break;
        }
    return out;
}

struct blow {
    std::string step;
    std::string outline;
    bool keep_alive;
};

std::ostream& operator<<(std::ostream& out, blow const& b) {
    return out << b.step;
}

blow const blows[] = {
    {"{}", "send ", true},
    {R"({"fault":"reset"})", "reset ", false},
    {R"({"fault":"close"})", "close ", false},
    {R"({"fault":"stall"})", "stall send ", true},
    {R"({"fault":"stall","ms":5})", "pause send ", true},
    {R"({"fault":"reset","at":"after_headers"})", "send reset ", false},
    {R"({"fault":"stall","at":"after_headers","ms":5})", "send pause send ", true},
    {R"({"fault":"reset","at":"mid_body"})", "send reset ", false},
    {R"({"fault":"stall","at":"mid_body"})", "send stall send ", true},
    {R"({"fault":"reset","at":"idle"})", "send pause reset ", false},
    {R"({"fault":"reset","at":"next_request"})", "send doom ", true},
    {R"({"fault":"truncated"})", "send close ", false},
    {R"({"fault":"cut_stream"})", "send close ", false},
    {R"({"fault":"garbage_http"})", "send close ", false},
    {R"({"fault":"garbage_body"})", "send ", true},
};

BOOST_DATA_TEST_CASE(a_fault_of_the_connection_is_a_list_of_actions, data::make(blows), b) {
    random_engine random(1);
    bool keep_alive = true;
    auto const s = step_of(b.step);
    BOOST_TEST(outline(plan_actions(plain_reply("{\"a\":\"bcdefgh\"}"), &s, random, keep_alive)) ==
               b.outline);
    BOOST_TEST(keep_alive == b.keep_alive);
}

std::string sent(std::vector<action> const& actions) {
    std::string out;
    for (auto const& a : actions)
        out += a.bytes;
    return out;
}

BOOST_AUTO_TEST_CASE(a_stall_in_mid_body_loses_no_byte) {
    random_engine random(1);
    bool keep_alive = true;
    auto const whole = sent(plan_actions(plain_reply("0123456789"), nullptr, random, keep_alive));
    for (auto const* at : {"0", "1", "9", "10", "99"}) {
        auto const s = step_of(R"({"fault":"stall","at":"mid_body","at_byte":)" + std::string(at) + "}");
        BOOST_TEST(sent(plan_actions(plain_reply("0123456789"), &s, random, keep_alive)) == whole);
    }
}

BOOST_AUTO_TEST_CASE(a_truncated_body_is_shorter_than_its_content_length) {
    random_engine random(1);
    bool keep_alive = true;
    auto const s = step_of(R"({"fault":"truncated","at_byte":99})");
    auto const bytes = sent(plan_actions(plain_reply("0123456789"), &s, random, keep_alive));
    BOOST_TEST(bytes.find("content-length: 10\r\n") != std::string::npos);
    BOOST_TEST(bytes.ends_with("\r\n\r\n012345678"));
}

BOOST_AUTO_TEST_CASE(a_chunked_reply_ends_with_the_last_chunk_and_a_cut_one_does_not) {
    random_engine random(1);
    bool keep_alive = true;
    auto stream = plain_reply("event: a\n\n");
    stream.chunked = true;
    auto const whole = sent(plan_actions(stream, nullptr, random, keep_alive));
    BOOST_TEST(whole.ends_with("\r\n\r\na\r\nevent: a\n\n\r\n0\r\n\r\n"));
    auto const cut = step_of(R"({"fault":"cut_stream"})");
    BOOST_TEST(
        sent(plan_actions(stream, &cut, random, keep_alive)).ends_with("\r\n\r\na\r\nevent: a\n\n\r\n"));
}

BOOST_AUTO_TEST_CASE(split_characters_begin_no_piece) {
    random_engine random(1);
    bool keep_alive = true;
    auto stream = plain_reply("a\xC3\xA9z\xE6\xBC\xA2");
    stream.chunked = true;
    auto const s = step_of(R"({"fault":"split_utf8"})");
    auto const actions = plan_actions(stream, &s, random, keep_alive);
    auto const bytes = sent(actions);
    BOOST_TEST(bytes.find("2\r\na\xC3\r\n3\r\n\xA9z\xE6\r\n2\r\n\xBC\xA2\r\n0\r\n\r\n") != std::string::npos);
    BOOST_TEST(actions.size() == 5U);  // three sends, two pauses
}

BOOST_AUTO_TEST_CASE(headers_are_changed_and_removed) {
    auto lines = plain_reply("").head;
    change_headers(lines, {{"request-id", std::nullopt}, {"retry-after", "3"}});
    BOOST_TEST(
        lines ==
        "HTTP/1.1 200 OK\r\nanthropic-ratelimit-x: 1\r\nanthropic-ratelimit-y: 2\r\nretry-after: 3\r\n");
    change_headers(lines, {{"anthropic-ratelimit-*", std::nullopt}, {"retry-after", "4"}});
    BOOST_TEST(lines == "HTTP/1.1 200 OK\r\nretry-after: 4\r\n");
}

answer two_words() {
    answer a;
    a.id = "msg_1";
    a.model = "claude-opus-4-5-20251101";
    a.content.push_back({"text", "one two three four five", {}});
    a.usage.output_tokens = 6;
    return a;
}

std::string stream_of(answer const& a) {
    std::string out;
    for (auto const& f : stream_frames(a, 1))
        out += f.text;
    return out;
}

BOOST_AUTO_TEST_CASE(a_stream_has_its_events_in_order) {
    auto const text = stream_of(two_words());
    std::size_t at = 0;
    for (auto const* event : {"message_start", "content_block_start", "content_block_delta",
                              "content_block_stop", "message_delta", "message_stop"}) {
        at = text.find("event: " + std::string(event) + "\ndata: {\"type\":\"" + event + "\"", at);
        BOOST_REQUIRE_MESSAGE(at != std::string::npos, event);
    }
}

BOOST_AUTO_TEST_CASE(a_cut_stream_has_no_end_and_a_failed_one_an_error) {
    auto a = two_words();
    a.odd.cut = true;
    BOOST_TEST(stream_of(a).find("message_stop") == std::string::npos);
    BOOST_TEST(stream_of(a).find("content_block_start") != std::string::npos);
    a.odd.cut = false;
    a.odd.stream_error = true;
    BOOST_TEST(stream_of(a).find("event: error") != std::string::npos);
    BOOST_TEST(stream_of(a).find("message_stop") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(usage_can_be_null_and_can_be_missing) {
    auto a = two_words();
    BOOST_TEST(message_json(a).find(R"("output_tokens":6)") != std::string::npos);
    a.odd.null_usage = true;
    BOOST_TEST(message_json(a).find(R"("usage":null)") != std::string::npos);
    a.odd.missing_usage = true;
    BOOST_TEST(message_json(a).find("usage") == std::string::npos);
    BOOST_TEST(stream_of(a).find("usage") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(an_answer_is_cut_at_max_tokens_and_at_a_stop_sequence) {
    auto a = two_words();
    apply_limits(a, {}, 2);
    BOOST_TEST(a.content[0].text == "one two ");
    BOOST_TEST(a.stop_reason == "max_tokens");
    auto b = two_words();
    apply_limits(b, {"four", "two"}, 100);
    BOOST_TEST(b.content[0].text == "one ");
    BOOST_TEST(b.stop_sequence.value() == "two");
}

}  // namespace

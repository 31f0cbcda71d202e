#include "claude/outgoing.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/test/unit_test.hpp>

using namespace engram::claude;
namespace json = boost::json;

namespace {

request one_turn(std::string text) {
    request what;
    what.model = "claude-opus-4-5";
    what.max_tokens = 77;
    what.messages.push_back({role::user, {{std::move(text), false}}});
    return what;
}

std::string body_of(request const& what, options const& o = {}) {
    return std::string(outgoing(what, o).body());
}

std::string first_text(std::string const& body) {
    return std::string(json::parse(body).at("messages").at(0).at("content").at(0).at("text").as_string());
}

std::size_t count(std::string_view text, std::string_view part) {
    std::size_t n = 0;
    for (auto at = text.find(part); at != text.npos; at = text.find(part, at + 1))
        ++n;
    return n;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(outgoing_requests)

BOOST_AUTO_TEST_CASE(a_request_is_composed) {
    auto what = one_turn("hi");
    what.system = {{"be brief", true}};
    what.messages.push_back({role::assistant, {{"hello", false}}});
    what.messages.push_back({role::user, {{"recalled", false}, {"again", true}}});
    BOOST_TEST(
        body_of(what) ==
        R"({"model":"claude-opus-4-5","max_tokens":77,"system":[{"type":"text","text":"be brief","cache_control":)"
        R"({"type":"ephemeral"}}],"messages":[{"role":"user","content":[{"type":"text","text":"hi"}]},)"
        R"({"role":"assistant","content":[{"type":"text","text":"hello"}]},{"role":"user","content":[)"
        R"({"type":"text","text":"recalled"},{"type":"text","text":"again","cache_control":{"type":"ephemeral"}}]}]})");
}

BOOST_AUTO_TEST_CASE(every_character_survives_the_way) {
    std::string all;
    for (int c = 0; c < 0x80; ++c)
        all += char(c);
    all += "\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80 </script> \"\\";
    BOOST_TEST(first_text(body_of(one_turn(all))) == all);
}

BOOST_AUTO_TEST_CASE(text_that_is_not_utf8_is_repaired) {
    BOOST_TEST(first_text(body_of(one_turn("a\xff"))) == "a\xEF\xBF\xBD");
}

BOOST_AUTO_TEST_CASE(blank_blocks_are_left_out) {
    auto what = one_turn("hi");
    what.system = {{" \n", true}, {"", false}};
    what.messages.push_back({role::assistant, {{"\t", false}}});
    what.messages.push_back({role::user, {{"", false}, {"there", false}}});
    auto const body = json::parse(body_of(what));
    BOOST_TEST(!body.as_object().contains("system"));
    BOOST_TEST(body.at("messages").as_array().size() == 2U);
    BOOST_TEST(body.at("messages").at(1).at("content").as_array().size() == 1U);
}

BOOST_AUTO_TEST_CASE(at_most_four_breakpoints_go_out_and_they_are_the_last) {
    auto what = one_turn("hi");
    for (char c = 'a'; c <= 'f'; ++c)
        what.system.push_back({std::string(1, c), true});
    auto const body = body_of(what);
    BOOST_TEST(count(body, "cache_control") == 4U);
    BOOST_TEST(count(body, R"("text":"b"})") == 1U);
    BOOST_TEST(count(body, R"("text":"c","cache_control")") == 1U);
}

BOOST_AUTO_TEST_CASE(breakpoints_can_be_switched_off) {
    auto what = one_turn("hi");
    what.messages[0].content[0].cache_breakpoint = true;
    BOOST_TEST(count(body_of(what), "cache_control") == 1U);
    options off;
    off.prompt_cache = false;
    BOOST_TEST(count(body_of(what, off), "cache_control") == 0U);
}

BOOST_AUTO_TEST_CASE(thinking_is_sent_when_configured) {
    options o;
    o.thinking = "disabled";
    BOOST_TEST(json::parse(body_of(one_turn("hi"), o)).at("thinking").at("type").as_string() == "disabled");
    BOOST_TEST(count(body_of(one_turn("hi")), "thinking") == 0U);
}

BOOST_AUTO_TEST_CASE(a_schema_for_the_answer_is_sent_as_it_is) {
    auto what = one_turn("hi");
    BOOST_TEST(count(body_of(what), "output_config") == 0U);
    what.output_schema = R"({"type":"object","properties":{},"additionalProperties":false})";
    auto const body = json::parse(body_of(what));
    auto const& format = body.at("output_config").at("format");
    BOOST_TEST(format.at("type").as_string() == "json_schema");
    BOOST_TEST(json::serialize(format.at("schema")) == what.output_schema);
    BOOST_TEST(body.at("messages").as_array().size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_paused_answer_is_appended_behind_a_schema_too) {
    auto what = one_turn("hi");
    what.output_schema = R"({"type":"object"})";
    outgoing wire(what, {});
    wire.append_assistant("[]");
    auto const body = json::parse(wire.body());
    BOOST_TEST(body.at("messages").as_array().size() == 2U);
    BOOST_TEST(body.as_object().contains("output_config"));
}

BOOST_AUTO_TEST_CASE(an_effort_is_sent_alone_and_beside_a_schema) {
    auto what = one_turn("hi");
    what.effort = "low";
    auto const alone = json::parse(body_of(what)).at("output_config").as_object();
    BOOST_TEST(alone.at("effort").as_string() == "low");
    BOOST_TEST(alone.size() == 1U);
    what.output_schema = R"({"type":"object"})";
    auto const both = json::parse(body_of(what)).at("output_config").as_object();
    BOOST_TEST(both.at("effort").as_string() == "low");
    BOOST_TEST(both.at("format").at("type").as_string() == "json_schema");
    BOOST_TEST(json::serialize(both.at("format").at("schema")) == what.output_schema);
}

BOOST_AUTO_TEST_CASE(the_model_can_be_replaced_and_nothing_else_changes) {
    std::string const text = "\"model\":\"claude-opus-4-5\" is what I said";
    outgoing wire(one_turn(text), {});
    wire.set_head("head ");
    auto expected = json::parse(wire.body());
    for (std::string const model : {"a-model-with-a-name-that-is-longer-than-the-first", "x",
                                    "with \"quotes\" \\ \n", "caf\xC3\xA9", "claude-opus-4-5"}) {
        wire.set_model(model);
        wire.set_head("head ");
        expected.at("model") = model;
        BOOST_TEST(json::serialize(json::parse(wire.body())) == json::serialize(expected));
        BOOST_TEST(wire.wire() ==
                   "head " + std::to_string(wire.body().size()) + "\r\n\r\n" + std::string(wire.body()));
    }
}

BOOST_AUTO_TEST_CASE(head_and_body_are_one_piece) {
    options o;
    o.api_key = engram::base::secret("sk-1");
    outgoing wire(one_turn("hi"), o);
    auto const url = engram::http::parse_base_url("http://localhost:99/x");
    wire.set_head(compose_head("POST", "/v1/messages", url, o, o.api_key));
    std::string const whole(wire.wire());
    BOOST_TEST(
        whole.starts_with("POST /x/v1/messages HTTP/1.1\r\nhost: localhost:99\r\nuser-agent: engramd/"));
    BOOST_TEST(count(whole, "\r\nanthropic-version: 2023-06-01\r\n") == 1U);
    BOOST_TEST(count(whole, "\r\ncontent-type: application/json\r\n") == 1U);
    BOOST_TEST(count(whole, "\r\nx-api-key: sk-1\r\n") == 1U);
    BOOST_TEST(count(whole, "authorization") == 0U);
    auto const body = whole.substr(whole.find("\r\n\r\n") + 4);
    BOOST_TEST(count(whole, "\r\ncontent-length: " + std::to_string(body.size()) + "\r\n\r\n") == 1U);
    BOOST_TEST(body == wire.body());
}

BOOST_AUTO_TEST_CASE(a_head_can_be_replaced_by_a_longer_or_shorter_one) {
    options o;
    o.auth = auth_style::bearer;
    outgoing wire(one_turn("hi"), o);
    auto const url = engram::http::parse_base_url("https://h");
    std::string const body(wire.body());
    for (std::size_t const size : {3, 5000, 1, 600}) {
        auto const head =
            compose_head("POST", "/v1/messages", url, o, engram::base::secret(std::string(size, 'k')));
        wire.set_head(head);
        BOOST_TEST(std::string(wire.wire()) == head + std::to_string(body.size()) + "\r\n\r\n" + body);
    }
    BOOST_TEST(count(wire.wire(), "\r\nauthorization: Bearer kkk") == 1U);
}

BOOST_AUTO_TEST_CASE(without_a_key_no_key_is_sent) {
    options const o;
    auto const head =
        compose_head("POST", "/v1/messages", engram::http::parse_base_url("http://localhost"), o, o.api_key);
    BOOST_TEST(count(head, "x-api-key") == 0U);
    BOOST_TEST(count(head, "authorization") == 0U);
}

BOOST_AUTO_TEST_CASE(a_paused_answer_is_appended) {
    outgoing wire(one_turn("hi"), {});
    wire.set_head("head ");
    wire.append_assistant(R"([{"type":"text","text":"a"}])");
    wire.set_head("head ");
    auto const body = json::parse(wire.body());
    BOOST_TEST(body.at("messages").as_array().size() == 2U);
    BOOST_TEST(json::serialize(body.at("messages").at(1)) ==
               R"({"role":"assistant","content":[{"type":"text","text":"a"}]})");
    BOOST_TEST(wire.wire().starts_with("head " + std::to_string(wire.body().size())));
}

BOOST_AUTO_TEST_SUITE_END()

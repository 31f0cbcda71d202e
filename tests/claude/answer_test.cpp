#include "claude/answer.hpp"

#include "base/utf8.hpp"

#include <boost/test/unit_test.hpp>

using namespace engram::claude;

namespace {

constexpr std::string_view model = "claude-opus-4-5";
std::vector<price> const no_prices;

struct parsed {
    engram::claude::answer answer;
    std::string pause_content;
};

parsed read(std::string_view body) {
    answer_fold fold(model, no_prices, ignore_events());
    auto const received = read_answer(body, fold);
    BOOST_REQUIRE(received.has_value());
    return {fold.take(), received->pause_content};
}
bool readable(std::string_view body) {
    answer_fold fold(model, no_prices, ignore_events());
    return read_answer(body, fold).has_value();
}

std::string with_content(std::string const& blocks,
                         std::string const& rest = R"(,"stop_reason":"end_turn")") {
    return R"({"type":"message","content":[)" + blocks + "]" + rest + "}";
}

}  // namespace

BOOST_AUTO_TEST_SUITE(answers)

BOOST_AUTO_TEST_CASE(a_whole_answer_is_read) {
    auto const message =
        read(R"({"id":"msg_01A","type":"message","role":"assistant","model":"claude-haiku-4-5-20251001",
        "content":[{"type":"text","text":"Hi.","citations":null}],"stop_reason":"end_turn","stop_sequence":null,
        "usage":{"input_tokens":20,"cache_creation_input_tokens":7,"cache_read_input_tokens":4800,
        "cache_creation":{"ephemeral_5m_input_tokens":0},"output_tokens":5,"server_tool_use":null}})");
    BOOST_TEST(message.answer.text() == "Hi.");
    BOOST_TEST(message.answer.model == "claude-haiku-4-5-20251001");
    BOOST_TEST(message.answer.stop_reason == "end_turn");
    BOOST_TEST(message.answer.usage.input_tokens == 20);
    BOOST_TEST(message.answer.usage.cache_creation_input_tokens == 7);
    BOOST_TEST(message.answer.usage.cache_read_input_tokens == 4800);
    BOOST_TEST(message.answer.usage.output_tokens == 5);
    BOOST_TEST(*message.answer.cost_usd == (20 + 7 * 1.25 + 480 + 25) / 1e6,
               boost::test_tools::tolerance(1e-9));
    BOOST_TEST(message.pause_content == "");
}

BOOST_AUTO_TEST_CASE(blocks_are_chosen_by_type) {
    auto const message = read(with_content(
        R"({"type":"thinking","thinking":"","signature":"x"},{"type":"redacted_thinking","data":"zz"},
           {"type":"text","text":"one "},{"type":"server_tool_use","id":"t","input":{}},{"type":"text","text":"two"})"));
    BOOST_TEST(message.answer.text() == "one two");
    BOOST_TEST(message.answer.content.size() == 2U);
}

BOOST_AUTO_TEST_CASE(what_was_thought_is_no_part_of_the_answer) {
    for (std::string const thought : {R"({"type":"thinking","thinking":"","signature":"s"})",
                                      R"({"type":"thinking","thinking":"Let me see.","signature":"s"})",
                                      R"({"type":"redacted_thinking","data":"zz"})"}) {
        auto const message = read(with_content(thought + R"(,{"type":"text","text":"Hi."})"));
        BOOST_TEST(message.answer.text() == "Hi.");
        BOOST_TEST(message.answer.content.size() == 1U);
    }
}

BOOST_AUTO_TEST_CASE(an_answer_of_nothing_but_thought_has_no_text_and_its_price) {
    auto const message = read(with_content(
        R"({"type":"thinking","thinking":"","signature":"s"})",
        R"(,"stop_reason":"max_tokens","model":"claude-opus-5-5","usage":{"input_tokens":10,"output_tokens":32})"));
    BOOST_TEST(message.answer.text() == "");
    BOOST_TEST(message.answer.content.empty());
    BOOST_TEST(message.answer.stop_reason == "max_tokens");
    BOOST_TEST(*message.answer.cost_usd == (10 * 4 + 32 * 20) / 1e6, boost::test_tools::tolerance(1e-9));
}

BOOST_AUTO_TEST_CASE(a_pause_sends_back_what_was_thought) {
    std::string const blocks =
        R"({"type":"thinking","thinking":"","signature":"c2ln"},{"type":"text","text":"a"})";
    BOOST_TEST(read(with_content(blocks, R"(,"stop_reason":"pause_turn")")).pause_content ==
               "[" + blocks + "]");
}

BOOST_AUTO_TEST_CASE(an_answer_gives_its_only_text_away) {
    auto message =
        read(with_content(R"({"type":"text","text":"long enough to be on the heap, not inside"})"));
    auto const* const at = message.answer.content.at(0).text().data();
    auto const text = std::move(message.answer).text();
    BOOST_TEST(text == "long enough to be on the heap, not inside");
    BOOST_CHECK(text.data() == at);
}

BOOST_AUTO_TEST_CASE(an_empty_answer_is_an_answer) {
    BOOST_TEST(read(with_content("")).answer.text() == "");
    BOOST_TEST(read(with_content(R"({"type":"text","text":""})")).answer.text() == "");
}

BOOST_AUTO_TEST_CASE(usage_may_be_absent_null_or_odd) {
    BOOST_TEST(read(with_content("", "")).answer.usage.output_tokens == 0);
    BOOST_TEST(read(with_content("", R"(,"usage":null)")).answer.usage.output_tokens == 0);
    auto const odd = read(with_content(
        "", R"(,"usage":{"input_tokens":-5,"output_tokens":18446744073709551615,"cache_read_input_tokens":2.0,
                "cache_creation_input_tokens":"7"})"));
    BOOST_TEST(odd.answer.usage.input_tokens == 0);
    BOOST_TEST(odd.answer.usage.output_tokens == 1'000'000'000'000);
    BOOST_TEST(odd.answer.usage.cache_read_input_tokens == 2);
    BOOST_TEST(odd.answer.usage.cache_creation_input_tokens == 0);
}

BOOST_AUTO_TEST_CASE(null_and_absent_members_are_taken_as_empty) {
    auto const message = read(R"({"content":[],"stop_reason":null,"model":null})");
    BOOST_TEST(message.answer.stop_reason == "");
    BOOST_TEST(message.answer.model == model);
}

BOOST_AUTO_TEST_CASE(a_refusal_without_output_costs_nothing) {
    std::string const tail = R"(,"stop_reason":"refusal","usage":{"input_tokens":1000,"output_tokens":9})";
    BOOST_TEST(*read(with_content("", tail)).answer.cost_usd == 0);
    BOOST_TEST(*read(with_content(R"({"type":"text","text":"I"})", tail)).answer.cost_usd > 0);
}

BOOST_AUTO_TEST_CASE(every_stop_reason_is_passed_on) {
    for (std::string const reason : {"end_turn", "max_tokens", "stop_sequence", "tool_use", "refusal",
                                     "model_context_window_exceeded", "something_new"})
        BOOST_TEST(read(with_content("", R"(,"stop_reason":")" + reason + '"')).answer.stop_reason == reason);
}

BOOST_AUTO_TEST_CASE(a_pause_keeps_its_content_as_received) {
    std::string const blocks = R"({"type":"text","text":"a"},{"type":"odd","x":[1,null]})";
    auto const message = read(with_content(blocks, R"(,"stop_reason":"pause_turn")"));
    BOOST_TEST(message.pause_content == "[" + blocks + "]");
    BOOST_TEST(read(with_content("", R"(,"stop_reason":"pause_turn")")).pause_content == "");
}

BOOST_AUTO_TEST_CASE(text_that_is_not_utf8_is_repaired) {
    auto const message = read(with_content("{\"type\":\"text\",\"text\":\"a\xff\xc3(\"}"));
    BOOST_TEST(engram::base::is_utf8(message.answer.text()));
    BOOST_TEST(message.answer.text() == "a\xEF\xBF\xBD\xEF\xBF\xBD(");
}

BOOST_AUTO_TEST_CASE(half_a_surrogate_pair_is_repaired) {
    BOOST_TEST(read(with_content(R"({"type":"text","text":"a\ud83d b\\\udc00c \\ud83d \ud83d\ude00"})"))
                   .answer.text() ==
               "a\xEF\xBF\xBD b\\\xEF\xBF\xBD"
               "c \\ud83d \xF0\x9F\x98\x80");
}

BOOST_AUTO_TEST_CASE(what_is_no_message_is_not_readable) {
    for (auto const* bad :
         {"", "   ", "null", "[]", "7", "\"text\"", "<html>", "{", "{}", R"({"content":null})",
          R"({"content":"hi"})", R"({"content":[7]})", R"({"content":[{}]})", R"({"content":[{"type":7}]})",
          R"({"content":[{"type":"text"}]})", R"({"content":[{"type":"text","text":7}]})",
          R"({"content":[]} trailing)", R"({"content":[{"type":"text","text":"cut)",
          R"({"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}})"})
        BOOST_TEST(!readable(bad), bad);
    BOOST_TEST(!readable(std::string(1 << 20, '[')));
    BOOST_TEST(!readable(std::string_view("\0\0\0", 3)));
}

BOOST_AUTO_TEST_SUITE_END()

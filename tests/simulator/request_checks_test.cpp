// The 400s of the Messages API.
#include "test_request.hpp"

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

namespace {

using namespace engram::simulator;
namespace data = boost::unit_test::data;

struct refusal {
    std::string body;
    int status;
    std::string piece;  ///< of the message
};

std::ostream& operator<<(std::ostream& out, refusal const& r) {
    return out << r.body;
}

refusal const refusals[] = {
    {R"([])", 400, "not a JSON object"},
    {R"({"max_tokens":1,"messages":[{"role":"user","content":"a"}]})", 400, "model: Field required"},
    {R"({"model":5,"max_tokens":1,"messages":[{"role":"user","content":"a"}]})", 400, "model: Input"},
    {R"({"model":"claude-none","max_tokens":1,"messages":[{"role":"user","content":"a"}]})", 404,
     "model: claude-none"},
    {R"({"model":"claude-opus-4-5","messages":[{"role":"user","content":"a"}]})", 400,
     "max_tokens: Field required"},
    {R"({"model":"claude-opus-4-5","max_tokens":"1","messages":[{"role":"user","content":"a"}]})", 400,
     "valid integer"},
    {R"({"model":"claude-opus-4-5","max_tokens":-1,"messages":[{"role":"user","content":"a"}]})", 400,
     "greater than"},
    {R"({"model":"claude-opus-4-5","max_tokens":70000,"messages":[{"role":"user","content":"a"}]})", 400,
     "max_tokens: 70000 > 64000, which is the maximum allowed number of output tokens for "
     "claude-opus-4-5-20251101"},
    {R"({"model":"claude-opus-4-5","max_tokens":1})", 400, "messages: Field required"},
    {R"({"model":"claude-opus-4-5","max_tokens":1,"messages":[]})", 400, "at least one message"},
    {R"({"model":"claude-opus-4-5","max_tokens":1,"messages":[7]})", 400,
     "messages.0: Input should be an object"},
    {R"({"model":"claude-opus-4-5","max_tokens":1,"messages":[{"content":"a"}]})", 400, "messages.0.role"},
    {R"({"model":"claude-opus-4-5","max_tokens":1,"messages":[{"role":"tool","content":"a"}]})", 400,
     "messages.0.role"},
    {R"({"model":"claude-opus-4-5","max_tokens":1,"messages":[{"role":"user"}]})", 400,
     "content: Field required"},
    {R"({"model":"claude-opus-4-5","max_tokens":1,"messages":[{"role":"user","content":""}]})", 400,
     "all messages must have non-empty content except for the optional final assistant message"},
    {R"({"model":"claude-opus-4-5","max_tokens":1,"messages":[{"role":"user","content":[]}]})", 400,
     "non-empty content"},
    {R"({"model":"claude-opus-4-5","max_tokens":1,"messages":[{"role":"user","content":[{"type":"text","text":""}]}]})",
     400, "messages: text content blocks must be non-empty"},
    {R"({"model":"claude-opus-4-5","max_tokens":1,"messages":[{"role":"user","content":" \n"}]})", 400,
     "messages: text content blocks must contain non-whitespace text"},
    {R"({"model":"claude-opus-4-5","max_tokens":1,"messages":[{"role":"assistant","content":"a"}]})", 400,
     "first message"},
    {R"({"model":"claude-opus-4-5","max_tokens":1,"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b "}]})",
     400, "final assistant content cannot end with trailing whitespace"},
    {R"({"model":"claude-opus-4-6","max_tokens":1,"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"}]})",
     400, "This model does not support assistant message prefill."},
    {simple_request("claude-opus-4-5", R"(,"system":[{"type":"text","text":""}])"), 400,
     "system: text content blocks"},
    {simple_request("claude-opus-4-5", R"(,"system":7)"), 400, "system: Input"},
    {simple_request("claude-opus-4-5", R"(,"colour":"red")"), 400, "colour: Extra inputs are not permitted"},
    {simple_request("claude-opus-4-5", R"(,"stream":"yes")"), 400, "stream"},
    {simple_request("claude-opus-4-5", R"(,"stop_sequences":[" "])"), 400, "stop_sequences"},
    {simple_request("claude-opus-4-5", R"(,"metadata":{"name":"x"})"), 400, "metadata.name"},
    // thinking, model by model
    {simple_request("claude-haiku-4-5", R"(,"thinking":{"type":"adaptive"})"), 400, "adaptive"},
    {simple_request("claude-haiku-4-5", R"(,"thinking":{"type":"enabled"})"), 400,
     "budget_tokens: Field required"},
    {simple_request("claude-haiku-4-5", R"(,"thinking":{"type":"enabled","budget_tokens":1000})"), 400,
     "1024"},
    {simple_request("claude-haiku-4-5", R"(,"thinking":{"type":"enabled","budget_tokens":2048})"), 400,
     "max_tokens"},
    {simple_request("claude-opus-4-7", R"(,"thinking":{"type":"enabled","budget_tokens":1024})"), 400,
     "enabled"},
    {simple_request("claude-opus-5-5", R"(,"thinking":{"type":"disabled"})"), 400, "disabled"},
    {simple_request("claude-fable-5-2", R"(,"thinking":{"type":"disabled"})"), 400, "disabled"},
    {simple_request("claude-sonnet-5-5", R"(,"thinking":{"type":"disabled"})"), 400, "disabled"},
    {simple_request("claude-opus-5", R"(,"thinking":{"type":"disabled"},"output_config":{"effort":"max"})"),
     400, "disabled"},
    {simple_request("claude-sonnet-5", R"(,"thinking":{"type":"between_tools"})"), 400, "between_tools"},
    {simple_request("claude-sonnet-5", R"(,"thinking":{"type":"deep"})"), 400, "thinking.type"},
    {simple_request("claude-opus-5-5", R"(,"output_config":{"effort":"huge"})"), 400, "output_config.effort"},
    {simple_request("claude-opus-5-5", R"(,"output_config":{"effort":7})"), 400, "output_config.effort"},
    {simple_request("claude-opus-5-5", R"(,"output_config":[])"), 400, "output_config"},
    // sampling
    {simple_request("claude-opus-4-5", R"(,"temperature":0.5,"top_p":0.5)"), 400, "cannot both be specified"},
    {simple_request("claude-opus-4-5", R"(,"temperature":1.5)"), 400, "temperature"},
    {simple_request("claude-opus-4-7", R"(,"temperature":0.5)"), 400, "default values"},
    {simple_request("claude-sonnet-5", R"(,"top_k":5)"), 400, "default values"},
    {simple_request("claude-opus-5-5", R"(,"tool_choice":{"type":"any"})"), 400, "tool_choice"},
    // system messages
    {R"({"model":"claude-haiku-4-5","max_tokens":1,"messages":[{"role":"user","content":"a"},{"role":"system","content":"b"}]})",
     400, "role 'system' is not supported"},
    {R"({"model":"claude-opus-5","max_tokens":1,"messages":[{"role":"system","content":"b"},{"role":"user","content":"a"}]})",
     400, "a system message must follow"},
};

struct acceptance {
    std::string body;
    bool thinks;
};

std::ostream& operator<<(std::ostream& out, acceptance const& r) {
    return out << r.body;
}

acceptance const acceptances[] = {
    {simple_request("claude-opus-4-5"), false},
    {simple_request("claude-opus-4-5-20251101",
                    R"(,"system":"s","metadata":{"user_id":"u"},"temperature":0.2)"),
     false},
    {simple_request("claude-haiku-4-5", R"(,"thinking":{"type":"enabled","budget_tokens":1024})"), true},
    {simple_request("claude-haiku-4-5", R"(,"thinking":{"type":"disabled"})"), false},
    {simple_request("claude-opus-4-6", R"(,"thinking":{"type":"adaptive"})"), true},
    {simple_request("claude-opus-4-6", R"(,"temperature":0.5,"top_p":0.5)"), false},
    {simple_request("claude-opus-4-7", R"(,"temperature":1)"), false},
    {simple_request("claude-sonnet-5"), true},
    {simple_request("claude-sonnet-5", R"(,"thinking":{"type":"disabled"})"), false},
    {simple_request("claude-sonnet-5-5", R"(,"thinking":{"type":"between_tools"})"), false},
    {simple_request("claude-opus-5", R"(,"thinking":{"type":"disabled"},"output_config":{"effort":"high"})"),
     false},
    {simple_request("claude-opus-5-5"), true},
    {simple_request("claude-opus-5-5", R"(,"output_config":{"effort":"low"})"), true},
    {simple_request("claude-haiku-5-5", R"(,"output_config":{"effort":"max"})"), true},
    {R"({"model":"claude-opus-4-5","max_tokens":1,"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"}]})",
     false},
    {R"({"model":"claude-opus-4-8","max_tokens":1,"messages":[{"role":"user","content":"a"},{"role":"system","content":"b"}]})",
     false},
};

BOOST_DATA_TEST_CASE(a_wrong_request_is_refused_in_the_words_of_the_api, data::make(refusals), r) {
    test_request const t(r.body);
    BOOST_TEST(t.status() == r.status);
    BOOST_TEST(t.message().find(r.piece) != std::string::npos, t.message());
}

BOOST_DATA_TEST_CASE(a_right_request_is_accepted, data::make(acceptances), a) {
    test_request const t(a.body);
    BOOST_TEST(t.message() == "");
    BOOST_TEST(t.request.thinks == a.thinks);
}

BOOST_AUTO_TEST_CASE(the_newer_version_refuses_sampling_even_at_its_default) {
    for (auto const* more : {R"(,"temperature":1)", R"(,"top_p":1)", R"(,"top_k":1)"}) {
        test_request const t(simple_request("claude-opus-4-5", more), api_version::v2026_10_21);
        BOOST_TEST(t.status() == 400);
        BOOST_TEST(test_request(simple_request("claude-opus-4-5", more)).status() == 200);
    }
}

BOOST_AUTO_TEST_CASE(the_newer_version_refuses_documents_of_the_assistant_and_citations_of_the_user) {
    auto const document =
        R"({"model":"claude-opus-4-5","max_tokens":9,"messages":[{"role":"user","content":"a"},
            {"role":"assistant","content":[{"type":"document","source":{}}]},{"role":"user","content":"b"}]})";
    auto const cited =
        R"({"model":"claude-opus-4-5","max_tokens":9,"messages":[
            {"role":"user","content":[{"type":"text","text":"a","citations":[{"x":1}]}]}]})";
    for (auto const* body : {document, cited}) {
        BOOST_TEST(test_request(body).status() == 200);
        BOOST_TEST(test_request(body, api_version::v2026_10_21).status() == 400);
    }
}

BOOST_AUTO_TEST_CASE(counting_tokens_takes_the_same_body_without_its_limits) {
    auto const body = R"({"model":"claude-opus-4-5","messages":[{"role":"user","content":"hello there"}]})";
    test_request const t(body, api_version::v2023_06_01, endpoint::count_tokens);
    BOOST_TEST(t.good().prompt_tokens >= 3);
    test_request const with_limit(simple_request("claude-opus-4-5"), api_version::v2023_06_01,
                                  endpoint::count_tokens);
    BOOST_TEST(with_limit.status() == 400);
}

BOOST_AUTO_TEST_CASE(a_prompt_beyond_the_context_is_refused) {
    auto const text = std::string(900'000, 'x');
    auto const body = [&](std::string const& model) {
        return R"({"model":")" + model + R"(","max_tokens":1,"messages":[{"role":"user","content":")" + text +
               R"("}]})";
    };
    BOOST_TEST(test_request(body("claude-opus-4-5")).message().find("prompt is too long: 225") !=
               std::string::npos);
    BOOST_TEST(test_request(body("claude-opus-4-6")).status() == 200);
}

BOOST_AUTO_TEST_CASE(neighbours_of_one_role_are_one_turn_and_the_last_text_block_is_the_new_message) {
    test_request const t(chat_request("", R"([{"role":"user","content":"one"},{"role":"user","content":[
        {"type":"text","text":"two"},{"type":"text","text":"three"}]}])"));
    BOOST_TEST(t.good().turns.size() == 1U);
    BOOST_TEST(t.good().new_message() == "three");
    BOOST_TEST(t.good().blocks_before_new_message().size() == 2U);
}

}  // namespace

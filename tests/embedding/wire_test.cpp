#include "embedding/wire.hpp"

#include "base/utf8.hpp"

#include <boost/json/parse.hpp>
#include <boost/test/unit_test.hpp>

using namespace engram::embedding;
using engram::base::secret;
namespace http = engram::http;
namespace json = boost::json;

namespace {

options some(std::string provider, std::uint32_t dimensions = 0) {
    options o;
    o.model = "m-1";
    o.provider = std::move(provider);
    o.dimensions = dimensions;
    return o;
}

std::string body_of(options const& o, purpose why, std::vector<std::string> const& texts = {"a", "b"}) {
    return compose_body(o, texts, why);
}

std::string problem(std::string const& body, std::size_t count = 1, std::size_t dimensions = 0) {
    auto const read = read_vectors(body, count, dimensions);
    return read.has_value() ? "none" : read.error();
}

std::string of_data(std::string const& items) {
    return R"({"object":"list","data":[)" + items + R"(],"model":"m","usage":{"total_tokens":3}})";
}

std::string item(int index, std::string const& embedding) {
    return R"({"object":"embedding","index":)" + std::to_string(index) + R"(,"embedding":)" + embedding + '}';
}

std::string zeros_and_a_one(std::size_t dimensions) {
    std::string list = "[1";
    for (std::size_t i = 1; i < dimensions; ++i)
        list += ",0";
    return list + ']';
}

error status(int code) {
    return explain_status(code);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(requests)

BOOST_AUTO_TEST_CASE(an_openai_body_has_model_and_input_and_no_more) {
    BOOST_TEST(body_of(some("openai"), purpose::query) == R"({"model":"m-1","input":["a","b"]})");
    BOOST_TEST(body_of(some("openai"), purpose::document) == R"({"model":"m-1","input":["a","b"]})");
    BOOST_TEST(body_of(some("openai", 512), purpose::query, {"a"}) ==
               R"({"model":"m-1","input":["a"],"dimensions":512})");
}

BOOST_AUTO_TEST_CASE(a_voyage_body_says_what_the_texts_are_for) {
    BOOST_TEST(body_of(some("voyage"), purpose::query) ==
               R"({"model":"m-1","input":["a","b"],"input_type":"query"})");
    BOOST_TEST(body_of(some("voyage", 256), purpose::document) ==
               R"({"model":"m-1","input":["a","b"],"input_type":"document","output_dimension":256})");
}

BOOST_AUTO_TEST_CASE(any_text_makes_proper_json) {
    std::string all;
    for (int c = 0; c < 0x80; ++c)
        all += char(c);
    all += "\xC3\xA4\xF0\x9F\x98\x80";
    auto const body = json::parse(body_of(some("openai"), purpose::document, {all, "a\xff"}));
    BOOST_TEST(std::string(body.at("input").at(0).as_string()) == all);
    BOOST_TEST(std::string(body.at("input").at(1).as_string()) == "a\xEF\xBF\xBD");
}

BOOST_AUTO_TEST_CASE(a_long_text_is_cut_between_two_characters) {
    std::string text = "x";
    while (text.size() < 100'000)
        text += "\xE2\x82\xAC";
    auto const body = json::parse(body_of(some("openai"), purpose::document, {text}));
    std::string const sent(body.at("input").at(0).as_string());
    BOOST_TEST(text.starts_with(sent));
    BOOST_TEST(sent.size() <= max_text_bytes);
    BOOST_TEST(sent.size() > max_text_bytes - 3);
    BOOST_TEST(engram::base::is_utf8(sent));
}

BOOST_AUTO_TEST_CASE(the_head_has_path_host_and_key) {
    auto const head = compose_head(http::parse_base_url("http://localhost:99/x"), secret("sk-1"));
    BOOST_TEST(
        head.starts_with("POST /x/v1/embeddings HTTP/1.1\r\nhost: localhost:99\r\nuser-agent: engramd/"));
    BOOST_TEST(head.find("\r\ncontent-type: application/json\r\n") != head.npos);
    BOOST_TEST(head.find("\r\nauthorization: Bearer sk-1\r\n") != head.npos);
    BOOST_TEST(head.ends_with("\r\ncontent-length: "));
}

BOOST_AUTO_TEST_CASE(a_version_in_the_address_is_not_repeated) {
    auto const head = compose_head(http::parse_base_url("https://h/v1/"), secret("sk-1"));
    BOOST_TEST(head.starts_with("POST /v1/embeddings HTTP/1.1\r\n"));
}

BOOST_AUTO_TEST_CASE(without_a_key_no_key_is_sent) {
    auto const head = compose_head(http::parse_base_url("http://localhost"), secret());
    BOOST_TEST(head.find("authorization") == head.npos);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(answers)

BOOST_AUTO_TEST_CASE(vectors_are_put_in_the_order_of_the_texts_and_made_one_unit_long) {
    auto const body = of_data(item(2, "[0,-2]") + ',' + item(0, "[3,4]") + ',' + item(1, "[1e-3,0.0]"));
    auto const read = read_vectors(body, 3, 0);
    BOOST_REQUIRE(read.has_value());
    BOOST_TEST((*read)[0] == (vector{0.6F, 0.8F}), boost::test_tools::per_element());
    BOOST_TEST((*read)[1] == (vector{1, 0}), boost::test_tools::per_element());
    BOOST_TEST((*read)[2] == (vector{0, -1}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(the_number_of_embeddings_must_be_that_of_the_texts) {
    auto const one = of_data(item(0, "[1]"));
    BOOST_TEST(problem(one, 2) == "has 1 embeddings for 2 texts");
    BOOST_TEST(problem(of_data(""), 1) == "has 0 embeddings for 1 texts");
    BOOST_TEST(problem(of_data(item(0, "[1]") + ',' + item(1, "[1]"))) == "has 2 embeddings for 1 texts");
}

BOOST_AUTO_TEST_CASE(the_embeddings_must_be_numbered) {
    for (auto const* indices : {"0,0", "1,1", "0,2", "-1,0", "0,1.0", "0,\"1\"", "0,null"}) {
        std::string const both = indices;
        auto const comma = both.find(',');
        auto const numbered = [](std::string const& index) {
            return R"({"index":)" + index + R"(,"embedding":[1]})";
        };
        auto const body = of_data(numbered(both.substr(0, comma)) + ',' + numbered(both.substr(comma + 1)));
        BOOST_TEST(problem(body, 2) == "does not number its embeddings from 0, each once", indices);
    }
    BOOST_TEST(problem(of_data(R"({"embedding":[1]})")) ==
               "does not number its embeddings from 0, each once");
}

BOOST_AUTO_TEST_CASE(only_finite_numbers_make_a_vector) {
    for (auto const* bad :
         {"[1,null]", "[1,\"2\"]", "[1,[2]]", "[1,true]", "[1,1e39]", "[1,-1e300]", "[1e400]"})
        BOOST_TEST(
            problem(of_data(item(0, bad))) == "has an embedding with something else than finite numbers",
            bad);
    for (auto const* bad : {"[NaN]", "[Infinity]", "[nan]"})
        BOOST_TEST(problem(of_data(item(0, bad))).starts_with("is not JSON"), bad);
    for (auto const* good : {"[3e38,3e38]", "[18446744073709551615]", "[-1]"})
        BOOST_TEST(problem(of_data(item(0, good))) == "none", good);
}

BOOST_AUTO_TEST_CASE(a_vector_without_a_direction_is_refused) {
    for (auto const* zeros : {"[0,0]", "[0.0]", "[-0.0]", "[1e-60]"})
        BOOST_TEST(problem(of_data(item(0, zeros))) == "has an embedding of nothing but zeros", zeros);
}

BOOST_AUTO_TEST_CASE(an_embedding_must_be_a_list_of_numbers) {
    for (auto const* bad : {"\"AACAPw==\"", "null", "{}", "1"})
        BOOST_TEST(problem(of_data(item(0, bad))) == "has an embedding that is not an array of numbers", bad);
    BOOST_TEST(problem(of_data(item(0, "[]"))) == "has an empty embedding");
}

BOOST_AUTO_TEST_CASE(all_vectors_have_the_same_dimensions_and_those_asked_for) {
    BOOST_TEST(problem(of_data(item(0, "[1,2]") + ',' + item(1, "[1]")), 2) == "has 1 dimensions, not 2");
    BOOST_TEST(problem(of_data(item(0, "[1,2]")), 1, 3) == "has 2 dimensions, not 3");
    BOOST_TEST(problem(of_data(item(0, "[1,2]")), 1, 2) == "none");
    BOOST_TEST(problem(of_data(item(0, zeros_and_a_one(4096)))) == "none");
    BOOST_TEST(problem(of_data(item(0, zeros_and_a_one(4097)))) == "has 4097 dimensions, more than 4096");
}

BOOST_AUTO_TEST_CASE(what_is_no_answer_is_said_to_be_none) {
    BOOST_TEST(problem("") == "is empty");
    for (auto const* bad : {"<html>", "{", R"({"data":[{"embedding":[1)", "{} {}"})
        BOOST_TEST(problem(bad).starts_with("is not JSON or is cut"), bad);
    for (auto const* bad : {"null", "[]", "7", "{}", R"({"data":null})", R"({"data":{}})",
                            R"({"error":{"message":"no"}})", R"({"embeddings":[[1]]})"})
        BOOST_TEST(problem(bad) == "is JSON but has no list of embeddings", bad);
    for (auto const* bad : {"null", "[1]", "{}", R"({"index":0})"})
        BOOST_TEST(problem(of_data(bad)) == "has an item without an embedding", bad);
    BOOST_TEST(problem(std::string(1'000'000, '[')).starts_with("is"));
}

BOOST_AUTO_TEST_CASE(an_answer_longer_than_its_vectors_can_be_is_not_read) {
    auto const body = of_data(item(0, "[1]")) + std::string(400'000, ' ');
    BOOST_TEST(problem(body, 1) == "is longer than its vectors can be");
    BOOST_TEST(problem(of_data(item(0, "[1]")) + std::string(200'000, ' '), 1) == "none");
}

BOOST_AUTO_TEST_CASE(a_status_says_whose_fault_it_is) {
    for (int const code : {400, 413, 422})
        BOOST_CHECK(status(code).kind == error_kind::rejected);
    for (int const code : {301, 401, 403, 404, 408, 429, 500, 503})
        BOOST_CHECK(status(code).kind == error_kind::unavailable);
    BOOST_TEST(status(503).status == 503);
    BOOST_TEST(status(503).message == "the embedding endpoint answered 503");
    BOOST_TEST(status(401).message.find("the key") != std::string::npos);
    BOOST_TEST(status(404).message.find("embedding.model") != std::string::npos);
    BOOST_TEST(status(308).message.find("redirects") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()

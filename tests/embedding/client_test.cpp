// What is sent, and what comes of good answers.
#include "harness.hpp"
#include "support/certificates.hpp"

#include <boost/asio/ssl/context.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <stdexcept>
#include <tuple>

using namespace engram::tests;
using engram::base::secret;
using engram::embedding::error_kind;
using engram::embedding::make_client;
using engram::embedding::purpose;
namespace embedding = engram::embedding;

namespace {

bool has(std::string const& text, std::string_view part) {
    return text.find(part) != text.npos;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(embedding_client)

BOOST_AUTO_TEST_CASE(an_openai_endpoint_is_asked_and_answers_in_any_order) {
    harness h({answers(
        {http_answer(200, R"({"data":[{"index":1,"embedding":[0,5]},{"index":0,"embedding":[3,4]}]})")})});
    h.options.api_key = secret("key-0123456789");
    h.options.dimensions = 2;
    auto const read = h.embed({"one", "two"});
    BOOST_REQUIRE(read.has_value());
    BOOST_TEST((*read)[0] == (embedding::vector{0.6F, 0.8F}), boost::test_tools::per_element());
    BOOST_TEST((*read)[1] == (embedding::vector{0, 1}), boost::test_tools::per_element());
    BOOST_TEST(h.server().requests()[0].starts_with("POST /v1/embeddings HTTP/1.1\r\n"));
    BOOST_TEST(has(h.server().requests()[0], "\r\nauthorization: Bearer key-0123456789\r\n"));
    BOOST_TEST(body_of_request(h, 0) == R"({"model":"m-1","input":["one","two"],"dimensions":2})");
}

BOOST_AUTO_TEST_CASE(voyage_is_told_queries_and_documents_apart) {
    harness h({measures()});
    h.options.provider = "voyage";
    h.options.dimensions = 2;
    BOOST_TEST(h.query().has_value());
    BOOST_TEST(h.embed({"a"}).has_value());
    BOOST_TEST(body_of_request(h, 0) ==
               R"({"model":"m-1","input":["what?"],"input_type":"query","output_dimension":2})");
    BOOST_TEST(body_of_request(h, 1) ==
               R"({"model":"m-1","input":["a"],"input_type":"document","output_dimension":2})");
    BOOST_TEST(!has(h.server().requests()[0], "authorization"));
}

BOOST_AUTO_TEST_CASE(many_texts_go_in_batches_over_one_connection_and_stay_in_order) {
    harness h({measures()});
    h.options.batch = 3;
    std::vector<std::string> texts;
    for (std::size_t i = 1; i <= 8; ++i)
        texts.emplace_back(i, 'x');
    auto const read = h.embed(texts);
    BOOST_REQUIRE(read.has_value());
    BOOST_REQUIRE(read->size() == 8U);
    for (std::size_t i = 0; i < 8; ++i)
        BOOST_TEST((*read)[i][0] / (*read)[i][1] == float(i + 1), boost::test_tools::tolerance(1e-5F));
    BOOST_TEST(h.server().requests().size() == 3U);
    BOOST_TEST(h.server().connections() == 1U);
    BOOST_TEST(h.client().status().requests == 3U);
}

BOOST_AUTO_TEST_CASE(no_texts_need_no_request) {
    harness h({measures()});
    auto const read = h.embed({});
    BOOST_REQUIRE(read.has_value());
    BOOST_TEST(read->empty());
    BOOST_TEST(h.server().connections() == 0U);
}

BOOST_AUTO_TEST_CASE(batches_of_different_dimensions_are_refused) {
    harness h(
        {answers({http_answer(200, vectors_answer({"[1,2]"})), http_answer(200, vectors_answer({"[1]"}))})});
    h.options.batch = 1;
    auto const read = h.embed({"a", "b"});
    BOOST_REQUIRE(read.has_error());
    BOOST_TEST(read.error().message == "the answer of the embedding endpoint has 1 dimensions, not 2");
}

BOOST_AUTO_TEST_CASE(a_new_key_is_used_from_the_next_request_on) {
    harness h({measures()});
    h.options.api_key = secret("the-old-key");
    BOOST_TEST(h.query().has_value());
    h.client().set_api_key(secret("the-new-key"));
    BOOST_TEST(h.query().has_value());
    BOOST_TEST(has(h.server().requests()[0], "Bearer the-old-key\r\n"));
    BOOST_TEST(has(h.server().requests()[1], "Bearer the-new-key\r\n"));
    BOOST_CHECK_THROW(h.client().set_api_key(secret("a\r\nb: c")), std::invalid_argument);
}

BOOST_AUTO_TEST_CASE(a_connection_that_died_idle_is_replaced_at_once) {
    harness h({answers_and_closes(http_answer(200, vectors_answer({"[1]"}))), measures()});
    BOOST_TEST(h.query().has_value());
    BOOST_TEST(h.query().has_value());
    BOOST_TEST(h.client().status().failures == 0U);
}

BOOST_AUTO_TEST_CASE(a_private_authority_is_trusted_by_its_file) {
    auto const authority = make_authority();
    auto const own = make_certificate(authority, "IP:127.0.0.1");
    boost::asio::ssl::context context(boost::asio::ssl::context::tls_server);
    context.use_certificate_chain(boost::asio::buffer(own.pem));
    context.use_private_key(boost::asio::buffer(own.key_pem), boost::asio::ssl::context::pem);
    temporary_file const ca(authority.pem);
    harness h({measures()}, &context);
    h.options.ca_file = ca.path();
    BOOST_TEST(h.query().has_value());

    harness untrusting({measures()}, &context);
    auto const refused = untrusting.query();
    BOOST_REQUIRE(refused.has_error());
    BOOST_TEST(has(refused.error().message, "certificate"));
}

BOOST_AUTO_TEST_CASE(the_id_names_model_and_dimensions) {
    harness h({measures()});
    BOOST_TEST(h.client().model_id() == "m-1");
    harness fewer({measures()});
    fewer.options.dimensions = 256;
    BOOST_TEST(fewer.client().model_id() == "m-1@256");
}

BOOST_AUTO_TEST_CASE(options_that_cannot_work_are_refused) {
    harness h({measures()});
    auto const refused = [&](auto change) {
        auto o = h.options;
        change(o);
        BOOST_CHECK_THROW(std::ignore = make_client(o, h.loop().get_executor()), std::invalid_argument);
    };
    refused([](auto& o) { o.base_url.clear(); });
    refused([](auto& o) { o.base_url = "localhost:80"; });
    refused([](auto& o) { o.model.clear(); });
    refused([](auto& o) { o.provider = "other"; });
    refused([](auto& o) { o.batch = 0; });
    refused([](auto& o) { o.dimensions = 4097; });
    refused([](auto& o) { o.api_key = secret("a\nb"); });
    auto o = h.options;
    o.base_url = "https://localhost";
    o.ca_file = "/nonexistent/ca.pem";
    BOOST_CHECK_THROW(std::ignore = make_client(o, h.loop().get_executor()), std::runtime_error);
}

BOOST_AUTO_TEST_SUITE_END()

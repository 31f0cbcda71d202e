// The client over TLS.
#include "harness.hpp"
#include "support/certificates.hpp"

#include <boost/asio/ssl/context.hpp>
#include <boost/test/unit_test.hpp>

#include <cstdlib>
#include <stdexcept>
#include <tuple>

using namespace engram;
using namespace engram::tests;
namespace asio = boost::asio;
namespace ssl = boost::asio::ssl;

namespace {

certificate const& authority() {
    static certificate const ca = make_authority();
    return ca;
}

struct tls_server {
    ssl::context context{ssl::context::tls_server};
    temporary_file ca{authority().pem};

    explicit tls_server(std::string const& names = "IP:127.0.0.1,DNS:localhost",
                        certificate const& issuer = authority()) {
        auto const own = make_certificate(issuer, names);
        context.use_certificate(asio::buffer(own.pem), ssl::context::pem);
        context.use_private_key(asio::buffer(own.key_pem), ssl::context::pem);
    }
};

asio::awaitable<void> close_tls_when_asked_again(peer& p) {
    co_await p.request();
    co_await p.send(http_answer(200, message_json("first")));
    co_await p.request();
    p.close();
}

asio::awaitable<void> stall_before_tls(peer& p) {
    co_await p.until_closed();
}

std::string refusal(harness& h) {
    h.options.max_retries = 0;
    auto const answer = h.ask();
    BOOST_REQUIRE(answer.has_error());
    BOOST_CHECK(answer.error().kind == claude::error_kind::unavailable);
    BOOST_TEST(h.server().requests().empty());
    return answer.error().message;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(tls)

BOOST_AUTO_TEST_CASE(a_trusted_server_is_asked_over_one_connection) {
    tls_server s;
    harness h({echoes()}, &s.context);
    h.options.ca_file = s.ca.path();
    for (int i = 0; i < 5; ++i) {
        auto const answer = h.ask(question(std::to_string(i)));
        BOOST_REQUIRE(answer.has_value());
        BOOST_TEST(answer->text() == std::to_string(i));
    }
    BOOST_TEST(h.server().connections() == 1U);
}

BOOST_AUTO_TEST_CASE(a_host_name_is_checked_against_the_certificate) {
    tls_server s;
    harness h({echoes()}, &s.context);
    h.options.ca_file = s.ca.path();
    h.options.base_url = "https://localhost:" + std::to_string(h.server().port());
    BOOST_TEST(h.ask(question("hi"))->text() == "hi");
}

BOOST_AUTO_TEST_CASE(a_certificate_for_another_host_is_refused) {
    for (std::string const names : {"DNS:example.org", "IP:127.0.0.2", "DNS:127.0.0.1"}) {
        tls_server s(names);
        harness h({echoes()}, &s.context);
        h.options.ca_file = s.ca.path();
        BOOST_TEST(refusal(h).find("certificate is not accepted") != std::string::npos);
    }
}

BOOST_AUTO_TEST_CASE(a_host_name_that_is_not_the_certificates_is_refused) {
    tls_server s("IP:127.0.0.1");
    harness h({echoes()}, &s.context);
    h.options.ca_file = s.ca.path();
    h.options.base_url = "https://localhost:" + std::to_string(h.server().port());
    BOOST_TEST(refusal(h).find("certificate is not accepted") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(an_unknown_authority_is_refused) {
    auto const other = make_authority();
    tls_server s("IP:127.0.0.1", other);
    harness h({echoes()}, &s.context);
    h.options.ca_file = s.ca.path();
    BOOST_TEST(refusal(h).find("certificate is not accepted") != std::string::npos);
    harness system({echoes()}, &s.context);
    BOOST_TEST(refusal(system).find("certificate is not accepted") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(the_systems_store_can_be_named_by_the_environment) {
    tls_server s;
    ::setenv("SSL_CERT_FILE", s.ca.path().c_str(), 1);
    harness h({echoes()}, &s.context);
    auto const answer = h.ask(question("hi"));
    ::unsetenv("SSL_CERT_FILE");
    BOOST_REQUIRE(answer.has_value());
    BOOST_TEST(answer->text() == "hi");
}

BOOST_AUTO_TEST_CASE(a_ca_file_that_cannot_be_read_is_an_error_at_once) {
    harness h({echoes()});
    auto options = h.options;
    options.base_url = "https://localhost";
    options.ca_file = "/nonexistent/ca.pem";
    BOOST_CHECK_THROW(std::ignore = claude::make_client(options, h.loop().get_executor()),
                      std::runtime_error);
    temporary_file const empty("not a certificate");
    options.ca_file = empty.path();
    BOOST_CHECK_THROW(std::ignore = claude::make_client(options, h.loop().get_executor()),
                      std::runtime_error);
}

BOOST_AUTO_TEST_CASE(a_second_connection_resumes_the_session) {
    tls_server s;
    harness h({answers({http_answer(200, message_json("a"), "connection: close\r\n")})}, &s.context);
    h.options.ca_file = s.ca.path();
    for (int i = 0; i < 3; ++i)
        BOOST_TEST(h.ask().has_value());
    BOOST_TEST(h.server().connections() == 3U);
    BOOST_TEST(h.server().resumed() == 2U);
}

BOOST_AUTO_TEST_CASE(a_tls_connection_that_died_idle_is_replaced_at_once) {
    tls_server s;
    harness h({close_tls_when_asked_again, echoes()}, &s.context);
    h.options.ca_file = s.ca.path();
    h.options.max_retries = 0;
    BOOST_TEST(h.ask()->text() == "first");
    auto const second = h.ask(question("second"));
    BOOST_REQUIRE(second.has_value());
    BOOST_TEST(second->text() == "second");
    BOOST_TEST(h.client().status().retries == 0U);
}

BOOST_AUTO_TEST_CASE(a_large_request_and_a_large_answer_pass_over_tls) {
    tls_server s;
    harness h({echoes()}, &s.context);
    h.options.ca_file = s.ca.path();
    std::string const text(3'000'000, 'x');
    auto const answer = h.ask(question(text));
    BOOST_REQUIRE(answer.has_value());
    BOOST_TEST((answer->text() == text));
}

BOOST_AUTO_TEST_CASE(a_handshake_that_never_ends_times_out) {
    harness h({stall_before_tls});
    h.options.base_url = "https://127.0.0.1:" + std::to_string(h.server().port());
    h.options.connect_timeout = std::chrono::milliseconds(40);
    BOOST_TEST(refusal(h).find("no TLS handshake in time") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_server_that_speaks_no_tls_is_refused) {
    harness h({[](peer& p) -> asio::awaitable<void> {
        co_await p.send("HTTP/1.1 400 Bad Request\r\n\r\n");
        co_await p.until_closed();
    }});
    h.options.base_url = "https://127.0.0.1:" + std::to_string(h.server().port());
    BOOST_TEST(refusal(h).find("TLS handshake") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()

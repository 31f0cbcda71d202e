// From an address to a stream, with TLS or without.
#include "net/connector.hpp"

#include "serving.hpp"
#include "support/certificates.hpp"

#include <boost/test/unit_test.hpp>

#include <array>
#include <stdexcept>

namespace {

using namespace engram;
using namespace engram::test;
namespace asio = boost::asio;
namespace ssl = boost::asio::ssl;
using std::chrono::steady_clock;

struct trusted : serving {
    tests::certificate authority = tests::make_authority();
    tests::temporary_file ca{authority.pem};
    ssl::context context{ssl::context::tls_server};

    tests::scripted_server& serve_as(std::string const& names) {
        auto const own = tests::make_certificate(authority, names);
        context.use_certificate(asio::buffer(own.pem), ssl::context::pem);
        context.use_private_key(asio::buffer(own.key_pem), ssl::context::pem);
        return serve({hello_when_asked}, &context);
    }

    /// What the server says, or why it was not asked.
    std::string hear(net::connector const& by, net::address to) {
        std::string heard;
        run(listen(by, std::move(to), heard));
        return heard;
    }

    static task<void> listen(net::connector const& by, net::address to, std::string& heard) {
        auto const until = steady_clock::now() + most_patience;
        auto const made = co_await by.connect(std::move(to), until);
        if (!made) {
            heard = made.error();
            co_return;
        }
        auto& with = **made;
        with.set_deadline(until);
        co_await with.write(ask_hello);
        std::array<char, 16> buffer;
        auto const got = co_await with.read_some(buffer);
        heard = got.outcome.ok() ? std::string(buffer.data(), got.bytes) : got.outcome.what;
    }
};

net::address plain(std::string host, std::uint16_t port) {
    return {net::address::kind::tcp, std::move(host), port};
}

net::address over_tls(std::string host, std::uint16_t port) {
    return {net::address::kind::tls, std::move(host), port};
}

net::address local(std::string path) {
    return {net::address::kind::local, std::move(path), 0};
}

bool holds(std::string const& text, std::string const& part) {
    return text.find(part) != std::string::npos;
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(connecting, trusted)

BOOST_AUTO_TEST_CASE(a_server_is_reached_by_name_and_by_address) {
    auto& server = serve({hello_when_asked});
    net::connector const by(false, "");
    BOOST_TEST(hear(by, plain("127.0.0.1", server.port())) == "hello");
    BOOST_TEST(hear(by, plain("localhost", server.port())) == "hello");
    BOOST_TEST(holds(hear(by, plain("nowhere.invalid", 80)), "'nowhere.invalid' cannot be resolved"));
    BOOST_TEST(holds(hear(by, local("/nonexistent/socket")), "No such file"));
}

BOOST_AUTO_TEST_CASE(over_tls_each_host_must_prove_its_name) {
    auto& server = serve_as("DNS:localhost");
    net::connector const by(true, ca.path());
    BOOST_TEST(hear(by, over_tls("localhost", server.port())) == "hello");
    // The same server, which has just proved its other name.
    BOOST_TEST(holds(hear(by, over_tls("127.0.0.1", server.port())), "certificate is not accepted"));
    BOOST_TEST(server.resumed() == 0U);
}

BOOST_AUTO_TEST_CASE(over_tls_the_address_in_the_certificate_is_a_name) {
    auto& server = serve_as("IP:127.0.0.1");
    net::connector const by(true, ca.path());
    BOOST_TEST(hear(by, over_tls("127.0.0.1", server.port())) == "hello");
    BOOST_TEST(holds(hear(by, over_tls("localhost", server.port())), "certificate is not accepted"));
    BOOST_TEST(holds(hear(net::connector(true, ""), over_tls("127.0.0.1", server.port())),
                     "certificate is not accepted"));
}

BOOST_AUTO_TEST_CASE(an_old_version_of_tls_is_refused) {
    auto& server = serve_as("IP:127.0.0.1");
    SSL_CTX_set_security_level(context.native_handle(), 0);
    SSL_CTX_set_max_proto_version(context.native_handle(), TLS1_1_VERSION);
    net::connector const by(true, ca.path());
    BOOST_TEST(holds(hear(by, over_tls("127.0.0.1", server.port())), "TLS handshake: "));
}

BOOST_AUTO_TEST_CASE(certificates_that_cannot_be_read_are_an_error_at_once) {
    BOOST_CHECK_THROW(net::connector(true, "/nonexistent/ca.pem"), std::runtime_error);
    BOOST_CHECK_NO_THROW(net::connector(false, "/nonexistent/ca.pem"));
}

BOOST_AUTO_TEST_SUITE_END()

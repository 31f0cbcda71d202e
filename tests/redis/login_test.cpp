// How the client gets in: passwords, users, databases, TCP, TLS.
#include "support/child_process.hpp"
#include "support/loop.hpp"
#include "support/redis_server.hpp"
#include "support/temporary_folder.hpp"

#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

namespace {

using namespace engram;
using namespace engram::test;
using namespace std::chrono_literals;

task<void> ask(client& c, std::vector<std::string> command, std::string& said) {
    auto const answer = co_await c.redis.command({command.begin(), command.end()});
    said = answer ? answer->text : "failed: " + answer.error().message;
}

// The answer to `command` at this address, or "failed: " and why; if `in` is false, why there is no
// connection.
std::string said(loop& on, redis::options options, std::vector<std::string> command = {"ECHO", "hello"}) {
    client c(on, std::move(options));
    c.start();
    std::string answer;
    on.run(ask(c, std::move(command), answer));
    return answer;
}

// Why a connection with these options is refused.
std::string refusal(loop& on, redis::options options) {
    client c(on, std::move(options));
    c.start();
    on.run(until("there is trouble", [&] { return c.redis.trouble() != "not connected yet"; }));
    BOOST_TEST(!c.redis.is_up());
    return c.redis.trouble();
}

bool holds(std::string const& text, std::string const& part) {
    return text.find(part) != std::string::npos;
}

BOOST_FIXTURE_TEST_SUITE(redis_login, loop)

BOOST_AUTO_TEST_CASE(a_password_opens_and_a_wrong_one_is_told_without_showing_it) {
    redis_server server({"--requirepass", "open sesame"});
    auto const at = [&](std::string const& password) {
        return redis_at("unix://:" + password + "@" + server.socket());
    };
    BOOST_TEST(said(*this, at("open%20sesame")) == "hello");
    auto const why = refusal(*this, at("hunter2"));
    BOOST_TEST(holds(why, "AUTH: WRONGPASS"));
    BOOST_TEST(!holds(why, "hunter2"));
    BOOST_TEST(holds(refusal(*this, redis_at(server.url())), "NOAUTH"));
}

BOOST_AUTO_TEST_CASE(a_user_logs_in_with_name_and_password) {
    redis_server server;
    server.command({"ACL", "SETUSER", "ada", "on", ">lace", "~*", "+@all"});
    server.command({"ACL", "SETUSER", "free", "on", "nopass", "~*", "+@all"});
    BOOST_TEST(said(*this, redis_at("unix://ada:lace@" + server.socket()), {"ACL", "WHOAMI"}) == "ada");
    BOOST_TEST(said(*this, redis_at("unix://free:@" + server.socket()), {"ACL", "WHOAMI"}) == "free");
    BOOST_TEST(holds(refusal(*this, redis_at("unix://ada:wrong@" + server.socket())), "WRONGPASS"));
}

BOOST_AUTO_TEST_CASE(a_user_who_may_do_little_can_still_connect) {
    redis_server server;
    server.command({"ACL", "SETUSER", "small", "on", ">pw", "~jobs", "+lpush"});
    BOOST_TEST(said(*this, redis_at("unix://small:pw@" + server.socket()), {"LPUSH", "jobs", "x"}).empty());
    BOOST_TEST(server.command({"LRANGE", "jobs", "0", "-1"}) == "x");
    BOOST_TEST(holds(said(*this, redis_at("unix://small:pw@" + server.socket()), {"GET", "x"}), "NOPERM"));
}

BOOST_AUTO_TEST_CASE(the_database_of_the_url_is_selected) {
    redis_server server;
    said(*this, redis_at(server.url() + "?db=3"), {"SET", "where", "three"});
    BOOST_TEST(server.command({"GET", "where"}) == "(nil)");
    server.command({"SELECT", "3"});
    BOOST_TEST(server.command({"GET", "where"}) == "three");
    BOOST_TEST(holds(refusal(*this, redis_at(server.url() + "?db=99")), "SELECT: ERR"));
}

BOOST_AUTO_TEST_CASE(the_connection_has_a_name) {
    redis_server server;
    BOOST_TEST(said(*this, redis_at(server.url()), {"CLIENT", "GETNAME"}) == "test");
}

BOOST_AUTO_TEST_CASE(a_server_is_reached_over_tcp_by_name_and_by_address) {
    auto const port = std::to_string(free_port());
    redis_server server({"--port", port, "--bind", "127.0.0.1"});
    BOOST_TEST(said(*this, redis_at("redis://127.0.0.1:" + port)) == "hello");
    BOOST_TEST(said(*this, redis_at("redis://localhost:" + port)) == "hello");
    BOOST_TEST(holds(refusal(*this, redis_at("redis://127.0.0.1:" + std::to_string(free_port()))),
                     "Connection refused"));
    BOOST_TEST(holds(refusal(*this, redis_at("redis://no-such-host.invalid")), "cannot be resolved"));
}

BOOST_AUTO_TEST_CASE(a_path_too_long_for_a_socket_is_an_error_and_not_a_crash) {
    BOOST_TEST(holds(refusal(*this, redis_at("unix:///" + std::string(200, 'x'))), "too long"));
}

BOOST_AUTO_TEST_CASE(a_url_that_cannot_be_read_is_refused_at_once) {
    BOOST_CHECK_THROW(client(*this, redis_at("http://h")), std::invalid_argument);
    auto options = redis_at("rediss://h");
    options.ca_file = "/nonexistent/ca.pem";
    BOOST_CHECK_THROW(client(*this, options), std::runtime_error);
}

// A certificate authority, and a server's certificate from it for the name localhost.
class authority {
public:
    explicit authority(std::string const& names) {
        openssl({"req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=test authority",
                 "-keyout", file("ca.key"), "-out", file("ca.pem")});
        openssl({"req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=server", "-addext",
                 "subjectAltName=" + names, "-keyout", file("server.key"), "-out", file("server.csr")});
        openssl({"x509", "-req", "-in", file("server.csr"), "-CA", file("ca.pem"), "-CAkey", file("ca.key"),
                 "-CAcreateserial", "-days", "2", "-copy_extensions", "copy", "-out", file("server.pem")});
    }

    [[nodiscard]] std::string file(std::string const& name) const { return (folder_.path() / name).string(); }

    [[nodiscard]] std::vector<std::string> server_options(std::string const& port) const {
        return {"--tls-port",
                port,
                "--bind",
                "127.0.0.1",
                "--tls-cert-file",
                file("server.pem"),
                "--tls-key-file",
                file("server.key"),
                "--tls-auth-clients",
                "no",
                "--tls-ca-cert-file",
                file("ca.pem")};
    }

private:
    static void openssl(std::vector<std::string> arguments) {
        arguments.insert(arguments.begin(), "openssl");
        child_process program(std::move(arguments));
        program.close_input();
        auto const status = program.wait();
        BOOST_REQUIRE_MESSAGE(status == 0, program.output());
    }

    temporary_folder folder_;
};

redis::options tls_at(std::string const& host, std::string const& port, std::string ca_file) {
    auto options = redis_at("rediss://" + host + ":" + port);
    options.ca_file = std::move(ca_file);
    return options;
}

BOOST_AUTO_TEST_CASE(over_tls_the_server_must_prove_its_name_to_a_known_authority) {
    authority const ours("DNS:localhost");
    authority const strangers("DNS:localhost");
    auto const port = std::to_string(free_port());
    redis_server server(ours.server_options(port));
    BOOST_TEST(said(*this, tls_at("localhost", port, ours.file("ca.pem"))) == "hello");
    BOOST_TEST(holds(refusal(*this, tls_at("localhost", port, strangers.file("ca.pem"))),
                     "certificate is not accepted"));
    BOOST_TEST(holds(refusal(*this, tls_at("localhost", port, "")), "certificate is not accepted"));
    // The right authority, but the certificate is for another name.
    BOOST_TEST(
        holds(refusal(*this, tls_at("127.0.0.1", port, ours.file("ca.pem"))), "certificate is not accepted"));
}

BOOST_AUTO_TEST_CASE(over_tls_a_server_may_be_named_by_its_address) {
    authority const ours("IP:127.0.0.1");
    auto const port = std::to_string(free_port());
    redis_server server(ours.server_options(port));
    BOOST_TEST(said(*this, tls_at("127.0.0.1", port, ours.file("ca.pem"))) == "hello");
    // Without TLS the same port must not hang the client.
    auto options = redis_at("redis://127.0.0.1:" + port);
    options.connect_timeout = 500ms;
    BOOST_TEST(!refusal(*this, options).empty());
}

BOOST_AUTO_TEST_CASE(tls_against_a_port_without_it_ends_in_time) {
    auto const port = std::to_string(free_port());
    redis_server server({"--port", port, "--bind", "127.0.0.1"});
    auto options = tls_at("127.0.0.1", port, "");
    options.connect_timeout = 500ms;
    BOOST_TEST(!refusal(*this, options).empty());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace

// One connection: how it is made, and how its waits end.
#include "net/stream.hpp"

#include "serving.hpp"
#include "support/certificates.hpp"
#include "support/failing_memory.hpp"
#include "support/no_descriptors.hpp"

#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/test/unit_test.hpp>

#include <array>
#include <filesystem>
#include <new>
#include <optional>

namespace {

using namespace engram;
using namespace engram::test;
namespace asio = boost::asio;
using asio::ip::tcp;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

tcp::endpoint here(unsigned port) {
    return {asio::ip::address_v4::loopback(), std::uint16_t(port)};
}

task<void> open(net::stream& with, std::vector<tcp::endpoint> addresses, net::io_outcome& ended) {
    ended = co_await with.open(std::move(addresses), steady_clock::now() + most_patience);
}

task<void> open_local(net::stream& with, std::string path, net::io_outcome& ended) {
    ended = co_await with.open_local(std::move(path), steady_clock::now() + most_patience);
}

task<void> read_until(net::stream& with, base::steady_time until, net::stream::received& got) {
    std::array<char, 16> buffer;
    with.set_deadline(until);
    got = co_await with.read_some(buffer);
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(streams, serving)

BOOST_AUTO_TEST_CASE(the_next_address_is_tried_when_one_refuses) {
    auto& server = serve({tests::stalls()});
    auto const with = std::make_shared<net::stream>(io.get_executor());
    net::io_outcome ended{net::io_end::failed};
    run(open(*with, {here(free_port()), here(server.port())}, ended));
    BOOST_TEST(ended.ok(), ended.what);
    BOOST_TEST(with->remote() == here(server.port()));
}

BOOST_AUTO_TEST_CASE(the_last_address_says_why_there_is_no_connection) {
    auto const with = std::make_shared<net::stream>(io.get_executor());
    net::io_outcome ended;
    run(open(*with, {here(free_port()), here(free_port())}, ended));
    BOOST_CHECK(ended.end == net::io_end::closed);
    BOOST_TEST(ended.what == "Connection refused");
    run(open(*with, {}, ended));
    BOOST_TEST(ended.what == "the host has no address");
}

BOOST_AUTO_TEST_CASE(without_a_descriptor_it_is_this_process_that_lacks_one) {
    auto& server = serve({tests::stalls()});
    auto const with = std::make_shared<net::stream>(io.get_executor());
    auto const nobody = here(free_port());
    net::io_outcome ended;
    {
        tests::no_descriptors const none;
        run(open(*with, {here(server.port()), nobody}, ended));
        BOOST_CHECK(ended.end == net::io_end::lacking);
        BOOST_TEST(ended.what.starts_with("this machine: no file descriptor is free (limit 1)"), ended.what);
        run(open_local(*with, "/nonexistent/socket", ended));
        BOOST_CHECK(ended.end == net::io_end::lacking);
    }
    run(open(*with, {here(server.port())}, ended));
    BOOST_TEST(ended.ok(), ended.what);
}

// Where the authorities stand in files of their own, these are opened only now.
BOOST_AUTO_TEST_CASE(a_certificate_is_not_blamed_for_a_file_that_could_not_be_opened) {
    auto const authority = tests::make_authority();
    auto const certificate = tests::make_certificate(authority, "IP:127.0.0.1");
    asio::ssl::context context(asio::ssl::context::tls_server);
    context.use_certificate_chain(asio::buffer(certificate.pem));
    context.use_private_key(asio::buffer(certificate.key_pem), asio::ssl::context::pem);
    auto& server = serve({tests::stalls()}, &context);
    auto const policy = std::make_shared<net::tls_policy const>("");
    for (bool const lacking : {true, false}) {
        auto const host = std::make_shared<net::tls_host>(policy, "127.0.0.1");
        auto const with = std::make_shared<net::stream>(io.get_executor(), host);
        net::io_outcome ended;
        base::task_group tasks(io.get_executor());
        auto const accepted = server.connections();
        tasks.spawn("open", open(*with, {here(server.port())}, ended));
        run(until("the server has the connection", [&] { return server.connections() > accepted; }));
        std::optional<tests::no_descriptors> none;
        if (lacking) none.emplace();
        finish(tasks);
        BOOST_CHECK(ended.end == (lacking ? net::io_end::lacking : net::io_end::failed));
        BOOST_TEST(
            ended.what.starts_with(lacking ? "this machine: no file descriptor"
                                           : "TLS handshake: the server's certificate is not accepted"),
            ended.what);
    }
}

BOOST_AUTO_TEST_CASE(a_deadline_ends_a_wait_and_the_next_one_counts_anew) {
    auto& server = serve({hello_when_asked});
    auto const with = std::make_shared<net::stream>(io.get_executor());
    net::io_outcome ended;
    run(open(*with, {here(server.port())}, ended));
    net::stream::received got;
    run(read_until(*with, steady_clock::now() + milliseconds(20), got));
    BOOST_CHECK(got.outcome.end == net::io_end::timed_out);
    BOOST_TEST(with->is_quiet());
    run(say(*with, ask_hello));
    run(read_until(*with, steady_clock::now() + most_patience, got));
    BOOST_TEST(got.outcome.ok(), got.outcome.what);
    BOOST_TEST(got.bytes == 5U);
}

BOOST_AUTO_TEST_CASE(a_deadline_that_could_not_be_armed_is_armed_by_the_next_one) {
    auto& server = serve({tests::stalls()});
    auto const with = std::make_shared<net::stream>(io.get_executor());
    net::io_outcome ended;
    run(open(*with, {here(server.port())}, ended));
    BOOST_TEST(ended.ok(), ended.what);
    auto const arm = [&] { with->set_deadline(steady_clock::now()); };
    {
        tests::failing_memory const out(1);
        BOOST_CHECK_THROW(arm(), std::bad_alloc);
    }
    // Later than what could not be armed.
    net::stream::received got;
    run(read_until(*with, steady_clock::now() + milliseconds(20), got), most_patience);
    BOOST_CHECK(got.outcome.end == net::io_end::timed_out);
}

BOOST_AUTO_TEST_CASE(a_read_that_is_cancelled_throws) {
    auto& server = serve({tests::stalls()});
    auto const with = std::make_shared<net::stream>(io.get_executor());
    net::io_outcome ended;
    run(open(*with, {here(server.port())}, ended));
    net::stream::received got{{net::io_end::failed, "untouched"}};
    base::task_group tasks(io.get_executor());
    tasks.spawn("read", read_until(*with, base::steady_time::max(), got));
    end(tasks);
    BOOST_TEST(tasks.size() == 0U);
    BOOST_TEST(tasks.failures() == 0U);
    BOOST_TEST(got.outcome.what == "untouched");
}

BOOST_AUTO_TEST_CASE(the_end_of_the_peer_is_told) {
    auto& server = serve({closes_when_asked});
    auto const with = std::make_shared<net::stream>(io.get_executor());
    net::io_outcome ended;
    run(open(*with, {here(server.port())}, ended));
    run(say(*with, ask_hello));
    net::stream::received got;
    run(read_until(*with, steady_clock::now() + most_patience, got));
    BOOST_CHECK(got.outcome.end == net::io_end::closed);
    BOOST_TEST(got.outcome.what == "closed by the server");
    BOOST_TEST(!with->is_quiet());
}

BOOST_AUTO_TEST_CASE(a_unix_socket_is_a_path) {
    temporary_folder folder;
    auto const path = (folder.path() / "socket").string();
    asio::local::stream_protocol::acceptor const acceptor(io, asio::local::stream_protocol::endpoint(path));
    auto const with = std::make_shared<net::stream>(io.get_executor());
    net::io_outcome ended{net::io_end::failed};
    run(open_local(*with, path, ended));
    BOOST_TEST(ended.ok(), ended.what);
    auto const nowhere = std::make_shared<net::stream>(io.get_executor());
    run(open_local(*nowhere, path + "2", ended));
    BOOST_TEST(ended.what == "No such file or directory");
    run(open_local(*nowhere, std::string(200, 'x'), ended));
    BOOST_TEST(ended.what == "the path is too long");
}

BOOST_AUTO_TEST_SUITE_END()

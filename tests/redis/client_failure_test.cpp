// The client when Redis, or the way there, fails.
#include "support/loop.hpp"
#include "support/proxy.hpp"
#include "support/redis_server.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/test/unit_test.hpp>

#include <csignal>
#include <memory>
#include <string>
#include <vector>

namespace {

namespace asio = boost::asio;
using namespace engram;
using namespace engram::test;
using namespace std::chrono_literals;
using redis::error_kind;

struct fixture : loop {
    redis_server server;

    void play(task<void> (*body)(fixture&)) { run(body(*this)); }

    // Resumes when a command of another connection blocks.
    task<void> blocked() {
        co_await until("a command blocks", [this] {
            return server.command({"INFO", "clients"}).find("blocked_clients:0") == std::string::npos;
        });
    }
};

// What a client says that meets a server which greets it well and then answers the next bytes with `answer`.
std::string met_by(loop& on, std::string answer) {
    struct peer {
        static task<void> serve(asio::ip::tcp::acceptor& acceptor, std::string last) {
            auto socket = co_await acceptor.async_accept(asio::use_awaitable);
            std::string const answers[] = {"+OK\r\n", "+PONG\r\n",
                                           "-ERR This instance has cluster support disabled\r\n",
                                           "*1\r\n$6\r\nmaster\r\n", last};
            for (auto const& one : answers) {
                char waste[1024];
                co_await socket.async_read_some(asio::buffer(waste), asio::use_awaitable);
                co_await asio::async_write(socket, asio::buffer(one), asio::use_awaitable);
            }
            char waste[1024];
            boost::system::error_code ignored;
            acceptor.close(ignored);
            co_await socket.async_read_some(asio::buffer(waste), asio::use_awaitable);
        }
        static task<void> ask(client& c, std::string& said) {
            auto const answered = co_await c.redis.command({"GET", "x"});
            said = answered ? "answered" : answered.error().message;
        }
    };
    asio::ip::tcp::acceptor acceptor(on.io, {asio::ip::address_v4::loopback(), 0});
    client c(on, redis_at("redis://127.0.0.1:" + std::to_string(acceptor.local_endpoint().port())));
    c.tasks.spawn("peer", peer::serve(acceptor, std::move(answer)));
    c.start();
    std::string said;
    on.run(peer::ask(c, said));
    return said;
}

BOOST_FIXTURE_TEST_SUITE(redis_client_in_trouble, fixture)

BOOST_AUTO_TEST_CASE(without_a_server_a_command_fails_when_its_time_is_up_and_says_why) {
    client c(*this, redis_at("unix://" + (server.folder() / "other.sock").string(), 50ms));
    c.start();
    run([](client& n) -> task<void> {
        auto const answer = co_await n.redis.command({"PING"});
        BOOST_REQUIRE(answer.has_error());
        BOOST_TEST((answer.error().kind == redis::error_kind::disconnected));
        BOOST_TEST(answer.error().message.find("other.sock: No such file") != std::string::npos);
    }(c));
}

BOOST_AUTO_TEST_CASE(a_killed_server_loses_the_commands_in_flight_and_serves_the_later_ones) {
    play([](fixture& f) -> task<void> {
        client c(f, f.server.url());
        call blocked(c, {"BLPOP", "list", "0"});
        call behind(c, {"ECHO", "behind"});
        co_await f.blocked();
        f.server.kill();
        auto const answer = co_await blocked.answer();
        BOOST_TEST((answer.has_error() && answer.error().kind == redis::error_kind::disconnected));
        auto const second = co_await behind.answer();
        BOOST_TEST((second.has_error() && second.error().kind == redis::error_kind::disconnected));
        BOOST_TEST(!c.redis.is_up());
        call later(c, {"ECHO", "later"});
        f.server.start();
        auto const third = co_await later.answer();
        BOOST_REQUIRE(third.has_value());
        BOOST_TEST(third->text == "later");
        BOOST_TEST(c.redis.generation() == 2u);
    });
}

BOOST_AUTO_TEST_CASE(a_command_lost_with_its_connection_is_not_sent_again) {
    play([](fixture& f) -> task<void> {
        proxy cable(f, f.server.socket());
        client c(f, cable.url());
        cable.lose_answer_to("INCR");
        auto const answer = co_await c.redis.command({"INCR", "n"});
        BOOST_TEST((answer.has_error() && answer.error().kind == redis::error_kind::disconnected));
        auto const again = co_await c.redis.command({"GET", "n"});
        BOOST_REQUIRE(again.has_value());
        BOOST_TEST(again->text == "1");
        BOOST_TEST(cable.lost() == 1u);
    });
}

BOOST_AUTO_TEST_CASE(a_connection_that_an_operator_kills_is_made_anew) {
    play([](fixture& f) -> task<void> {
        client c(f, f.server.url());
        call blocked(c, {"BLPOP", "list", "0"});
        co_await f.blocked();
        f.server.command({"CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"});
        auto const answer = co_await blocked.answer();
        BOOST_TEST((answer.has_error() && answer.error().kind == redis::error_kind::disconnected));
        auto const later = co_await c.redis.command({"ECHO", "later"});
        BOOST_TEST((later.has_value() && later->text == "later"));
    });
}

BOOST_AUTO_TEST_CASE(a_server_that_stops_is_a_timeout_and_is_met_again_when_it_goes_on) {
    play([](fixture& f) -> task<void> {
        client c(f, redis_at(f.server.url(), 300ms));
        c.start();
        auto const first = co_await c.redis.command({"PING"});
        BOOST_TEST(first.has_value());
        f.server.signal(SIGSTOP);
        call one(c, {"ECHO", "one"});
        call two(c, {"ECHO", "two"});
        auto const answer = co_await one.answer();
        BOOST_REQUIRE(answer.has_error());
        BOOST_TEST((answer.error().kind == redis::error_kind::timeout));
        auto const second = co_await two.answer();
        BOOST_TEST(second.has_error());
        co_await until("the connection is given up", [&] { return !c.redis.is_up(); });
        f.server.signal(SIGCONT);
        co_await c.redis.wait_until_up(std::chrono::steady_clock::now() + most_patience);
        auto const later = co_await c.redis.command({"ECHO", "later"}, 10s);
        BOOST_REQUIRE(later.has_value());
        BOOST_TEST(later->text == "later");
        BOOST_TEST(c.redis.generation() >= 2u);
    });
}

BOOST_AUTO_TEST_CASE(who_waits_for_a_steady_connection_waits_no_longer_than_asked) {
    play([](fixture& f) -> task<void> {
        client c(f, redis_at(f.server.url(), 20s));
        c.start();
        auto const first = co_await c.redis.command({"PING"});
        BOOST_TEST(first.has_value());
        f.server.signal(SIGSTOP);
        auto const begun = std::chrono::steady_clock::now();
        bool const steady = co_await c.redis.wait_until_steady(begun + 300ms);
        BOOST_TEST(!steady);
        BOOST_TEST((std::chrono::steady_clock::now() - begun < 5s));
        BOOST_TEST(c.redis.is_up());  // nothing says that it is dead
        f.server.signal(SIGCONT);
        bool const later =
            co_await c.redis.wait_until_steady(std::chrono::steady_clock::now() + most_patience);
        BOOST_TEST(later);
        auto const answer = co_await c.redis.command({"ECHO", "in order"});
        BOOST_TEST((answer.has_value() && answer->text == "in order"));
    });
}

BOOST_AUTO_TEST_CASE(patience_is_added_for_a_command_that_blocks_on_purpose) {
    play([](fixture& f) -> task<void> {
        client c(f, redis_at(f.server.url(), 100ms));
        c.start();
        call blocking(c, {"BLPOP", "list", "0.4"}, 10s);
        auto const answer = co_await blocking.answer();
        BOOST_REQUIRE(answer.has_value());
        BOOST_TEST(answer->is_nil());
    });
}

BOOST_AUTO_TEST_CASE(what_is_not_redis_is_hung_up_on) {
    BOOST_TEST(met_by(*this, "HTTP/1.1 400 Bad Request\r\n\r\n").find("not RESP") != std::string::npos);
    BOOST_TEST(met_by(*this, std::string("\0\xff", 2)).find("not RESP") != std::string::npos);
    BOOST_TEST(met_by(*this, "*2000000000\r\n").find("not RESP") != std::string::npos);
    BOOST_TEST(met_by(*this, "$5\r\nhello\r\n") == "answered");
}

BOOST_AUTO_TEST_CASE(a_server_that_is_still_loading_is_not_used) {
    play([](fixture& f) -> task<void> {
        struct peer {
            static task<void> serve(asio::ip::tcp::acceptor& acceptor, int& greeted) {
                for (;;) {
                    auto socket = co_await acceptor.async_accept(asio::use_awaitable);
                    char waste[1024];
                    std::string const loading = "-LOADING Redis is loading the dataset in memory\r\n";
                    co_await socket.async_read_some(asio::buffer(waste), asio::use_awaitable);
                    co_await asio::async_write(socket, asio::buffer(loading), asio::use_awaitable);
                    ++greeted;
                }
            }
        };
        asio::ip::tcp::acceptor acceptor(f.io, {asio::ip::address_v4::loopback(), 0});
        client c(f, redis_at("redis://127.0.0.1:" + std::to_string(acceptor.local_endpoint().port())));
        int greeted = 0;
        c.tasks.spawn("peer", peer::serve(acceptor, greeted));
        c.start();
        co_await until("it was tried again", [&] { return greeted >= 3; });
        BOOST_TEST(!c.redis.is_up());
        BOOST_TEST(c.redis.trouble().find("LOADING") != std::string::npos);
        BOOST_TEST(c.redis.generation() == 0u);
    });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace

// What is kept for the next call, and for how long.
#include "http/client/pool.hpp"

#include "support/failing_memory.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/test/unit_test.hpp>

#include <chrono>
#include <exception>
#include <new>
#include <utility>

namespace {

namespace asio = boost::asio;
using namespace engram;
using namespace std::chrono_literals;
using asio::ip::tcp;
using std::chrono::steady_clock;

constexpr auto most_patience = 10s;

struct fixture {
    asio::io_context io;
    // Nobody accepts: the system completes the connections all the same.
    tcp::acceptor server{io, {asio::ip::address_v4::loopback(), 0}};
    net::names hosts{io.get_executor(), "127.0.0.1", server.local_endpoint().port()};
    http::pool pool{io.get_executor(), hosts, nullptr, 10ms, 8};

    http::pool::lease connect() {
        http::pool::lease made;
        bool ended = false;
        asio::co_spawn(io, pool.open(made, steady_clock::now() + most_patience),
                       [&](std::exception_ptr error, net::io_outcome const& outcome) {
                           ended = true;
                           BOOST_TEST(!error);
                           BOOST_TEST(outcome.ok(), outcome.what);
                       });
        run_until([&] { return ended; });
        BOOST_REQUIRE(made);
        return made;
    }

    // Whether the idle ones are closed by themselves.
    bool expire() {
        run_until([this] { return pool.idle() == 0; });
        return pool.idle() == 0;
    }

    template <class Condition>
    void run_until(Condition done) {
        auto const until = steady_clock::now() + most_patience;
        io.restart();
        while (!done() && io.run_one_until(until) > 0)
            continue;
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(pools_of_connections, fixture)

BOOST_AUTO_TEST_CASE(idle_connections_are_closed_by_themselves_however_often) {
    for (int i = 0; i < 2; ++i) {
        pool.give_back(connect());
        BOOST_TEST(pool.connections() == 1U);
        BOOST_TEST(expire());
    }
}

BOOST_AUTO_TEST_CASE(an_expiry_that_could_not_be_armed_is_armed_by_the_next_connection) {
    auto const failures = tests::fail_each_allocation([this](std::size_t nth) {
        auto first = connect();
        auto second = connect();
        bool failed = false;
        {
            tests::failing_memory const out(nth);
            try {
                pool.give_back(std::move(first));
            } catch (std::bad_alloc const&) {
            }
            failed = out.has_failed();
        }
        pool.give_back(std::move(second));
        BOOST_TEST(expire(), "after the failure of allocation " << nth);
        BOOST_TEST(pool.connections() == 0U);
        return failed;
    });
    BOOST_TEST(failures > 0U);
}

BOOST_AUTO_TEST_CASE(what_is_idle_when_it_closes_is_closed_and_nothing_idles_any_more) {
    auto late = connect();
    pool.give_back(connect());
    pool.close();
    pool.give_back(std::move(late));
    BOOST_TEST(pool.connections() == 0U);
    io.restart();
    io.run_for(most_patience);
    BOOST_TEST(io.stopped());
}

BOOST_AUTO_TEST_SUITE_END()

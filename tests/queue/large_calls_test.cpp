// The connection for payloads under suspicion.
#include "queue/large_calls.hpp"

#include "support/failing_memory.hpp"
#include "support/loop.hpp"
#include "support/redis_server.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/test/unit_test.hpp>

#include <chrono>
#include <cstddef>
#include <exception>

namespace {

using namespace engram;
using namespace engram::test;
using namespace std::chrono_literals;
using std::chrono::steady_clock;

struct fixture : loop {
    redis_server server;

    task<bool> comes_to_turn(queue::large_calls& calls, std::chrono::milliseconds patience) {
        auto const turn = co_await calls.wait(steady_clock::now() + patience);
        co_return turn.has_value();
    }

    // Whether the first try failed for want of memory; the second one has its connection all the same.
    bool try_with_failure(std::size_t nth) {
        base::part tasks(io.get_executor());
        queue::large_calls calls(redis_at(server.url()), io.get_executor(), tasks);
        bool ended = false, failed = false, came = false;
        boost::asio::co_spawn(io, comes_to_turn(calls, 100ms), [&](std::exception_ptr error, bool) {
            ended = true;
            failed = error != nullptr;
        });
        {
            tests::failing_memory const out(nth);
            io.restart();
            io.run_one();
        }
        run(try_again(calls, tasks, failed, came, ended));
        BOOST_TEST(came, "after the failure of allocation " << nth);
        return failed;
    }
    task<void> try_again(queue::large_calls& calls, base::part& tasks, bool failed, bool& came, bool& ended) {
        came = !failed;
        if (failed) came = co_await comes_to_turn(calls, most_patience);
        co_await until("the first one has ended", [&ended] { return ended; });
        co_await tasks.stop();
    }
};

BOOST_FIXTURE_TEST_SUITE(large_calls, fixture)

BOOST_AUTO_TEST_CASE(who_could_not_begin_the_connection_for_want_of_memory_leaves_it_to_the_next) {
    auto const failures =
        tests::fail_each_allocation([this](std::size_t nth) { return try_with_failure(nth); });
    BOOST_TEST(failures > 0u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace

// Time limits, cancellation and places.
#include "harness.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/test/unit_test.hpp>

#include <sys/socket.h>
#include <tuple>

using namespace engram;
using namespace engram::tests;
using claude::call_class;
using claude::error_kind;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

namespace asio = boost::asio;

asio::awaitable<void> stall_in_the_body(peer& p) {
    co_await p.request();
    co_await p.send("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{");
    co_await p.until_closed();
}

asio::awaitable<void> never_read(peer&) {
    asio::steady_timer forever(co_await asio::this_coro::executor,
                               std::chrono::steady_clock::time_point::max());
    co_await forever.async_wait(asio::use_awaitable);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(deadlines)

BOOST_AUTO_TEST_CASE(a_stalled_answer_times_out_and_is_tried_again) {
    harness h({stalls(), stall_in_the_body, echoes()});
    h.options.timeout = milliseconds(150);
    h.options.max_retries = 1;
    auto const answer = h.ask();
    BOOST_REQUIRE(answer.has_error());
    BOOST_CHECK(answer.error().kind == error_kind::unavailable);
    BOOST_TEST(answer.error().passes);
    BOOST_TEST(answer.error().code == "timed_out");
    BOOST_TEST(answer.error().attempts == 2U);
    BOOST_TEST(h.client().status().connections == 0U);
    BOOST_TEST(h.ask(question("fine"))->text() == "fine");
}

BOOST_AUTO_TEST_CASE(a_server_that_does_not_read_times_out) {
    harness h({never_read});
    h.options.timeout = milliseconds(40);
    h.options.max_retries = 0;
    auto const answer = h.ask(question(std::string(20'000'000, 'x')));
    BOOST_REQUIRE(answer.has_error());
    BOOST_CHECK(answer.error().kind == error_kind::unavailable);
}

BOOST_AUTO_TEST_CASE(the_callers_deadline_comes_before_the_timeout) {
    harness h({stalls()});
    auto const answer = h.ask(question(), milliseconds(40));
    BOOST_REQUIRE(answer.has_error());
    BOOST_CHECK(answer.error().kind == error_kind::deadline);
    BOOST_TEST(answer.error().attempts == 1U);
    BOOST_TEST(h.client().status().calls_in_flight == 0U);
}

BOOST_AUTO_TEST_CASE(a_reused_connection_keeps_the_new_callers_deadline) {
    harness h({[](peer& p) -> asio::awaitable<void> {
        co_await p.request();
        co_await p.send(http_answer(200, message_json("quick")));
        co_await p.request();
        co_await p.until_closed();
    }});
    BOOST_TEST(h.ask(question(), seconds(60)).has_value());
    auto const begin = std::chrono::steady_clock::now();
    BOOST_CHECK(h.ask(question(), milliseconds(40)).error().kind == error_kind::deadline);
    BOOST_TEST((std::chrono::steady_clock::now() - begin < seconds(5)));
    BOOST_TEST(h.server().connections() == 1U);
}

BOOST_AUTO_TEST_CASE(an_early_deadline_does_not_end_a_later_call) {
    harness h({echoes()});
    // The connection's timer is still set for the first call's end when the later calls are made.
    auto const first_end = std::chrono::steady_clock::now() + milliseconds(300);
    BOOST_TEST(h.ask(question("a"), milliseconds(300)).has_value());
    while (std::chrono::steady_clock::now() < first_end + milliseconds(30))
        BOOST_REQUIRE(h.ask(question("b")).has_value());
    BOOST_TEST(h.server().connections() == 1U);
}

BOOST_AUTO_TEST_CASE(a_deadline_that_is_past_asks_nothing) {
    harness h({echoes()});
    auto const answer = h.ask(question(), milliseconds(-1));
    BOOST_CHECK(answer.error().kind == error_kind::deadline);
    BOOST_TEST(answer.error().attempts == 0U);
    BOOST_TEST(h.client().status().requests == 0U);
}

BOOST_AUTO_TEST_CASE(a_call_without_an_end_of_its_own_works) {
    harness h({echoes()});
    h.options.timeout = milliseconds::max();
    h.options.connect_timeout = milliseconds::max();
    BOOST_TEST(h.ask().has_value());
}

BOOST_AUTO_TEST_CASE(a_connection_that_is_not_accepted_times_out) {
    asio::io_context other;
    asio::ip::tcp::acceptor full(other, asio::ip::tcp::endpoint(asio::ip::address_v4::loopback(), 0));
    full.listen(0);
    std::vector<asio::ip::tcp::socket> fill;  // the queue of a listener that accepts nothing
    auto const address = full.local_endpoint();
    for (int i = 0; i < 8; ++i) {
        fill.emplace_back(other, asio::ip::tcp::v4());
        fill.back().native_non_blocking(true);
        // Asio's own connect() would wait; how each of these ends does not matter.
        std::ignore = ::connect(fill.back().native_handle(), address.data(), socklen_t(address.size()));
    }
    harness h({echoes()});
    h.options.base_url = "http://127.0.0.1:" + std::to_string(full.local_endpoint().port());
    h.options.connect_timeout = milliseconds(40);
    h.options.max_retries = 0;
    auto const answer = h.ask();
    BOOST_REQUIRE(answer.has_error());
    BOOST_CHECK(answer.error().kind == error_kind::unavailable);
    BOOST_TEST(answer.error().message.find("no connection in time") != std::string::npos);
    BOOST_TEST(answer.error().code == "no_connection");
}

BOOST_AUTO_TEST_CASE(a_cancelled_call_ends_and_closes_its_connection) {
    harness h({stalls()});
    pending_call call(h, question(), call_class::chat);
    h.run_until([&] { return h.server().requests().size() == 1; });
    BOOST_TEST(h.client().status().connections == 1U);
    call.cancel();
    h.run_until([&] { return call.ended(); });
    BOOST_TEST(call.was_cancelled());
    BOOST_TEST(h.client().status().connections == 0U);
    BOOST_TEST(h.client().status().calls_in_flight == 0U);
}

BOOST_AUTO_TEST_CASE(a_call_can_be_cancelled_at_any_step) {
    for (int steps = 0; steps < 40; ++steps) {
        harness h({stalls()});
        h.options.base_url = "http://localhost:" + std::to_string(h.server().port());
        pending_call call(h, question(), call_class::chat);
        for (int i = 0; i < steps && h.server().requests().empty(); ++i)
            h.loop().run_one();
        call.cancel();
        h.run_until([&] { return call.ended(); });
        BOOST_TEST(call.was_cancelled());
        BOOST_TEST(h.client().status().connections == 0U);
        BOOST_TEST(h.client().status().calls_in_flight == 0U);
    }
}

BOOST_AUTO_TEST_CASE(a_call_that_waits_for_a_place_keeps_its_deadline) {
    harness h({stalls()});
    h.options.max_connections = 1;
    pending_call first(h, question(), call_class::chat);
    h.run_until([&] { return h.server().requests().size() == 1; });
    auto const second = h.ask(question(), milliseconds(30));
    BOOST_CHECK(second.error().kind == error_kind::deadline);
    BOOST_TEST(second.error().attempts == 0U);
    first.cancel();
    h.run_until([&] { return first.ended(); });
}

BOOST_AUTO_TEST_CASE(chats_are_asked_before_background_calls) {
    harness h({echoes()});
    h.options.max_connections = 1;
    std::vector<pending_call> calls;
    calls.emplace_back(h, question("first"), call_class::chat);
    calls.emplace_back(h, question("background"), call_class::background);
    calls.emplace_back(h, question("chat"), call_class::chat);
    for (auto const& call : calls)
        h.run_until([&] { return call.ended(); });
    auto const& requests = h.server().requests();
    BOOST_REQUIRE(requests.size() == 3U);
    BOOST_TEST(requests[0].find("first") != std::string::npos);
    BOOST_TEST(requests[1].find("\"chat\"") != std::string::npos);
    BOOST_TEST(requests[2].find("background") != std::string::npos);
    BOOST_TEST(h.server().connections() == 1U);
}

BOOST_AUTO_TEST_SUITE_END()

// Whatever a server does, the caller gets an error by value and in time.
#include "harness.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/test/unit_test.hpp>

#include <string>

using namespace engram::tests;
using engram::base::secret;
using engram::embedding::error_kind;
using engram::embedding::purpose;
using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;
namespace asio = boost::asio;

namespace {

bool has(std::string const& text, std::string_view part) {
    return text.find(part) != text.npos;
}

asio::awaitable<void> stall_in_the_body(peer& p) {
    co_await p.request();
    co_await p.send("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{");
    co_await p.until_closed();
}

asio::awaitable<void> flood(peer& p) {
    co_await p.request();
    co_await p.send("HTTP/1.1 200 OK\r\n\r\n");
    for (std::string const megabyte(1024 * 1024, ' ');;)
        co_await p.send(megabyte);
}

engram::embedding::error failure_of(script what) {
    harness h({std::move(what)});
    auto const read = h.embed({"a", "b"}, purpose::query);
    if (read.has_value()) throw std::logic_error("no failure");
    BOOST_TEST(h.client().status().failures == 1U);
    BOOST_TEST(h.client().status().resting == (read.error().kind != error_kind::rejected));
    return read.error();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(embedding_failures)

BOOST_AUTO_TEST_CASE(a_status_other_than_2xx_is_an_error) {
    for (int const status : {400, 413, 422})
        BOOST_CHECK(failure_of(answers({http_answer(status, "no")})).kind == error_kind::rejected);
    for (int const status : {301, 401, 404, 429, 500, 503}) {
        auto const e =
            failure_of(answers({http_answer(status, R"({"error":{"message":"a user's words"}})")}));
        BOOST_CHECK(e.kind == error_kind::unavailable);
        BOOST_TEST(e.status == status);
        BOOST_TEST(!has(e.message, "a user's words"));
    }
}

BOOST_AUTO_TEST_CASE(garbage_is_an_error) {
    for (auto const& bytes :
         {std::string("garbage\r\n\r\n"), std::string(100, '\0'), http_answer(200, ""),
          http_answer(200, "not json"), http_answer(200, "{}"), http_answer(200, vectors_answer({"[1]"})),
          http_answer(200, vectors_answer({"[1]", "[1,2]"})),
          http_answer(200, vectors_answer({"[1]", "[null]"})),
          http_answer(200, vectors_answer({"[1]", "\"AAAA\""})),
          http_answer(200, vectors_answer({"[1]", "[2]"}), "content-encoding: gzip\r\n")}) {
        auto const e = failure_of(answers_and_closes(bytes));
        BOOST_CHECK(e.kind == error_kind::unavailable);
        BOOST_TEST(has(e.message, "the embedding endpoint"), e.message);
    }
}

BOOST_AUTO_TEST_CASE(an_answer_that_is_cut_is_an_error) {
    auto const whole = http_answer(200, vectors_answer({"[1]", "[2]"}));
    for (std::size_t const size : {std::size_t(0), std::size_t(7), whole.size() / 2, whole.size() - 1})
        BOOST_CHECK(failure_of(answers_and_closes(whole.substr(0, size))).kind == error_kind::unavailable);
}

BOOST_AUTO_TEST_CASE(an_answer_without_end_is_refused_at_its_limit) {
    BOOST_TEST(has(failure_of(flood).message, "is longer than 67108864 bytes"));
}

BOOST_AUTO_TEST_CASE(an_endpoint_that_is_not_there_is_an_error) {
    harness h({measures()});
    asio::ip::tcp::acceptor taken(h.loop(), asio::ip::tcp::endpoint(asio::ip::address_v4::loopback(), 0));
    h.options.base_url = "http://127.0.0.1:" + std::to_string(taken.local_endpoint().port());
    taken.close();
    auto const read = h.query();
    BOOST_REQUIRE(read.has_error());
    BOOST_CHECK(read.error().kind == error_kind::unavailable);
    BOOST_TEST(has(read.error().message, h.options.base_url.substr(7)));
}

BOOST_AUTO_TEST_CASE(a_server_that_hangs_costs_a_query_its_timeout) {
    for (auto const& hang : {stalls(), script(stall_in_the_body)}) {
        harness h({hang});
        h.options.timeout = milliseconds(40);
        auto const begin = steady_clock::now();
        auto const read = h.query();
        BOOST_REQUIRE(read.has_error());
        BOOST_CHECK(read.error().kind == error_kind::unavailable);
        BOOST_TEST((steady_clock::now() - begin < seconds(5)));
    }
}

BOOST_AUTO_TEST_CASE(documents_have_a_timeout_of_their_own) {
    harness h({stalls()});
    h.options.batch_timeout = milliseconds(40);
    BOOST_CHECK(h.embed({"a"}).error().kind == error_kind::unavailable);
}

BOOST_AUTO_TEST_CASE(the_callers_time_ends_any_wait) {
    for (auto const why : {purpose::query, purpose::document}) {
        harness h({stalls()});
        auto const begin = steady_clock::now();
        auto const read = h.embed({"a"}, why, milliseconds(40));
        BOOST_REQUIRE(read.has_error());
        BOOST_CHECK(read.error().kind == error_kind::deadline);
        BOOST_TEST(!h.client().status().resting);
        BOOST_TEST((steady_clock::now() - begin < seconds(5)));
    }
}

BOOST_AUTO_TEST_CASE(a_caller_with_the_endpoints_own_time_does_not_excuse_it) {
    harness h({stalls()});
    h.options.timeout = milliseconds(400);
    auto const read = h.embed({"a"}, purpose::query, milliseconds(399));
    BOOST_REQUIRE(read.has_error());
    BOOST_CHECK(read.error().kind == error_kind::unavailable);
    BOOST_TEST(h.client().status().resting);
}

BOOST_AUTO_TEST_CASE(when_the_callers_time_is_over_nothing_is_sent_and_nothing_learnt) {
    harness h({measures()});
    auto const read = h.embed({"a"}, purpose::query, milliseconds(0));
    BOOST_REQUIRE(read.has_error());
    BOOST_CHECK(read.error().kind == error_kind::deadline);
    BOOST_TEST(h.client().status().requests == 0U);
    BOOST_TEST(!h.client().status().resting);
}

// A server that closes so late may have worked on the request.
BOOST_AUTO_TEST_CASE(a_kept_connection_that_closes_later_is_a_failure_and_not_asked_again) {
    harness h(
        {answers_then_closes_later(http_answer(200, vectors_answer({"[1]"})), milliseconds(60)), measures()});
    h.options.died_idle_within = milliseconds(20);
    BOOST_TEST(h.query().has_value());
    auto const second = h.query();
    BOOST_REQUIRE(second.has_error());
    BOOST_CHECK(second.error().kind == error_kind::unavailable);
    BOOST_TEST(h.client().status().failures == 1U);
    BOOST_TEST(h.client().status().resting);
    BOOST_TEST(h.server().requests().size() == 2U);
}

BOOST_AUTO_TEST_CASE(a_blank_text_is_refused_without_a_request) {
    harness h({measures()});
    auto const read = h.embed({"a", " \n"});
    BOOST_REQUIRE(read.has_error());
    BOOST_CHECK(read.error().kind == error_kind::rejected);
    BOOST_TEST(h.server().connections() == 0U);
}

BOOST_AUTO_TEST_CASE(a_key_that_the_server_repeats_is_not_passed_on) {
    harness h({answers({http_answer(401, "bad key sk-test-0123456789")})});
    h.options.api_key = secret("sk-test-0123456789");
    auto const read = h.query();
    BOOST_REQUIRE(read.has_error());
    BOOST_TEST(!has(read.error().message, "sk-test"));
}

BOOST_AUTO_TEST_CASE(a_failed_batch_fails_the_call) {
    harness h({answers({http_answer(200, vectors_answer({"[1]"})), http_answer(500, "")})});
    h.options.batch = 1;
    BOOST_TEST(h.embed({"a", "b", "c"}).has_error());
    BOOST_TEST(h.server().requests().size() == 2U);
}

BOOST_AUTO_TEST_CASE(a_cancelled_call_throws_and_leaves_nothing) {
    harness h({stalls()});
    pending call(h, {"a"}, purpose::query);
    h.run_until([&] { return h.server().requests().size() == 1; });
    call.cancel();
    h.run_until([&] { return call.ended(); });
    BOOST_TEST(call.was_cancelled());
    BOOST_TEST(h.client().status().failures == 0U);
    BOOST_TEST(!h.client().status().resting);
}

BOOST_AUTO_TEST_SUITE_END()

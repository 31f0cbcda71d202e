// How the client uses its connections, and what it makes of those that fail it.
#include "harness.hpp"
#include "support/no_descriptors.hpp"

#include <boost/test/unit_test.hpp>

#include <stdexcept>
#include <tuple>

using namespace engram;
using namespace engram::tests;
namespace asio = boost::asio;
using std::chrono::milliseconds;

namespace {

asio::awaitable<void> answer_then_reset(peer& p) {
    co_await p.request();
    co_await p.send(http_answer(200, message_json("first")));
    co_await p.request();
    p.reset();
}

asio::awaitable<void> answer_in_pieces(peer& p) {
    co_await p.request();
    auto const reply = http_answer(200, message_json("piece by piece"), "request-id: req_7\r\n");
    for (char const c : reply)
        co_await p.send(std::string(1, c));
    co_await p.until_closed();
}

asio::awaitable<void> reset_in_the_middle(peer& p) {
    co_await p.request();
    co_await p.send("HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n{\"content\":");
    p.reset();
}

asio::awaitable<void> refuse_before_reading(peer& p) {
    co_await p.send(http_answer(413, R"({"error":{"type":"request_too_large","message":"too large"}})",
                                "connection: close\r\n"));
    co_await p.until_closed();
}

asio::awaitable<void> close_at_once(peer& p) {
    co_await p.request();
    p.close();
}

asio::awaitable<void> two_answers_for_one(peer& p) {
    co_await p.request();
    co_await p.send(http_answer(200, message_json("asked")) + http_answer(200, message_json("not asked")));
    co_await p.until_closed();
}

std::string long_text(std::size_t size) {
    return std::string(size, 'x');
}

}  // namespace

BOOST_AUTO_TEST_SUITE(connections)

BOOST_AUTO_TEST_CASE(an_answer_comes_back_whole) {
    harness h({answers({http_answer(200, message_json("hello"), "request-id: req_1\r\n")})});
    auto const answer = h.ask();
    BOOST_REQUIRE(answer.has_value());
    BOOST_TEST(answer->text() == "hello");
    BOOST_TEST(answer->model == "claude-opus-4-5-20251101");
    BOOST_TEST(answer->stop_reason == "end_turn");
    BOOST_TEST(answer->request_id == "req_1");
    BOOST_TEST(answer->attempts == 1U);
    BOOST_TEST(answer->usage.input_tokens == 10);
    BOOST_TEST(*answer->cost_usd == 100e-6, boost::test_tools::tolerance(1e-9));
}

BOOST_AUTO_TEST_CASE(one_connection_serves_call_after_call) {
    harness h({echoes()});
    for (int i = 0; i < 20; ++i)
        BOOST_TEST(h.ask(question(std::to_string(i)))->text() == std::to_string(i));
    BOOST_TEST(h.server().connections() == 1U);
    BOOST_TEST(h.client().status().idle_connections == 1U);
    BOOST_TEST(h.client().status().requests == 20U);
}

BOOST_AUTO_TEST_CASE(calls_at_the_same_time_have_a_connection_each) {
    harness h({echoes()});
    h.options.first_calls = 10;
    std::vector<pending_call> calls;
    for (int i = 0; i < 10; ++i)
        calls.emplace_back(h, question(std::to_string(i)), claude::call_class::chat);
    for (int i = 0; i < 10; ++i) {
        h.run_until([&] { return calls[std::size_t(i)].ended(); });
        BOOST_TEST(calls[std::size_t(i)].outcome()->text() == std::to_string(i));
    }
    BOOST_TEST(h.server().connections() == 10U);
    BOOST_TEST(h.client().status().calls_in_flight == 0U);
    BOOST_TEST(h.client().status().connections == 10U);
}

BOOST_AUTO_TEST_CASE(a_connection_that_died_idle_is_replaced_at_once) {
    harness h({answer_then_reset, echoes()});
    h.options.max_retries = 0;
    BOOST_TEST(h.ask()->text() == "first");
    auto const second = h.ask(question("second"));
    BOOST_REQUIRE(second.has_value());
    BOOST_TEST(second->text() == "second");
    BOOST_TEST(second->attempts == 1U);
    BOOST_TEST(h.client().status().retries == 0U);
    BOOST_TEST(h.server().connections() == 2U);
}

// A server that closes so late may have worked on the request, and bills it.
BOOST_AUTO_TEST_CASE(a_kept_connection_that_closes_later_is_a_try_that_failed) {
    harness h(
        {answers_then_closes_later(http_answer(200, message_json("first")), milliseconds(60)), echoes()});
    h.options.died_idle_within = milliseconds(20);
    BOOST_TEST(h.ask()->text() == "first");
    auto const second = h.ask(question("second"));
    BOOST_REQUIRE(second.has_value());
    BOOST_TEST(second->text() == "second");
    BOOST_TEST(second->attempts == 2U);
    BOOST_TEST(h.client().status().retries == 1U);
    BOOST_TEST(h.client().status().requests == 3U);
}

BOOST_AUTO_TEST_CASE(a_kept_connection_that_closes_later_without_tries_left_is_a_failure) {
    harness h(
        {answers_then_closes_later(http_answer(200, message_json("first")), milliseconds(60)), echoes()});
    h.options.died_idle_within = milliseconds(20);
    h.options.max_retries = 0;
    BOOST_TEST(h.ask()->text() == "first");
    auto const second = h.ask(question("second"));
    BOOST_REQUIRE(second.has_error());
    BOOST_CHECK(second.error().kind == claude::error_kind::unavailable);
    BOOST_TEST(second.error().attempts == 1U);
    BOOST_TEST(h.server().requests().size() == 2U);
}

BOOST_AUTO_TEST_CASE(a_kept_connection_that_closes_soon_has_died_idle) {
    harness h(
        {answers_then_closes_later(http_answer(200, message_json("first")), milliseconds(20)), echoes()});
    h.options.died_idle_within = std::chrono::hours(1);
    h.options.max_retries = 0;
    BOOST_TEST(h.ask()->text() == "first");
    auto const second = h.ask(question("second"));
    BOOST_REQUIRE(second.has_value());
    BOOST_TEST(second->attempts == 1U);
    BOOST_TEST(h.client().status().retries == 0U);
}

BOOST_AUTO_TEST_CASE(a_connection_seen_to_be_closed_is_not_used_again) {
    harness h({answers_and_closes(http_answer(200, message_json("first"))), echoes()});
    h.options.max_retries = 0;
    BOOST_TEST(h.ask()->text() == "first");
    while (h.loop().poll_one() != 0) {
    }
    BOOST_TEST(h.ask(question("second"))->text() == "second");
    BOOST_TEST(h.client().status().requests == 2U);
}

BOOST_AUTO_TEST_CASE(a_new_connection_that_dies_is_a_failure) {
    harness h({answer_then_reset, close_at_once, echoes()});
    h.options.max_retries = 0;
    BOOST_TEST(h.ask()->text() == "first");
    auto const second = h.ask();
    BOOST_REQUIRE(second.has_error());
    BOOST_CHECK(second.error().kind == claude::error_kind::unavailable);
    BOOST_TEST(h.server().connections() == 2U);
}

BOOST_AUTO_TEST_CASE(an_answer_in_single_bytes_is_put_together) {
    harness h({answer_in_pieces});
    BOOST_TEST(h.ask()->text() == "piece by piece");
}

BOOST_AUTO_TEST_CASE(a_large_request_and_a_large_answer_pass) {
    harness h({echoes()});
    auto const text = long_text(5'000'000);
    auto const answer = h.ask(question(text));
    BOOST_REQUIRE(answer.has_value());
    BOOST_TEST((answer->text() == text));
}

BOOST_AUTO_TEST_CASE(an_answer_that_is_too_large_is_refused) {
    harness h({answers({http_answer(200, message_json(long_text(5000)))})});
    h.options.max_response_bytes = 1000;
    h.options.max_retries = 0;
    auto const answer = h.ask();
    BOOST_REQUIRE(answer.has_error());
    BOOST_TEST(answer.error().message.find("longer than 1000 bytes") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(an_early_refusal_of_a_large_request_is_understood) {
    harness h({refuse_before_reading});
    auto const answer = h.ask(question(long_text(20'000'000)));
    BOOST_REQUIRE(answer.has_error());
    BOOST_CHECK(answer.error().kind == claude::error_kind::rejected);
    BOOST_TEST(answer.error().status == 413);
}

BOOST_AUTO_TEST_CASE(bytes_that_nobody_asked_for_end_the_connection) {
    harness h({two_answers_for_one, echoes()});
    BOOST_TEST(h.ask()->text() == "asked");
    BOOST_TEST(h.ask(question("second"))->text() == "second");
    BOOST_TEST(h.server().connections() == 2U);
}

BOOST_AUTO_TEST_CASE(a_server_that_wants_to_close_is_let) {
    harness h({answers({http_answer(200, message_json("a"), "connection: close\r\n")}),
               answers_and_closes("HTTP/1.0 200 OK\r\n\r\n" + message_json("b")), echoes()});
    BOOST_TEST(h.ask()->text() == "a");
    BOOST_TEST(h.client().status().connections == 0U);
    BOOST_TEST(h.ask()->text() == "b");
    BOOST_TEST(h.ask(question("c"))->text() == "c");
    BOOST_TEST(h.server().connections() == 3U);
}

BOOST_AUTO_TEST_CASE(a_reset_a_cut_and_garbage_are_tried_again) {
    for (script const& bad :
         {script(reset_in_the_middle),
          answers_and_closes("HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n{\"con"),
          answers({"garbage\r\n\r\n"}), answers({http_answer(200, "not json"), http_answer(200, "not json")}),
          answers({http_answer(200, "{}"), http_answer(200, "{}")}),
          answers({http_answer(200, message_json("x"), "content-encoding: gzip\r\n"),
                   http_answer(200, message_json("x"), "content-encoding: gzip\r\n")}),
          script(close_at_once)}) {
        harness h({bad, bad});
        h.options.max_retries = 1;
        auto const answer = h.ask();
        BOOST_REQUIRE(answer.has_error());
        BOOST_CHECK(answer.error().kind == claude::error_kind::unavailable);
        BOOST_TEST(answer.error().attempts == 2U);
        BOOST_TEST(!answer.error().message.empty());
        BOOST_TEST(answer.error().passes);
        BOOST_TEST(answer.error().code == (answer.error().status == 200 ? "unreadable" : "cut"));
        BOOST_TEST(h.client().status().retries == 1U);
        BOOST_TEST(h.client().status().failures == 1U);
    }
}

BOOST_AUTO_TEST_CASE(a_compressed_answer_is_refused_with_the_reason) {
    harness h({answers({http_answer(200, "\x1f\x8b", "content-encoding: gzip\r\n")})});
    h.options.max_retries = 0;
    BOOST_TEST(h.ask().error().message.find("encoded (gzip)") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(an_unused_connection_is_closed_after_a_while) {
    harness h({echoes()});
    h.options.idle_timeout = milliseconds(80);
    BOOST_TEST(h.ask().has_value());
    BOOST_TEST(h.client().status().idle_connections == 1U);
    h.run_until([&] { return h.client().status().idle_connections == 0; });
    BOOST_TEST(h.client().status().connections == 0U);
}

BOOST_AUTO_TEST_CASE(no_more_connections_idle_than_allowed) {
    harness h({echoes()});
    h.options.max_idle_connections = 2;
    std::vector<pending_call> calls;
    for (int i = 0; i < 5; ++i)
        calls.emplace_back(h, question("x"), claude::call_class::chat);
    for (auto const& call : calls)
        h.run_until([&] { return call.ended(); });
    BOOST_TEST(h.client().status().idle_connections == 2U);
    BOOST_TEST(h.client().status().connections == 2U);
}

BOOST_AUTO_TEST_CASE(a_closed_client_keeps_no_connection) {
    harness h({echoes()});
    BOOST_TEST(h.ask().has_value());
    h.client().close();
    BOOST_TEST(h.client().status().connections == 0U);
    BOOST_TEST(h.ask().has_value());
    BOOST_TEST(h.client().status().connections == 0U);
}

BOOST_AUTO_TEST_CASE(a_host_name_is_looked_up) {
    harness h({echoes()});
    h.options.base_url = "http://localhost:" + std::to_string(h.server().port());
    auto const answer = h.ask(question("by name"));
    BOOST_REQUIRE(answer.has_value());
    BOOST_TEST(answer->text() == "by name");
}

BOOST_AUTO_TEST_CASE(a_name_that_does_not_exist_is_unavailable) {
    harness h({echoes()});
    h.options.base_url = "http://nowhere.invalid:80";
    h.options.max_retries = 0;
    auto const answer = h.ask();
    BOOST_REQUIRE(answer.has_error());
    BOOST_CHECK(answer.error().kind == claude::error_kind::unavailable);
    BOOST_TEST(answer.error().message.find("nowhere.invalid") != std::string::npos);
    BOOST_TEST(answer.error().code == "no_connection");
    BOOST_TEST(answer.error().passes);
}

BOOST_AUTO_TEST_CASE(a_port_where_nobody_listens_is_unavailable) {
    std::uint16_t port = 0;
    {
        harness gone({echoes()});
        port = gone.server().port();
    }
    harness h({echoes()});
    h.options.base_url = "http://127.0.0.1:" + std::to_string(port);
    h.options.max_retries = 0;
    auto const answer = h.ask();
    BOOST_TEST(answer.error().message.find("refused") != std::string::npos);
    BOOST_TEST(answer.error().code == "no_connection");
}

BOOST_AUTO_TEST_CASE(a_call_without_a_descriptor_waits_for_one_and_costs_no_try) {
    harness h({echoes()});
    h.options.max_retries = 0;
    h.options.max_idle_connections = 0;
    BOOST_TEST(h.ask().has_value());  // the server is there, too, and needs no descriptor to wait
    pending_call call(h, question("later"), claude::call_class::chat);
    {
        no_descriptors const none;
        h.run_until([&] { return !h.client().status().local_lack.empty(); });
        auto const status = h.client().status();
        BOOST_TEST(status.local_lack.starts_with("this machine: no file descriptor is free"));
        BOOST_TEST(!status.answers_nothing);
        BOOST_TEST(status.calls_in_flight == 1U);
        BOOST_TEST(status.requests == 1U);
    }
    h.run_until([&] { return call.ended(); });
    BOOST_REQUIRE_MESSAGE(call.outcome().has_value(), call.outcome().error().message);
    BOOST_TEST(call.outcome()->text() == "later");
    BOOST_TEST(call.outcome()->attempts == 1U);
    auto const status = h.client().status();
    BOOST_TEST(status.retries + status.failures == 0U);
    BOOST_TEST(status.local_lack == "");
}

BOOST_AUTO_TEST_CASE(a_call_without_a_descriptor_until_its_deadline_does_not_blame_the_api) {
    harness h({echoes()});
    h.client();
    no_descriptors const none;
    auto const answer = h.ask(question(), milliseconds(250));
    BOOST_REQUIRE(answer.has_error());
    BOOST_CHECK(answer.error().kind == claude::error_kind::deadline);
    BOOST_TEST(answer.error().attempts == 0U);
    BOOST_TEST(answer.error().message.starts_with("the deadline came before Claude could be asked: this "
                                                  "machine: no file descriptor is free"),
               answer.error().message);
    BOOST_TEST(h.client().status().local_lack == "");
    BOOST_TEST(h.server().requests().size() == 0U);
}

BOOST_AUTO_TEST_CASE(calls_without_a_descriptor_share_the_connection_of_another) {
    harness h({echoes()});
    h.options.first_calls = 10;
    BOOST_TEST(h.ask(question("first")).has_value());
    std::vector<pending_call> calls;
    for (int i = 0; i < 10; ++i)
        calls.emplace_back(h, question(std::to_string(i)), claude::call_class::chat);
    no_descriptors const none;
    for (std::size_t i = 0; i < calls.size(); ++i) {
        h.run_until([&] { return calls[i].ended(); });
        BOOST_REQUIRE(calls[i].outcome().has_value());
        BOOST_TEST(calls[i].outcome()->text() == std::to_string(i));
        BOOST_TEST(calls[i].outcome()->attempts == 1U);
    }
    BOOST_TEST(h.server().connections() == 1U);
}

BOOST_AUTO_TEST_CASE(a_call_that_waits_for_a_descriptor_can_be_cancelled) {
    harness h({echoes()});
    h.client();
    pending_call call(h, question(), claude::call_class::chat);
    no_descriptors const none;
    h.run_until([&] { return !h.client().status().local_lack.empty(); });
    call.cancel();
    h.run_until([&] { return call.ended(); });
    BOOST_TEST(call.was_cancelled());
    BOOST_TEST(h.client().status().calls_in_flight == 0U);
    BOOST_TEST(h.client().status().local_lack == "");
}

BOOST_AUTO_TEST_CASE(a_bad_key_or_address_is_refused_when_the_client_is_made) {
    harness h({echoes()});
    BOOST_CHECK_THROW(h.client().set_api_key(base::secret("sk\r\nx: y")), std::invalid_argument);
    auto bad = h.options;
    bad.api_key = base::secret("sk\n");
    BOOST_CHECK_THROW(std::ignore = claude::make_client(bad, h.loop().get_executor()), std::invalid_argument);
    bad = h.options;
    bad.base_url = "localhost";
    BOOST_CHECK_THROW(std::ignore = claude::make_client(bad, h.loop().get_executor()), std::invalid_argument);
    bad = h.options;
    bad.api_version = "2023\r\n";
    BOOST_CHECK_THROW(std::ignore = claude::make_client(bad, h.loop().get_executor()), std::invalid_argument);
}

BOOST_AUTO_TEST_SUITE_END()

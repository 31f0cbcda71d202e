#include "workers/turn_fixture.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/test/unit_test.hpp>

#include <exception>
#include <utility>

namespace engram::test {

namespace asio = boost::asio;

std::string const job = R"({"id":"1","user_id":"u","session_id":"s","message":"hello","metadata":{"n":1.0}})";

std::string error_of(std::optional<queue::settlement> const& outcome) {
    BOOST_REQUIRE(outcome);
    auto const reply = queue::parse_reply(outcome->reply);
    BOOST_REQUIRE(reply);
    BOOST_TEST(!reply->ok);
    BOOST_REQUIRE(outcome->dead);
    BOOST_TEST(outcome->dead->reason == reply->error_type);
    return reply->error_type;
}

turn_fixture::turn_fixture(workers::finding finding, workers::chat_options options)
    : turn(
          {"engram", {}, 262'144, std::chrono::minutes(10), 3}, std::move(options), finding, store, claude,
          gate, clock,
          [this](store::conversation const&, workers::window window) {
              considered.push_back(window.turns);
              considered_bytes.push_back(window.bytes);
          },
          io.get_executor()) {}

std::optional<queue::settlement> turn_fixture::answer(std::string body, std::string ticket, int deaths,
                                                      std::int64_t queued_ms) {
    queue::delivery delivery;
    delivery.ticket = std::move(ticket);
    delivery.body = std::move(body);
    delivery.deaths = deaths;
    delivery.queued_ms = queued_ms;
    return deliver(std::move(delivery));
}

std::optional<queue::settlement> turn_fixture::deliver(queue::delivery delivery) {
    delivery.received = clock.steady();
    queue::reply_stream reply;
    bool ended = false;
    asio::co_spawn(io, turn.answer(std::move(delivery), reply), [&](std::exception_ptr e) {
        if (e) std::rethrow_exception(e);
        ended = true;
    });
    io.restart();
    io.run_for(std::chrono::seconds(30));
    BOOST_REQUIRE_MESSAGE(ended, "the turn did not end");
    postponed = reply.postponed();
    BOOST_TEST(!(reply.ended() && postponed));
    return reply.ended();
}

queue::settlement turn_fixture::answer_well(std::string body) {
    auto outcome = answer(std::move(body));
    BOOST_REQUIRE(outcome);
    auto const reply = queue::parse_reply(outcome->reply);
    BOOST_REQUIRE(reply);
    BOOST_REQUIRE_MESSAGE(reply->ok, outcome->reply);
    BOOST_TEST(!outcome->dead);
    return std::move(*outcome);
}

std::optional<queue::settlement> turn_fixture::answer_while_another_ends_it() {
    claude.hold = true;
    queue::delivery delivery;
    delivery.ticket = "t-1.1";
    delivery.body = job;
    delivery.received = clock.steady();
    queue::reply_stream reply;
    asio::co_spawn(io, turn.answer(delivery, reply), [](std::exception_ptr) {});
    io.poll();
    BOOST_REQUIRE_EQUAL(claude.asked.size(), 1u);
    store.failed["t-1.1"] = {false, true,
                             R"({"id":"1","status":"error","error":{"type":"poisoned","message":"m"}})",
                             "poisoned", "m"};
    claude.hold = false;
    claude.released.notify_all();
    io.restart();
    io.run_for(std::chrono::seconds(30));
    return reply.ended();
}

}  // namespace engram::test

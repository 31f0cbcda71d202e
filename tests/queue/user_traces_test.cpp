// What is left of a user in a real Redis.
#include "queue/user_traces.hpp"

#include "redis/client.hpp"
#include "support/redis_server.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/test/unit_test.hpp>

#include <exception>
#include <optional>
#include <string>

namespace {

namespace asio = boost::asio;
using namespace engram;

queue::options options_at(std::string const& url) {
    queue::options options;
    options.server.url = url;
    return options;
}

struct fixture {
    asio::io_context io;
    test::redis_server server;
    redis::client redis{options_at(server.url()).server, "test", io.get_executor()};
    queue::redis_traces traces{redis, options_at(server.url())};
    asio::cancellation_signal stop;

    fixture() {
        asio::co_spawn(io, redis.run(),
                       asio::bind_cancellation_slot(stop.slot(), [](std::exception_ptr const&) {}));
    }
    ~fixture() {
        stop.emit(asio::cancellation_type::all);
        io.restart();
        io.run();
    }

    template <class T>
    T wait(queue::user_traces::answer<T> call) {
        std::optional<redis::result<T>> answer;
        asio::co_spawn(io, std::move(call), [&](std::exception_ptr failure, redis::result<T> given) {
            if (failure) std::rethrow_exception(failure);
            answer = std::move(given);
        });
        io.restart();
        while (!answer)
            io.run_one();
        BOOST_REQUIRE_MESSAGE(answer->has_value(), (answer->has_error() ? answer->error().message : ""));
        return std::move(**answer);
    }

    void push(std::string const& key, std::string const& value) { server.command({"RPUSH", key, value}); }
    std::string list(std::string const& key) { return server.command({"LRANGE", key, "0", "-1"}); }
};

std::string ok(std::string const& user, std::string const& id) {
    return R"({"id":")" + id + R"(","status":"ok","user_id":")" + user + R"(","reply":"Hello"})";
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(user_traces, fixture)

BOOST_AUTO_TEST_CASE(replies_of_a_user_go_from_a_key_that_is_shared_with_others) {
    push("engram:reply:web", ok("v", "1"));
    for (int i = 0; i < 120; ++i)
        push("engram:reply:web", ok("u", "u" + std::to_string(i)));
    push("engram:reply:web", ok("v", "2"));
    push("engram:reply:web", "no reply at all");
    push("engram:reply:u7", ok("u", "u7"));
    BOOST_TEST(wait(traces.erase_replies({"u", {"engram:reply:web", "engram:reply:u7", "none"}, {}, true})) ==
               121u);
    BOOST_TEST(list("engram:reply:web") == ok("v", "1") + "\n" + ok("v", "2") + "\nno reply at all");
    BOOST_TEST(server.command({"EXISTS", "engram:reply:u7"}) == "0");
}

BOOST_AUTO_TEST_CASE(of_a_deletion_only_replies_of_its_jobs_go) {
    push("engram:reply:web", ok("u", "1"));
    push("engram:reply:web", ok("u", "2"));
    push("engram:reply:web", ok("v", "1"));
    BOOST_TEST(wait(traces.erase_replies({"u", {"engram:reply:web"}, {"1"}, false})) == 1u);
    BOOST_TEST(list("engram:reply:web") == ok("u", "2") + "\n" + ok("v", "1"));
}

BOOST_AUTO_TEST_CASE(who_was_told_that_a_job_was_cancelled_can_still_read_it) {
    std::string const told =
        R"({"id":"1","status":"error","user_id":"u","error":{"type":"cancelled","message":"x"}})";
    push("engram:reply:1", ok("u", "1"));
    push("engram:reply:1", told);
    BOOST_TEST(wait(traces.erase_replies({"u", {"engram:reply:1"}, {"1"}, true})) == 1u);
    BOOST_TEST(list("engram:reply:1") == told);
}

BOOST_AUTO_TEST_CASE(the_same_reply_twice_goes_twice) {
    push("engram:reply:1", ok("u", "1"));
    push("engram:reply:1", ok("u", "1"));
    BOOST_TEST(wait(traces.erase_replies({"u", {"engram:reply:1"}, {"1"}, true})) == 2u);
    BOOST_TEST(list("engram:reply:1").empty());
}

BOOST_AUTO_TEST_CASE(the_streams_of_the_jobs_go_and_no_others) {
    for (int i = 0; i < 250; ++i)
        server.command({"XADD", "engram:stream:" + std::to_string(i), "*", "type", "delta"});
    queue::ended_jobs jobs{"u", {}, {}, true};
    for (int i = 0; i < 249; ++i)
        jobs.job_ids.push_back(std::to_string(i));
    BOOST_TEST(wait(traces.erase_replies(jobs)) == 0u);
    BOOST_TEST(server.command({"KEYS", "*"}) == "engram:stream:249");
}

BOOST_AUTO_TEST_CASE(a_reply_key_that_is_no_list_is_left_alone) {
    server.command({"SET", "engram:reply:1", "x"});
    BOOST_TEST(wait(traces.erase_replies({"u", {"engram:reply:1"}, {}, true})) == 0u);
    BOOST_TEST(server.command({"GET", "engram:reply:1"}) == "x");
}

BOOST_AUTO_TEST_CASE(jobs_are_found_cancelled_and_answered) {
    std::string const body = R"({"id":"a","user_id":"u","message":"hi"})";
    push("engram:jobs", body);
    push("engram:jobs", R"({"id":"b","user_id":"v","message":"hi"})");
    auto const found = wait(traces.find_jobs("u", 10));
    BOOST_REQUIRE_EQUAL(found.size(), 1u);
    BOOST_TEST(found[0].body == body);
    BOOST_TEST(wait(traces.cancel(found[0], "engram:reply:a", "gone")));
    BOOST_TEST(!wait(traces.cancel(found[0], "engram:reply:a", "gone")));
    BOOST_TEST(list("engram:reply:a") == "gone");
    BOOST_TEST(list("engram:jobs") == R"({"id":"b","user_id":"v","message":"hi"})");
}

BOOST_AUTO_TEST_CASE(dead_letters_of_the_user_go_alone) {
    for (std::string const user : {"u", "v"})
        server.command({"XADD", "engram:dead", "*", "id", "1", "job",
                        R"({"user_id":")" + user + R"(","message":"hi"})"});
    BOOST_TEST(wait(traces.erase_dead_letters("u")) == 1u);
    BOOST_TEST(server.command({"XLEN", "engram:dead"}) == "1");
}

BOOST_AUTO_TEST_CASE(with_the_replies_of_some_jobs_go_their_dead_letters_alone) {
    for (std::string const user : {"u", "v"})
        for (std::string const id : {"1", "2", "1"})
            server.command({"XADD", "engram:dead", "*", "id", id, "job",
                            R"({"user_id":")" + user + R"(","message":"hi"})"});
    wait(traces.erase_replies({"u", {}, {"1", "3"}, false}));
    auto const left = server.command({"XRANGE", "engram:dead", "-", "+"});
    BOOST_TEST(server.command({"XLEN", "engram:dead"}) == "4");
    BOOST_TEST(left.find(R"("u")") == left.rfind(R"("u")"));
    wait(traces.erase_replies({"u", {}, {}, false}));
    BOOST_TEST(server.command({"XLEN", "engram:dead"}) == "4");
}

BOOST_AUTO_TEST_SUITE_END()

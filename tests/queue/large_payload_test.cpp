// What a server with low limits takes and gives, and that nobody else suffers from it.
#include "clerk.hpp"
#include "queue/scripts.hpp"
#include "queue/user_keys.hpp"
#include "queue/user_traces.hpp"
#include "worker.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/json/parse.hpp>
#include <boost/test/unit_test.hpp>

#include <memory>
#include <set>
#include <string>
#include <vector>

namespace {

using namespace engram;
using namespace engram::test;
using namespace std::chrono_literals;
using std::chrono::steady_clock;

constexpr std::size_t kib = 1024, mib = 1024 * kib;

using arguments = std::vector<std::string>;
arguments const short_arguments{"--proto-max-bulk-len", "1mb"};
arguments const short_buffer{"--client-query-buffer-limit", "1mb"};
arguments const short_output{"--client-output-buffer-limit", "normal", "1mb", "0", "0"};

struct fixture : queue_fixture {
    using queue_fixture::queue_fixture;
    void play(task<void> (*body)(fixture&)) { run(body(*this), 3 * most_patience); }

    // As the daemon writes it.
    static std::string long_reply(std::string const& id, std::size_t bytes) {
        return R"({"id":")" + id + R"(","status":"ok","user_id":"u","session_id":"s","reply":")" +
               std::string(bytes, 'x') + R"(","attempts":1,"metadata":{"shop":7}})";
    }
    void push_long(std::string const& user, std::string const& id, std::size_t bytes) {
        push(R"({"user_id":")" + user + R"(","session_id":"s","id":")" + id + R"(","message":")" +
             std::string(bytes, 'x') + R"("})");
    }
    static std::vector<std::string> ids(std::string const& begin, int count) {
        std::vector<std::string> made;
        for (int i = 0; i < count; ++i)
            made.push_back(begin + std::to_string(i));
        return made;
    }
    task<void> all_replied(std::vector<std::string> const& which) {
        for (auto const& id : which)
            co_await replied(id);
    }
    boost::json::object reply_of(std::string const& id) {
        auto const value = boost::json::parse(replies(id));
        return value.as_object();
    }
    std::string message_of(std::string const& id) {
        auto const reply = reply_of(id);
        BOOST_TEST(reply.at("status").as_string() == "error");
        auto const& error = reply.at("error").as_object();
        BOOST_TEST(error.at("type").as_string() == "internal");
        BOOST_TEST(!error.at("retryable").as_bool());
        return std::string(error.at("message").as_string());
    }
    bool says(std::string const& text, std::string const& words) {
        return text.find(words) != std::string::npos;
    }
};

// One answer of 2 MiB, and twenty jobs of others beside it.
task<void> a_reply_is_too_large(fixture& f) {
    worker w(f, f.options());
    co_await w.start();
    f.push("u", "s", "large");
    auto const large = co_await w.next();
    auto const others = f.ids("other", 20);
    for (auto const& id : others)
        f.push("v" + id, "s", id);
    auto const begun = steady_clock::now();
    large->answer(f.long_reply("large", 2 * mib));
    for (std::size_t i = 0; i < others.size(); ++i) {
        auto const one = co_await w.next();
        one->answer();
    }
    co_await f.all_replied(others);
    co_await f.replied("large");
    BOOST_TEST((steady_clock::now() - begun < 8s));
    auto const message = f.message_of("large");
    BOOST_TEST(f.says(message, "proto-max-bulk-len"), message);
    auto const reply = f.reply_of("large");
    BOOST_TEST(reply.at("user_id").as_string() == "u");
    BOOST_TEST(reply.at("session_id").as_string() == "s");
    BOOST_TEST(reply.at("attempts").as_int64() == 1);
    BOOST_TEST(reply.at("metadata").as_object().at("shop").as_int64() == 7);
    auto letter = f.dead_letter();
    BOOST_TEST(letter["id"] == "large");
    BOOST_TEST(letter["reason"] == "internal");
    BOOST_TEST(f.replies("other7") == "{}");
    co_await until("all is done", [&] { return w.queue.status().in_flight == 0; });
    BOOST_TEST(w.queue.status().recent.failed == 1u);
    // The conversation goes on.
    f.push("u", "s", "next");
    auto const next = co_await w.next();
    next->answer();
    co_await f.replied("next");
    BOOST_TEST(f.keys() == "engram:dead\nengram:instances\n");
}

struct with_short_arguments : fixture {
    with_short_arguments() : fixture(short_arguments) {}
};
struct with_short_buffer : fixture {
    with_short_buffer() : fixture(short_buffer) {}
};
struct with_shortest_output : fixture {
    with_shortest_output() : fixture({"--client-output-buffer-limit", "normal", "48kb", "0", "0"}) {}
};
struct with_short_output : fixture {
    with_short_output() : fixture(short_output) {}
};

BOOST_AUTO_TEST_SUITE(large_payloads)

BOOST_FIXTURE_TEST_CASE(a_reply_that_redis_does_not_take_is_an_error_reply_and_others_pass,
                        with_short_arguments) {
    play(a_reply_is_too_large);
}

BOOST_FIXTURE_TEST_CASE(so_is_one_whose_connection_is_closed_without_a_word, with_short_buffer) {
    play(a_reply_is_too_large);
}

BOOST_FIXTURE_TEST_CASE(many_replies_that_redis_does_not_take_end_one_after_the_other, with_short_buffer) {
    play([](fixture& f) -> task<void> {
        worker w(f, f.options());
        co_await w.start();
        auto const all = f.ids("large", 10);
        for (auto const& id : all)
            f.push("u" + id, "s", id);
        for (std::size_t i = 0; i < all.size(); ++i) {
            auto const one = co_await w.next();
            one->answer(f.long_reply(one->id(), 2 * mib));
        }
        co_await f.all_replied(all);
        for (auto const& id : all)
            f.message_of(id);
        BOOST_TEST(f.server.command({"XLEN", "engram:dead"}) == "10");
    });
}

BOOST_FIXTURE_TEST_CASE(a_batch_that_redis_does_not_give_is_halved, with_short_output) {
    play([](fixture& f) -> task<void> {
        auto const all = f.ids("job", 64);
        for (auto const& id : all)
            f.push_long("u" + id, id, 100 * kib);
        worker w(f, f.options());
        w.answer_all();
        co_await w.start();
        co_await f.all_replied(all);
        BOOST_TEST(f.server.command({"EXISTS", "engram:dead"}) == "0");
        for (auto const& id : all)
            BOOST_TEST(f.replies(id) == "{}");
        co_await until("all is done", [&] { return w.queue.status().in_flight == 0; });
        BOOST_TEST(f.keys() == "engram:instances\n");
    });
}

BOOST_FIXTURE_TEST_CASE(one_job_that_redis_does_not_give_is_answered_with_an_error, with_short_output) {
    play([](fixture& f) -> task<void> {
        auto options = f.options();
        options.max_job_bytes = 4 * mib;
        f.push_long("u", "large", 2 * mib);
        auto const others = f.ids("other", 20);
        for (auto const& id : others)
            f.push("v" + id, "s", id);
        worker w(f, options);
        w.answer_all();
        co_await w.start();
        co_await f.all_replied(others);
        co_await f.replied("large");
        auto const message = f.message_of("large");
        BOOST_TEST(f.says(message, "client-output-buffer-limit"), message);
        BOOST_TEST(f.server.command({"XLEN", "engram:dead"}) == "1");
        f.push("u", "s", "next");
        co_await f.replied("next");
        co_await until("all is done", [&] { return w.queue.status().in_flight == 0; });
        BOOST_TEST(f.keys() == "engram:dead\nengram:instances\n");
    });
}

BOOST_FIXTURE_TEST_CASE(so_is_a_small_one_of_a_server_that_gives_very_little, with_shortest_output) {
    play([](fixture& f) -> task<void> {
        f.push_long("u", "large", 50 * kib);
        auto const others = f.ids("other", 5);
        for (auto const& id : others)
            f.push("v" + id, "s", id);
        worker w(f, f.options());
        w.answer_all();
        co_await w.start();
        co_await f.all_replied(others);
        co_await f.replied("large");
        auto const message = f.message_of("large");
        BOOST_TEST(f.says(message, "client-output-buffer-limit"), message);
        f.server.command({"LPUSH", "engram:admin",
                          R"({"op":"memory.add","user_id":"u","content":")" + std::string(50 * kib, 'x') +
                              R"(","id":"request"})"});
        f.server.command({"LPUSH", "engram:admin", R"({"op":"stats","id":"next"})"});
        clerk c(f, f.options(), [&w] { return w.queue.instance(); });
        auto const next = co_await c.next();
        next->answer("next", "{}");
        co_await f.replied("next");
        BOOST_TEST(f.says(f.message_of("request"), "client-output-buffer-limit"));
        BOOST_TEST(f.server.command({"XLEN", "engram:dead"}) == "2");
        co_await until("all is done", [&] { return w.queue.status().in_flight == 0; });
        BOOST_TEST(f.keys() == "engram:dead\nengram:instances\n");
    });
}

BOOST_FIXTURE_TEST_CASE(of_several_lost_jobs_none_is_condemned, fixture) {
    play([](fixture& f) -> task<void> {
        client c(f, f.server.url());
        auto const& scripts = queue::all_scripts();
        co_await scripts.heartbeat.run(c.redis, "engram:jobs", {"engram", "me", "60000", "1", "{}", ""});
        f.push("u", "s", "1");
        f.push("v", "s", "2");
        std::vector<std::string> refusing{"engram", "me", "0",       "0",  "1000", "1000",
                                          "1000",   "b",  "3600000", "[]", "0"};
        co_await scripts.take.run(
            c.redis, "engram:jobs",
            {"engram", "me", "8", "8", "1000", "1000", "1000", "a", "3600000", "[]", "8388608"});
        BOOST_TEST(f.server.command({"HLEN", "engram:owned:me"}) == "2");
        auto const both = co_await scripts.refuse.run(c.redis, "engram:jobs", refusing);
        BOOST_TEST((both.has_value() && both->as_integer() == 0));
        refusing.emplace_back("a.1");  // this one is known
        auto const one = co_await scripts.refuse.run(c.redis, "engram:jobs", refusing);
        BOOST_TEST((one.has_value() && one->as_integer() == 1));
        BOOST_TEST(f.dead_letter().at("id") == "2");
    });
}

BOOST_FIXTURE_TEST_CASE(who_must_be_careful_and_has_no_connection_for_it_takes_nothing_and_says_so,
                        with_short_output) {
    play([](fixture& f) -> task<void> {
        auto options = f.options();
        options.max_job_bytes = 4 * mib;
        worker w(f, options);
        w.answer_all();
        co_await w.start();
        co_await until("it waits for jobs", [&] {
            return f.server.command({"INFO", "clients"}).find("blocked_clients:1") != std::string::npos;
        });
        // The test's own, and the two that the daemon has.
        f.server.command({"CONFIG", "SET", "maxclients", "3"});
        f.push_long("u", "large", 2 * mib);
        co_await until("it says so", [&] {
            return w.queue.status().trouble.find("max number of clients") != std::string::npos &&
                   w.queue.status().connected;
        });
        auto const before = w.queue.connection().generation();
        BOOST_TEST(before > 1u);
        boost::asio::steady_timer timer(f.io, 3s);
        co_await timer.async_wait(boost::asio::use_awaitable);
        BOOST_TEST(w.queue.connection().generation() == before);
        // Sometimes the refused connection is closed before its reason was read.
        co_await until("it still says so",
                       [&] { return f.says(w.queue.status().trouble, "max number of clients"); });
        f.server.command({"CONFIG", "SET", "maxclients", "100"});
        f.push("v", "s", "other");
        co_await f.replied("other");
        co_await f.replied("large");
        BOOST_TEST(f.says(f.message_of("large"), "client-output-buffer-limit"));
        BOOST_TEST(w.queue.status().trouble == "");
    });
}

BOOST_FIXTURE_TEST_CASE(connections_that_are_killed_condemn_nobody, fixture) {
    play([](fixture& f) -> task<void> {
        worker w(f, f.options());
        co_await w.start();
        auto const all = f.ids("job", 40);
        for (auto const& id : all)
            f.push_long("u" + id, id, 100 * kib);
        boost::asio::steady_timer timer(f.io);
        auto const storm_over = steady_clock::now() + 8s;
        for (int killed = 0; steady_clock::now() < storm_over; ++killed) {
            // Now at every moment of a connection's life, now long after it began to stand.
            f.server.command({"CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"});
            timer.expires_after(killed % 4 == 3 ? 300ms : 50ms);
            co_await timer.async_wait(boost::asio::use_awaitable);
            while (w.waiting() > 0) {
                auto const one = co_await w.next();
                one->answer(f.long_reply(one->id(), 200 * kib));
            }
        }
        auto const has_reply = [&](std::string const& id) {
            return f.server.command({"LLEN", "engram:reply:" + id}) == "1";
        };
        for (auto const& id : all)
            while (!has_reply(id)) {
                auto const one = co_await w.next();
                one->answer(f.long_reply(one->id(), 200 * kib));
                timer.expires_after(10ms);
                co_await timer.async_wait(boost::asio::use_awaitable);
                if (w.waiting() == 0)
                    co_await until("it came or is due", [&] { return w.waiting() > 0 || has_reply(id); });
            }
        for (auto const& id : all)
            BOOST_TEST(f.replies(id) == f.long_reply(id, 200 * kib));
        BOOST_TEST(f.server.command({"EXISTS", "engram:dead"}) == "0");
        co_await until("all is done", [&] { return w.queue.status().in_flight == 0; });
        BOOST_TEST(f.keys() == "engram:instances\n");
    });
}

BOOST_FIXTURE_TEST_CASE(an_answer_to_a_request_that_redis_does_not_take_is_an_error_and_the_next_is_served,
                        with_short_arguments) {
    play([](fixture& f) -> task<void> {
        worker w(f, f.options());
        co_await w.start();
        for (auto const* id : {"1", "2"})
            f.server.command({"LPUSH", "engram:admin",
                              std::string(R"({"op":"user.export","user_id":"u","id":")") + id + R"("})"});
        clerk c(f, f.options(), [&w] { return w.queue.instance(); });
        auto const one = co_await c.next();
        one->answer("1", R"({"id":"1","op":"user.export","status":"ok","result":{"lines":[")" +
                             std::string(2 * mib, 'x') + R"("]}})");
        auto const two = co_await c.next();
        two->answer("2", "{}");
        co_await f.replied("2");
        BOOST_TEST(f.says(f.message_of("1"), "proto-max-bulk-len"));
        BOOST_TEST(f.reply_of("1").at("op").as_string() == "user.export");
        BOOST_TEST(f.keys() == "engram:instances\n");
    });
}

BOOST_FIXTURE_TEST_CASE(a_request_that_redis_does_not_give_is_answered_with_an_error_and_the_next_is_served,
                        with_short_output) {
    play([](fixture& f) -> task<void> {
        auto options = f.options();
        options.max_job_bytes = 4 * mib;
        worker w(f, options);
        co_await w.start();
        f.server.command({"LPUSH", "engram:admin",
                          R"({"op":"memory.add","user_id":"u","content":")" + std::string(2 * mib, 'x') +
                              R"(","id":"1"})"});
        f.server.command({"LPUSH", "engram:admin", R"({"op":"stats","id":"2"})"});
        clerk c(f, options, [&w] { return w.queue.instance(); });
        auto const two = co_await c.next();
        BOOST_TEST(f.says(two->body, R"("id":"2")"));
        two->answer("2", "{}");
        co_await f.replied("2");
        BOOST_TEST(f.says(f.message_of("1"), "client-output-buffer-limit"));
        BOOST_TEST(f.keys() == "engram:dead\nengram:instances\n");
    });
}

BOOST_FIXTURE_TEST_CASE(what_is_left_of_a_user_is_looked_at_in_pieces_that_redis_gives, with_short_output) {
    play([](fixture& f) -> task<void> {
        client hand(f, f.server.url());
        auto const all = f.ids("job", 60);
        for (auto const& id : all) {
            f.push_long("u", id, 100 * kib);
            f.server.command({"RPUSH", "engram:reply:all", f.long_reply(id, 100 * kib)});
        }
        auto const found = co_await queue::find_user_jobs(hand.redis, "engram", "u", 200);
        BOOST_REQUIRE(bool(found));
        std::set<std::string> bodies;
        for (auto const& one : *found)
            bodies.insert(one.body);
        BOOST_TEST(bodies.size() == 60u);
        queue::redis_traces traces(hand.redis, f.options());
        auto const erased = co_await traces.erase_replies({"u", {"engram:reply:all"}, all, true});
        BOOST_REQUIRE(bool(erased));
        BOOST_TEST(*erased == 60u);
        BOOST_TEST(f.server.command({"EXISTS", "engram:reply:all"}) == "0");
    });
}

BOOST_FIXTURE_TEST_CASE(who_cannot_be_shown_a_job_of_a_user_hears_what_to_raise, with_short_output) {
    play([](fixture& f) -> task<void> {
        client hand(f, f.server.url());
        f.push_long("u", "large", 2 * mib);
        auto const found = co_await queue::find_user_jobs(hand.redis, "engram", "u", 200);
        BOOST_REQUIRE(!found);
        BOOST_TEST(f.says(found.error().message, "client-output-buffer-limit"), found.error().message);
    });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace

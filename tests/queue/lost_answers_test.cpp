// Answers of Redis that never arrive.
#include "queue/scripts.hpp"
#include "support/proxy.hpp"
#include "worker.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace {

using namespace engram;
using namespace engram::test;

struct fixture : queue_fixture {
    using queue_fixture::queue_fixture;
    void play(task<void> (*body)(fixture&)) { run(body(*this)); }

    // What EVALSHA names this script by, once Redis knows it.
    std::string sha_of(redis::script const& of) {
        return server.command({"SCRIPT", "LOAD", std::string(of.body())});
    }
};

// Every job has one reply, and those of each lane came in order.
struct ledger {
    std::map<std::string, std::vector<int>> order;

    void note(queue::delivery const& what) {
        auto const at = what.body.find("\"id\":\"") + 6;
        order[what.lane].push_back(std::stoi(what.body.substr(at)));
    }
    // A repeat is allowed, going back is not.
    void check() const {
        for (auto const& [lane, ids] : order)
            BOOST_TEST(std::is_sorted(ids.begin(), ids.end()), lane);
    }
};

BOOST_FIXTURE_TEST_SUITE(lost_answers, fixture)

BOOST_AUTO_TEST_CASE(jobs_whose_delivery_was_lost_are_delivered_again_uncounted) {
    play([](fixture& f) -> task<void> {
        proxy cable(f, f.server.socket());
        worker w(f, f.options(cable.url()));
        w.queue.set_limit(0);
        co_await w.start();
        for (auto const* id : {"1", "2"})
            f.push("u", "s", id);
        f.push("u", "t", "3");
        cable.lose_answer_to(f.sha_of(queue::all_scripts().take));
        w.queue.set_limit(10);
        std::map<std::string, std::shared_ptr<turn>> turns;
        for (int i = 0; i < 2; ++i) {
            auto const one = co_await w.next();
            BOOST_TEST(one->what.attempts == 2);
            BOOST_TEST(one->what.deaths == 0);
            turns[one->id()] = one;
        }
        BOOST_TEST(cable.lost() == 1u);
        BOOST_REQUIRE((turns.contains("1") && turns.contains("3")));
        turns["1"]->answer();
        auto const two = co_await w.next();
        BOOST_TEST(two->id() == "2");
        BOOST_TEST(two->what.attempts == 1);
    });
}

BOOST_AUTO_TEST_CASE(a_reply_whose_confirmation_was_lost_is_not_written_twice_and_nothing_is_stuck) {
    play([](fixture& f) -> task<void> {
        proxy cable(f, f.server.socket());
        auto options = f.options(cable.url());
        options.max_in_flight = 1;
        worker w(f, options);
        co_await w.start();
        for (auto const* id : {"1", "2", "3"})
            f.push("u", "s", id);
        auto const one = co_await w.next();
        cable.lose_answer_to("engram:reply:1");
        one->answer("once");
        auto const two = co_await w.next();
        BOOST_TEST(two->id() == "2");
        BOOST_TEST(cable.lost() == 1u);
        BOOST_TEST(f.replies("1") == "once");
        two->answer();
        auto const three = co_await w.next();
        BOOST_TEST(three->id() == "3");
        three->answer();
        co_await f.replied("3");
        co_await until("all is done", [&] { return w.queue.status().in_flight == 0; });
        BOOST_TEST(f.keys() == "engram:instances\n");
    });
}

BOOST_AUTO_TEST_CASE(a_job_given_back_whose_confirmation_was_lost_comes_again) {
    play([](fixture& f) -> task<void> {
        proxy cable(f, f.server.socket());
        worker w(f, f.options(cable.url()));
        auto const sha = f.sha_of(queue::all_scripts().release);
        co_await w.start();
        f.push("u", "s", "1");
        auto const one = co_await w.next();
        cable.lose_answer_to(sha);
        one->give_back();
        auto const again = co_await w.next();
        BOOST_TEST(again->id() == "1");
        BOOST_TEST(again->what.deaths == 0);
        BOOST_TEST(cable.lost() == 1u);
        again->answer();
        co_await f.replied("1");
    });
}

BOOST_AUTO_TEST_CASE(a_request_to_give_back_that_never_arrived_is_noticed) {
    play([](fixture& f) -> task<void> {
        proxy cable(f, f.server.socket());
        worker w(f, f.options(cable.url()));
        co_await w.start();
        f.push("u", "s", "1");
        auto const one = co_await w.next();
        co_await until("it waits", [&] { return cable.asked("BLMOVE") > 0; });
        cable.hold();
        one->give_back();
        f.server.command({"CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"});
        cable.let_go();
        auto const again = co_await w.next();
        BOOST_TEST(again->id() == "1");
        BOOST_TEST(again->what.attempts == 2);
        BOOST_TEST(again->what.deaths == 0);
    });
}

BOOST_AUTO_TEST_CASE(a_call_carried_out_long_after_its_connection_was_lost_is_noticed) {
    play([](fixture& f) -> task<void> {
        worker w(f, f.options());
        w.queue.set_limit(1);
        co_await w.start();
        f.push("u", "s", "1");
        auto const one = co_await w.next();
        f.push("u", "t", "2");
        // What a call of the daemon itself would do that arrives only now.
        client late(f, f.server.url());
        auto const taken =
            co_await queue::all_scripts().take.run(late.redis, "engram:jobs",
                                                   {"engram", w.queue.instance(), "1", "1", "100", "100",
                                                    "100000", "late", "3600000", "[]", "8388608"});
        BOOST_REQUIRE(taken.has_value());
        BOOST_REQUIRE(taken->items.at(4).items.size() == 1u);
        co_await until("it was given back",
                       [&] { return f.server.command({"LLEN", "engram:ready"}) == "1"; });
        one->answer();
        auto const two = co_await w.next();
        BOOST_TEST(two->id() == "2");
        BOOST_TEST(two->what.deaths == 0);
    });
}

BOOST_AUTO_TEST_CASE(a_registration_whose_confirmation_was_lost_is_repeated) {
    play([](fixture& f) -> task<void> {
        proxy cable(f, f.server.socket());
        cable.lose_answer_to(f.sha_of(queue::all_scripts().heartbeat));
        worker w(f, f.options(cable.url()));
        co_await w.start();
        BOOST_TEST(cable.lost() == 1u);
        BOOST_TEST(f.server.command({"ZCARD", "engram:instances"}) == "1");
        f.push("u", "s", "1");
        auto const one = co_await w.next();
        BOOST_TEST(one->id() == "1");
    });
}

BOOST_AUTO_TEST_CASE(connections_that_keep_breaking_lose_and_double_nothing) {
    play([](fixture& f) -> task<void> {
        auto options = f.options();
        options.max_in_flight = 7;
        worker a(f, options);
        worker b(f, options);
        ledger seen;
        int taken = 0;
        auto const each = [&](queue::delivery const& what) {
            seen.note(what);
            if (++taken % 25 == 0) f.server.command({"CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"});
        };
        a.answer_all(each);
        b.answer_all(each);
        co_await a.start();
        co_await b.start();
        for (int i = 0; i < 500; ++i)
            f.push("u", "s" + std::to_string(i % 25), std::to_string(i));
        for (int i = 0; i < 500; ++i)
            co_await f.replied(std::to_string(i));
        co_await until("all is done",
                       [&] { return a.queue.status().in_flight + b.queue.status().in_flight == 0; });
        for (int i = 0; i < 500; ++i)
            BOOST_TEST(f.server.command({"LLEN", "engram:reply:" + std::to_string(i)}) == "1");
        seen.check();
        BOOST_TEST(taken >= 500);
        BOOST_TEST(f.keys() == "engram:instances\n");
    });
}

BOOST_AUTO_TEST_CASE(a_redis_that_is_killed_again_and_again_loses_and_doubles_nothing) {
    fixture g({"--appendfsync", "always"});
    g.play([](fixture& f) -> task<void> {
        worker a(f, f.options());
        worker b(f, f.options());
        ledger seen;
        a.answer_all([&](queue::delivery const& what) { seen.note(what); });
        b.answer_all([&](queue::delivery const& what) { seen.note(what); });
        co_await a.start();
        co_await b.start();
        for (int round = 0; round < 4; ++round) {
            for (int i = round * 50; i < round * 50 + 50; ++i)
                f.push("u", "s" + std::to_string(i % 10), std::to_string(i));
            co_await f.replied(std::to_string(round * 50 + 5));
            f.server.kill();
            f.server.start();
        }
        for (int i = 0; i < 200; ++i)
            co_await f.replied(std::to_string(i));
        co_await until("all is done",
                       [&] { return a.queue.status().in_flight + b.queue.status().in_flight == 0; });
        for (int i = 0; i < 200; ++i)
            BOOST_TEST(f.server.command({"LLEN", "engram:reply:" + std::to_string(i)}) == "1");
        seen.check();
        BOOST_TEST(f.keys() == "engram:instances\n");
    });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace

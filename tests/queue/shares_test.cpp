// What becomes of floods: turns among users, shares, backlogs, bounds.
#include "queue/scripts.hpp"
#include "support/proxy.hpp"
#include "worker.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace {

using namespace engram;
using namespace engram::test;

struct fixture : queue_fixture {
    void play(task<void> (*body)(fixture&)) { run(body(*this)); }
};

BOOST_FIXTURE_TEST_SUITE(shares, fixture)

BOOST_AUTO_TEST_CASE(a_flooding_conversation_does_not_hide_the_others) {
    play([](fixture& f) -> task<void> {
        auto options = f.options();
        options.max_parked = 1'000;
        options.max_in_flight = 4;
        worker w(f, options);
        for (int i = 0; i < 900; ++i)
            f.push("flood", "s", "f" + std::to_string(i));
        f.push("ada", "s", "quiet");
        co_await w.start();
        auto const flood = co_await w.next();
        BOOST_TEST(flood->id() == "f0");
        auto const quiet = co_await w.next();
        BOOST_TEST(quiet->id() == "quiet");
    });
}

BOOST_AUTO_TEST_CASE(a_user_with_many_conversations_does_not_starve_the_others) {
    play([](fixture& f) -> task<void> {
        auto options = f.options();
        options.max_in_flight = 2;
        worker w(f, options);
        for (int i = 0; i < 100; ++i)
            f.push("flood", "s" + std::to_string(i), "f" + std::to_string(i));
        f.push("ada", "s", "quiet");
        f.push("bob", "s", "calm");
        co_await w.start();
        auto const flood = co_await w.next();
        auto const quiet = co_await w.next();
        BOOST_TEST(flood->id() == "f0");
        BOOST_TEST(quiet->id() == "quiet");
        flood->answer();
        auto const calm = co_await w.next();
        BOOST_TEST(calm->id() == "calm");
        quiet->answer();
        auto const then = co_await w.next();
        BOOST_TEST(then->id() == "f1");
    });
}

BOOST_AUTO_TEST_CASE(jobs_that_name_neither_session_nor_id_still_belong_to_their_users) {
    play([](fixture& f) -> task<void> {
        auto options = f.options();
        options.max_in_flight = 1;
        options.max_parked_per_user = 5;
        worker w(f, options);
        for (int i = 0; i < 50; ++i)
            f.push(R"({"user_id":"flood","message":"more"})");
        f.push(R"({"user_id":"bob","message":"quiet"})");
        co_await w.start();
        auto const flood = co_await w.next();
        flood->settle({"", "", "", {}});
        auto const bob = co_await w.next();
        BOOST_TEST(bob->what.body.find("quiet") != std::string::npos);
        bob->settle({"", "", "", {}});
        w.answer_all();
        co_await until("nothing is left", [&] { return f.keys() == "engram:instances\n"; });
    });
}

BOOST_AUTO_TEST_CASE(what_exceeds_a_users_share_waits_behind_in_order_and_hides_nobody) {
    play([](fixture& f) -> task<void> {
        auto options = f.options();
        options.max_parked_per_user = 10;
        worker w(f, options);
        for (int i = 0; i < 1'000; ++i)
            f.push("flood", "s", "f" + std::to_string(i));
        f.push("ada", "s", "quiet");
        co_await w.start();
        auto const first = co_await w.next();
        auto const quiet = co_await w.next();
        BOOST_TEST(first->id() == "f0");
        BOOST_TEST(quiet->id() == "quiet");
        quiet->answer();
        co_await f.replied("quiet");
        BOOST_TEST(f.server.command({"LLEN", "engram:jobs"}) == "0");
        BOOST_TEST(f.server.command({"HLEN", "engram:body"}) == "10");
        BOOST_TEST(f.server.command({"HGET", "engram:parked", "flood"}) == "10");
        BOOST_TEST(f.server.command({"LLEN", "engram:backlog:flood"}) == "990");
        // What comes later does not pass what waits.
        f.push("flood", "s", "f1000");
        std::vector<std::string> order;
        w.answer_all([&](queue::delivery const& what) { order.push_back(what.body); });
        first->answer();
        co_await f.replied("f1000");
        BOOST_TEST(order.size() == 1'000u);
        for (std::size_t i = 0; i < order.size(); ++i)
            BOOST_TEST(order[i].find("\"f" + std::to_string(i + 1) + "\"") != std::string::npos);
        co_await until("nothing is left", [&] { return f.keys() == "engram:instances\n"; });
    });
}

BOOST_AUTO_TEST_CASE(a_share_made_larger_or_smaller_keeps_the_order) {
    play([](fixture& f) -> task<void> {
        auto options = f.options();
        options.max_parked_per_user = 3;
        options.max_in_flight = 1;
        std::vector<std::string> order;
        {
            worker w(f, options);
            for (int i = 0; i < 40; ++i)
                f.push("u", "s", "j" + std::to_string(100 + i));
            co_await w.start();
            auto const first = co_await w.next();
            BOOST_TEST(f.server.command({"LLEN", "engram:backlog:u"}) == "37");
        }
        options.max_parked_per_user = 30;
        worker w(f, options);
        w.answer_all([&](queue::delivery const& what) { order.push_back(what.body); });
        f.push("u", "s", "j140");
        co_await w.start();
        co_await f.replied("j140");
        BOOST_TEST(order.size() == 41u);
        BOOST_TEST(std::is_sorted(order.begin(), order.end()));
        co_await until("nothing is left", [&] { return f.keys() == "engram:instances\n"; });
    });
}

BOOST_AUTO_TEST_CASE(a_share_made_larger_keeps_the_bound_over_all_users) {
    play([](fixture& f) -> task<void> {
        auto options = f.options();
        options.max_parked_per_user = 2;
        options.max_in_flight = 1;
        for (int i = 0; i < 30; ++i)
            f.push("u", "s", std::to_string(i));
        {
            worker w(f, options);
            co_await w.start();
            auto const first = co_await w.next();
        }
        options.max_parked_per_user = 50;
        options.max_parked = 5;
        worker w(f, options);
        std::size_t most = 0;
        w.answer_all([&](queue::delivery const&) {
            most = std::max(most, std::size_t(std::stoul(f.server.command({"HLEN", "engram:body"}))));
        });
        co_await w.start();
        co_await f.replied("29");
        BOOST_TEST(most <= 5u);
        BOOST_TEST(most >= 2u);
    });
}

BOOST_AUTO_TEST_CASE(a_backlog_is_emptied_though_the_size_limit_was_lowered_meanwhile) {
    play([](fixture& f) -> task<void> {
        auto options = f.options();
        options.max_parked_per_user = 1;
        f.push("u", "s", "1");
        f.push(R"({"user_id":"u","session_id":"s","id":"2","message":")" + std::string(1'000, 'x') + "\"}");
        f.push("u", "s", "3");
        {
            worker w(f, options);
            co_await w.start();
            auto const one = co_await w.next();
            BOOST_TEST(f.server.command({"GET", "engram:behind"}) == "2");
        }
        options.max_job_bytes = 500;
        worker w(f, options);
        w.answer_all();
        co_await w.start();
        for (auto const* id : {"1", "2", "3"})
            co_await f.replied(id);
        co_await until("nothing is left", [&] { return f.keys() == "engram:instances\n"; });
    });
}

BOOST_AUTO_TEST_CASE(a_job_in_the_backlog_keeps_the_time_when_it_was_first_seen) {
    play([](fixture& f) -> task<void> {
        client c(f, f.server.url());
        auto const& scripts = queue::all_scripts();
        co_await scripts.heartbeat.run(c.redis, "engram:jobs", {"engram", "me", "60000", "1", "{}", ""});
        f.push("u", "s", "1");
        f.push("u", "s", "2");
        auto const first = co_await scripts.take.run(
            c.redis, "engram:jobs",
            {"engram", "me", "9", "1", "100", "1", "100000", "t", "3600000", "[]", "8388608"});
        BOOST_REQUIRE(first.has_value());
        auto const seen = first->items.at(1).text;
        BOOST_TEST(
            f.server.command({"LINDEX", "engram:backlog:u", "0"}).starts_with("t.2 " + seen + " 5 1:u:s{"));
        auto const lane = first->items.at(4).items.at(0).items.at(0).text;
        co_await until("Redis's clock has moved on", [&] {
            return f.server.command(
                       {"EVAL",
                        "return redis.call('TIME')[1] * 1000 + math.floor(redis.call('TIME')[2] / 1000)",
                        "0"}) > seen;
        });
        auto const second =
            co_await scripts.finish.run(c.redis, "engram:jobs",
                                        {"engram", "me", lane, "t.1", "", "", "1000", "1", "", "", "9", "1",
                                         "100", "1", "100000", "t2", "3600000", "[]", "8388608"});
        BOOST_REQUIRE(second.has_value());
        auto const& next = second->items.at(1).items.at(4).items;
        BOOST_REQUIRE(next.size() == 1u);
        BOOST_TEST(next[0].items.at(1).text == "t.2");
        BOOST_TEST(next[0].items.at(5).text == seen);
    });
}

BOOST_AUTO_TEST_CASE(what_exceeds_the_parked_jobs_stays_in_the_list_and_comes_in_its_turn) {
    play([](fixture& f) -> task<void> {
        auto options = f.options();
        options.max_parked = 30;
        worker w(f, options);
        for (int i = 0; i < 200; ++i)
            f.push("flood", "s", "f" + std::to_string(i));
        f.push("ada", "s", "last");
        co_await w.start();
        auto const first = co_await w.next();
        co_await until("as many as allowed are parked",
                       [&] { return f.server.command({"HLEN", "engram:body"}) == "30"; });
        BOOST_TEST(f.server.command({"LLEN", "engram:jobs"}) == "171");
        std::size_t most = 0;
        w.answer_all([&](queue::delivery const&) {
            most = std::max(most, std::size_t(std::stoul(f.server.command({"HLEN", "engram:body"}))));
        });
        first->answer();
        co_await f.replied("f199");
        co_await f.replied("last");
        BOOST_TEST(most <= 30u);
    });
}

BOOST_AUTO_TEST_CASE(a_daemon_that_can_take_nothing_does_not_spin) {
    play([](fixture& f) -> task<void> {
        auto options = f.options();
        options.max_parked = 10;
        proxy cable(f, f.server.socket());
        options.server.url = cable.url();
        worker w(f, options);
        for (int i = 0; i < 50; ++i)
            f.push("flood", "s", "f" + std::to_string(i));
        co_await w.start();
        auto const first = co_await w.next();
        co_await until("as many as allowed are parked",
                       [&] { return f.server.command({"HLEN", "engram:body"}) == "10"; });
        auto const heartbeat =
            f.server.command({"SCRIPT", "LOAD", std::string(queue::all_scripts().heartbeat.body())});
        cable.forget();
        co_await until("three heartbeats, a second apart", [&] { return cable.asked(heartbeat) >= 3; });
        // One look is a take and a wait; ten in a second are enough.
        BOOST_TEST(cable.asked("BLMOVE") <= 40u);
        BOOST_TEST(cable.asked("EVALSHA") <= 60u);
        first->answer();
    });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace

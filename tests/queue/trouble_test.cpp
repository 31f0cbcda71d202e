// A Redis that refuses.
#include "queue/scripts.hpp"
#include "worker.hpp"

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

struct fixture : queue_fixture {
    using queue_fixture::queue_fixture;
    void play(task<void> (*body)(fixture&)) { run(body(*this)); }

    task<void> troubled(worker& w, std::string code) {
        co_await until("trouble with " + code,
                       [&] { return w.queue.status().trouble.find(code) != std::string::npos; });
    }
    // A job of v waits for a place; `key`, which leads to it, is something else for a while.
    task<void> moved_aside(std::string key) {
        worker w(*this, options());
        w.queue.set_limit(1);
        co_await w.start();
        push("u", "s", "1");
        auto const one = co_await w.next();
        push("v", "s", "2");
        client c(*this, server.url());
        std::vector<std::string> const look{"engram", w.queue.instance(), "9",     "0",       "100",
                                            "100",    "100000",           "other", "3600000", "[]",
                                            "8388608"};
        auto const moved = co_await queue::all_scripts().take.run(c.redis, "engram:jobs", look);
        BOOST_REQUIRE(moved.has_value());
        server.command({"RENAME", key, "aside"});
        server.command({"SET", key, "foreign"});
        one->answer();
        co_await replied("1");
        server.command({"RENAME", "aside", key});
        auto const two = co_await w.next();
        BOOST_TEST(two->id() == "2");
        two->answer();
        co_await replied("2");
    }

    task<void> untroubled(worker& w) {
        co_await until("no more trouble", [&] { return w.queue.status().trouble.empty(); });
    }
};

BOOST_FIXTURE_TEST_SUITE(trouble, fixture)

BOOST_AUTO_TEST_CASE(a_daemon_waits_for_a_redis_that_is_not_there_yet) {
    play([](fixture& f) -> task<void> {
        f.server.kill();
        worker w(f, f.options());
        w.begin();
        auto const ready = co_await w.queue.wait_until_ready(steady_clock::now() + 200ms);
        BOOST_TEST(!ready);
        BOOST_TEST(!w.queue.status().connected);
        BOOST_TEST(!w.queue.status().trouble.empty());
        f.server.start();
        auto const later = co_await w.queue.wait_until_ready(steady_clock::now() + most_patience);
        BOOST_TEST(later);
        co_await f.untroubled(w);
    });
}

BOOST_AUTO_TEST_CASE(something_foreign_in_the_place_of_the_jobs_is_survived_and_ends_by_itself) {
    play([](fixture& f) -> task<void> {
        worker w(f, f.options());
        co_await w.start();
        f.push("u", "s", "1");
        auto const one = co_await w.next();
        f.server.command({"SET", "engram:jobs", "foreign"});
        co_await f.troubled(w, "WRONGTYPE");
        one->answer("later");
        BOOST_TEST(f.server.command({"GET", "engram:jobs"}) == "foreign");
        f.server.command({"DEL", "engram:jobs"});
        f.push("u", "s", "2");
        auto const two = co_await w.next();
        BOOST_TEST(two->id() == "2");
        BOOST_TEST(two->what.deaths == 0);
        BOOST_TEST(f.replies("1") == "later");
        co_await f.untroubled(w);
    });
}

BOOST_AUTO_TEST_CASE(something_foreign_in_any_key_of_the_queue_loses_nothing) {
    play([](fixture& f) -> task<void> {
        worker w(f, f.options());
        co_await w.start();
        for (auto const* key :
             {"engram:ready", "engram:body", "engram:meta", "engram:dead", "engram:parked"}) {
            // Out of the way and back, as nothing may be lost by it.
            f.push("u", "s", key + 7);
            auto const one = co_await w.next();
            f.server.command({"RENAME", key, "aside"});
            f.server.command({"SET", key, "foreign"});
            one->settle({key + 7, std::string("engram:reply:") + (key + 7), "r",
                         queue::dead_letter{"internal", "x"}});
            f.push("u", "t", std::string("behind-") + (key + 7));
            co_await f.troubled(w, "WRONGTYPE");
            f.server.command({"DEL", key});
            f.server.command({"RENAME", "aside", key});
            auto const behind = co_await w.next();
            BOOST_TEST(behind->id() == std::string("behind-") + (key + 7));
            behind->answer();
            co_await f.replied(key + 7);
            co_await f.replied(behind->id());
            BOOST_TEST(f.replies(key + 7) == "r");
        }
        co_await until("all is done", [&] { return w.queue.status().in_flight == 0; });
        BOOST_TEST(f.server.command({"XLEN", "engram:dead"}) == "5");
        BOOST_TEST(f.keys() == "engram:dead\nengram:instances\n");
    });
}

BOOST_AUTO_TEST_CASE(something_foreign_where_a_backlog_leads_to_loses_no_job) {
    play([](fixture& f) -> task<void> {
        auto options = f.options();
        options.max_parked_per_user = 1;
        worker w(f, options);
        f.push("alice", "s1", "1");
        f.push("alice", "s2", "2");
        co_await w.start();
        auto const one = co_await w.next();
        f.server.command({"SET", "engram:lane:5:alice:s2", "foreign"});
        one->answer();
        auto const two = co_await w.next();
        BOOST_TEST(two->id() == "2");
        two->answer();
        co_await f.replied("2");
        BOOST_TEST(f.server.command({"GET", "engram:lane:5:alice:s2"}) == "foreign");
        f.server.command({"DEL", "engram:lane:5:alice:s2"});
        co_await until("nothing is left", [&] { return f.keys() == "engram:instances\n"; });
    });
}

BOOST_AUTO_TEST_CASE(something_foreign_among_one_users_lanes_stops_nobody) {
    play([](fixture& f) -> task<void> {
        f.server.command({"ZADD", "engram:instances", "1", "dead"});
        for (std::string const user : {"alice", "bob"}) {
            auto const lane = std::to_string(user.size()) + ":" + user + ":s";
            f.server.command({"HSET", "engram:owned:dead", lane, user + ".1"});
            f.server.command({"RPUSH", "engram:lane:" + lane, user + ".1"});
            f.server.command({"HSET", "engram:body", user + ".1",
                              R"({"user_id":")" + user + R"(","session_id":"s","id":")" + user + "\"}"});
        }
        f.server.command({"SET", "engram:lanes:alice", "foreign"});
        auto options = f.options();
        options.lease = 1'000ms;
        worker w(f, options);
        co_await w.start();
        std::set<std::string> ids;
        std::vector<std::shared_ptr<turn>> turns;
        for (int i = 0; i < 2; ++i) {
            turns.push_back(co_await w.next());
            ids.insert(turns.back()->id());
            BOOST_TEST(turns.back()->what.deaths == 1);
        }
        BOOST_TEST((ids == std::set<std::string>{"alice", "bob"}));
        f.push("alice", "t", "later");
        auto const later = co_await w.next();
        BOOST_TEST(later->id() == "later");
        later->answer();
        for (auto& one : turns)
            one->answer();
        co_await f.replied("alice");
        co_await f.replied("later");
        BOOST_TEST(f.server.command({"GET", "engram:lanes:alice"}) == "foreign");
        f.server.command({"DEL", "engram:lanes:alice"});
        co_await until("nothing is left", [&] { return f.keys() == "engram:instances\n"; });
    });
}

BOOST_AUTO_TEST_CASE(a_lane_that_was_moved_aside_is_taken_when_it_is_back) {
    play([](fixture& f) { return f.moved_aside("engram:lane:1:v:s"); });
}

BOOST_AUTO_TEST_CASE(counters_that_are_no_numbers_lose_no_job) {
    play([](fixture& f) -> task<void> {
        auto options = f.options();
        options.max_parked_per_user = 1;
        worker w(f, options);
        co_await w.start();
        f.server.command({"SET", "engram:behind", "x"});
        f.server.command({"HSET", "engram:parked", "u", "x"});
        for (auto const* id : {"1", "2", "3"})
            f.push("u", "s", id);
        w.answer_all();
        for (auto const* id : {"1", "2", "3"})
            co_await f.replied(id);
        f.server.command({"DEL", "engram:behind"});
        co_await until("nothing is left", [&] { return f.keys() == "engram:instances\n"; });
    });
}

BOOST_AUTO_TEST_CASE(lanes_that_were_moved_aside_are_taken_when_they_are_back) {
    play([](fixture& f) { return f.moved_aside("engram:lanes:v"); });
}

BOOST_AUTO_TEST_CASE(what_is_wrong_with_the_lease_is_over_when_it_is_over_though_nothing_is_taken) {
    play([](fixture& f) -> task<void> {
        worker w(f, f.options());
        co_await w.start();
        w.queue.set_limit(0);
        f.server.command({"CONFIG", "SET", "min-replicas-to-write", "1"});
        co_await f.troubled(w, "NOREPLICAS");
        BOOST_TEST((w.queue.status().state == queue::intake::cut_off));
        f.server.command({"CONFIG", "SET", "min-replicas-to-write", "0"});
        co_await f.untroubled(w);
        BOOST_TEST((w.queue.status().state == queue::intake::paused));
    });
}

BOOST_AUTO_TEST_CASE(a_busy_daemon_whose_lease_cannot_be_renewed_takes_no_more) {
    play([](fixture& f) -> task<void> {
        f.server.command({"ACL", "SETUSER", "daemon", "on", "nopass", "~*", "&*", "+@all"});
        worker w(f, f.options("unix://daemon:any@" + f.server.socket()));
        w.queue.set_limit(1);
        co_await w.start();
        f.push("u", "s", "1");
        auto const one = co_await w.next();
        f.server.command({"ACL", "SETUSER", "daemon", "-zadd"});
        co_await f.troubled(w, "can't run this command");
        f.push("u", "s", "2");
        one->answer("in spite of it");
        co_await f.replied("1");
        co_await until("it is done", [&] { return w.queue.status().in_flight == 0; });
        BOOST_TEST(w.waiting() == 0u);
        BOOST_TEST(f.server.command({"LLEN", "engram:jobs"}) == "1");
        f.server.command({"ACL", "SETUSER", "daemon", "+zadd"});
        auto const two = co_await w.next();
        BOOST_TEST(two->id() == "2");
        two->answer();
    });
}

BOOST_AUTO_TEST_CASE(a_handler_that_fails_counts_as_a_death_on_a_full_redis_too) {
    fixture g({"--maxmemory-policy", "noeviction"});
    g.play([](fixture& f) -> task<void> {
        worker w(f, f.options());
        co_await w.start();
        f.push("u", "s", "1");
        auto const one = co_await w.next();
        f.server.command({"CONFIG", "SET", "maxmemory", "1"});
        one->blow_up();
        auto const again = co_await w.next();
        BOOST_TEST(again->what.deaths == 1);
        again->answer();
        co_await f.replied("1");
    });
}

BOOST_AUTO_TEST_CASE(a_full_redis_lets_running_and_waiting_jobs_end) {
    fixture g({"--maxmemory-policy", "noeviction"});
    g.play([](fixture& f) -> task<void> {
        worker w(f, f.options());
        co_await w.start();
        f.push("u", "s", "1");
        f.push("u", "s", "2");
        auto const one = co_await w.next();
        f.server.command({"CONFIG", "SET", "maxmemory", "1"});
        BOOST_TEST(f.server.command({"SET", "x", "y"}).find("OOM") != std::string::npos);
        one->answer("in spite of it");
        co_await f.replied("1");
        BOOST_TEST(f.replies("1") == "in spite of it");
        auto const two = co_await w.next();
        two->settle({"2", "engram:reply:2", "an error", queue::dead_letter{"internal", "x"}});
        co_await f.replied("2");
        BOOST_TEST(f.dead_letter().at("id") == "2");
        f.server.command({"CONFIG", "SET", "maxmemory", "0"});
        f.push("u", "s", "3");
        auto const three = co_await w.next();
        BOOST_TEST(three->id() == "3");
        co_await f.untroubled(w);
    });
}

BOOST_AUTO_TEST_CASE(a_daemon_that_starts_on_a_full_redis_empties_it) {
    play([](fixture& f) -> task<void> {
        for (int i = 0; i < 5; ++i)
            f.push("u", "s", std::to_string(i));
        f.server.command({"CONFIG", "SET", "maxmemory", "1"});
        worker w(f, f.options());
        w.answer_all();
        co_await w.start();
        for (int i = 0; i < 5; ++i)
            co_await f.replied(std::to_string(i));
        co_await until("all is done", [&] { return w.queue.status().in_flight == 0; });
        BOOST_TEST(f.server.command({"EXISTS", "engram:body"}) == "0");
    });
}

BOOST_AUTO_TEST_CASE(leases_are_renewed_on_a_full_redis) {
    play([](fixture& f) -> task<void> {
        worker w(f, f.options());
        co_await w.start();
        f.push("u", "s", "1");
        auto const one = co_await w.next();
        f.server.command({"CONFIG", "SET", "maxmemory", "1"});
        auto const before = f.server.command({"ZSCORE", "engram:instances", w.queue.instance()});
        co_await until("the lease is renewed", [&] {
            return f.server.command({"ZSCORE", "engram:instances", w.queue.instance()}) > before;
        });
        BOOST_TEST(!one->ended);
    });
}

BOOST_AUTO_TEST_CASE(a_redis_that_has_become_a_replica_is_waited_for) {
    play([](fixture& f) -> task<void> {
        worker w(f, f.options());
        co_await w.start();
        f.push("u", "s", "1");
        f.push("u", "s", "2");
        auto const one = co_await w.next();
        f.server.command({"REPLICAOF", "127.0.0.1", "1"});
        one->answer("later");
        co_await f.troubled(w, "READONLY");
        BOOST_TEST(f.replies("1") == "");
        f.server.command({"REPLICAOF", "NO", "ONE"});
        co_await f.replied("1");
        auto const two = co_await w.next();
        BOOST_TEST(two->id() == "2");
        BOOST_TEST(two->what.deaths == 0);
        co_await f.untroubled(w);
    });
}

BOOST_AUTO_TEST_CASE(the_rights_that_the_documentation_names_are_enough) {
    play([](fixture& f) -> task<void> {
        f.server.command(
            {"ACL", "SETUSER", "daemon", "on", ">pw", "~engram:*", "&engram:*", "+@all", "-@dangerous"});
        f.server.command({"ACL", "SETUSER", "front", "on", ">pw", "resetkeys", "resetchannels",
                          "~engram:jobs", "~engram:reply:*", "&engram:reply:*", "+lpush", "+blpop", "+lrange",
                          "+subscribe"});
        worker w(f, f.options("unix://daemon:pw@" + f.server.socket()));
        client front(f, "unix://front:pw@" + f.server.socket());
        co_await w.start();
        std::string const body = R"({"user_id":"u","id":"1","message":"hi"})";
        auto const pushed = co_await front.redis.command({"LPUSH", "engram:jobs", body});
        BOOST_REQUIRE(pushed.has_value());
        auto const one = co_await w.next();
        one->give_back();
        auto const again = co_await w.next();
        again->settle({"1", "engram:reply:1", "r", queue::dead_letter{"internal", "x"}});
        auto const reply = co_await front.redis.command({"BLPOP", "engram:reply:1", "20"}, 20s);
        BOOST_REQUIRE(reply.has_value());
        BOOST_TEST(reply->items.at(1).text == "r");
        auto const forbidden = co_await front.redis.command({"LRANGE", "engram:lane:x", "0", "-1"});
        BOOST_TEST((forbidden.has_error() && forbidden.error().has_code("NOPERM")));
    });
}

BOOST_AUTO_TEST_CASE(a_user_who_may_not_wait_on_the_list_still_gets_the_jobs) {
    play([](fixture& f) -> task<void> {
        f.server.command(
            {"ACL", "SETUSER", "small", "on", ">pw", "~engram:*", "&engram:*", "+@all", "-blmove"});
        worker w(f, f.options("unix://small:pw@" + f.server.socket()));
        co_await w.start();
        f.push("u", "s", "1");
        auto const one = co_await w.next();
        one->answer();
        co_await f.replied("1");
    });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace

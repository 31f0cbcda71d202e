// Daemons that die, stop or are cut off.
#include "redis/script.hpp"
#include "support/child_process.hpp"
#include "support/proxy.hpp"
#include "worker.hpp"

#include <boost/test/unit_test.hpp>

#include <csignal>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace {

using namespace engram;
using namespace engram::test;
using namespace std::chrono_literals;

struct fixture : queue_fixture {
    void play(task<void> (*body)(fixture&)) { run(body(*this)); }

    [[nodiscard]] std::string instances() {
        return server.command({"ZRANGE", "engram:instances", "0", "-1"});
    }
    // Ends this instance's lease now, whatever is left of it.
    void end_lease(std::string const& instance) {
        server.command({"ZADD", "engram:instances", "XX", "1", instance});
    }
};

std::unique_ptr<child_process> actor(fixture& f, std::string const& lease_ms) {
    auto made =
        std::make_unique<child_process>(std::vector<std::string>{QUEUE_ACTOR, f.server.url(), lease_ms});
    made->wait_for_line("ready");
    return made;
}

BOOST_FIXTURE_TEST_SUITE(takeover, fixture)

BOOST_AUTO_TEST_CASE(the_jobs_of_a_killed_daemon_go_to_another_in_order_with_a_death_counted) {
    play([](fixture& f) -> task<void> {
        auto const victim = actor(f, "1000");
        for (auto const* id : {"1", "2"})
            f.push("u", "s", id);
        f.push("u", "t", "3");
        victim->wait_for_line("\"1\"");
        victim->wait_for_line("\"3\"");
        worker heir(f, f.options());
        co_await heir.start();
        victim->signal(SIGKILL);
        victim->wait();
        f.push("u", "v", "4");  // younger than what was taken back
        auto const young = co_await heir.next();
        BOOST_TEST(young->id() == "4");
        std::map<std::string, std::shared_ptr<turn>> turns;
        for (int i = 0; i < 2; ++i) {
            auto const one = co_await heir.next();
            BOOST_TEST(one->what.attempts == 2);
            BOOST_TEST(one->what.deaths == 1);
            turns[one->id()] = one;
        }
        BOOST_REQUIRE((turns.contains("1") && turns.contains("3")));
        BOOST_TEST(f.instances() == heir.queue.instance());
        turns["1"]->answer();
        auto const two = co_await heir.next();
        BOOST_TEST(two->id() == "2");
        BOOST_TEST(two->what.deaths == 0);
    });
}

BOOST_AUTO_TEST_CASE(a_stopped_daemon_that_wakes_up_late_changes_nothing_and_begins_anew) {
    play([](fixture& f) -> task<void> {
        auto const sleeper = actor(f, "1000");
        f.push("u", "s", "1");
        sleeper->wait_for_line("took {");
        worker heir(f, f.options());
        co_await heir.start();
        sleeper->signal(SIGSTOP);
        auto const one = co_await heir.next();
        BOOST_TEST(one->id() == "1");
        BOOST_TEST(one->what.deaths == 1);
        sleeper->signal(SIGCONT);
        sleeper->wait_for_line("cancelled");
        one->answer("the only one");
        co_await f.replied("1");
        heir.queue.set_limit(0);
        // Under its new name it takes jobs again.
        f.push(R"({"user_id":"u","id":"2","message":"answer"})");
        co_await f.replied("2");
        BOOST_TEST(f.replies("1") == "the only one");
        BOOST_TEST(f.replies("2") == "from the actor");
        sleeper->signal(SIGTERM);
        BOOST_TEST(sleeper->wait() == 0);
        co_await until("it has left", [&] { return f.instances() == heir.queue.instance(); });
    });
}

BOOST_AUTO_TEST_CASE(a_daemon_killed_while_idle_is_forgotten) {
    play([](fixture& f) -> task<void> {
        auto const victim = actor(f, "500");
        worker heir(f, f.options());
        co_await heir.start();
        BOOST_TEST(f.server.command({"ZCARD", "engram:instances"}) == "2");
        victim->signal(SIGKILL);
        co_await until("it is forgotten", [&] { return f.instances() == heir.queue.instance(); });
    });
}

BOOST_AUTO_TEST_CASE(a_job_that_kills_every_daemon_is_counted_each_time) {
    play([](fixture& f) -> task<void> {
        f.push("u", "s", "1");
        for (int i = 0; i < 3; ++i) {
            auto const victim = actor(f, "300");
            victim->wait_for_line("took {");
            victim->signal(SIGKILL);
            victim->wait();
        }
        worker heir(f, f.options());
        co_await heir.start();
        auto const one = co_await heir.next();
        BOOST_TEST(one->what.deaths == 3);
        BOOST_TEST(one->what.attempts == 4);
    });
}

BOOST_AUTO_TEST_CASE(a_daemon_that_was_cut_off_finds_out_and_its_late_reply_changes_nothing) {
    play([](fixture& f) -> task<void> {
        proxy cable(f, f.server.socket());
        worker cut(f, f.options(cable.url()));
        co_await cut.start();
        auto const old_name = cut.queue.instance();
        for (auto const* id : {"1", "2"})
            f.push("u", "s", id);
        f.push("u", "t", "3");
        auto const one = co_await cut.next();
        auto const three = co_await cut.next();
        cable.hold();
        one->answer("too late");
        worker heir(f, f.options());
        co_await heir.start();
        f.end_lease(old_name);
        std::map<std::string, std::shared_ptr<turn>> turns;
        for (int i = 0; i < 2; ++i) {
            auto const again = co_await heir.next();
            BOOST_TEST(again->what.deaths == 1);
            turns[again->id()] = again;
        }
        BOOST_REQUIRE((turns.contains("1") && turns.contains("3")));
        BOOST_TEST(!three->ended);
        cable.let_go();
        co_await until("it has found out", [&] { return three->ended; });
        BOOST_TEST(three->cancelled);
        co_await until("it begins anew",
                       [&] { return f.server.command({"ZCARD", "engram:instances"}) == "2"; });
        BOOST_TEST(cut.queue.instance() != old_name);
        BOOST_TEST(f.replies("1") == "");
        turns["1"]->answer("in time");
        auto const two = co_await heir.next();
        BOOST_TEST(two->id() == "2");
        BOOST_TEST(f.replies("1") == "in time");
        // Both work on.
        heir.queue.set_limit(0);
        f.push("u", "v", "4");
        auto const four = co_await cut.next();
        BOOST_TEST(four->id() == "4");
        four->answer();
        co_await f.replied("4");
    });
}

BOOST_AUTO_TEST_CASE(a_daemon_that_learns_of_its_death_while_taking_begins_anew_too) {
    play([](fixture& f) -> task<void> {
        worker w(f, f.options());
        co_await w.start();
        f.push("u", "s", "1");
        auto const one = co_await w.next();
        auto const old_name = w.queue.instance();
        // Between two heartbeats, so that a call that takes jobs is the first to see it.
        f.server.command(
            {"EVAL",
             "redis.call('ZREM', 'engram:instances', ARGV[1]) redis.call('DEL', 'engram:owned:' .. ARGV[1]) "
             "redis.call('LPUSH', 'engram:lanes:u', ARGV[2]) redis.call('LPUSH', 'engram:ready', 'u')",
             "0", old_name, one->what.lane});
        f.push("u", "t", "2");
        co_await until("the turn is cancelled", [&] { return one->ended; });
        BOOST_TEST(one->cancelled);
        std::set<std::string> ids;
        std::vector<std::shared_ptr<turn>> turns;
        for (int i = 0; i < 2; ++i) {
            turns.push_back(co_await w.next());
            ids.insert(turns.back()->id());
        }
        BOOST_TEST((ids == std::set<std::string>{"1", "2"}));
        BOOST_TEST(w.queue.instance() != old_name);
        BOOST_TEST(f.instances() == w.queue.instance());
        for (auto& again : turns)
            again->answer();
        co_await f.replied("1");
        co_await f.replied("2");
        BOOST_TEST(f.server.command({"LLEN", "engram:reply:1"}) == "1");
    });
}

BOOST_AUTO_TEST_CASE(when_all_leases_end_together_it_was_not_the_daemons_fault) {
    play([](fixture& f) -> task<void> {
        worker a(f, f.options());
        worker b(f, f.options());
        co_await a.start();
        f.push("u", "s", "1");
        auto const one = co_await a.next();
        a.queue.set_limit(1);
        co_await b.start();
        f.push("u", "t", "2");
        auto const two = co_await b.next();
        // As after an absence of Redis longer than the lease, or a jump of its clock.
        f.server.command({"EVAL",
                          "for _, i in ipairs(redis.call('ZRANGE', 'engram:instances', 0, -1)) do "
                          "redis.call('ZADD', 'engram:instances', 1, i) end",
                          "0"});
        co_await until("the leases are renewed",
                       [&] { return f.server.command({"ZCOUNT", "engram:instances", "0", "2"}) == "0"; });
        auto const calls = f.calls("evalsha");
        co_await until("both have beaten again", [&] { return f.calls("evalsha") > calls + 6; });
        BOOST_TEST(!one->ended);
        BOOST_TEST(!two->ended);
        one->answer("mine");
        two->answer("mine too");
        co_await f.replied("1");
        co_await f.replied("2");
        BOOST_TEST(f.replies("1") == "mine");
        BOOST_TEST(a.queue.status().lost + b.queue.status().lost == 0u);
    });
}

BOOST_AUTO_TEST_CASE(a_clock_that_jumps_back_hides_no_dead_daemon) {
    play([](fixture& f) -> task<void> {
        auto options = f.options();
        options.lease = 1'500ms;
        worker w(f, options);
        co_await w.start();
        // As they stand when the clock jumps back by an hour: renewed in what is now the future.
        auto const far = std::to_string(
            std::stoll(f.server.command({"ZSCORE", "engram:instances", w.queue.instance()})) + 3'600'000);
        f.server.command({"ZADD", "engram:instances", far, w.queue.instance(), far, "dead"});
        f.server.command({"HSET", "engram:owned:dead", "1:u:s", "t.1"});
        f.server.command({"RPUSH", "engram:lane:1:u:s", "t.1"});
        f.server.command({"HSET", "engram:body", "t.1", R"({"user_id":"u","session_id":"s","id":"1"})"});
        auto const one = co_await w.next();
        BOOST_TEST(one->id() == "1");
        BOOST_TEST(one->what.deaths == 1);
        BOOST_TEST(f.instances() == w.queue.instance());
        one->answer();
    });
}

BOOST_AUTO_TEST_CASE(a_register_that_an_operator_removed_costs_no_job) {
    play([](fixture& f) -> task<void> {
        worker w(f, f.options());
        co_await w.start();
        f.push("u", "s", "1");
        auto const one = co_await w.next();
        f.server.command({"DEL", "engram:instances"});
        co_await until("the turn is cancelled", [&] { return one->ended; });
        auto const again = co_await w.next();
        BOOST_TEST(again->id() == "1");
        BOOST_TEST(again->what.deaths == 0);
        again->answer();
        co_await f.replied("1");
        co_await until("nothing is left", [&] { return f.keys() == "engram:instances\n"; });
    });
}

BOOST_AUTO_TEST_CASE(an_emptied_redis_is_begun_anew) {
    play([](fixture& f) -> task<void> {
        worker w(f, f.options());
        co_await w.start();
        f.push("u", "s", "1");
        auto const one = co_await w.next();
        f.server.command({"FLUSHALL"});
        co_await until("the turn is cancelled", [&] { return one->ended; });
        f.push("u", "s", "2");
        auto const two = co_await w.next();
        BOOST_TEST(two->id() == "2");
        two->answer();
        co_await f.replied("2");
        BOOST_TEST(f.replies("1") == "");
    });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace

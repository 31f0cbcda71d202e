// Jobs that are put off: they wait in their place and hold none of a daemon.
#include "queue/scripts.hpp"
#include "support/child_process.hpp"
#include "support/proxy.hpp"
#include "user_fixture.hpp"

#include <boost/test/unit_test.hpp>

#include <csignal>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

namespace {

using namespace engram;
using namespace engram::test;
using namespace std::chrono_literals;
using std::chrono::steady_clock;

struct fixture : user_fixture {
    void play(task<void> (*body)(fixture&)) { run(body(*this)); }

    [[nodiscard]] std::string delayed() { return look({"ZCARD", "engram:delayed"}); }
    task<void> until_delayed(std::string lanes) {
        co_await until(lanes + " lanes are delayed", [this, lanes] { return delayed() == lanes; });
        check_promises();
    }
    // The pause of this lane ends now; the lower `when`, the sooner it was over.
    void end_pause(std::string const& lane, int when = 1) {
        look({"ZADD", "engram:delayed", "XX", std::to_string(when), lane});
    }
    // A job of a user of its own, in hand.
    task<std::shared_ptr<turn>> job_in_hand(worker& w, std::string id) {
        push("u", id, id);
        auto const one = co_await w.next();
        BOOST_REQUIRE(one->id() == id);
        co_return one;
    }
    // Whatever is put off comes, one after the other, and is answered.
    task<void> end_all(worker& w) {
        w.answer_all();
        end_pauses();
        co_await until("nothing is left", [this] { return keys() == "engram:instances\n"; });
    }
    std::string meta(turn const& of) { return look({"HGET", "engram:meta", of.what.ticket}); }
    // As if the first call for it had failed that long before.
    void date_back(turn const& of, std::chrono::milliseconds age) {
        auto const text = meta(of);
        auto const at = text.rfind(' ') + 1;
        auto const since = std::stoll(text.substr(at)) - age.count();
        look({"HSET", "engram:meta", of.what.ticket, text.substr(0, at) + std::to_string(since)});
    }
};

BOOST_FIXTURE_TEST_SUITE(delays, fixture)

BOOST_AUTO_TEST_CASE(a_delayed_job_holds_no_place_and_others_go_on) {
    play([](fixture& f) -> task<void> {
        f.set.max_in_flight = 1;
        worker w(f, f.set);
        co_await w.start();
        auto const one = co_await f.job_in_hand(w, "1");
        f.push("u", "t", "2");
        one->postpone(1h, "HTTP status 529 overloaded_error");
        auto const two = co_await w.next();
        BOOST_TEST(two->id() == "2");
        f.check_promises();
        BOOST_TEST(f.look({"HGETALL", "engram:delays"}) ==
                   one->what.lane + "\nHTTP status 529 overloaded_error");
        BOOST_TEST(f.look({"HLEN", "engram:owned:" + w.queue.instance()}) == "1");
        BOOST_TEST(w.queue.status().in_flight == 1u);
        BOOST_TEST(w.queue.status().delayed == 1u);
        BOOST_TEST(w.queue.status().released == 0u);
        two->answer();
        co_await until("no place is taken", [&] { return w.queue.status().in_flight == 0; });
        BOOST_TEST(f.delayed() == "1");
        BOOST_TEST(f.replies("1") == "");
        co_await f.end_all(w);
        BOOST_TEST(f.replies("1") == "{}");
    });
}

BOOST_AUTO_TEST_CASE(a_pause_ends_by_itself_and_not_before_its_time) {
    play([](fixture& f) -> task<void> {
        worker w(f, f.set);
        co_await w.start();
        auto const one = co_await f.job_in_hand(w, "1");
        auto const began = steady_clock::now();
        one->postpone(1'500ms);
        auto const again = co_await w.next();
        BOOST_TEST((steady_clock::now() - began >= 1'499ms));  // Redis counts whole milliseconds
        BOOST_TEST(again->id() == "1");
        BOOST_TEST(again->what.attempts == 2);
        f.check_promises();
    });
}

BOOST_AUTO_TEST_CASE(the_jobs_behind_a_delayed_one_wait_in_order) {
    play([](fixture& f) -> task<void> {
        worker w(f, f.set);
        co_await w.start();
        for (auto const* id : {"1", "2", "3"})
            f.push("u", "s", id);
        auto const one = co_await w.next();
        one->postpone(1h);
        co_await f.until_delayed("1");
        f.push("u", "s", "4");
        f.push("v", "s", "5");
        auto const other = co_await w.next();
        BOOST_TEST(other->id() == "5");
        BOOST_TEST(f.look({"LLEN", "engram:lane:" + one->what.lane}) == "4");
        BOOST_TEST(w.waiting() == 0u);
        f.check_promises();
        f.end_pause(one->what.lane);
        for (auto const* id : {"1", "2", "3", "4"}) {
            auto const next = co_await w.next();
            BOOST_TEST(next->id() == id);
            next->answer();
        }
    });
}

BOOST_AUTO_TEST_CASE(a_lane_that_is_due_comes_first_and_the_earliest_before_the_others) {
    play([](fixture& f) -> task<void> {
        worker w(f, f.set);
        co_await w.start();
        std::vector<std::shared_ptr<turn>> late;
        for (auto const* user : {"a", "b", "c"}) {
            f.push(user, "s", user);
            late.push_back(co_await w.next());
            late.back()->postpone(1h);
        }
        co_await f.until_delayed("3");
        w.queue.set_limit(1);
        auto const blocker = co_await f.job_in_hand(w, "blocker");
        f.push("young", "s", "young");
        f.take(w.queue.instance(), "9", "0");
        f.end_pause(late[0]->what.lane, 2);
        f.end_pause(late[1]->what.lane, 1);
        f.end_pause(late[2]->what.lane, 3);
        co_await f.until_delayed("0");
        std::vector<std::string> order;
        w.answer_all([&](queue::delivery const& what) { order.push_back(user_fixture::id_of(what.body)); });
        blocker->answer();
        co_await f.replied("young");
        std::vector<std::string> const expected{"b", "a", "c", "young"};
        BOOST_TEST(order == expected, boost::test_tools::per_element());
    });
}

BOOST_AUTO_TEST_CASE(a_clock_that_was_set_back_keeps_no_lane_asleep) {
    play([](fixture& f) -> task<void> {
        worker w(f, f.set);
        co_await w.start();
        f.push("a", "s", "late");
        auto const late = co_await w.next();
        late->postpone(1h);
        co_await f.until_delayed("1");
        w.answer_all([](queue::delivery const&) {});
        f.look({"ZADD", "engram:delayed", "9000000000000", late->what.lane});
        co_await f.replied("late");
    });
}

BOOST_AUTO_TEST_CASE(a_delay_counts_as_no_death_and_keeps_when_it_was_first_seen) {
    play([](fixture& f) -> task<void> {
        worker w(f, f.set);
        co_await w.start();
        auto one = co_await f.job_in_hand(w, "1");
        BOOST_TEST(!one->what.failing);
        auto const before = f.meta(*one);
        auto const first_seen = before.substr(before.rfind(' '));
        for (int attempt = 1; attempt < 6; ++attempt) {
            one->postpone(1h);
            co_await f.until_delayed("1");
            BOOST_TEST(f.meta(*one).starts_with(std::to_string(attempt) + " 0" + first_seen + " "));
            f.end_pause(one->what.lane);
            one = co_await w.next();
            BOOST_TEST(one->what.attempts == attempt + 1);
            BOOST_TEST(one->what.deaths == 0);
            BOOST_TEST(one->what.failing.has_value());
        }
        one->answer();
        co_await until("nothing is left", [&] { return f.keys() == "engram:instances\n"; });
    });
}

BOOST_AUTO_TEST_CASE(the_time_of_the_first_failure_is_kept_over_deliveries) {
    play([](fixture& f) -> task<void> {
        worker w(f, f.set);
        co_await w.start();
        auto one = co_await f.job_in_hand(w, "1");
        one->postpone(1h);
        co_await f.until_delayed("1");
        f.date_back(*one, 100s);
        f.end_pause(one->what.lane);
        one = co_await w.next();
        BOOST_TEST((one->what.failing && *one->what.failing >= 100s && *one->what.failing < 200s));
        one->give_back();
        one = co_await w.next();
        BOOST_TEST((one->what.failing && *one->what.failing >= 100s));
        one->blow_up();
        one = co_await w.next();
        BOOST_TEST(one->what.deaths == 1);
        BOOST_TEST((one->what.failing && *one->what.failing >= 100s));
        one->postpone(1h);
        co_await f.until_delayed("1");
        f.end_pause(one->what.lane);
        one = co_await w.next();
        BOOST_TEST((one->what.failing && *one->what.failing >= 100s));
        // As after a clock that jumped back.
        one->postpone(1h);
        co_await f.until_delayed("1");
        f.date_back(*one, -1h);
        f.end_pause(one->what.lane);
        one = co_await w.next();
        BOOST_TEST((one->what.failing == 0ms));
    });
}

BOOST_AUTO_TEST_CASE(
    lanes_that_are_due_are_woken_by_any_daemon_also_after_the_death_of_the_one_that_delayed) {
    play([](fixture& f) -> task<void> {
        child_process victim({QUEUE_ACTOR, f.server.url(), "120000"});
        victim.wait_for_line("ready");
        f.push(R"({"user_id":"u","session_id":"s","id":"1","message":"later"})");
        co_await f.until_delayed("1");
        victim.signal(SIGKILL);
        victim.wait();
        worker heir(f, f.set);
        co_await heir.start();
        f.end_pause("1:u:s");
        auto const one = co_await heir.next();
        BOOST_TEST(one->id() == "1");
        BOOST_TEST(one->what.attempts == 2);
        BOOST_TEST(one->what.deaths == 0);
        BOOST_TEST(f.look({"ZCARD", "engram:instances"}) == "2");  // it has not been taken for dead yet
    });
}

BOOST_AUTO_TEST_CASE(a_delay_whose_answer_was_lost_costs_nothing) {
    play([](fixture& f) -> task<void> {
        proxy cable(f, f.server.socket());
        auto options = f.set;
        options.server.url = cable.url();
        worker w(f, options);
        co_await w.start();
        auto const one = co_await f.job_in_hand(w, "1");
        cable.lose_answer_to(f.look({"SCRIPT", "LOAD", std::string(queue::all_scripts().delay.body())}));
        one->postpone(1h);
        co_await until("the answer is lost", [&] { return cable.lost() == 1; });
        co_await f.until_delayed("1");
        auto const other = co_await f.job_in_hand(w, "other");
        BOOST_TEST(f.delayed() == "1");
        f.end_pause(one->what.lane);
        auto const again = co_await w.next();
        BOOST_TEST(again->id() == "1");
        BOOST_TEST(again->what.deaths == 0);
        again->answer();
        other->answer();
        co_await until("nothing is left", [&] { return f.keys() == "engram:instances\n"; });
    });
}

BOOST_AUTO_TEST_CASE(a_delay_that_never_arrived_is_noticed) {
    play([](fixture& f) -> task<void> {
        proxy cable(f, f.server.socket());
        auto options = f.set;
        options.server.url = cable.url();
        worker w(f, options);
        co_await w.start();
        auto const one = co_await f.job_in_hand(w, "1");
        co_await until("it waits", [&] { return cable.asked("BLMOVE") > 0; });
        cable.hold();
        one->postpone(1h);
        f.look({"CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"});
        cable.let_go();
        auto const again = co_await w.next();
        BOOST_TEST(again->id() == "1");
        BOOST_TEST(again->what.deaths == 0);
        BOOST_TEST(!again->what.failing);
        f.check_promises();
    });
}

BOOST_AUTO_TEST_CASE(a_delay_by_another_instance_or_ticket_changes_nothing) {
    play([](fixture& f) -> task<void> {
        worker w(f, f.set);
        co_await w.start();
        auto const one = co_await f.job_in_hand(w, "1");
        auto const before = f.everything();
        auto const& [instance, lane, ticket] = std::tie(one->what.instance, one->what.lane, one->what.ticket);
        auto const& script = queue::all_scripts().delay;
        BOOST_TEST(f.call(script, {"another", lane, ticket, "1000", "why"}) == "0");
        BOOST_TEST(f.call(script, {instance, lane, "another", "1000", "why"}) == "0");
        BOOST_TEST(f.call(script, {instance, "another", ticket, "1000", "why"}) == "0");
        BOOST_TEST((f.everything() == before));
        BOOST_TEST(f.call(script, {instance, lane, ticket, "3600000", "why"}) == "1");
        BOOST_TEST(f.call(script, {instance, lane, ticket, "3600000", "why"}) == "0");
        f.check_promises();
        one->answer("too late");
        co_await until("it was too late", [&] { return w.queue.status().lost == 1; });
        BOOST_TEST(f.delayed() == "1");
    });
}

BOOST_AUTO_TEST_CASE(a_drain_writes_delays_and_leaves_them) {
    play([](fixture& f) -> task<void> {
        auto w = std::make_unique<worker>(f, f.set);
        co_await w->start();
        auto const one = co_await f.job_in_hand(*w, "1");
        base::task_group draining(f.io.get_executor());
        draining.spawn("drain", w->queue.drain(steady_clock::now() + 1h));
        co_await until("it drains", [&] { return w->queue.status().state == queue::intake::draining; });
        one->postpone(1h);
        co_await until("the drain is over", [&] { return draining.size() == 0; });
        w.reset();
        BOOST_TEST(f.delayed() == "1");
        f.check_promises();
        BOOST_TEST(f.look({"EXISTS", "engram:instances"}) == "0");
        worker heir(f, f.set);
        co_await heir.start();
        f.end_pause(one->what.lane);
        auto const again = co_await heir.next();
        BOOST_TEST(again->what.attempts == 2);
        BOOST_TEST(again->what.deaths == 0);
    });
}

BOOST_AUTO_TEST_CASE(a_forgotten_user_has_no_delayed_job_left) {
    play([](fixture& f) -> task<void> {
        worker w(f, f.set);
        co_await w.start();
        for (auto const* id : {"1", "2"})
            f.push("ada", "s", id);
        auto const one = co_await w.next();
        one->postpone(1h);
        co_await f.until_delayed("1");
        // The one behind, whose turn has not come.
        auto const behind = co_await f.job_of("ada", "2");
        bool done = co_await f.cancel(behind);
        BOOST_TEST(done);
        f.check_promises();
        BOOST_TEST(f.delayed() == "1");
        auto const last = co_await f.only("ada");
        BOOST_TEST(user_fixture::id_of(last.body) == "1");
        done = co_await f.cancel(last);
        BOOST_TEST(done);
        BOOST_TEST(f.keys() == "engram:instances\n");
        BOOST_TEST(f.replies("1") == "ended");
    });
}

BOOST_AUTO_TEST_CASE(the_next_of_a_lane_comes_when_the_delayed_one_is_ended) {
    play([](fixture& f) -> task<void> {
        worker w(f, f.set);
        co_await w.start();
        for (auto const* id : {"1", "2"})
            f.push("ada", "s", id);
        auto const one = co_await w.next();
        one->postpone(1h);
        co_await f.until_delayed("1");
        auto const first = co_await f.job_of("ada", "1");
        bool const done = co_await f.cancel(first);
        BOOST_TEST(done);
        f.check_promises();
        auto const two = co_await w.next();
        BOOST_TEST(two->id() == "2");
        BOOST_TEST(!two->what.failing);
        BOOST_TEST(f.replies("1") == "ended");
    });
}

BOOST_AUTO_TEST_CASE(something_foreign_in_the_keys_of_delays_stops_no_lease) {
    play([](fixture& f) -> task<void> {
        worker w(f, f.set);
        co_await w.start();
        for (auto const* key : {"engram:delayed", "engram:delays"}) {
            f.look({"SET", key, "foreign"});
            auto const beats = f.calls("zrangebyscore");
            co_await until("it has beaten", [&] { return f.calls("zrangebyscore") >= beats + 4; });
            BOOST_TEST(w.queue.status().trouble == "");
            auto const one = co_await f.job_in_hand(w, key);
            auto const began = steady_clock::now();
            one->postpone(2'500ms);
            co_await until("trouble", [&] { return w.queue.status().trouble.starts_with("WRONGTYPE"); });
            f.look({"DEL", key});
            // Not at once: whatever has failed would be tried again without a pause.
            auto const again = co_await w.next();
            BOOST_TEST((steady_clock::now() - began >= 2'500ms));
            BOOST_TEST(again->id() == key);
            BOOST_TEST(again->what.deaths == 0);
            again->answer();
            co_await f.replied(key);
        }
        BOOST_TEST(w.queue.status().lost == 0u);
        BOOST_TEST(f.keys() == "engram:instances\n");
    });
}

BOOST_AUTO_TEST_CASE(a_drain_does_not_wait_for_a_delay_that_is_refused) {
    play([](fixture& f) -> task<void> {
        worker w(f, f.set);
        co_await w.start();
        auto const one = co_await f.job_in_hand(w, "1");
        f.look({"SET", "engram:delayed", "foreign"});
        one->postpone(1h);
        co_await until("trouble", [&] { return w.queue.status().trouble.starts_with("WRONGTYPE"); });
        f.look({"DEL", "engram:delayed"});
        co_await w.queue.drain(steady_clock::now());
        f.check_promises();
        BOOST_TEST(f.look({"LLEN", "engram:ready"}) == "1");
    });
}

BOOST_AUTO_TEST_CASE(an_entry_whose_lane_an_operator_removed_is_dropped) {
    play([](fixture& f) -> task<void> {
        worker w(f, f.set);
        co_await w.start();
        f.look({"ZADD", "engram:delayed", "1", "1:u:gone"});
        f.look({"HSET", "engram:delays", "1:u:gone", "why"});
        co_await f.until_delayed("0");
        BOOST_TEST(f.keys() == "engram:instances\n");
    });
}

BOOST_AUTO_TEST_CASE(a_full_redis_lets_jobs_be_delayed) {
    play([](fixture& f) -> task<void> {
        worker w(f, f.set);
        co_await w.start();
        auto const one = co_await f.job_in_hand(w, "1");
        f.look({"CONFIG", "SET", "maxmemory", "1"});
        one->postpone(1h);
        co_await f.until_delayed("1");
        f.look({"CONFIG", "SET", "maxmemory", "0"});
        f.end_pause(one->what.lane);
        f.look({"CONFIG", "SET", "maxmemory", "1"});
        auto const again = co_await w.next();
        BOOST_TEST(again->id() == "1");
        again->answer();
        co_await f.replied("1");
        f.look({"CONFIG", "SET", "maxmemory", "0"});
    });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace

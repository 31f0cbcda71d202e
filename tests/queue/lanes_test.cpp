// Which job comes when, and to whom.
#include "redis/script.hpp"
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

BOOST_FIXTURE_TEST_SUITE(lanes, fixture)

BOOST_AUTO_TEST_CASE(a_job_comes_with_the_producers_bytes_and_where_it_stands) {
    play([](fixture& f) -> task<void> {
        worker w(f, f.options());
        std::string const body =
            "{ \"user_id\":\"u\",\"session_id\":\"s\", \"message\":\"h\\u0069\", \"n\":1.10 }";
        f.push(body);
        co_await w.start();
        auto const one = co_await w.next();
        BOOST_TEST(one->what.body == body);
        BOOST_TEST(one->what.attempts == 1);
        BOOST_TEST(one->what.deaths == 0);
        BOOST_TEST(one->what.queued_ms >= 0);
        BOOST_TEST(one->what.queued_ms < 60'000);
        BOOST_TEST(one->what.instance == w.queue.instance());
        BOOST_TEST(w.queue.status().in_flight == 1u);
        BOOST_TEST(w.queue.status().connected);
        BOOST_TEST(f.server.command({"LLEN", "engram:jobs"}) == "0");
    });
}

BOOST_AUTO_TEST_CASE(a_repaired_job_keeps_its_place_in_its_conversation) {
    play([](fixture& f) -> task<void> {
        std::string const half = R"({"user_id":"u","session_id":"s","message":"\ud83d \\ud83d","id":")";
        std::string const whole = R"({"user_id":"u","session_id":"s","message":"\ud83d\ude00","id":")";
        std::vector<std::string> const jobs{
            half + "0\"}",
            whole + "1\"}",
            "\xEF\xBB\xBF" + whole + "2\"}",
            whole + "3\"}" + std::string(2, '\0'),
            whole + "4\"}\xC2\xA0\xE3\x80\x80\n",
            whole + "5\",\"x\":\"\xE9\"}",
            whole + "6\",\"x\":" + std::string(40, '[') + std::string(40, ']') + "}",
            half + "7\"}"};
        for (auto const& job : jobs)
            f.push(job);
        // Whose user cannot be told as it was meant has a lane of its own.
        f.push(R"({"user_id":"u\ud83d","session_id":"s","message":"hi"})");
        worker w(f, f.options());
        co_await w.start();
        auto one = co_await w.next();
        auto const nobodys = co_await w.next();
        BOOST_TEST(nobodys->what.lane.starts_with('~'));
        for (std::size_t i = 0; i < jobs.size(); ++i) {
            BOOST_TEST(one->what.lane == "1:u:s");
            BOOST_TEST((one->what.body == jobs[i]));
            BOOST_TEST(w.waiting() == 0u);
            one->settle({"", "", "", std::nullopt});
            if (i + 1 < jobs.size()) one = co_await w.next();
        }
    });
}

BOOST_AUTO_TEST_CASE(a_repaired_job_of_a_name_with_a_replacement_character_keeps_its_place_too) {
    play([](fixture& f) -> task<void> {
        std::string const of_user = R"({"user_id":"u\ufffd","session_id":"s","message":)";
        f.push(of_user + R"("one"})");
        f.push("\xEF\xBB\xBF" + of_user + R"("two"})");
        f.push(of_user + R"("three \ud83d"})");
        worker w(f, f.options());
        co_await w.start();
        for (int i = 0; i < 3; ++i) {
            auto const one = co_await w.next();
            BOOST_TEST(one->what.lane == "4:u\xEF\xBF\xBD:s");
            BOOST_TEST(w.waiting() == 0u);
            one->settle({"", "", "", std::nullopt});
        }
    });
}

BOOST_AUTO_TEST_CASE(jobs_of_one_conversation_come_one_at_a_time_in_order) {
    play([](fixture& f) -> task<void> {
        worker w(f, f.options());
        for (int i = 0; i < 20; ++i)
            f.push("u", "s", std::to_string(i));
        co_await w.start();
        for (int i = 0; i < 20; ++i) {
            auto const one = co_await w.next();
            BOOST_REQUIRE(one->id() == std::to_string(i));
            // Something that was pushed later overtakes what waits for its turn.
            f.push("other", "s" + std::to_string(i), "mark");
            auto const mark = co_await w.next();
            BOOST_REQUIRE(mark->id() == "mark");
            BOOST_TEST(w.waiting() == 0u);
            mark->answer();
            one->answer();
        }
    });
}

BOOST_AUTO_TEST_CASE(the_same_session_of_another_user_is_another_conversation) {
    play([](fixture& f) -> task<void> {
        worker w(f, f.options());
        f.push("ada", "s", "1");
        f.push("bob", "s", "2");
        f.push("ada", "t", "3");
        co_await w.start();
        std::set<std::string> ids;
        std::vector<std::shared_ptr<turn>> turns;
        for (int i = 0; i < 3; ++i) {
            turns.push_back(co_await w.next());
            ids.insert(turns.back()->id());
        }
        BOOST_TEST((ids == std::set<std::string>{"1", "2", "3"}));
    });
}

BOOST_AUTO_TEST_CASE(names_that_could_run_together_do_not) {
    play([](fixture& f) -> task<void> {
        worker w(f, f.options());
        f.push("a", "b:c", "1");
        f.push("a:b", "c", "2");
        f.push("1:a", "b", "3");
        f.push("a", "1:b", "4");
        co_await w.start();
        std::set<std::string> lanes;
        std::vector<std::shared_ptr<turn>> turns;
        for (int i = 0; i < 4; ++i) {
            turns.push_back(co_await w.next());
            lanes.insert(turns.back()->what.lane);
        }
        BOOST_TEST(lanes.size() == 4u);
    });
}

BOOST_AUTO_TEST_CASE(a_name_is_the_same_however_it_is_escaped) {
    play([](fixture& f) -> task<void> {
        worker w(f, f.options());
        f.push(R"({"user_id":"\u00fc","session_id":"s","id":"1","message":"hi"})");
        f.push(R"({"message":"hi","id":"2","session_id":"\u0073","user_id":"ü"})");
        f.push("u", "s", "3");
        co_await w.start();
        auto const one = co_await w.next();
        BOOST_TEST(one->id() == "1");
        auto const other = co_await w.next();
        BOOST_TEST(other->id() == "3");
        one->answer();
        auto const two = co_await w.next();
        BOOST_TEST(two->id() == "2");
        BOOST_TEST(two->what.lane == one->what.lane);
    });
}

BOOST_AUTO_TEST_CASE(jobs_without_a_session_run_side_by_side_but_repeats_of_an_id_meet) {
    play([](fixture& f) -> task<void> {
        worker w(f, f.options());
        f.push("u", "", "1");
        f.push("u", "", "2");
        f.push("u", "", "1");
        f.push(R"({"user_id":"u","message":"no id"})");
        f.push(R"({"user_id":"u","message":"no id","session_id":null})");
        co_await w.start();
        std::vector<std::shared_ptr<turn>> turns;
        for (int i = 0; i < 4; ++i)
            turns.push_back(co_await w.next());
        BOOST_TEST(w.waiting() == 0u);
        turns[0]->answer();
        auto const repeat = co_await w.next();
        BOOST_TEST(repeat->id() == "1");
        BOOST_TEST(repeat->what.ticket != turns[0]->what.ticket);
    });
}

BOOST_AUTO_TEST_CASE(two_daemons_share_the_work_and_keep_the_order_of_each_conversation) {
    play([](fixture& f) -> task<void> {
        auto options = f.options();
        options.max_in_flight = 6;  // so that neither can do it alone
        worker a(f, options);
        worker b(f, options);
        std::map<std::string, std::vector<int>> order;  // of each lane
        std::map<std::string, std::size_t> share;
        auto const each = [&](queue::delivery const& what) {
            auto const at = what.body.find("\"id\":\"") + 6;
            order[what.lane].push_back(std::stoi(what.body.substr(at)));
            ++share[what.instance];
        };
        a.answer_all(each);
        b.answer_all(each);
        co_await a.start();
        co_await b.start();
        for (int i = 0; i < 400; ++i)
            f.push("u", "s" + std::to_string(i % 20), std::to_string(i));
        for (int i = 380; i < 400; ++i)
            co_await f.replied(std::to_string(i));
        BOOST_TEST(order.size() == 20u);
        for (auto const& [lane, ids] : order) {
            BOOST_TEST(ids.size() == 20u);
            BOOST_TEST(std::is_sorted(ids.begin(), ids.end()), lane);
        }
        BOOST_TEST(share.size() == 2u);
        for (int i = 0; i < 400; ++i)
            BOOST_TEST(f.server.command({"LLEN", "engram:reply:" + std::to_string(i)}) == "1");
    });
}

BOOST_AUTO_TEST_CASE(no_more_jobs_are_held_than_allowed_and_the_room_is_used) {
    play([](fixture& f) -> task<void> {
        auto options = f.options();
        options.max_in_flight = 5;
        worker w(f, options);
        w.answer_all();
        for (int i = 0; i < 300; ++i)
            f.push("u", "", std::to_string(i));
        co_await w.start();
        for (int i = 0; i < 300; ++i)
            co_await f.replied(std::to_string(i));
        BOOST_TEST(w.most_handlers() == 5u);
        co_await until("all is answered", [&] { return w.queue.status().in_flight == 0; });
        BOOST_TEST(w.queue.status().taken == 300u);
        BOOST_TEST(w.queue.status().finished == 300u);
        BOOST_TEST(w.queue.status().lost == 0u);
    });
}

BOOST_AUTO_TEST_CASE(a_limit_of_none_pauses_and_a_limit_of_one_is_a_trial) {
    play([](fixture& f) -> task<void> {
        worker w(f, f.options());
        w.queue.set_limit(0);
        worker witness(f, f.options());
        co_await w.start();
        co_await witness.start();
        for (auto const* id : {"1", "2", "3"})
            f.push("u", "", id);
        // All go to the other one.
        std::vector<std::shared_ptr<turn>> turns;
        for (int i = 0; i < 3; ++i)
            turns.push_back(co_await witness.next());
        BOOST_TEST(w.waiting() == 0u);
        BOOST_TEST(w.queue.status().limit == 0u);
        witness.queue.set_limit(0);
        for (auto& one : turns)
            one->answer();
        for (auto const* id : {"4", "5", "6"})
            f.push("u", "", id);
        w.queue.set_limit(1);
        for (auto const* id : {"4", "5", "6"}) {
            auto const one = co_await w.next();
            BOOST_TEST(one->id() == id);
            BOOST_TEST(w.queue.status().in_flight == 1u);
            one->answer();
        }
        BOOST_TEST(w.most_handlers() == 1u);
        w.queue.set_limit(1'000'000);
        BOOST_TEST(w.queue.status().limit == f.options().max_in_flight);
    });
}

BOOST_AUTO_TEST_CASE(a_limit_lowered_below_what_runs_lets_it_run) {
    play([](fixture& f) -> task<void> {
        worker w(f, f.options());
        co_await w.start();
        for (auto const* id : {"1", "2", "3"})
            f.push("u", "", id);
        std::vector<std::shared_ptr<turn>> turns;
        for (int i = 0; i < 3; ++i)
            turns.push_back(co_await w.next());
        w.queue.set_limit(1);
        f.push("u", "", "4");
        turns[0]->answer();
        turns[1]->answer();
        co_await f.replied("1");
        co_await f.replied("2");
        BOOST_TEST(w.waiting() == 0u);
        turns[2]->answer();
        auto const last = co_await w.next();
        BOOST_TEST(last->id() == "4");
    });
}

BOOST_AUTO_TEST_CASE(a_pushed_job_wakes_an_idle_daemon) {
    play([](fixture& f) -> task<void> {
        proxy cable(f, f.server.socket());
        worker w(f, f.options(cable.url()));
        co_await w.start();
        cable.forget();
        for (int i = 0; i < 10; ++i) {
            co_await until("it waits", [&] {
                return f.server.command({"INFO", "clients"}).find("blocked_clients:1") != std::string::npos;
            });
            f.push("u", "", std::to_string(i));
            auto const one = co_await w.next();
            one->answer();
            co_await f.replied(std::to_string(i));
        }
        // Waits that ended by their time. Were it not for the wake-up, each job would be found after one of
        // those.
        BOOST_TEST(cable.heard("*-1\r\n") + cable.heard("$-1\r\n") < 5u);
    });
}

BOOST_AUTO_TEST_CASE(a_busy_daemon_needs_about_one_round_trip_a_job) {
    play([](fixture& f) -> task<void> {
        auto options = f.options();
        options.max_in_flight = 8;
        worker w(f, options);
        w.answer_all();
        w.queue.set_limit(0);
        co_await w.start();
        for (int i = 0; i < 400; ++i)
            f.push("u", "s" + std::to_string(i % 40), std::to_string(i));
        auto const before = f.calls("evalsha");
        w.queue.set_limit(8);
        co_await f.replied("399");
        co_await until("all is answered", [&] { return w.queue.status().finished == 400; });
        BOOST_TEST(f.calls("evalsha") - before < 500);
    });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace

// A user's jobs and requests: found wherever they are, and ended there.
#include "clerk.hpp"
#include "queue/scripts.hpp"
#include "support/proxy.hpp"
#include "user_fixture.hpp"

#include <boost/test/unit_test.hpp>

#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace engram;
using namespace engram::test;
using queue::job_place;

BOOST_FIXTURE_TEST_SUITE(user_jobs, user_fixture)

BOOST_AUTO_TEST_CASE(a_job_that_nobody_has_looked_at_is_found_and_ended_once) {
    play([](user_fixture& f) -> task<void> {
        f.push("ada", "s", "1");
        f.push("bob", "s", "2");
        auto const one = co_await f.only("ada");
        BOOST_TEST((one.place == job_place::list));
        BOOST_TEST(one.body.find("\"1\"") != std::string::npos);
        bool done = co_await f.cancel(one);
        BOOST_TEST(done);
        done = co_await f.cancel(one);
        BOOST_TEST(!done);
        BOOST_TEST(f.replies("1") == "ended");
        BOOST_TEST(f.look({"TTL", "engram:reply:1"}) == "3600");
        BOOST_TEST(f.calls("publish") == 1);
        BOOST_TEST(f.look({"LLEN", "engram:jobs"}) == "1");
    });
}

BOOST_AUTO_TEST_CASE(a_running_job_that_is_ended_has_no_other_reply_and_the_next_of_its_lane_comes) {
    play([](user_fixture& f) -> task<void> {
        worker w(f, f.set);
        co_await w.start();
        f.push("ada", "s", "1");
        f.push("ada", "s", "2");
        auto const one = co_await w.next();
        auto const running = co_await f.job_of("ada", "1");
        BOOST_TEST((running.place == job_place::lane));
        bool const done = co_await f.cancel(running);
        BOOST_TEST(done);
        f.check_promises();
        auto const two = co_await w.next();
        BOOST_TEST(two->id() == "2");
        one->answer("too late");
        co_await until("it was too late", [&] { return w.queue.status().lost == 1; });
        two->answer("the next");
        co_await f.replied("2");
        BOOST_TEST(f.replies("1") == "ended");
        BOOST_TEST(f.replies("2") == "the next");
        BOOST_TEST(f.keys() == "engram:instances\n");
    });
}

BOOST_AUTO_TEST_CASE(a_job_that_another_daemon_gives_back_or_fails_after_its_end_stays_ended) {
    play([](user_fixture& f) -> task<void> {
        worker a(f, f.set), b(f, f.set);
        co_await a.start();
        for (bool const fails : {false, true}) {
            f.push("ada", "s", fails ? "2" : "1");
            auto const one = co_await a.next();
            auto const running = co_await f.only("ada");
            bool const done = co_await f.cancel(running);
            BOOST_TEST(done);
            fails ? one->blow_up() : one->give_back();
            co_await until("it has ended", [&] { return a.queue.status().in_flight == 0; });
            f.check_promises();
            BOOST_TEST(f.keys() == "engram:instances\n");
        }
        BOOST_TEST(a.queue.status().released == 2u);
    });
}

BOOST_AUTO_TEST_CASE(jobs_that_wait_in_lanes_are_ended_in_every_place_of_them) {
    play([](user_fixture& f) -> task<void> {
        f.set.max_in_flight = 1;
        f.push("zoe", "s", "0");
        for (auto const* id : {"1", "2", "3", "4"})
            f.push("ada", "s", id);
        f.push("ada", "t", "5");
        f.push("ada", "", "6");
        f.push(R"({"user_id":"ada","message":"no id","x":"\"id\":\"7\""})");
        f.push("bob", "s", "8");
        worker w(f, f.set);
        auto const blocker = co_await f.park(w);
        f.check_promises();
        auto const found = co_await f.find("ada");
        BOOST_TEST(found.size() == 7u);
        // The middle, the first that is ready, a lane's only one, one without a session, the rest.
        for (auto const* id : {"2", "1", "5", "6", "3", "4"}) {
            auto const one = co_await f.job_of("ada", id);
            BOOST_TEST((one.place == job_place::lane));
            bool const done = co_await f.cancel(one);
            BOOST_TEST(done, id);
            f.check_promises();
            BOOST_TEST(f.replies(id) == "ended");
        }
        auto const last = co_await f.only("ada");
        bool const done = co_await f.cancel(last);
        BOOST_TEST(done);
        f.check_promises();
        BOOST_TEST(f.look({"LRANGE", "engram:ready", "0", "-1"}) == "bob");
        blocker->answer();
        auto const bob = co_await w.next();
        BOOST_TEST(bob->id() == "8");
    });
}

BOOST_AUTO_TEST_CASE(a_place_that_becomes_free_goes_to_the_backlog) {
    play([](user_fixture& f) -> task<void> {
        f.set.max_in_flight = 1;
        f.set.max_parked_per_user = 3;
        f.push("zoe", "s", "0");
        for (int i = 1; i <= 9; ++i)
            f.push("ada", "s" + std::to_string(i % 2), std::to_string(i));
        worker w(f, f.set);
        auto const blocker = co_await f.park(w);
        auto const behind = co_await f.job_of("ada", "6");
        BOOST_TEST((behind.place == job_place::backlog));
        auto const moving = co_await f.job_of("ada", "4");
        BOOST_TEST((moving.place == job_place::backlog));
        bool done = co_await f.cancel(behind);
        BOOST_TEST(done);
        f.check_promises();
        auto const first = co_await f.job_of("ada", "2");
        done = co_await f.cancel(first);
        BOOST_TEST(done);
        f.check_promises();
        BOOST_TEST(f.look({"LLEN", "engram:backlog:ada"}) == "4");
        // It has a place by now, and is found there.
        done = co_await f.cancel(moving);
        BOOST_TEST(done);
        f.check_promises();
        BOOST_TEST(f.look({"LLEN", "engram:backlog:ada"}) == "3");
        std::vector<std::string> order;
        w.answer_all([&](queue::delivery const& what) {
            if (what.body.find("ada") != std::string::npos) order.push_back(what.lane + what.body);
        });
        blocker->answer();
        for (auto const* id : {"1", "3", "5", "7", "8", "9"})
            co_await f.replied(id);
        BOOST_TEST(order.size() == 6u);
        co_await until("nothing is left", [&] { return f.keys() == "engram:instances\n"; });
    });
}

BOOST_AUTO_TEST_CASE(a_job_in_the_hands_of_an_instance_that_is_not_registered_is_left_to_it_for_now) {
    play([](user_fixture& f) -> task<void> {
        worker w(f, f.set);
        co_await w.start();
        f.push("ada", "s", "1");
        auto const one = co_await w.next();
        auto const running = co_await f.only("ada");
        auto const owned = "engram:owned:" + w.queue.instance();
        f.look({"RENAME", owned, "engram:owned:ghost"});
        auto const before = f.everything();
        bool done = co_await f.cancel(running);
        BOOST_TEST(!done);
        BOOST_TEST((f.everything() == before));
        f.look({"RENAME", "engram:owned:ghost", owned});
        done = co_await f.cancel(running);
        BOOST_TEST(done);
        BOOST_TEST(f.keys() == "engram:instances\n");
    });
}

BOOST_AUTO_TEST_CASE(a_user_is_found_by_what_the_text_means_and_nobody_else) {
    play([](user_fixture& f) -> task<void> {
        f.push(R"({"user_id":"a\"b","id":"1","message":"x"})");
        f.push(R"({"message":"x","id":"2","user_id":"\u0061\u0022b"})");
        f.push(R"({"user_id":"c","id":"3","message":"user_id a\"b \"user_id\":\"a\\\"b\""})");
        f.push(R"({"user_id":"a\"bc","id":"4","message":"x"})");
        f.push(R"({"other":{"user_id":"a\"b"},"user_id":"d","id":"5","message":"x"})");
        f.push(R"(["a\"b"])");
        f.push(R"(a"b)");
        auto const found = co_await f.find("a\"b");
        BOOST_REQUIRE(found.size() == 2u);
        for (auto const& one : found) {
            bool const done = co_await f.cancel(one);
            BOOST_TEST(done);
        }
        BOOST_TEST(f.look({"LLEN", "engram:jobs"}) == "5");
        BOOST_TEST(f.replies("1") == "ended");
        BOOST_TEST(f.replies("2") == "ended");
    });
}

BOOST_AUTO_TEST_CASE(a_users_repaired_jobs_and_letters_are_found_and_nobody_elses) {
    play([](user_fixture& f) -> task<void> {
        std::string const mine = R"({"user_id":"ada","id":"1","message":"\ud83d"})";
        std::vector<std::string> const jobs{mine, "\xEF\xBB\xBF" + mine, mine + std::string(1, '\0'),
                                            mine + "\xC2\xA0"};
        for (auto const& job : jobs) {
            f.push(job);
            f.bury(job);
        }
        // Of these nobody can say whose they were meant to be.
        f.push(R"({"user_id":"ada\ud83d","id":"2"})");
        f.bury(R"({"user_id":"ada\ud83d","id":"2"})");
        f.bury(mine + "x");
        for (std::string const name : {"ada\xEF\xBF\xBD", "ada\\ud83d", "ad"}) {
            auto const others = co_await f.find(name);
            BOOST_TEST(others.empty());
            auto const erased = co_await f.erase(name);
            BOOST_TEST(erased == 0u);
        }
        auto const found = co_await f.find("ada");
        BOOST_TEST(found.size() == jobs.size());
        auto const erased = co_await f.erase("ada");
        BOOST_TEST(erased == jobs.size());
        auto const last = queue::farewell_to(found.at(0), {"engram"}, "gone");
        BOOST_TEST(last.reply_to == "engram:reply:1");
        BOOST_TEST(last.reply.find("\"user_id\":\"ada\"") != std::string::npos);
    });
}

BOOST_AUTO_TEST_CASE(jobs_too_large_to_be_told_apart_are_found_in_lanes_and_behind) {
    play([](user_fixture& f) -> task<void> {
        f.set.max_in_flight = 1;
        f.set.max_job_bytes = 200;
        f.set.max_parked_per_user = 1;
        f.push("zoe", "s", "0");
        std::string const filling(300, 'x');
        for (auto const* id : {"1", "2", "3"})
            f.push(R"({"user_id":"ada","id":")" + std::string(id) + R"(","message":")" + filling + "\"}");
        worker w(f, f.set);
        auto const blocker = co_await f.park(w);
        auto const found = co_await f.find("ada");
        BOOST_REQUIRE(found.size() == 3u);
        BOOST_TEST((found[0].place == job_place::odd));
        BOOST_TEST((found[2].place == job_place::lane));
        for (auto const& one : found) {
            bool const done = co_await f.cancel(one);
            BOOST_TEST(done);
            f.check_promises();
        }
        blocker->answer();
        co_await until("nothing is left", [&] { return f.keys() == "engram:instances\n"; });
    });
}

BOOST_AUTO_TEST_CASE(requests_of_a_user_are_found_but_for_those_that_forget) {
    play([](user_fixture& f) -> task<void> {
        worker w(f, f.set);
        co_await w.start();
        auto const request = [](std::string const& user, std::string const& op, std::string const& id) {
            return R"({"op":")" + op + R"(","user_id":")" + user + R"(","id":")" + id + R"("})";
        };
        auto const ask = [&](std::string const& raw) { f.look({"LPUSH", "engram:admin", raw}); };
        clerk c(f, f.set, [&w] { return w.queue.instance(); });
        ask(request("ada", "memory.add", "1"));
        auto const under_way = co_await c.next();
        ask(request("ada", "memory.search", "2"));
        ask(request("ada", "user.forget", "3"));
        ask(request("bob", "memory.list", "4"));
        auto const found = co_await f.find("ada");
        BOOST_REQUIRE(found.size() == 2u);
        BOOST_TEST((found[0].place == job_place::admin));
        BOOST_TEST((found[1].place == job_place::taken));
        for (auto const& one : found) {
            bool const done = co_await f.cancel(one);
            BOOST_TEST(done);
        }
        under_way->answer("1", "too late");
        for (auto const* id : {"3", "4"}) {
            auto const next = co_await c.next();
            next->answer(id, "r");
            co_await f.replied(id);
        }
        BOOST_TEST(f.replies("1") == "ended");
        BOOST_TEST(f.replies("2") == "ended");
        co_await until("both are counted", [&] { return c.queue.answered() == 2; });
        BOOST_TEST(f.keys() == "engram:instances\n");
    });
}

BOOST_AUTO_TEST_CASE(a_request_that_goes_back_between_the_walks_is_found_and_none_is_found_twice) {
    play([](user_fixture& f) -> task<void> {
        auto const request = [](std::string const& id) {
            return R"({"op":"memory.list","user_id":"ada","id":")" + id + R"("})";
        };
        f.look({"ZADD", "engram:instances", "9000000000000", "one"});
        f.look({"LPUSH", "engram:admin:taken:one", request("back")});
        for (auto const* id : {"1", "2", "2"})
            f.look({"LPUSH", "engram:admin", request(id)});
        proxy cable(f, f.server.socket());
        client other(f, cable.url());
        cable.before("\r\ntaken\r\n", [&f] {
            f.look({"RPOPLPUSH", "engram:admin:taken:one", "engram:admin"});
            f.look({"LMOVE", "engram:admin", "engram:admin", "LEFT", "RIGHT"});
        });
        auto const found = co_await queue::find_user_jobs(other.redis, "engram", "ada", 100);
        BOOST_REQUIRE(found.has_value());
        std::multiset<std::string> ids;
        for (auto const& one : *found)
            ids.insert(user_fixture::id_of(one.body));
        BOOST_TEST((ids == std::multiset<std::string>{"1", "2", "2", "back"}));
    });
}

// Looks piece by piece, as find_user_jobs() does, and has jobs move after the first piece of `place`.
std::set<std::string> find_while_they_move(user_fixture& f, std::string const& place) {
    std::set<std::string> ids;
    for (std::string const at : {"jobs", "backlog", "odd", "lanes"}) {
        std::string cursor;
        bool first = at == place;
        do {
            std::istringstream said(
                f.call(queue::all_scripts().user_jobs, {"", "ada", at, cursor, "100000", "", "2097152"}));
            std::getline(said, cursor);
            for (std::string line; std::getline(said, line);)
                if (line.starts_with("{")) ids.insert(user_fixture::id_of(line));
            if (std::exchange(first, false)) {
                BOOST_TEST(!cursor.empty());
                f.set.max_parked_per_user = 100;
                f.push("ada", "s", "late");
                f.take("one", "64", "0");
            }
        } while (!cursor.empty());
    }
    ids.erase("late");
    return ids;
}

BOOST_AUTO_TEST_CASE(jobs_that_move_while_they_are_looked_for_are_met_further_on) {
    play([](user_fixture& f) -> task<void> {
        f.look({"ZADD", "engram:instances", "9000000000000", "one"});
        f.set.max_parked_per_user = 5;
        for (int i = 0; i < 1'205; ++i)
            f.push("ada", "s", std::to_string(i));
        f.take("one", "5", "0");
        BOOST_TEST(find_while_they_move(f, "jobs").size() == 1'205u);
        f.set.max_parked_per_user = 5;
        f.take("one", "2000", "0");
        BOOST_TEST(f.look({"LLEN", "engram:jobs"}) == "0");
        auto const before = f.look({"LLEN", "engram:backlog:ada"});
        BOOST_TEST(find_while_they_move(f, "backlog").size() == 1'205u);
        BOOST_TEST(f.look({"LLEN", "engram:backlog:ada"}) != before);
        co_return;
    });
}

BOOST_AUTO_TEST_CASE(a_search_is_bounded_and_goes_over_what_is_foreign) {
    play([](user_fixture& f) -> task<void> {
        for (int i = 0; i < 700; ++i)
            f.push("ada", "s", std::to_string(i));
        f.look({"SET", "engram:backlog:ada", "foreign"});
        f.look({"SET", "engram:backlog:", "foreign"});
        auto found = co_await f.find("ada", 10);
        BOOST_TEST(found.size() == 10u);
        found = co_await f.find("ada", 1'000);
        BOOST_TEST(found.size() == 700u);
        f.look({"RENAME", "engram:backlog:ada", "engram:body"});
        auto const refused = co_await queue::find_user_jobs(f.hand.redis, "engram", "ada", 1'000);
        BOOST_TEST((refused.has_error() && refused.error().has_code("WRONGTYPE")));
    });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace

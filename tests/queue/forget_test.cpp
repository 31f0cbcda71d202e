// A user is forgotten: many jobs ended while daemons work, keys and dead letters erased.
#include "queue/scripts.hpp"
#include "user_fixture.hpp"

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <map>
#include <random>
#include <string>
#include <vector>

namespace {

using namespace engram;
using namespace engram::test;
using std::chrono::steady_clock;

BOOST_FIXTURE_TEST_SUITE(forget, user_fixture)

// 1,500 jobs of one user and 100 of another, where they wait, and two daemons with this many places.
task<void> forget_many(user_fixture& f, std::size_t places) {
    for (int i = 0; i < 1'500; ++i)
        f.push("ada", "s" + std::to_string(i % 40), "a" + std::to_string(i));
    for (int i = 0; i < 100; ++i)
        f.push("bob", "s" + std::to_string(i % 7), "b" + std::to_string(i));
    worker a(f, f.set), b(f, f.set);
    for (auto* const w : {&a, &b}) {
        w->queue.set_limit(0);
        w->answer_all();
        co_await w->start();
    }
    f.take(a.queue.instance(), "2000", "0");
    BOOST_TEST(f.look({"HGET", "engram:parked", "ada"}) == "1000");
    BOOST_TEST(f.look({"LLEN", "engram:backlog:ada"}) == "500");
    a.queue.set_limit(places);
    b.queue.set_limit(places);
    int ended = 0;
    auto const began = steady_clock::now();
    for (;;) {
        auto const found = co_await f.find("ada", 200);
        if (found.empty()) break;
        for (auto const& one : found) {
            bool const done = co_await f.cancel(one);
            ended += done;
        }
        f.check_promises();
    }
    auto const took = std::chrono::duration_cast<std::chrono::milliseconds>(steady_clock::now() - began);
    BOOST_TEST_MESSAGE(ended << " of 1500 jobs ended in " << took.count() << " ms");
    a.queue.set_limit(4);
    co_await until("nothing is left", [&] { return f.keys() == "engram:instances\n"; });
    int by_force = 0;
    for (int i = 0; i < 1'500; ++i) {
        auto const said = f.replies("a" + std::to_string(i));
        BOOST_TEST((said == "ended" || said == "{}"), i << " has " << said);
        by_force += said == "ended";
    }
    BOOST_TEST(by_force == ended);
    BOOST_TEST((places == 0 ? ended == 1'500 : ended > 0));
    for (int i = 0; i < 100; ++i)
        BOOST_TEST(f.replies("b" + std::to_string(i)) == "{}");
}

BOOST_AUTO_TEST_CASE(a_user_with_more_jobs_than_their_share_is_forgotten) {
    play([](user_fixture& f) { return forget_many(f, 0); });
}

BOOST_AUTO_TEST_CASE(a_user_with_more_jobs_than_their_share_is_forgotten_while_daemons_work) {
    play([](user_fixture& f) { return forget_many(f, 2); });
}

// The scripts in some thousand random steps; the promises are looked at after each.
BOOST_AUTO_TEST_CASE(an_end_by_force_between_any_two_steps_breaks_no_promise) {
    play([](user_fixture& f) -> task<void> {
        std::mt19937 random(7);
        auto const any = [&](int below) { return int(random() % unsigned(below)); };
        f.set.max_parked_per_user = 4;
        std::vector<std::string> const instances{"one", "two"};
        for (auto const& i : instances)
            f.look({"ZADD", "engram:instances", "9000000000000", i});
        std::vector<std::string> pushed;
        std::map<std::string, std::string> due;
        enum class way { finish, release, delay };
        auto const settle = [&](std::string const& instance, way how) {
            auto const owned = f.look({"HGETALL", "engram:owned:" + instance});
            if (owned.empty()) return;
            auto const end = owned.find('\n');
            auto const lane = owned.substr(0, end);
            auto const ticket = owned.substr(end + 1, owned.find('\n', end + 1) - end - 1);
            auto const body = f.look({"HGET", "engram:body", ticket});
            if (how == way::delay) {
                f.call(queue::all_scripts().delay, {instance, lane, ticket, any(2) ? "0" : "3600000", "why"});
                return;
            }
            if (how == way::release) {
                f.call(queue::all_scripts().release, {instance, lane, ticket, "0"});
                return;
            }
            auto const id = user_fixture::id_of(body);
            due[id] = "{}";
            f.call(queue::all_scripts().finish,
                   {instance, lane, ticket, "engram:reply:" + id, "{}", "60000", id, "", "", "1", "1", "100",
                    "4", "262144", "f" + std::to_string(due.size()), "3600000", "[]", "8388608"});
        };
        int ended = 0;
        for (int step = 0; step < 3'000; ++step) {
            auto const instance = instances[std::size_t(any(2))];
            switch (any(7)) {
                case 0:
                case 1:
                    if (step < 2'500) {
                        pushed.push_back(std::to_string(step));
                        f.push(any(3) ? "ada" : "bob", any(4) ? "s" + std::to_string(any(3)) : "",
                               pushed.back());
                    }
                    break;
                case 2:
                    f.take(instance, std::to_string(any(3)), std::to_string(any(2)));
                    break;
                case 3:
                    settle(instance, way(any(3)));
                    break;
                case 4:
                    // Wakes what is due.
                    f.call(queue::all_scripts().heartbeat, {instance, "3600000", "0", "{}", ""});
                    break;
                default: {
                    auto const found = co_await f.find(any(2) ? "ada" : "bob", 8);
                    if (found.empty()) break;
                    auto const& one = found[std::size_t(any(int(found.size())))];
                    bool const done = co_await f.cancel(one);
                    BOOST_TEST(done);
                    due[user_fixture::id_of(one.body)] = "ended";
                    ++ended;
                }
            }
            f.check_promises();
        }
        for (int rest = 0; rest < 3'000 && f.keys() != "engram:instances\n"; ++rest) {
            f.end_pauses();
            f.call(queue::all_scripts().heartbeat, {"one", "3600000", "0", "{}", ""});
            f.take("one", "16", "1");
            settle("one", way::finish);
            settle("two", way::finish);
        }
        BOOST_TEST(f.keys() == "engram:instances\n");
        BOOST_TEST(ended > 300);
        BOOST_TEST(due.size() == pushed.size());
        for (auto const& id : pushed)
            BOOST_TEST(f.replies(id) == due[id]);
    });
}

BOOST_AUTO_TEST_CASE(a_users_dead_letters_leave_no_text_and_the_others_stay_as_they_were) {
    play([](user_fixture& f) -> task<void> {
        for (int i = 0; i < 1'000; ++i) {
            bool const ada = i % 3 == 0;
            f.bury(R"({"user_id":")" + std::string(ada ? "ada" : "bob") + R"(","message":")" +
                   (ada ? "the-secret" : "something") + "\"}");
        }
        f.bury("no JSON, ada");
        // One that an operator has deleted: XDEL marks it, and keeps the text.
        auto const dropped = f.look({"XADD", "engram:dead", "*", "job", "the-dropped"});
        f.bury("the last");
        f.look({"XDEL", "engram:dead", dropped});
        BOOST_TEST(f.look({"DUMP", "engram:dead"}).find("the-dropped") != std::string::npos);
        auto const before = f.look({"XRANGE", "engram:dead", "-", "+"});
        auto const erased = co_await f.erase("ada");
        BOOST_TEST(erased == 334u);
        BOOST_TEST(f.look({"XLEN", "engram:dead"}) == "668");
        auto const saved = f.look({"DUMP", "engram:dead"});
        BOOST_TEST(saved.find("something") != std::string::npos);
        BOOST_TEST(saved.find("the-secret") == std::string::npos);
        BOOST_TEST(saved.find("the-dropped") == std::string::npos);
        BOOST_TEST(f.look({"TTL", "engram:dead"}) == "-1");
        BOOST_TEST(f.keys() == "engram:dead\n");
        auto const first_kept = f.look({"XRANGE", "engram:dead", "-", "+", "COUNT", "1"});
        BOOST_TEST(before.find(first_kept) != std::string::npos);
        auto const again = co_await f.erase("ada");
        BOOST_TEST(again == 0u);
        BOOST_TEST(f.look({"XLEN", "engram:dead"}) == "668");
        co_await f.erase("bob");
        BOOST_TEST(f.look({"XLEN", "engram:dead"}) == "2");
    });
}

BOOST_AUTO_TEST_CASE(dead_letters_that_all_belong_to_the_user_leave_no_key) {
    play([](user_fixture& f) -> task<void> {
        f.bury(R"({"user_id":"ada","message":"x"})");
        auto const erased = co_await f.erase("ada");
        BOOST_TEST(erased == 1u);
        BOOST_TEST(f.look({"KEYS", "*"}) == "");
    });
}

BOOST_AUTO_TEST_CASE(dead_letters_that_come_and_go_meanwhile_are_neither_lost_nor_brought_back) {
    play([](user_fixture& f) -> task<void> {
        for (int i = 0; i < 3'000; ++i)
            f.bury(R"({"user_id":")" + std::string(i % 2 ? "ada" : "bob") + R"(","message":"x"})");
        base::task_group erasing(f.io.get_executor());
        std::size_t erased = 0;
        auto const erase = [](user_fixture& g, std::size_t& into) -> task<void> {
            into = co_await g.erase("ada");
        };
        erasing.spawn("erase", erase(f, erased));
        co_await until("it has begun", [&] { return f.look({"KEYS", "engram:dead:copy:*"}) != ""; });
        BOOST_REQUIRE(erasing.size() == 1u);
        auto const lines = f.look({"XRANGE", "engram:dead", "-", "+", "COUNT", "1"});
        f.look({"XDEL", "engram:dead", lines.substr(0, lines.find('\n'))});
        f.bury("a late one");
        co_await until("it has ended", [&] { return erasing.size() == 0; });
        BOOST_TEST(erased == 1'500u);
        BOOST_TEST(f.look({"XLEN", "engram:dead"}) == "1500");  // one of bob's went, a late one came
        BOOST_TEST(f.look({"XREVRANGE", "engram:dead", "+", "-", "COUNT", "1"}).find("a late one") !=
                   std::string::npos);
        BOOST_TEST(f.keys() == "engram:dead\n");
    });
}

BOOST_AUTO_TEST_CASE(of_jobs_without_dead_letters_nothing_is_copied_and_a_group_stays) {
    play([](user_fixture& f) -> task<void> {
        for (int i = 0; i < 700; ++i)
            f.bury(R"({"user_id":"bob","message":"x"})");
        f.look({"XADD", "engram:dead", "*", "id", "other", "job", R"({"user_id":"ada"})"});
        f.look({"XGROUP", "CREATE", "engram:dead", "watchers", "0"});
        f.look({"CONFIG", "SET", "maxmemory", "1"});
        // "i" is in another's hands, "other" is not named.
        auto erased = co_await queue::erase_dead_letters(f.hand.redis, "engram", "ada", {"i", "none"});
        BOOST_TEST((erased.has_value() && *erased == 0u));
        BOOST_TEST(f.look({"XINFO", "GROUPS", "engram:dead"}).find("watchers") != std::string::npos);
        BOOST_TEST(f.keys() == "engram:dead\n");
        f.look({"CONFIG", "SET", "maxmemory", "0"});
        erased = co_await queue::erase_dead_letters(f.hand.redis, "engram", "ada", {"i", "other"});
        BOOST_TEST((erased.has_value() && *erased == 1u));
        BOOST_TEST(f.look({"XLEN", "engram:dead"}) == "700");
    });
}

BOOST_AUTO_TEST_CASE(an_entry_too_large_to_be_copied_keeps_all_and_is_named) {
    play([](user_fixture& f) -> task<void> {
        f.bury(R"({"user_id":"ada","message":"x"})");
        std::vector<std::string> command{"XADD", "engram:dead", "*"};
        for (int i = 0; i < 9'000; ++i)
            command.push_back("f" + std::to_string(i));
        auto const odd = f.look(command);
        f.bury(R"({"user_id":"ada","message":"y"})");
        auto const refused = co_await queue::erase_dead_letters(f.hand.redis, "engram", "ada", {});
        BOOST_REQUIRE(refused.has_error());
        BOOST_TEST(refused.error().message.find("the entry " + odd + " of engram:dead") != std::string::npos);
        BOOST_TEST(f.look({"XLEN", "engram:dead"}) == "3");
        BOOST_TEST(f.keys() == "engram:dead\n");
        f.look({"XDEL", "engram:dead", odd});
        auto const erased = co_await f.erase("ada");
        BOOST_TEST(erased == 2u);
        BOOST_TEST(f.keys() == "");
    });
}

BOOST_AUTO_TEST_CASE(a_full_redis_keeps_the_dead_letters_and_says_so) {
    play([](user_fixture& f) -> task<void> {
        f.bury(R"({"user_id":"ada","message":"x"})");
        f.bury(R"({"user_id":"bob","message":"x"})");
        f.look({"CONFIG", "SET", "maxmemory", "1"});
        auto const erased = co_await queue::erase_dead_letters(f.hand.redis, "engram", "ada", {});
        BOOST_TEST((erased.has_error() && erased.error().message.find("OOM") != std::string::npos));
        f.look({"CONFIG", "SET", "maxmemory", "0"});
        BOOST_TEST(f.look({"XLEN", "engram:dead"}) == "2");
        auto const now = co_await f.erase("ada");
        BOOST_TEST(now == 1u);
        BOOST_TEST(f.keys() == "engram:dead\n");
    });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace

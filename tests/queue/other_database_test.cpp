// Daemons with different databases at one queue: one database serves it at a time.
#include "clerk.hpp"
#include "worker.hpp"

#include <boost/test/unit_test.hpp>

#include <memory>
#include <string>

namespace {

using namespace engram;
using namespace engram::test;
using namespace std::chrono_literals;

constexpr char ours[] = "3f2a0000000000aa.91bc000000000001";
constexpr char copy[] = "3f2a0000000000aa.91bc000000000002";
constexpr char other[] = "77aa0000000000bb.91bc000000000003";

struct fixture : queue_fixture {
    void play(task<void> (*body)(fixture&)) { run(body(*this)); }

    [[nodiscard]] queue::options with(std::string database) const {
        auto made = options();
        made.database = std::move(database);
        return made;
    }
    [[nodiscard]] std::string served_by() { return server.command({"HGET", "engram:database", "id"}); }
    [[nodiscard]] std::string instances() {
        return server.command({"ZRANGE", "engram:instances", "0", "-1"});
    }

    static task<void> refused(worker& w) {
        co_await until("another database is met",
                       [&w] { return w.queue.status().state == queue::intake::other_database; });
    }
    // Another beat of a daemon that is refused.
    task<void> asked_again(worker& w) {
        auto const calls_so_far = calls("evalsha");
        // The first daemon and this one beat alike.
        co_await until("it has asked again", [&] { return calls("evalsha") > calls_so_far + 4; });
        co_await refused(w);
    }
};

bool says(worker& w, std::string const& words) {
    return w.queue.status().trouble.find(words) != std::string::npos;
}

BOOST_FIXTURE_TEST_SUITE(other_database, fixture)

BOOST_AUTO_TEST_CASE(two_databases_do_not_serve_one_queue) {
    play([](fixture& f) -> task<void> {
        worker first(f, f.with(ours));
        worker second(f, f.with(other));
        co_await first.start();
        second.begin();
        co_await f.refused(second);
        BOOST_TEST(says(second, "another database serves this queue"));
        BOOST_TEST(says(second, ours));
        BOOST_TEST(says(second, other));
        first.answer_all();
        for (int i = 0; i < 20; ++i)
            f.push("u" + std::to_string(i), "s", std::to_string(i));
        for (int i = 0; i < 20; ++i)
            co_await f.replied(std::to_string(i));
        BOOST_TEST(second.queue.status().taken == 0u);
        BOOST_TEST(first.queue.status().lost == 0u);
        BOOST_TEST(f.instances() == first.queue.instance());
        BOOST_TEST(f.served_by() == ours);
        BOOST_TEST(first.queue.status().trouble == "");
    });
}

BOOST_AUTO_TEST_CASE(a_copy_of_one_does_not_either) {
    play([](fixture& f) -> task<void> {
        worker first(f, f.with(ours));
        worker second(f, f.with(copy));
        co_await first.start();
        second.begin();
        co_await f.refused(second);
        BOOST_TEST(says(second, "a copy of this database serves this queue"));
        BOOST_TEST(f.instances() == first.queue.instance());
    });
}

BOOST_AUTO_TEST_CASE(those_with_the_same_serve_it_together) {
    play([](fixture& f) -> task<void> {
        worker first(f, f.with(ours));
        worker second(f, f.with(ours));
        co_await first.start();
        co_await second.start();
        first.queue.set_limit(0);
        f.push("u", "s", "1");
        auto const one = co_await second.next();
        BOOST_TEST(one->id() == "1");
        one->answer();
        co_await f.replied("1");
    });
}

BOOST_AUTO_TEST_CASE(its_requests_about_memories_are_left_to_the_others) {
    play([](fixture& f) -> task<void> {
        worker first(f, f.with(ours));
        co_await first.start();
        worker second(f, f.with(other));
        second.begin();
        co_await f.refused(second);
        clerk theirs(f, f.with(other), [&second] { return second.queue.instance(); });
        f.server.command({"LPUSH", "engram:admin", R"({"op":"user.forget","user_id":"u","id":"a"})"});
        co_await until("it has looked",
                       [&] { return theirs.queue.trouble() == "this instance is not registered"; });
        BOOST_TEST(theirs.waiting() == 0u);
        clerk mine(f, f.with(ours), [&first] { return first.queue.instance(); });
        auto const one = co_await mine.next();
        BOOST_TEST(theirs.waiting() == 0u);
        one->answer("a", "forgotten");
        co_await f.replied("a");
        BOOST_TEST(f.replies("a") == "forgotten");
    });
}

BOOST_AUTO_TEST_CASE(one_that_lost_its_registration_to_another_database_gives_its_jobs_back) {
    play([](fixture& f) -> task<void> {
        worker first(f, f.with(ours));
        co_await first.start();
        auto const old_name = first.queue.instance();
        f.push("u", "s", "1");
        auto const one = co_await first.next();
        // As after FLUSHALL, or a hand that removed the key: another database came first.
        f.server.command({"HSET", "engram:database", "id", other});
        co_await until("the turn is cancelled", [&] { return one->ended; });
        BOOST_TEST(one->cancelled);
        co_await f.refused(first);
        BOOST_TEST(f.instances() == "");
        BOOST_TEST(first.queue.instance() != old_name);
        worker heir(f, f.with(other));
        co_await heir.start();
        auto const again = co_await heir.next();
        BOOST_TEST(again->id() == "1");
        BOOST_TEST(again->what.deaths == 0);
        again->answer("the only one");
        co_await f.replied("1");
        BOOST_TEST(f.replies("1") == "the only one");
        co_await f.asked_again(first);
        BOOST_TEST(first.waiting() == 0u);
    });
}

BOOST_AUTO_TEST_CASE(one_whose_register_was_removed_meanwhile_leaves_no_job_behind) {
    play([](fixture& f) -> task<void> {
        worker first(f, f.with(ours));
        co_await first.start();
        f.push("u", "s", "1");
        auto const one = co_await first.next();
        f.server.command({"EVAL",
                          "redis.call('DEL', 'engram:instances') "
                          "redis.call('HSET', 'engram:database', 'id', ARGV[1])",
                          "0", other});
        co_await until("the turn is cancelled", [&] { return one->ended; });
        worker heir(f, f.with(other));
        co_await heir.start();
        auto const again = co_await heir.next();
        BOOST_TEST(again->id() == "1");
        again->answer();
        co_await f.replied("1");
    });
}

BOOST_AUTO_TEST_CASE(when_the_last_has_left_any_may_come) {
    play([](fixture& f) -> task<void> {
        auto first = std::make_unique<worker>(f, f.with(ours));
        auto beside = std::make_unique<worker>(f, f.with(ours));
        co_await first->start();
        co_await beside->start();
        worker second(f, f.with(other));
        second.begin();
        co_await f.refused(second);
        first.reset();
        co_await f.asked_again(second);
        BOOST_TEST(f.served_by() == ours);
        beside.reset();
        BOOST_TEST(f.instances() == "");
        bool const came =
            co_await second.queue.wait_until_ready(std::chrono::steady_clock::now() + most_patience);
        BOOST_TEST(came);
        BOOST_TEST(f.served_by() == other);
        BOOST_TEST(second.queue.status().trouble == "");
        f.push("u", "s", "1");
        auto const one = co_await second.next();
        BOOST_TEST(one->id() == "1");
        one->answer();
        co_await f.replied("1");
    });
}

BOOST_AUTO_TEST_CASE(when_the_last_was_killed_another_comes_once_its_lease_is_over) {
    play([](fixture& f) -> task<void> {
        // What a killed one leaves behind.
        f.server.command(
            {"EVAL",
             "redis.call('ZADD', 'engram:instances', redis.call('TIME')[1] * 1000 + 500, 'dead') "
             "redis.call('HSET', 'engram:database', 'id', ARGV[1]) "
             "redis.call('PEXPIRE', 'engram:database', 500) "
             "redis.call('HSET', 'engram:owned:dead', '1:u:s', 't.1') "
             "redis.call('RPUSH', 'engram:lane:1:u:s', 't.1') "
             "redis.call('HSET', 'engram:body', 't.1', ARGV[2])",
             "0", ours, R"({"user_id":"u","session_id":"s","id":"1"})"});
        worker second(f, f.with(other));
        second.begin();
        auto const one = co_await second.next();
        BOOST_TEST(one->what.deaths == 1);
        BOOST_TEST(f.served_by() == other);
        one->answer();
        co_await f.replied("1");
    });
}

BOOST_AUTO_TEST_CASE(it_expires_with_the_lease) {
    play([](fixture& f) -> task<void> {
        worker w(f, f.with(ours));
        co_await w.start();
        auto const left = std::stol(f.server.command({"PTTL", "engram:database"}));
        BOOST_TEST(left > 0);
        BOOST_TEST(left <= 120'000);
    });
}

BOOST_AUTO_TEST_CASE(an_older_daemon_that_tells_none_is_let_be) {
    play([](fixture& f) -> task<void> {
        worker older(f, f.with(""));
        co_await older.start();
        BOOST_TEST(f.server.command({"EXISTS", "engram:database"}) == "0");
        worker newer(f, f.with(ours));
        co_await newer.start();
        worker another(f, f.with(""));
        co_await another.start();
        BOOST_TEST(f.server.command({"ZCARD", "engram:instances"}) == "3");
        BOOST_TEST(f.served_by() == ours);
    });
}

BOOST_AUTO_TEST_CASE(a_key_of_another_type_or_content_stops_nobody) {
    play([](fixture& f) -> task<void> {
        f.server.command({"SET", "engram:database", "foreign"});
        worker first(f, f.with(ours));
        co_await first.start();
        f.push("u", "s", "1");
        auto const one = co_await first.next();
        one->answer();
        co_await f.replied("1");
        BOOST_TEST(f.server.command({"GET", "engram:database"}) == "foreign");
        f.server.command({"DEL", "engram:database"});
        f.server.command({"HSET", "engram:database", "id", "foreign"});
        co_await until("it is told", [&] { return f.served_by() == ours; });
        BOOST_TEST(!one->cancelled);
        BOOST_TEST(first.queue.status().lost == 0u);
    });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace

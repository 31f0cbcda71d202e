// The bound of the dead letters.
#include "queue/dead_bound.hpp"

#include "queue/scripts.hpp"
#include "user_fixture.hpp"
#include "worker.hpp"

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <optional>
#include <string>

namespace {

using namespace engram;
using namespace engram::test;
using namespace std::chrono_literals;
using std::chrono::milliseconds;

struct fixture : user_fixture {
    void play(task<void> (*body)(fixture&)) { run(body(*this)); }
    void bury_many(int count) {
        for (int i = 0; i < count; ++i)
            bury(std::to_string(i));
    }
    // As if it had been written so long ago.
    void bury_before(milliseconds age, std::string const& job) {
        auto const time = look({"TIME"});
        auto const ms = std::stoll(time.substr(0, time.find('\n'))) * 1'000 - age.count();
        look({"XADD", "engram:dead", std::to_string(ms) + "-" + std::to_string(++buried_before_), "id", "i",
              "reason", "internal", "message", "m", "job", job});
    }
    // The jobs of the letters that are there, the oldest first.
    std::string letters() {
        auto const all = look({"XRANGE", "engram:dead", "-", "+"});
        std::string jobs;
        for (std::size_t at = all.find("\njob\n"); at != std::string::npos; at = all.find("\njob\n", at)) {
            at += 5;
            jobs += all.substr(at, all.find('\n', at) - at) + " ";
        }
        return jobs;
    }
    std::string count() { return look({"XLEN", "engram:dead"}); }

private:
    int buried_before_ = 0;
};

task<std::optional<base::wall_time>> give(std::optional<base::wall_time> time) {
    co_return time;
}

BOOST_FIXTURE_TEST_SUITE(bound_of_dead_letters, fixture)

BOOST_AUTO_TEST_CASE(without_a_bound_all_letters_stay) {
    play([](fixture& f) -> task<void> {
        f.bury_before(100'000h, "old");
        f.bury_many(2);
        queue::dead_bound bound(f.set, f.hand.redis);
        BOOST_TEST(!bound.is_set());
        auto const dropped = co_await bound.look();
        BOOST_TEST(dropped.too_old + dropped.too_many == 0u);
        BOOST_TEST(f.letters() == "old 0 1 ");
    });
}

BOOST_AUTO_TEST_CASE(of_too_many_letters_the_oldest_go_and_exactly_as_many_as_may_stay_are_left) {
    play([](fixture& f) -> task<void> {
        f.bury_many(1'300);
        f.set.dead_max_count = 3;
        queue::dead_bound bound(f.set, f.hand.redis);
        BOOST_TEST(bound.is_set());
        auto const dropped = co_await bound.look();
        BOOST_TEST(dropped.too_many == 1'297u);
        BOOST_TEST(dropped.too_old == 0u);
        BOOST_TEST(f.letters() == "1297 1298 1299 ");
        auto const again = co_await bound.look();
        BOOST_TEST(again.too_many == 0u);
        f.bury("one more");
        auto const later = co_await bound.look();
        BOOST_TEST(later.too_many == 1u);
        BOOST_TEST(bound.dropped() == 1'298u);
        BOOST_TEST(f.count() == "3");
    });
}

BOOST_AUTO_TEST_CASE(letters_go_when_they_are_older_than_they_may_be_and_not_before) {
    play([](fixture& f) -> task<void> {
        for (int i = 0; i < 700; ++i)
            f.bury_before(3h, "old");
        f.bury_before(2h + 1min, "just-too-old");
        f.bury_before(2h - 1min, "not-yet");
        f.bury("new");
        f.set.dead_max_age = 2h;
        queue::dead_bound bound(f.set, f.hand.redis);
        BOOST_TEST(bound.is_set());
        auto const dropped = co_await bound.look();
        BOOST_TEST(dropped.too_old == 701u);
        BOOST_TEST(dropped.too_many == 0u);
        BOOST_TEST(f.letters() == "not-yet new ");
    });
}

BOOST_AUTO_TEST_CASE(none_goes_for_its_age_while_no_time_is_known_or_by_a_time_that_is_earlier) {
    play([](fixture& f) -> task<void> {
        f.bury_before(3h, "old");
        f.bury_many(2);
        f.set.dead_max_age = 2h;
        std::optional<base::wall_time> time;
        queue::dead_bound bound(f.set, f.hand.redis);
        bound.trust([&time] { return give(time); });
        auto const unknown = co_await bound.look();
        BOOST_TEST(unknown.too_old == 0u);
        time = std::chrono::system_clock::now() - 90min;
        auto const too_early = co_await bound.look();
        BOOST_TEST(too_early.too_old == 0u);
        time = std::chrono::system_clock::now() + 1'000h;  // Redis's clock counts, too
        auto const by_both = co_await bound.look();
        BOOST_TEST(by_both.too_old == 1u);
        BOOST_TEST(f.letters() == "0 1 ");
    });
}

BOOST_AUTO_TEST_CASE(too_many_go_although_no_time_is_known) {
    play([](fixture& f) -> task<void> {
        f.bury_before(3h, "old");
        f.bury_many(3);
        f.set.dead_max_age = 2h;
        f.set.dead_max_count = 3;
        std::optional<base::wall_time> const none;
        queue::dead_bound bound(f.set, f.hand.redis);
        bound.trust([&none] { return give(none); });
        auto const dropped = co_await bound.look();
        BOOST_TEST(dropped.too_many == 1u);
        BOOST_TEST(f.letters() == "0 1 2 ");
    });
}

BOOST_AUTO_TEST_CASE(with_both_bounds_a_letter_must_be_within_both) {
    play([](fixture& f) -> task<void> {
        for (int i = 0; i < 600; ++i)
            f.bury_before(3h, "old");
        f.bury_many(10);
        f.set.dead_max_age = 2h;
        f.set.dead_max_count = 4;
        queue::dead_bound bound(f.set, f.hand.redis);
        auto const dropped = co_await bound.look();
        BOOST_TEST(dropped.too_old + dropped.too_many == 606u);
        BOOST_TEST(f.letters() == "6 7 8 9 ");
    });
}

BOOST_AUTO_TEST_CASE(one_call_drops_a_bounded_piece) {
    bury_many(600);
    BOOST_TEST(call(queue::all_scripts().dead_trim, {"", "1", "0"}) == "0\n512\n1");
    BOOST_TEST(count() == "88");
    BOOST_TEST(call(queue::all_scripts().dead_trim, {"", "1", "0"}) == "0\n87\n0");
    look({"DEL", "engram:dead"});
    for (int i = 0; i < 40; ++i)
        bury_before(3h, std::string(100'000, 'x'));
    BOOST_TEST(call(queue::all_scripts().dead_trim, {"", "0", "7200000"}) == "16\n0\n1");
    BOOST_TEST(count() == "24");
}

BOOST_AUTO_TEST_CASE(something_else_where_the_letters_should_be_is_left_alone_and_told) {
    play([](fixture& f) -> task<void> {
        f.look({"SET", "engram:dead", "x"});
        f.set.dead_max_count = 1;
        queue::dead_bound bound(f.set, f.hand.redis);
        auto const dropped = co_await bound.look();
        BOOST_TEST(dropped.too_many == 0u);
        BOOST_TEST(bound.trouble().text().find("WRONGTYPE") != std::string::npos);
        BOOST_TEST(f.look({"GET", "engram:dead"}) == "x");
        f.look({"DEL", "engram:dead"});
        co_await bound.look();
        BOOST_TEST(bound.trouble().empty());
    });
}

BOOST_AUTO_TEST_CASE(what_keeps_it_from_its_work_stands_in_the_status) {
    play([](fixture& f) -> task<void> {
        f.look({"SET", "engram:dead", "x"});
        f.set.dead_max_count = 1;
        worker w(f, f.set);
        co_await w.start();
        co_await until("it is told",
                       [&] { return w.queue.status().trouble.find("WRONGTYPE") != std::string::npos; });
        BOOST_TEST((w.queue.status().state == queue::intake::taking));
    });
}

BOOST_AUTO_TEST_CASE(a_full_redis_lets_them_go) {
    play([](fixture& f) -> task<void> {
        f.bury_many(5);
        f.set.dead_max_count = 1;
        f.look({"CONFIG", "SET", "maxmemory", "1"});
        queue::dead_bound bound(f.set, f.hand.redis);
        auto const dropped = co_await bound.look();
        f.look({"CONFIG", "SET", "maxmemory", "0"});
        BOOST_TEST(dropped.too_many == 4u);
        BOOST_TEST(f.letters() == "4 ");
    });
}

BOOST_AUTO_TEST_CASE(a_daemon_keeps_the_bound_and_counts_what_it_dropped) {
    play([](fixture& f) -> task<void> {
        f.bury_many(5);
        f.set.dead_max_count = 2;
        worker w(f, f.set);
        co_await w.start();
        co_await until("three were dropped", [&] { return w.queue.status().dead_dropped == 3; });
        BOOST_TEST(f.letters() == "3 4 ");
    });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace

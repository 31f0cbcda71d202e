// A queue that an operator has paused.
#include "worker.hpp"

#include <boost/test/unit_test.hpp>

#include <string>

namespace {

using namespace engram;
using namespace engram::test;

struct fixture : queue_fixture {
    void play(task<void> (*body)(fixture&)) { run(body(*this)); }

    void pause() {
        server.command({"SET", "engram:paused", R"({"at":1,"by":"ada@web1","reason":"maintenance"})"});
    }
    void resume() { server.command({"DEL", "engram:paused"}); }
    static task<void> heard(worker& w, bool paused) {
        co_await until("it has heard", [&w, paused] { return w.queue.status().paused == paused; });
    }
};

BOOST_FIXTURE_TEST_SUITE(pauses, fixture)

BOOST_AUTO_TEST_CASE(a_paused_queue_is_obeyed_by_all_and_by_those_that_start_later) {
    play([](fixture& f) -> task<void> {
        worker a(f, f.options()), b(f, f.options()), late(f, f.options());
        co_await a.start();
        co_await b.start();
        BOOST_TEST(!a.queue.status().paused);
        f.pause();
        co_await f.heard(a, true);
        co_await f.heard(b, true);
        // A look that was on its way when they heard of it has ended once they have beaten again.
        auto const heard = f.calls("zrangebyscore");
        co_await until("both have beaten", [&] { return f.calls("zrangebyscore") >= heard + 8; });
        for (auto const* id : {"1", "2", "3"})
            f.push("u", id, id);
        co_await late.start();
        for (auto* const w : {&a, &b, &late}) {
            auto const status = w->queue.status();
            BOOST_TEST(status.paused);
            BOOST_TEST(status.limit == 0u);
            BOOST_TEST((status.state == queue::intake::paused));
            BOOST_TEST(status.trouble.find("paused by an operator") != std::string::npos);
        }
        // Beats go on, and nothing is taken by them.
        auto const beats = f.calls("zrangebyscore");
        co_await until("all have beaten", [&] { return f.calls("zrangebyscore") >= beats + 12; });
        BOOST_TEST(f.server.command({"LLEN", "engram:jobs"}) == "3");
        for (auto* const w : {&a, &b, &late})
            BOOST_TEST(w->queue.status().taken == 0u);
        f.resume();
        for (auto* const w : {&a, &b, &late})
            w->answer_all();
        for (auto const* id : {"1", "2", "3"})
            co_await f.replied(id);
        co_await f.heard(a, false);
        BOOST_TEST(a.queue.status().trouble == "");
        BOOST_TEST(a.queue.status().limit == f.options().max_in_flight);
    });
}

BOOST_AUTO_TEST_CASE(what_runs_ends_while_paused_and_a_resume_takes_within_a_beat) {
    play([](fixture& f) -> task<void> {
        worker w(f, f.options());
        co_await w.start();
        for (auto const* id : {"1", "2"})
            f.push("u", "s", id);
        auto const one = co_await w.next();
        f.pause();
        co_await f.heard(w, true);
        BOOST_TEST(w.queue.status().in_flight == 1u);
        one->answer("done");
        co_await f.replied("1");
        BOOST_TEST(f.replies("1") == "done");
        co_await until("its place is free", [&] { return w.queue.status().in_flight == 0; });
        BOOST_TEST(w.queue.status().taken == 1u);
        f.resume();
        auto const two = co_await w.next();
        BOOST_TEST(two->id() == "2");
        BOOST_TEST(two->what.deaths == 0);
    });
}

BOOST_AUTO_TEST_CASE(a_limit_that_is_set_while_paused_counts_from_the_resume_on) {
    play([](fixture& f) -> task<void> {
        f.pause();
        worker w(f, f.options());
        co_await w.start();
        w.queue.set_limit(2);
        BOOST_TEST(w.queue.status().limit == 0u);
        for (auto const* id : {"1", "2", "3"})
            f.push("u", id, id);
        f.resume();
        co_await f.heard(w, false);
        BOOST_TEST(w.queue.status().limit == 2u);
        auto const one = co_await w.next();
        auto const two = co_await w.next();
        BOOST_TEST(f.server.command({"LLEN", "engram:ready"}) == "1");
        f.pause();
        co_await f.heard(w, true);
        f.resume();
        co_await f.heard(w, false);
        BOOST_TEST(w.queue.status().limit == 2u);
        BOOST_TEST(w.waiting() == 0u);
    });
}

BOOST_AUTO_TEST_CASE(jobs_that_are_due_while_paused_wait_in_front) {
    play([](fixture& f) -> task<void> {
        worker w(f, f.options());
        co_await w.start();
        f.push("u", "s", "1");
        auto const one = co_await w.next();
        f.pause();
        co_await f.heard(w, true);
        one->postpone(std::chrono::milliseconds(1));
        co_await until("it is due", [&] { return f.server.command({"LLEN", "engram:ready"}) == "1"; });
        BOOST_TEST(f.server.command({"EXISTS", "engram:delayed"}) == "0");
        BOOST_TEST(w.queue.status().taken == 1u);
        f.resume();
        auto const again = co_await w.next();
        BOOST_TEST(again->id() == "1");
    });
}

BOOST_AUTO_TEST_CASE(an_instance_that_was_taken_for_dead_while_paused_stays_paused) {
    play([](fixture& f) -> task<void> {
        f.pause();
        worker w(f, f.options());
        co_await w.start();
        auto const old = w.queue.instance();
        f.push("u", "s", "1");
        f.server.command({"DEL", "engram:instances"});
        bool always = true;
        co_await until("it begins anew", [&] {
            always = always && w.queue.status().paused;
            return w.queue.instance() != old && f.server.command({"ZCARD", "engram:instances"}) == "1";
        });
        BOOST_TEST(always);
        BOOST_TEST(w.queue.status().limit == 0u);
        BOOST_TEST(w.queue.status().taken == 0u);
    });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace

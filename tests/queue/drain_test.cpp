// Giving jobs back, and leaving the queue.
#include "support/proxy.hpp"
#include "worker.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/test/unit_test.hpp>

#include <cerrno>
#include <memory>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

namespace {

namespace asio = boost::asio;
using namespace engram;
using namespace engram::test;
using namespace std::chrono_literals;
using std::chrono::steady_clock;

struct fixture : queue_fixture {
    void play(task<void> (*body)(fixture&)) { run(body(*this)); }
};

// A drain under way.
struct drain {
    drain(loop& on, worker& of, base::steady_time until) : tasks(on.io.get_executor()) {
        tasks.spawn("drain", of.queue.drain(until));
    }
    [[nodiscard]] bool over() const { return tasks.size() == 0; }
    base::task_group tasks;
};

BOOST_FIXTURE_TEST_SUITE(leaving, fixture)

BOOST_AUTO_TEST_CASE(a_job_given_back_comes_again_before_its_successors_and_no_death_is_counted) {
    play([](fixture& f) -> task<void> {
        worker w(f, f.options());
        co_await w.start();
        for (auto const* id : {"1", "2"})
            f.push("u", "s", id);
        for (int attempt = 1; attempt <= 5; ++attempt) {
            auto const one = co_await w.next();
            BOOST_TEST(one->id() == "1");
            BOOST_TEST(one->what.attempts == attempt);
            BOOST_TEST(one->what.deaths == 0);
            if (attempt < 5)
                one->give_back();
            else
                one->answer();
        }
        auto const two = co_await w.next();
        BOOST_TEST(two->id() == "2");
        BOOST_TEST(two->what.attempts == 1);
        BOOST_TEST(w.queue.status().released == 4u);
    });
}

BOOST_AUTO_TEST_CASE(a_job_given_back_comes_before_other_conversations_that_wait) {
    play([](fixture& f) -> task<void> {
        auto options = f.options();
        options.max_in_flight = 1;
        worker w(f, options);
        f.push("u", "s", "1");
        f.push("u", "t", "2");
        co_await w.start();
        auto const one = co_await w.next();
        BOOST_TEST(one->id() == "1");
        BOOST_TEST(f.server.command({"LLEN", "engram:ready"}) == "1");
        one->give_back();
        auto const again = co_await w.next();
        BOOST_TEST(again->id() == "1");
        again->answer();
        auto const two = co_await w.next();
        BOOST_TEST(two->id() == "2");
    });
}

BOOST_AUTO_TEST_CASE(a_handler_that_fails_counts_as_a_death_so_that_it_ends) {
    play([](fixture& f) -> task<void> {
        worker w(f, f.options());
        co_await w.start();
        f.push("u", "s", "1");
        for (int deaths = 0; deaths < 3; ++deaths) {
            auto const one = co_await w.next();
            BOOST_TEST(one->what.deaths == deaths);
            one->blow_up();
        }
        auto const last = co_await w.next();
        BOOST_TEST(last->what.deaths == 3);
        BOOST_TEST(last->what.attempts == 4);
    });
}

task<void> end_at_once(queue::reply_stream& reply) {
    reply.end({"1", "engram:reply:1", "{}", std::nullopt});
    co_return;
}

BOOST_AUTO_TEST_CASE(a_handler_that_throws_before_it_begins_counts_as_a_death_too) {
    play([](fixture& f) -> task<void> {
        queue::job_queue jobs(f.options(), f.io.get_executor());
        std::vector<int> deaths;
        jobs.start([&](queue::delivery const& what, queue::reply_stream& reply) {
            deaths.push_back(what.deaths);
            if (deaths.size() < 4) throw std::runtime_error("there is no memory for the handler");
            return end_at_once(reply);
        });
        f.push("u", "s", "1");
        co_await f.replied("1");
        co_await jobs.drain(steady_clock::now());
        std::vector<int> const expected{0, 1, 2, 3};
        BOOST_TEST(deaths == expected, boost::test_tools::per_element());
        BOOST_TEST(jobs.status().released == 3u);
    });
}

BOOST_AUTO_TEST_CASE(what_this_machine_lacks_is_no_death_and_the_job_waits) {
    play([](fixture& f) -> task<void> {
        auto options = f.options();
        options.lease = 2500ms;  // what is due is delivered with a beat
        queue::job_queue jobs(options, f.io.get_executor());
        int deliveries = 0;
        jobs.start([&](queue::delivery const&, queue::reply_stream& reply) {
            ++deliveries;
            if (deliveries == 1) throw std::bad_alloc();
            if (deliveries == 2) throw std::system_error(EMFILE, std::system_category());
            return end_at_once(reply);
        });
        f.push("u", "s", "1");
        for (int lacks = 1; lacks < 3; ++lacks) {
            co_await until("the job waits", [&] {
                return deliveries == lacks && f.server.command({"ZCARD", "engram:delayed"}) == "1";
            });
            BOOST_TEST(f.server.command({"HVALS", "engram:delays"}).starts_with("this machine: no "));
            auto const lane = f.server.command({"ZRANGE", "engram:delayed", "0", "0"});
            f.server.command({"ZADD", "engram:delayed", "XX", "0", lane});
        }
        co_await f.replied("1");
        co_await jobs.drain(steady_clock::now());
        BOOST_TEST(deliveries == 3);
        BOOST_TEST(jobs.status().released == 0u);
        BOOST_TEST(jobs.status().delayed == 2u);
    });
}

BOOST_AUTO_TEST_CASE(a_drain_takes_nothing_more_and_waits_for_what_runs) {
    play([](fixture& f) -> task<void> {
        worker w(f, f.options());
        worker witness(f, f.options());
        co_await w.start();
        f.push("u", "s", "1");
        auto const one = co_await w.next();
        co_await witness.start();
        drain end(f, w, steady_clock::now() + 60s);
        f.push("u", "s", "2");
        f.push("u", "t", "3");
        auto const other = co_await witness.next();
        BOOST_TEST(other->id() == "3");
        BOOST_TEST(!end.over());
        one->answer("done in time");
        co_await until("the drain is over", [&] { return end.over(); });
        BOOST_TEST(f.replies("1") == "done in time");
        BOOST_TEST(!one->cancelled);
        auto const next = co_await witness.next();
        BOOST_TEST(next->id() == "2");
        BOOST_TEST(w.waiting() == 0u);
        BOOST_TEST(f.server.command({"ZRANGE", "engram:instances", "0", "-1"}) == witness.queue.instance());
    });
}

BOOST_AUTO_TEST_CASE(what_has_not_ended_with_the_drain_goes_back_in_order_and_uncounted) {
    play([](fixture& f) -> task<void> {
        worker w(f, f.options());
        co_await w.start();
        for (auto const* id : {"1", "2"})
            f.push("u", "s", id);
        f.push("u", "t", "3");
        auto const one = co_await w.next();
        auto const three = co_await w.next();
        drain end(f, w, steady_clock::now());
        co_await until("the drain is over", [&] { return end.over(); });
        BOOST_TEST(one->cancelled);
        BOOST_TEST(three->cancelled);
        BOOST_TEST(f.server.command({"EXISTS", "engram:instances"}) == "0");
        worker heir(f, f.options());
        co_await heir.start();
        auto const first = co_await heir.next();
        auto const second = co_await heir.next();
        auto const again = first->id() == "1" ? first : second;
        BOOST_TEST(again->id() == "1");
        BOOST_TEST(again->what.attempts == 2);
        BOOST_TEST(again->what.deaths == 0);
        BOOST_TEST(again->what.ticket == one->what.ticket);
        BOOST_TEST((first->id() == "3" || second->id() == "3"));
        again->answer();
        auto const two = co_await heir.next();
        BOOST_TEST(two->id() == "2");
    });
}

BOOST_AUTO_TEST_CASE(a_second_drain_changes_nothing_and_waits_for_the_end_of_the_first) {
    play([](fixture& f) -> task<void> {
        worker w(f, f.options());
        co_await w.start();
        f.push("u", "s", "1");
        auto const one = co_await w.next();
        drain first(f, w, steady_clock::now() + 1h);
        co_await until("it drains", [&] { return w.queue.status().state == queue::intake::draining; });
        drain second(f, w, steady_clock::now());
        for (int i = 0; i < 10; ++i)
            co_await asio::post(f.io, asio::use_awaitable);
        BOOST_TEST(!second.over());
        one->answer();
        co_await until("both are over", [&] { return first.over() && second.over(); });
        BOOST_TEST(!one->cancelled);
        BOOST_TEST(f.keys() == "");
    });
}

BOOST_AUTO_TEST_CASE(what_is_started_after_a_drain_does_not_run) {
    play([](fixture& f) -> task<void> {
        worker w(f, f.options());
        co_await w.queue.drain(steady_clock::now());
        w.begin();
        bool const ready = co_await w.queue.wait_until_ready(steady_clock::now() + 300ms);
        BOOST_TEST(!ready);
        BOOST_TEST(!w.queue.status().connected);
    });
}

BOOST_AUTO_TEST_CASE(who_leaves_while_it_registers_leaves_nothing_behind) {
    play([](fixture& f) -> task<void> {
        // The first call names the script, which Redis does not know; the second brings its text.
        for (auto const* held_back : {"EVALSHA", "lacking_right"}) {
            f.server.command({"SCRIPT", "FLUSH"});
            proxy cable(f, f.server.socket());
            cable.before(held_back, [&] { cable.hold(); });
            worker w(f, f.options(cable.url()));
            w.begin();
            co_await until("it registers", [&] { return cable.asked(held_back) > 0; });
            drain end(f, w, steady_clock::now() + 1h);
            for (int i = 0; i < 10; ++i)
                co_await asio::post(f.io, asio::use_awaitable);
            BOOST_TEST(!end.over());
            cable.let_go();
            co_await until("the drain is over", [&] { return end.over(); });
            BOOST_TEST(f.keys() == "");
        }
    });
}

BOOST_AUTO_TEST_CASE(who_leaves_not_knowing_whether_it_is_registered_leaves_nothing_behind) {
    play([](fixture& f) -> task<void> {
        proxy cable(f, f.server.socket());
        cable.lose_answer_to("lacking_right");
        worker w(f, f.options(cable.url()));
        w.begin();
        co_await until("it has registered", [&] { return cable.lost() > 0; });
        BOOST_TEST(f.keys() != "");
        cable.hold();
        drain end(f, w, steady_clock::now() + 1h);
        co_await asio::post(f.io, asio::use_awaitable);
        cable.let_go();
        co_await until("the drain is over", [&] { return end.over(); });
        BOOST_TEST(f.keys() == "");
    });
}

BOOST_AUTO_TEST_CASE(a_hurry_before_the_drain_is_not_forgotten) {
    play([](fixture& f) -> task<void> {
        worker w(f, f.options());
        co_await w.start();
        f.push("u", "s", "1");
        auto const one = co_await w.next();
        w.queue.hurry();
        co_await w.queue.drain(steady_clock::now() + 1h);
        BOOST_TEST(one->cancelled);
    });
}

BOOST_AUTO_TEST_CASE(a_drain_can_be_hurried) {
    play([](fixture& f) -> task<void> {
        worker w(f, f.options());
        co_await w.start();
        f.push("u", "s", "1");
        auto const one = co_await w.next();
        drain end(f, w, steady_clock::now() + 1h);
        w.queue.hurry();
        co_await until("the drain is over", [&] { return end.over(); });
        BOOST_TEST(one->cancelled);
        BOOST_TEST(f.server.command({"LLEN", "engram:ready"}) == "1");
    });
}

BOOST_AUTO_TEST_CASE(a_job_whose_delivery_was_on_its_way_when_the_drain_began_goes_back_at_once) {
    play([](fixture& f) -> task<void> {
        proxy cable(f, f.server.socket());
        worker w(f, f.options(cable.url()));
        co_await w.start();
        f.push("u", "long", "running");
        auto const running = co_await w.next();
        cable.forget();
        w.queue.set_limit(1);
        // Its answer asks for the next, which is delivered while the drain has begun.
        f.push("u", "t", "late");
        cable.hold();
        running->answer();
        co_await until("the answer is on its way", [&] { return cable.asked("engram:reply:running") > 0; });
        drain end(f, w, steady_clock::now() + 1h);
        co_await asio::post(f.io, asio::use_awaitable);  // the drain begins
        cable.let_go();
        co_await until("the drain is over", [&] { return end.over(); });
        BOOST_TEST(w.waiting() == 0u);
        worker heir(f, f.options());
        co_await heir.start();
        auto const late = co_await heir.next();
        BOOST_TEST(late->id() == "late");
        BOOST_TEST(late->what.deaths == 0);
        BOOST_TEST(f.replies("running") == "{}");
    });
}

BOOST_AUTO_TEST_CASE(jobs_that_came_too_late_go_back_while_another_still_runs) {
    play([](fixture& f) -> task<void> {
        proxy cable(f, f.server.socket());
        worker w(f, f.options(cable.url()));
        co_await w.start();
        f.push("u", "long", "running");
        f.push("u", "short", "short");
        auto const running = co_await w.next();
        auto const brief = co_await w.next();
        f.push("u", "t", "late");
        auto const late = co_await w.next();
        late->give_back();
        cable.hold();
        brief->answer();
        co_await until("the answer is on its way", [&] { return cable.asked("engram:reply:short") > 0; });
        drain end(f, w, steady_clock::now() + 1h);
        cable.let_go();
        worker heir(f, f.options());
        co_await heir.start();
        auto const again = co_await heir.next();
        BOOST_TEST(again->id() == "late");
        BOOST_TEST(!end.over());
        BOOST_TEST(!running->ended);
        running->answer();
        co_await until("the drain is over", [&] { return end.over(); });
        BOOST_TEST(f.replies("running") == "{}");
    });
}

BOOST_AUTO_TEST_CASE(a_drain_ends_though_redis_is_gone) {
    play([](fixture& f) -> task<void> {
        auto options = f.options();
        options.server.command_timeout = 300ms;
        worker w(f, options);
        co_await w.start();
        f.push("u", "s", "1");
        f.push("u", "t", "2");
        auto const one = co_await w.next();
        auto const two = co_await w.next();
        f.server.kill();
        two->answer();
        drain end(f, w, steady_clock::now());
        co_await until("the drain is over", [&] { return end.over(); });
        BOOST_TEST(one->cancelled);
        f.server.start();
    });
}

BOOST_AUTO_TEST_CASE(a_queue_that_was_never_started_can_be_drained) {
    play([](fixture& f) -> task<void> {
        worker w(f, f.options());
        co_await w.queue.drain(steady_clock::now());
        BOOST_TEST(w.queue.status().in_flight == 0u);
    });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace

// How many summaries are made at a time, what is said of those that wait, and when they are looked for.
#include "workers/background/summary_pool.hpp"

#include "support/failing_memory.hpp"
#include "workers/scripted.hpp"
#include "workers/set_clock.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <new>
#include <string>

namespace {

namespace asio = boost::asio;
using namespace engram;
using namespace std::chrono_literals;

// At most two at a time while few wait, eight while many do.
workers::summary_options small_pool() {
    workers::summary_options options;
    options.workers = 2;
    options.max_workers = 8;
    options.sweep = 1min;
    return options;
}

struct fixture {
    asio::io_context io;
    test::scripted_claude claude{io.get_executor()};
    test::scripted_store store;
    test::set_clock clock;
    claude::gate gate{1h, [](claude::gate::state) {}, io.get_executor()};
    workers::summary_pool pool{small_pool(), "me", store, claude, gate, clock, io.get_executor()};
    int sessions = 0;

    ~fixture() {
        claude.hold = false;
        BOOST_TEST(stops());
    }

    bool stops() {
        bool stopped = false;
        asio::co_spawn(io, pool.stop(), [&](std::exception_ptr) { stopped = true; });
        settle();
        return stopped;
    }

    // Lets everything that can happen now happen.
    void settle() {
        io.restart();
        while (io.poll() > 0)
            continue;
    }

    void start() {
        pool.start();
        settle();
    }

    void pass(std::chrono::milliseconds time) {
        clock.advance(time);
        pool.wake();
        settle();
    }

    // So many more conversations are due.
    void come(int count, std::size_t window_turns = 20) {
        for (int i = 0; i < count; ++i) {
            store.claims.push_back(
                {{}, "", {{1, store::role::user, "hi"}, {2, store::role::assistant, "ho"}}, {}});
            pool.consider({"u", std::to_string(sessions++)}, {window_turns});
        }
        settle();
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(summary_pool, fixture)

BOOST_AUTO_TEST_CASE(while_few_wait_no_more_than_the_usual_workers_run) {
    claude.hold = true;
    start();
    come(2);
    come(2);
    BOOST_TEST(claude.asked.size() == 2U);
    BOOST_TEST(pool.status().workers == 2U);
    BOOST_TEST(pool.status().waiting == 2U);
}

BOOST_AUTO_TEST_CASE(it_grows_with_its_backlog_up_to_the_bound_and_shrinks_when_nothing_waits) {
    claude.hold = true;
    start();
    come(4);
    auto const some = claude.asked.size();
    BOOST_TEST(some > 2U);
    BOOST_TEST(some < 8U);
    come(100);
    BOOST_TEST(claude.asked.size() == 8U);  // under way at once
    BOOST_TEST(pool.status().running == 8U);
    BOOST_TEST(pool.status().workers == 8U);
    BOOST_TEST(pool.status().waiting == 96U);

    claude.hold = false;
    claude.released.notify_all();
    settle();
    BOOST_TEST(pool.status().written == 104U);
    BOOST_TEST(pool.status().waiting == 0U);
    BOOST_TEST(pool.status().running == 0U);
    BOOST_TEST(pool.status().workers == 2U);

    claude.hold = true;
    come(100);
    BOOST_TEST(claude.asked.size() == 104U + 8U);
}

BOOST_AUTO_TEST_CASE(a_helper_that_cannot_be_begun_is_not_counted) {
    auto const failures = tests::fail_each_allocation([](std::size_t nth) {
        fixture f;
        f.claude.hold = true;
        f.start();
        f.come(4);  // two run, two wait: one more is one too many for the workers
        f.store.claims.push_back(
            {{}, "", {{1, store::role::user, "hi"}, {2, store::role::assistant, "ho"}}, {}});
        store::conversation const late{"u", "late"};
        bool failed = false;
        {
            tests::failing_memory const out(nth);
            try {
                f.pool.consider(late, {20});
            } catch (std::bad_alloc const&) {
            }
            failed = out.has_failed();
        }
        f.pool.consider(late, {20});
        f.claude.hold = false;
        f.claude.released.notify_all();
        f.settle();
        BOOST_TEST(f.pool.status().written == 5U, "after the failure of allocation " << nth);
        BOOST_TEST(f.pool.status().waiting == 0U);
        BOOST_TEST(f.pool.status().workers == 2U);
        f.claude.hold = true;
        f.come(100);
        BOOST_TEST(f.claude.asked.size() == 5U + 8U, "after the failure of allocation " << nth);
        return failed;
    });
    BOOST_TEST(failures > 0U);
}

BOOST_AUTO_TEST_CASE(all_calls_give_way_to_chats) {
    start();
    come(100);
    BOOST_REQUIRE_EQUAL(claude.classes.size(), 100U);
    for (auto const one : claude.classes)
        BOOST_TEST(bool(one == claude::call_class::background));
}

BOOST_AUTO_TEST_CASE(what_a_sweep_finds_makes_it_grow_too) {
    claude.hold = true;
    for (int i = 0; i < 50; ++i) {
        store.claims.push_back({{}, "", {{1, store::role::user, "hi"}}, {}});
        store.due.push_back({"u", std::to_string(i)});
    }
    start();
    BOOST_TEST(claude.asked.size() == 8U);
    BOOST_TEST(pool.status().waiting == 42U);
}

BOOST_AUTO_TEST_CASE(the_bound_can_be_changed_while_it_runs) {
    claude.hold = true;
    start();
    come(100);
    auto options = small_pool();
    options.max_workers = 16;
    pool.set_options(options);
    come(1);
    BOOST_TEST(claude.asked.size() == 16U);
}

BOOST_AUTO_TEST_CASE(a_bound_below_the_usual_number_adds_nobody) {
    claude.hold = true;
    auto options = small_pool();
    options.max_workers = 0;
    pool.set_options(options);
    start();
    come(100);
    BOOST_TEST(claude.asked.size() == 2U);
}

BOOST_AUTO_TEST_CASE(a_shut_gate_makes_no_helpers) {
    start();
    BOOST_TEST((gate.met({claude::error_kind::auth, "no", 401, 1}, gate.period()) == claude::fate::bears));
    come(100);
    BOOST_TEST(claude.asked.empty());
    BOOST_TEST(pool.status().workers == 2U);
}

// The helpers are then begun on the loop, one by another.
BOOST_AUTO_TEST_CASE(a_gate_that_opens_over_a_backlog_lets_in_as_many_as_the_bound_says) {
    claude.hold = true;
    start();
    BOOST_TEST((gate.met({claude::error_kind::auth, "no", 401, 1}, gate.period()) == claude::fate::bears));
    come(100);
    BOOST_TEST(claude.asked.empty());
    gate.try_now();
    gate.answered(gate.period());
    pool.wake();
    settle();
    BOOST_TEST(claude.asked.size() == 8U);
    BOOST_TEST(pool.status().workers == 8U);
}

BOOST_AUTO_TEST_CASE(helpers_stop_with_the_pool_and_give_back_what_they_have) {
    claude.hold = true;
    start();
    come(100);
    BOOST_TEST(stops());
    BOOST_TEST(store.given_back == 8);
    BOOST_TEST(store.summaries.empty());
    BOOST_TEST(pool.status().running == 0U);
    come(10);
    BOOST_TEST(claude.asked.size() == 8U);
}

BOOST_AUTO_TEST_CASE(the_lag_is_told) {
    claude.hold = true;
    start();
    come(60);
    BOOST_TEST(pool.status().oldest_ms == 0);
    BOOST_TEST(!workers::lags(pool.status()));
    pass(29'999ms);
    BOOST_TEST(!workers::lags(pool.status()));
    pass(1ms);
    BOOST_TEST(pool.status().oldest_ms == 30'000);
    BOOST_TEST(workers::lags(pool.status()));
    claude.hold = false;
    claude.released.notify_all();
    settle();
    BOOST_TEST(pool.status().oldest_ms == 0);
    BOOST_TEST(!workers::lags(pool.status()));
}

BOOST_AUTO_TEST_CASE(turns_that_left_the_prompts_unsummarized_are_counted) {
    claude.hold = true;
    start();
    come(60, 40);
    BOOST_TEST(pool.status().unseen_turns == 0U);
    come(2, 43);
    BOOST_TEST(pool.status().unseen_turns == 6U);
    BOOST_TEST(workers::lags(pool.status()));
    // The first of them again, two turns later.
    pool.consider({"u", "60"}, {45});
    BOOST_TEST(pool.status().unseen_turns == 8U);
    claude.hold = false;
    claude.released.notify_all();
    settle();
    BOOST_TEST(pool.status().unseen_turns == 0U);
}

BOOST_AUTO_TEST_CASE(prompts_that_are_set_to_show_less_than_makes_a_summary_due_are_no_lag) {
    claude.hold = true;
    auto options = small_pool();
    options.history_turns = 10;
    pool.set_options(options);
    start();
    come(60, 20);
    BOOST_TEST(pool.status().unseen_turns == 0U);
}

BOOST_AUTO_TEST_CASE(what_a_dead_process_had_is_looked_for_when_its_lease_ends) {
    store.lease_end = clock.wall() + 15s;
    start();
    store.due = {{"u", "s"}};
    store.claims.push_back({{}, "", {{1, store::role::user, "hi"}}, {}});
    pass(14'999ms);
    BOOST_TEST(claude.asked.empty());
    pass(1ms);
    BOOST_TEST(claude.asked.size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_lease_that_was_taken_after_the_last_sweep_is_noticed_before_it_ends) {
    start();
    store.lease_end = clock.wall() + 15s;
    pass(10s);
    store.due = {{"u", "s"}};
    store.claims.push_back({{}, "", {{1, store::role::user, "hi"}}, {}});
    pass(5s);
    BOOST_TEST(claude.asked.size() == 1U);
}

BOOST_AUTO_TEST_CASE(without_a_lease_the_sweep_comes_when_it_is_set_to) {
    start();
    store.due = {{"u", "s"}};
    store.claims.push_back({{}, "", {{1, store::role::user, "hi"}}, {}});
    pass(59s);
    BOOST_TEST(claude.asked.empty());
    pass(1s);
    BOOST_TEST(claude.asked.size() == 1U);
}

BOOST_AUTO_TEST_CASE(after_a_full_sweep_the_next_one_comes_soon) {
    for (int i = 0; i < 1'000; ++i)
        store.due.push_back({"u", std::to_string(i)});
    start();  // none of them can be claimed
    BOOST_TEST(pool.status().waiting == 0U);
    store.due = {{"u", "more"}};
    store.claims.push_back({{}, "", {{1, store::role::user, "hi"}}, {}});
    pass(10s);
    BOOST_TEST(claude.asked.size() == 1U);
}

BOOST_AUTO_TEST_SUITE_END()

// Summaries as the pool makes them.
#include "store/scripted_keeping.hpp"
#include "workers/background/summary_pool.hpp"
#include "workers/scripted.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace {

namespace asio = boost::asio;
using namespace engram;

struct fixture {
    asio::io_context io;
    test::scripted_claude claude{io.get_executor()};
    test::scripted_store store;
    base::clock clock;
    claude::gate gate{std::chrono::hours(1), [](claude::gate::state) {}, io.get_executor()};
    workers::summary_pool pool{{}, "me", store, claude, gate, clock, io.get_executor()};
    store::conversation const session{"u", "s"};
    store::summary_task claims{{}, "", {{1, store::role::user, "hi"}, {2, store::role::assistant, "ho"}},
                               {}, {}, {}};
    bool started = false;

    fixture() {
        store.claims.push_back(
            {{}, "", {{1, store::role::user, "hi"}, {2, store::role::assistant, "ho"}}, {}, {}, {}});
    }

    ~fixture() {
        asio::co_spawn(io, pool.stop(), asio::detached);
        io.restart();
        io.run_for(std::chrono::seconds(10));
    }

    // The conversation has summaries that are to become one.
    void outgrow() {
        if (!started) pool.start();
        started = true;
        settle();
        auto task = claims;
        task.earlier_summaries = {"- the newest"};
        task.to_condense = {
            {1, "summary", "- Ada came\n- and went on for a very long time about it", "", "s"},
            {2, "summary", "- Ada has 2 dogs", "", "s"}};
        store.claims = {std::move(task)};
    }

    // Lets everything that can happen now happen.
    void settle() {
        io.restart();
        while (io.poll() > 0)
            continue;
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(summarizer, fixture)

BOOST_AUTO_TEST_CASE(a_session_at_the_trigger_is_summarized_by_the_cheaper_model_in_the_background) {
    pool.start();
    settle();
    claude.will_say("- one\n- two\n- three");
    pool.consider(session, {20});
    settle();
    BOOST_REQUIRE_EQUAL(claude.asked.size(), 1u);
    BOOST_TEST(claude.asked[0].model == "claude-haiku-5-5");
    BOOST_TEST(bool(claude.classes[0] == claude::call_class::background));
    BOOST_REQUIRE_EQUAL(store.summaries.size(), 1u);
    BOOST_TEST(store.summaries[0] == "- one\n- two\n- three");
    BOOST_TEST(pool.status().written == 1u);
}

BOOST_AUTO_TEST_CASE(a_shorter_session_is_left_alone) {
    pool.start();
    settle();
    pool.consider(session, {19});
    settle();
    BOOST_TEST(claude.asked.empty());
}

BOOST_AUTO_TEST_CASE(a_session_whose_turns_are_long_is_summarized_up_to_its_last_exchange) {
    pool.start();
    settle();
    pool.consider(session, {4, 199'999});
    pool.consider(session, {3, SIZE_MAX});  // an exchange and what is left of another: nothing to take
    settle();
    BOOST_TEST(claude.asked.empty());
    pool.consider(session, {4, 200'000});
    settle();
    BOOST_TEST(claude.asked.size() == 1u);
    BOOST_REQUIRE_EQUAL(store.claimed.size(), 1u);
    BOOST_TEST(store.claimed[0].keep_turns == 2u);
    BOOST_TEST(store.claimed[0].trigger_turns == 4u);
    pool.consider(session, {20, 100});
    settle();
    BOOST_REQUIRE_EQUAL(store.claimed.size(), 2u);
    BOOST_TEST(store.claimed[1].keep_turns == 6u);
    BOOST_TEST(store.claimed[1].trigger_turns == 20u);
}

BOOST_AUTO_TEST_CASE(a_transcript_that_is_too_long_for_the_model_is_shortened_twice_at_most) {
    auto const length_of = [this](std::size_t i) {
        return claude.asked.at(i).messages[0].content[0].text().size();
    };
    for (int refused = 1; refused <= 3; ++refused) {
        claude.asked.clear();
        store.given_back = 0;
        store.claims = {{{}, "", {{1, store::role::user, std::string(400'000, 'x')}}, {}, {}, {}}};
        for (int i = 0; i < refused; ++i)
            claude.will_fail(claude::error_kind::too_long);
        if (refused == 1) pool.start();
        settle();
        pool.consider(session, {20});
        settle();
        BOOST_REQUIRE_EQUAL(claude.asked.size(), std::size_t(std::min(refused + 1, 3)));
        BOOST_TEST(length_of(0) > 300'000u);
        BOOST_TEST(length_of(1) < 76'000u);
        BOOST_TEST(length_of(1) > 74'000u);
        if (refused > 1) BOOST_TEST(length_of(2) < 19'500u);
        BOOST_TEST(store.given_back == (refused == 3 ? 1 : 0));
    }
    BOOST_TEST(store.summaries.size() == 2u);
}

BOOST_AUTO_TEST_CASE(what_a_crash_left_behind_is_found_at_the_start) {
    store.due = {session};
    pool.start();
    settle();
    BOOST_TEST(store.summaries.size() == 1u);
}

BOOST_AUTO_TEST_CASE(a_failed_call_gives_the_session_back) {
    pool.start();
    settle();
    claude.will_fail(claude::error_kind::unavailable);
    pool.consider(session, {20});
    settle();
    BOOST_TEST(store.given_back == 1);
    BOOST_TEST(store.summaries.empty());
    BOOST_TEST(pool.status().failed == 1u);
}

BOOST_AUTO_TEST_CASE(a_summary_that_the_store_refuses_gives_the_session_back) {
    pool.start();
    settle();
    store.takes_summaries = false;
    pool.consider(session, {20});
    settle();
    BOOST_TEST(store.summaries.size() == 1u);
    BOOST_TEST(store.given_back == 1);
    BOOST_TEST(pool.status().discarded == 1u);
}

// Each try is paid for.
BOOST_AUTO_TEST_CASE(a_summary_that_cannot_be_stored_is_tried_again_after_growing_pauses) {
    pool.start();
    settle();
    store.summary_fails = store::test::damage;
    base::wall_time::duration before{};
    for (int i = 0; i < 4; ++i) {
        store.claims = {claims};
        auto const now = clock.wall();
        pool.consider(session, {20});
        settle();
        BOOST_REQUIRE_EQUAL(store.given_back, i + 1);
        auto const pause = store.last_not_before - now;
        BOOST_TEST((pause > before + std::chrono::seconds(10)));
        before = pause;
    }
    BOOST_TEST(pool.status().failed == 4u);
}

BOOST_AUTO_TEST_CASE(while_the_store_is_shut_no_summary_is_paid_for) {
    store::test::scripted_keeping keeping;
    store::health health(keeping, clock, [] {});
    keeping.next = store::test::damage;
    asio::co_spawn(io, health.look(), asio::detached);
    settle();
    BOOST_REQUIRE(health.is_shut());
    pool.watch(health);
    pool.start();
    settle();
    pool.consider(session, {20});
    settle();
    BOOST_TEST(claude.asked.empty());
    BOOST_TEST(pool.status().waiting == 1u);
    keeping.next = {};
    health.reconsider();
    asio::co_spawn(io, health.look(), asio::detached);
    settle();
    pool.wake();
    settle();
    BOOST_TEST(claude.asked.size() == 1u);
}

BOOST_AUTO_TEST_CASE(a_stored_summary_is_not_given_back) {
    pool.start();
    settle();
    pool.consider(session, {20});
    settle();
    BOOST_TEST(pool.status().written == 1u);
    BOOST_TEST(store.given_back == 0);
}

BOOST_AUTO_TEST_CASE(a_summary_that_is_cut_short_by_the_end_is_given_back_at_once) {
    pool.start();
    settle();
    claude.hold = true;
    pool.consider(session, {20});
    settle();
    BOOST_REQUIRE_EQUAL(claude.asked.size(), 1u);
    bool stopped = false;
    asio::co_spawn(io, pool.stop(), [&](std::exception_ptr) { stopped = true; });
    io.restart();
    io.run_for(std::chrono::seconds(10));
    BOOST_TEST(stopped);
    BOOST_TEST(store.given_back == 1);
    BOOST_TEST(store.summaries.empty());
}

BOOST_AUTO_TEST_CASE(an_empty_or_refused_summary_is_not_stored) {
    pool.start();
    settle();
    store.claims.push_back(store.claims.front());
    claude.will_say(" \n");
    claude.will_say("I cannot", "refusal");
    pool.consider(session, {20});
    settle();
    pool.consider(session, {22});
    settle();
    BOOST_TEST(store.given_back == 2);
    BOOST_TEST(store.summaries.empty());
}

BOOST_AUTO_TEST_CASE(a_summary_that_was_cut_off_ends_with_its_last_whole_point) {
    pool.start();
    settle();
    for (auto const* reason : {"max_tokens", "model_context_window_exceeded"}) {
        store.summaries.clear();
        store.claims = {claims};
        claude.will_say("- one\n- two\n- thr", reason);
        pool.consider(session, {20});
        settle();
        BOOST_REQUIRE_EQUAL(store.summaries.size(), 1u);
        BOOST_TEST(store.summaries[0] == "- one\n- two");
    }
}

BOOST_AUTO_TEST_CASE(summaries_that_outgrew_their_room_become_one_before_the_next_is_made) {
    outgrow();
    claude.will_say("- Ada has 2 dogs and a long story");
    claude.will_say("- three");
    pool.consider(session, {20});
    settle();
    BOOST_REQUIRE_EQUAL(claude.asked.size(), 2u);
    BOOST_TEST(claude.asked[0].max_tokens == 4096u);
    BOOST_TEST(claude.asked[0].messages[0].content[0].text().find("- Ada came\\n- and went on") !=
               std::string::npos);
    BOOST_REQUIRE_EQUAL(store.condensed.size(), 1u);
    BOOST_TEST(store.condensed[0] == "- Ada has 2 dogs and a long story");
    auto const second = claude.asked[1].messages[0].content[0].text();
    BOOST_TEST(second.find("<earlier_summaries>\n- - Ada has 2 dogs") != std::string::npos);
    BOOST_TEST(second.find("and went on") == std::string::npos);
    BOOST_TEST(second.find("- the newest") != std::string::npos);
    BOOST_REQUIRE_EQUAL(store.summaries.size(), 1u);
    BOOST_TEST(pool.status().condensed == 1u);
    BOOST_TEST(pool.status().written == 1u);
}

BOOST_AUTO_TEST_CASE(turns_are_summarized_even_if_the_earlier_summaries_cannot_be_condensed) {
    for (int way = 0; way < 3; ++way) {
        BOOST_TEST_CONTEXT(way) {
            outgrow();
            auto const asked = claude.asked.size();
            if (way == 0) claude.will_fail(claude::error_kind::unavailable);
            if (way == 1) claude.will_say("- Ada has 2 dogs", "max_tokens");
            if (way == 2) claude.will_say("- Ada has 2 dogs");
            store.takes_condensed = way != 2;
            claude.will_say("- three");
            pool.consider(session, {20});
            settle();
            BOOST_REQUIRE_EQUAL(claude.asked.size(), asked + 2);
            auto const second = claude.asked.back().messages[0].content[0].text();
            BOOST_TEST(second.find("and went on") != std::string::npos);
            BOOST_TEST(pool.status().condensed == 0u);
            BOOST_TEST(pool.status().written == std::uint64_t(way) + 1);
        }
    }
}

BOOST_AUTO_TEST_CASE(condensing_that_is_cut_short_by_the_end_gives_the_session_back) {
    outgrow();
    claude.hold = true;
    pool.consider(session, {20});
    settle();
    BOOST_REQUIRE_EQUAL(claude.asked.size(), 1u);
    asio::co_spawn(io, pool.stop(), asio::detached);
    io.restart();
    io.run_for(std::chrono::seconds(10));
    BOOST_TEST(store.given_back == 1);
    BOOST_TEST(store.condensed.empty());
    BOOST_TEST(store.summaries.empty());
}

BOOST_AUTO_TEST_CASE(nothing_is_asked_while_claude_refuses_everybody) {
    BOOST_TEST((gate.met({claude::error_kind::auth, "no", 401, 1}, gate.period()) == claude::fate::bears));
    pool.start();
    pool.consider(session, {20});
    settle();
    BOOST_TEST(claude.asked.empty());
}

BOOST_AUTO_TEST_CASE(a_session_that_waits_already_is_not_queued_twice) {
    BOOST_TEST((gate.met({claude::error_kind::auth, "no", 401, 1}, gate.period()) == claude::fate::bears));
    pool.consider(session, {20});
    pool.consider(session, {22});
    BOOST_TEST(pool.status().waiting == 1u);
}

BOOST_AUTO_TEST_SUITE_END()

// When a job is tried again, over whole outages of pretended time.
#include "workers/chat/delay.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace {

using namespace engram;
using namespace std::chrono_literals;
using std::chrono::milliseconds;
using workers::give_up;
using workers::plan_next_try;

// When a job is tried whose every call fails at once, since the first failure.
struct course {
    std::vector<milliseconds> tries{0ms};
    give_up end = give_up::no;
};

course fails_all_the_time(milliseconds retry_for, milliseconds deadline, double chance,
                          std::optional<milliseconds> wish = std::nullopt) {
    course all;
    while (all.tries.size() < 100'000) {
        auto const failing = all.tries.back();
        auto const next = plan_next_try({failing, deadline - failing, wish}, retry_for, chance);
        all.end = next.end;
        if (next.end != give_up::no) break;
        all.tries.push_back(failing + next.pause);
    }
    return all;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(delay)

BOOST_AUTO_TEST_CASE(pauses_grow_with_the_time_that_calls_have_failed_up_to_half_a_minute) {
    for (auto const& [failing, pause] : std::vector<std::pair<milliseconds, milliseconds>>{
             {0ms, 1s}, {500ms, 1s}, {1s, 1s}, {2500ms, 2500ms}, {29s, 29s}, {30s, 30s}, {9min, 30s}}) {
        auto const next = plan_next_try({failing, 1h}, 1h, 0);
        BOOST_TEST((next.end == give_up::no));
        BOOST_TEST(next.pause.count() == pause.count(), failing.count());
        auto const jittered = plan_next_try({failing, 1h}, 1h, .999).pause;
        BOOST_TEST(jittered.count() < pause.count() * .76);
        BOOST_TEST(jittered.count() >= pause.count() * .75);
    }
}

BOOST_AUTO_TEST_CASE(a_wish_of_the_server_is_obeyed_and_spread) {
    BOOST_TEST(plan_next_try({0ms, 1h, 20s}, 1h, 0).pause.count() == 20'000);
    auto const later = plan_next_try({0ms, 1h, 20s}, 1h, .5).pause;
    BOOST_TEST(later.count() == 21'000);
    BOOST_TEST(plan_next_try({1min, 1h, 2s}, 1h, .5).pause.count() == 26'250);  // its own is longer
}

BOOST_AUTO_TEST_CASE(a_pause_after_which_it_comes_too_late_is_not_begun) {
    BOOST_TEST((plan_next_try({10s, 11'001ms}, 1h, 0).end == give_up::no));
    BOOST_TEST((plan_next_try({10s, 11'000ms}, 1h, 0).end == give_up::deadline));
    BOOST_TEST((plan_next_try({10s, -5s}, 1h, 0).end == give_up::deadline));
    BOOST_TEST((plan_next_try({0ms, 21s, 20s}, 1h, 0).end == give_up::deadline));
}

BOOST_AUTO_TEST_CASE(patience_ends) {
    BOOST_TEST((plan_next_try({0ms, 1h}, 0ms, 0).end == give_up::patience_over));
    BOOST_TEST((plan_next_try({0ms, 1s}, 0ms, 0).end == give_up::patience_over));  // none was asked for
    BOOST_TEST((plan_next_try({5s, 1h}, 10s, 0).end == give_up::no));
    BOOST_TEST((plan_next_try({5001ms, 1h}, 10s, 0).end == give_up::patience_over));
    BOOST_TEST((plan_next_try({0ms, 1h, 11s}, 10s, 0).end == give_up::patience_over));
}

BOOST_AUTO_TEST_CASE(after_an_outage_a_job_is_tried_within_the_time_that_it_took) {
    for (double const chance : {0., .5, .999}) {
        auto const all = fails_all_the_time(10min, 24h, chance);
        for (auto const outage : {2s, 10s, 25s, 60s, 300s}) {
            auto const first_after = std::ranges::lower_bound(all.tries, milliseconds(outage));
            BOOST_REQUIRE((first_after != all.tries.end()));
            auto const late = *first_after - outage;
            BOOST_TEST(late.count() <= std::min<milliseconds>(30s, outage).count());
        }
    }
}

BOOST_AUTO_TEST_CASE(ten_minutes_of_trouble_cost_few_tries_and_end_with_the_patience) {
    for (double const chance : {0., .5, .999}) {
        auto const all = fails_all_the_time(10min, 24h, chance);
        BOOST_TEST((all.end == give_up::patience_over));
        BOOST_TEST(all.tries.back().count() <= 600'000);
        BOOST_TEST(all.tries.back().count() > 570'000 - 1);
        BOOST_TEST(all.tries.size() < 40u);
        BOOST_TEST(all.tries.size() > 20u);
    }
    auto const to_deadline = fails_all_the_time(10min, 5min, .5);
    BOOST_TEST((to_deadline.end == give_up::deadline));
    BOOST_TEST(to_deadline.tries.back().count() < 300'000);
    BOOST_TEST(to_deadline.tries.back().count() > 269'000 - 1);
}

BOOST_AUTO_TEST_CASE(operators_are_told_what_happened_and_nothing_of_what_was_said) {
    claude::error why{claude::error_kind::unavailable, "you said hello", 529, 3};
    why.code = "overloaded_error";
    BOOST_TEST(workers::reason_of(why) == "HTTP status 529 overloaded_error");
    why.code.clear();
    BOOST_TEST(workers::reason_of(why) == "HTTP status 529");
    for (auto const& [code, status, text] : std::vector<std::tuple<std::string, int, std::string>>{
             {"no_connection", 0, "no connection"},
             {"timed_out", 0, "no answer in time"},
             {"cut", 0, "the answer was cut"},
             {"unreadable", 200, "the answer could not be read"},
             {"local_lack", 0, "this machine lacks something"},
             {"", 0, "no answer"}}) {
        why.code = code;
        why.status = status;
        BOOST_TEST(workers::reason_of(why) == text);
    }
}

BOOST_AUTO_TEST_SUITE_END()

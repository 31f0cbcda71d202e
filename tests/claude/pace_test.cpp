// Of one daemon, step by step. What several make of one provider: tests/integration/test_rate_limits.py.
#include "claude/pace.hpp"

#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

using namespace engram;
using namespace engram::claude;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t first = 4, most = 64;

told_limits requests(double a_minute, double left) {
    told_limits told;
    told.requests = {a_minute, left};
    return told;
}

usage tokens(std::int64_t input, std::int64_t output) {
    usage used;
    used.input_tokens = input;
    used.output_tokens = output;
    return used;
}

struct paced {
    explicit paced(bool shared = false) : pace(first, most, shared, now) {}

    base::steady_time now{1000h};
    claude::pace pace;

    // One is refused while another one is answered.
    void become_scarce() {
        begin(2);
        answer();
        refuse(0s);
    }
    // As many calls as may begin: how many.
    std::size_t begin(std::size_t at_most = 1000, call_class what = call_class::chat) {
        std::size_t n = 0;
        for (; n < at_most && pace.may_start(now, what); ++n)
            pace.started(now, what);
        return n;
    }
    void answer(std::size_t n = 1, told_limits const& told = {}) {
        for (; n > 0; --n) {
            pace.answered(now, told, {});
            pace.ended();
        }
    }
    void fail(std::size_t n = 1) {
        for (; n > 0; --n) {
            pace.failed(now);
            pace.ended();
        }
    }
    void refuse(std::optional<std::chrono::milliseconds> wish = {}, told_limits const& told = {}) {
        pace.refused(now, told, wish);
        pace.ended();
    }
    void pass(std::chrono::milliseconds span, std::size_t waiting = 0) {
        for (auto const end = now + span; now < end;) {
            now += 100ms;
            pace.look(now, waiting);
        }
    }
    // Calls that may be under way together: none are before and after.
    std::size_t window() {
        auto const n = begin();
        for (std::size_t i = 0; i < n; ++i)
            pace.ended();
        return n;
    }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(paces)

BOOST_AUTO_TEST_CASE(a_few_calls_begin_and_more_as_answers_come) {
    paced p;
    BOOST_TEST(p.begin() == first);
    p.answer(first);
    p.pass(1s, 10);
    BOOST_TEST(p.begin() == 6U);
    p.answer(6);
    p.pass(1s, 10);
    BOOST_TEST(p.begin() == 9U);
    p.pass(9s, 10);
    BOOST_TEST(p.begin() == most - 9);
}

BOOST_AUTO_TEST_CASE(nothing_grows_while_nobody_waits) {
    paced p;
    p.begin();
    p.answer(first);
    p.pass(10s);
    BOOST_TEST(p.window() == first);
}

BOOST_AUTO_TEST_CASE(slow_answers_hold_a_crowd_up_for_some_seconds_only) {
    paced p;
    p.begin();
    p.pass(900ms, 100);
    BOOST_TEST(p.begin() == 0U);
    p.pass(200ms, 100);
    BOOST_TEST(p.begin() > 0U);
    p.pass(7s, 100);
    p.begin();
    BOOST_TEST(p.pace.under_way() == most);
}

BOOST_AUTO_TEST_CASE(an_outage_leaves_one_call_and_its_end_all_of_them) {
    paced p;
    p.begin();
    p.answer(first);
    p.pass(8s, 10);
    BOOST_TEST(p.window() == most);
    for (int second = 0; second < 8; ++second) {
        p.fail(p.begin());
        p.pass(1s, 10);
    }
    BOOST_TEST(p.window() == 1U);
    BOOST_REQUIRE(p.pace.room().has_value());
    BOOST_TEST(*p.pace.room() == 2U);
    for (int second = 0; second < 12; ++second) {
        p.answer(p.begin());
        p.pass(1s, 10);
    }
    BOOST_TEST(p.window() == most);
    BOOST_TEST(!p.pace.room().has_value());
}

BOOST_AUTO_TEST_CASE(a_few_failures_among_many_answers_change_nothing) {
    paced p;
    for (int second = 0; second < 8; ++second) {
        auto const n = p.begin();
        p.fail();
        p.answer(n - 1);
        p.pass(1s, 10);
    }
    BOOST_TEST(p.window() == most);
}

BOOST_AUTO_TEST_CASE(what_is_left_bounds_the_calls_under_way_and_lifts_the_bound_at_once) {
    paced p;
    p.begin(1);
    p.answer(1, requests(1000, 800));
    BOOST_TEST(!p.pace.is_paced());
    BOOST_TEST(p.window() == 50U);
    p.begin(1);
    p.answer(1, requests(1000, 320));
    BOOST_TEST(p.window() == 20U);
    BOOST_TEST(!p.pace.is_paced());
    // A server that no longer says it: more follow as they would without.
    p.begin(1);
    p.answer();
    p.pass(1s, 10);
    BOOST_TEST(p.window() == 30U);
}

BOOST_AUTO_TEST_CASE(headers_do_not_keep_it_small_while_some_calls_fail) {
    paced p;
    p.begin(1);
    p.answer(1, requests(1000, 160));
    BOOST_TEST(p.window() == 10U);
    for (int second = 0; second < 8; ++second) {
        auto const n = p.begin();
        p.fail();
        p.answer(n - 1, requests(100'000, 99'000));
        p.pass(1s, 10);
    }
    BOOST_TEST(p.window() == most);
}

BOOST_AUTO_TEST_CASE(little_left_for_the_calls_that_are_wanted_means_paced) {
    paced p(true);
    p.begin();
    p.answer(1, requests(100, 100));  // three more are under way
    BOOST_TEST(!p.pace.is_paced());
    p.answer(1, requests(100, 31));
    BOOST_TEST(p.pace.is_paced());
    BOOST_TEST(p.begin() == 0U);  // not without a permit
    p.pace.grant(p.now, {"", 2, 49});
    BOOST_TEST(p.begin() == 2U);
    BOOST_TEST(p.pace.a_minute() == 49);
}

BOOST_AUTO_TEST_CASE(tokens_count_like_requests_by_what_a_call_takes) {
    paced p(true);
    told_limits told;
    told.requests = {1000, 999};
    told.output_tokens = {80'000, 4'000};
    p.begin();
    p.pace.answered(p.now, told, tokens(10, 400));  // ten calls are left
    p.pace.ended();
    BOOST_TEST(p.pace.is_paced());
    auto const report = p.pace.report(p.now, 5, 1);
    BOOST_TEST(report.allowed == 200);
    BOOST_TEST(report.left == 10 - 3);  // three are under way
    BOOST_TEST(report.chats == 5U);
    BOOST_TEST(report.soon == 0U);
    BOOST_TEST(report.others == 1U);
    BOOST_TEST(report.answered_a_minute == 1U);
}

BOOST_AUTO_TEST_CASE(a_refusal_holds_every_call_until_the_wish_is_over) {
    paced p;
    p.begin(1);
    p.refuse(20s);
    p.pass(19'900ms, 3);
    BOOST_TEST(p.begin() == 0U);
    BOOST_TEST((p.pace.look_again(p.now) <= p.now + 100ms));
    p.pass(100ms, 3);
    BOOST_TEST(p.begin() > 0U);
}

BOOST_AUTO_TEST_CASE(without_a_wish_the_pauses_grow_and_calls_that_were_on_their_way_count_once) {
    paced p;
    p.begin();
    for (std::size_t i = 0; i < first; ++i)
        p.refuse();
    for (auto const pause : {1s, 2s, 4s, 8s, 8s}) {
        p.pass(pause - 100ms);
        BOOST_TEST(p.begin() == 0U);
        p.pass(100ms);
        BOOST_TEST(p.begin(1) == 1U);
        p.refuse();
    }
    p.pass(8s);
    p.begin(1);
    p.answer();
    p.begin(1);
    p.refuse();
    p.pass(1s);
    BOOST_TEST(p.begin(1) == 1U);
}

BOOST_AUTO_TEST_CASE(refusals_of_everything_are_an_outage_and_no_limit) {
    paced p(true);
    for (int second = 0; second < 20; ++second) {
        for (auto n = p.begin(); n > 0; --n)
            p.refuse(0s);
        p.pass(1s, 10);
    }
    BOOST_TEST(!p.pace.is_paced());
    BOOST_TEST(!p.pace.has_news());
    BOOST_TEST(p.window() == 1U);
    for (int second = 0; second < 13; ++second) {
        p.answer(p.begin());
        p.pass(1s, 10);
    }
    BOOST_TEST(p.window() == most);
}

BOOST_AUTO_TEST_CASE(permits_that_no_call_took_go_back_with_the_next_report) {
    paced p(true);
    p.become_scarce();
    p.pace.grant(p.now, {"", 5, 50});
    BOOST_TEST(p.begin(2) == 2U);
    auto const report = p.pace.report(p.now, 0, 0);
    BOOST_TEST(report.unused == 3U);
    BOOST_TEST(report.refused);
    BOOST_TEST(p.begin() == 0U);
    BOOST_TEST(!p.pace.report(p.now, 0, 0).refused);
}

BOOST_AUTO_TEST_CASE(permits_are_for_chats_first_also_for_those_that_will_come) {
    paced p(true);
    p.become_scarce();
    p.pace.grant(p.now, {"", 2, 50});
    BOOST_TEST(p.begin(2) == 2U);
    p.answer(2);
    BOOST_TEST(p.pace.report(p.now, 1, 5).soon == 3U);
    p.pace.grant(p.now, {"", 3, 50});
    BOOST_TEST(p.begin(5, call_class::background) == 0U);
    BOOST_TEST(p.pace.report(p.now, 1, 5).soon == 0U);
    p.pace.grant(p.now, {"", 3, 50});
    BOOST_TEST(p.begin(1, call_class::background) == 1U);
}

BOOST_AUTO_TEST_CASE(permits_are_good_for_three_seconds) {
    paced p(true);
    p.become_scarce();
    p.pace.grant(p.now, {"", 4, 50});
    p.pass(3s, 9);
    BOOST_TEST(p.begin() == 1U);
}

BOOST_AUTO_TEST_CASE(what_was_begun_before_it_was_scarce_is_not_wanted_soon) {
    paced p(true);
    for (int i = 0; i < 9; ++i) {
        p.begin(1);
        p.answer();
    }
    p.become_scarce();
    BOOST_TEST(p.pace.report(p.now, 0, 0).soon == 0U);
}

BOOST_AUTO_TEST_CASE(an_answer_without_headers_says_nothing_of_what_is_left) {
    paced p(true);
    p.begin(2);
    p.answer(1, requests(50, 9));
    p.answer();
    BOOST_TEST(p.pace.report(p.now, 0, 0).left == -1);
}

BOOST_AUTO_TEST_CASE(where_nobody_grants_anything_one_call_a_second_begins) {
    paced p(true);
    p.become_scarce();
    p.pass(2'900ms, 5);
    BOOST_TEST(p.begin() == 0U);
    std::size_t begun = 0;
    for (int second = 0; second < 10; ++second) {
        p.pass(1s, 5);
        auto const n = p.begin();
        p.answer(n);
        begun += n;
    }
    BOOST_TEST(begun == 10U);
}

BOOST_AUTO_TEST_CASE(a_client_that_shares_with_nobody_needs_no_permits) {
    paced p;
    p.become_scarce();
    BOOST_TEST(p.pace.is_paced());
    BOOST_TEST(p.begin() > 0U);
}

BOOST_AUTO_TEST_CASE(a_minute_without_scarcity_ends_the_pacing_with_few_calls) {
    paced p(true);
    p.begin();
    p.answer(first);
    p.pass(3s, 10);
    p.become_scarce();
    p.pass(59s);
    BOOST_TEST(p.pace.is_paced());
    p.pass(2s);
    BOOST_TEST(!p.pace.is_paced());
    BOOST_TEST(p.window() == first);
    BOOST_TEST(!p.pace.room().has_value());
}

BOOST_AUTO_TEST_CASE(calls_that_wait_keep_it_paced) {
    paced p(true);
    p.become_scarce();
    p.pass(120s, 1);
    BOOST_TEST(p.pace.is_paced());
}

BOOST_AUTO_TEST_CASE(a_grant_makes_room_for_twice_as_many_beside_those_under_way) {
    paced p(true);
    p.begin();
    p.answer();
    p.refuse(0s);
    p.pass(1s, 5);
    BOOST_TEST(p.pace.room().value_or(0) == 2U + 2U);
    p.pace.grant(p.now, {"", 10, 600});
    BOOST_TEST(p.pace.room().value_or(0) == 2U + 20U);
}

BOOST_AUTO_TEST_CASE(headers_that_are_no_numbers_say_nothing) {
    std::vector<std::string> values(limit_headers().size());
    values[0] = "1000";
    values[1] = "-3";
    values[2] = "1e400";
    values[3] = "nan";
    values[4] = "12 apples";
    values[5] = "17000";
    auto const told = read_limits(values);
    BOOST_TEST(told.requests.a_minute == 1000);
    BOOST_TEST(told.requests.left == -1);
    BOOST_TEST(told.input_tokens.a_minute == -1);
    BOOST_TEST(told.input_tokens.left == -1);
    BOOST_TEST(told.output_tokens.a_minute == -1);
    BOOST_TEST(told.output_tokens.left == 17000);
    BOOST_TEST(read_limits({}).requests.left == -1);
}

BOOST_AUTO_TEST_SUITE_END()

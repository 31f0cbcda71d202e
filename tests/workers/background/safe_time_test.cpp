// What has had its time is deleted for good, so the time must be right.
#include "workers/background/safe_time.hpp"

#include "upkeep_fixture.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/test/unit_test.hpp>

#include <optional>
#include <string>

using namespace engram;
using namespace engram::test;
using namespace std::chrono_literals;
using std::chrono::milliseconds;

namespace {

constexpr auto a_year = 365 * 24h;

struct fixture : upkeep_fixture {
    bool redis_answers = true;
    milliseconds redis_ahead{0};  // of this machine's clock
    workers::safe_time time{clock, [this] { return ask_redis(); }, store, 1h};

    fixture() { store.newest = clock.wall() - 1min; }

    asio::awaitable<std::optional<base::wall_time>> ask_redis() {
        if (!redis_answers) co_return std::nullopt;
        co_return clock.wall() + redis_ahead;
    }

    std::optional<base::wall_time> ask() {
        std::optional<base::wall_time> answer;
        bool answered = false;
        asio::co_spawn(io, time.now(), [&](std::exception_ptr, std::optional<base::wall_time> now) {
            answer = now;
            answered = true;
        });
        settle();
        BOOST_REQUIRE(answered);
        return answer;
    }
    bool is_safe() { return ask().has_value(); }
    bool is_safe_after(milliseconds pause) {
        clock.advance(pause);
        return is_safe();
    }
    // Another clock of this machine, and Redis's on it.
    void set_both_ahead(milliseconds by) { clock.set_ahead(by); }
    // Redis's clock stays as it is.
    void set_own_ahead(milliseconds by) {
        clock.set_ahead(by);
        redis_ahead -= by;
    }
    bool says(std::string_view why) { return time.why_not().find(why) != std::string::npos; }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(safe_time, fixture)

BOOST_AUTO_TEST_CASE(an_hour_after_the_start_the_time_is_that_of_both_clocks) {
    BOOST_TEST(!is_safe());
    BOOST_TEST(says("just started"));
    BOOST_TEST(!is_safe_after(59min));
    BOOST_TEST(is_safe_after(1min));
    BOOST_TEST(time.why_not() == "");
    BOOST_TEST(bool(*ask() == clock.wall()));
    BOOST_TEST(store.newest_asked == 1);
}

BOOST_AUTO_TEST_CASE(of_two_clocks_the_earlier_one_counts) {
    redis_ahead = -4min;
    ask();
    BOOST_TEST(is_safe_after(1h));
    BOOST_TEST(bool(*ask() == clock.wall() - 4min));
    redis_ahead = -4min + 30s;
    BOOST_TEST(bool(*ask() == clock.wall() - 4min + 30s));
}

BOOST_AUTO_TEST_CASE(a_year_ahead_for_four_seconds_at_the_start_is_no_time_to_delete_by) {
    set_both_ahead(a_year);
    BOOST_TEST(!is_safe());
    BOOST_TEST(says("later than it should be"));
    BOOST_TEST(!is_safe_after(4s));
    set_both_ahead(-a_year);
    BOOST_TEST(!is_safe());
    BOOST_TEST(says("the clock of this machine jumped by -31536000 s"));
    BOOST_TEST(!is_safe_after(59min));
    BOOST_TEST(is_safe_after(1min));
}

BOOST_AUTO_TEST_CASE(a_jump_in_either_direction_while_it_runs_begins_the_hour_anew) {
    ask();
    BOOST_TEST(is_safe_after(1h));
    for (auto const by : {milliseconds(2min), milliseconds(-2min), milliseconds(24h), milliseconds(-24h)}) {
        set_both_ahead(by);
        BOOST_TEST(!is_safe());
        BOOST_TEST(says("jumped by"));
        BOOST_TEST(!is_safe_after(59min));
        BOOST_TEST(is_safe_after(1min));
    }
}

BOOST_AUTO_TEST_CASE(a_clock_that_is_set_right_by_less_than_a_minute_has_not_jumped) {
    ask();
    BOOST_TEST(is_safe_after(1h));
    set_both_ahead(59s);
    BOOST_TEST(is_safe());
    set_both_ahead(-59s);
    BOOST_TEST(is_safe());
}

BOOST_AUTO_TEST_CASE(a_jump_that_nobody_sees_has_done_no_harm) {
    ask();
    BOOST_TEST(is_safe_after(1h));
    set_both_ahead(a_year);
    set_both_ahead(-a_year);
    BOOST_TEST(is_safe());
}

BOOST_AUTO_TEST_CASE(while_the_clocks_differ_by_minutes_neither_is_believed) {
    for (auto const ahead : {milliseconds(6min), milliseconds(-6min), milliseconds(a_year)}) {
        redis_ahead = ahead;
        BOOST_TEST(!is_safe_after(1min));
        BOOST_TEST(!is_safe_after(100h));
        BOOST_TEST(says("differ by"));
        BOOST_TEST(time.trouble().find("timedatectl") != std::string::npos);
    }
    redis_ahead = 0ms;
    BOOST_TEST(!is_safe());
    BOOST_TEST(says("Redis's clock jumped by"));
    BOOST_TEST(time.trouble() == "");
    BOOST_TEST(is_safe_after(1h));
}

BOOST_AUTO_TEST_CASE(without_an_answer_of_redis_or_of_the_store_there_is_no_time) {
    store.fails = true;
    BOOST_TEST(!is_safe_after(2h));
    BOOST_TEST(says("damaged"));
    store.fails = false;
    redis_answers = false;
    BOOST_TEST(!is_safe());
    BOOST_TEST(says("Redis does not tell"));
    redis_answers = true;
    BOOST_TEST(is_safe());
    BOOST_TEST(store.newest_asked == 2);
}

BOOST_AUTO_TEST_CASE(a_clock_that_jumps_while_redis_does_not_answer_has_jumped) {
    ask();
    BOOST_TEST(is_safe_after(1h));
    redis_answers = false;
    BOOST_TEST(!is_safe());
    set_both_ahead(a_year);
    redis_answers = true;
    BOOST_TEST(!is_safe_after(1min));
    BOOST_TEST(says("later than it should be"));
}

BOOST_AUTO_TEST_CASE(clocks_that_stay_a_year_ahead_are_believed_after_a_day) {
    set_both_ahead(a_year);
    BOOST_TEST(!is_safe());
    BOOST_TEST(!is_safe_after(23h + 59min));
    BOOST_TEST(says("later than it should be"));
    BOOST_TEST(is_safe_after(1min));
}

BOOST_AUTO_TEST_CASE(a_small_jump_does_not_make_a_large_one_right) {
    ask();
    BOOST_TEST(is_safe_after(1h));
    set_both_ahead(a_year);
    BOOST_TEST(!is_safe());
    set_both_ahead(2min);
    BOOST_TEST(!is_safe());
    BOOST_TEST(!is_safe_after(23h));
    BOOST_TEST(is_safe_after(1h));
}

BOOST_AUTO_TEST_CASE(a_daemon_that_was_idle_for_days_is_not_suspicious) {
    ask();
    BOOST_TEST(is_safe_after(1h));
    BOOST_TEST(is_safe_after(30 * 24h));
}

BOOST_AUTO_TEST_CASE(an_outcome_stored_by_a_clock_that_was_ahead_keeps_nothing_for_a_year) {
    store.newest = clock.wall() + a_year;
    ask();
    BOOST_TEST(is_safe_after(1h));
    BOOST_TEST(time.trouble() == "");
    BOOST_TEST(!time.not_before());
}

BOOST_AUTO_TEST_CASE(a_clock_that_is_behind_is_told_and_nothing_is_stored_with_its_time) {
    store.newest = clock.wall() - 1min;
    set_own_ahead(-a_year);
    ask();
    BOOST_TEST(time.trouble().find("the clock of this machine is before the newest row of the database (") ==
               0U);
    BOOST_REQUIRE(time.not_before());
    BOOST_TEST(bool(*time.not_before() == *store.newest));
    set_own_ahead(a_year);
    ask();
    BOOST_TEST(time.trouble() == "");
    BOOST_TEST(!time.not_before());
}

BOOST_AUTO_TEST_CASE(a_machine_that_was_never_told_the_time_is_behind_whatever_redis_says_there) {
    set_both_ahead(-std::chrono::duration_cast<milliseconds>(clock.wall().time_since_epoch()));
    ask();
    BOOST_TEST(bool(time.not_before() == store.newest));
}

BOOST_AUTO_TEST_CASE(what_is_stored_has_no_time_before_the_floor) {
    workers::stored_clock stored;
    auto const now = std::chrono::system_clock::now();
    BOOST_TEST(bool(stored.wall() >= now && stored.wall() < now + 1h));
    stored.set_floor(now + 10h);
    BOOST_TEST(base::to_unix_ms(stored.wall()) == base::to_unix_ms(now + 10h));
    stored.set_floor(now - 10h);
    BOOST_TEST(bool(stored.wall() >= now));
    stored.set_floor({});
    BOOST_TEST(bool(stored.wall() < now + 1h));
}

BOOST_AUTO_TEST_CASE(upkeep_deletes_nothing_while_there_is_no_time_and_the_same_after_an_hour) {
    store.to_expire = 3;
    store.outcomes = 5;
    set_both_ahead(a_year);
    upkeep.trust(time);
    start();
    pass(4s);
    set_both_ahead(-a_year);
    for (int minutes = 0; minutes < 60; ++minutes)
        pass(1min);
    BOOST_TEST(store.expiry_times.size() == 0U);
    BOOST_TEST(store.outcome_times.size() == 0U);
    pass(1min);
    BOOST_REQUIRE(store.expiry_times.size() == 1U);
    BOOST_REQUIRE(store.outcome_times.size() == 1U);
    BOOST_TEST(bool(store.expiry_times[0] == clock.wall()));
    BOOST_TEST(bool(store.outcome_times[0] == clock.wall() - 72h));
    BOOST_TEST(upkeep.status().expired_memories == 3U);
    BOOST_TEST(upkeep.status().expired_outcomes == 5U);
}

BOOST_AUTO_TEST_SUITE_END()

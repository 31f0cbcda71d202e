// What a provider allows of a model, shared among daemons by a real Redis.
#include "queue/job_calls.hpp"
#include "user_fixture.hpp"

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace engram;
using namespace engram::test;
using namespace std::chrono_literals;
using queue::pace_grant;
using queue::pace_report;

// Sets every time in P:pace:m back by so many ms: as if they had passed.
constexpr char const* later = R"lua(
local all = redis.call('HGETALL', 'engram:pace:m')
local times = {at = 1, ['until'] = 1, cut = 1, born = 1}
for i = 1, #all, 2 do
  local ms, rest = string.match(all[i + 1], '^(%d+)(.*)$')
  if times[all[i]] or string.find(all[i], '^i:') then
    redis.call('HSET', 'engram:pace:m', all[i], string.format('%.0f', math.max(0, ms - ARGV[1])) .. rest)
  end
end)lua";

// Of the fields besides those of daemons: the first that holds no number that is finite and not below 0.
constexpr char const* odd_field = R"lua(
local all = redis.call('HGETALL', 'engram:pace:m')
for i = 1, #all, 2 do
  local n = tonumber(all[i + 1])
  if not string.find(all[i], '^i:') and not (n and n >= 0 and n < 1e14) then return all[i] .. ' is ' .. all[i + 1] end
end
return '')lua";

task<void> ask(queue::job_calls& calls, std::string instance, std::vector<pace_report> reports,
               redis::result<std::vector<pace_grant>>& into) {
    into = co_await calls.pace(std::move(instance), std::move(reports));
}

struct fixture : user_fixture {
    queue::job_calls calls{set, hand.redis};

    void play(task<void> (*body)(fixture&)) { run(body(*this)); }

    std::vector<pace_grant> tell_all(std::string const& instance, std::vector<pace_report> const& reports) {
        redis::result<std::vector<pace_grant>> given = redis::error{};
        run(ask(calls, instance, reports, given));
        if (!given) throw std::runtime_error(given.error().message);
        return *given;
    }
    // Of the model m.
    pace_grant tell(std::string const& instance, pace_report report) {
        report.model = "m";
        return tell_all(instance, {report}).at(0);
    }
    std::size_t permits(std::string const& instance, pace_report const& report) {
        return tell(instance, report).calls;
    }
    double rate(std::string const& instance, pace_report const& report) {
        return tell(instance, report).a_minute;
    }
    // Redis's clock goes on.
    void pass(std::chrono::milliseconds time) { look({"EVAL", later, "0", std::to_string(time.count())}); }
    void set_field(std::string const& name, std::string const& to) {
        look({"HSET", "engram:pace:m", name, to});
    }
};

// The test takes time itself.
auto const near = boost::test_tools::tolerance(0.03);

// A provider that tells of its limits.
pace_report told(std::size_t chats, double left = -1, double allowed = 60) {
    return {.chats = chats, .allowed = allowed, .left = left};
}

// One that does not.
pace_report untold(std::size_t chats, std::size_t answered, bool refused = false) {
    return {.chats = chats, .answered_a_minute = answered, .refused = refused};
}

BOOST_FIXTURE_TEST_SUITE(pace_script, fixture)

BOOST_AUTO_TEST_CASE(what_is_left_is_shared_evenly_once_all_have_told_of_it) {
    BOOST_TEST(permits("a", told(100, 40)) == 0u);
    BOOST_TEST(permits("b", told(100, 20)) == 0u);  // calls of others under way show here
    BOOST_TEST(permits("a", told(100, 40)) == 0u);
    pass(1s);
    BOOST_TEST(permits("a", told(100)) == 10u);  // of 21: what is left is rounded down
    BOOST_TEST(permits("b", told(100)) == 5u);
    BOOST_TEST(permits("c", told(2)) == 2u);  // no more than it has calls
    BOOST_TEST(permits("c", told(0)) == 0u);
    BOOST_TEST(permits("a", told(100)) == 2u);  // c has none that waits
}

BOOST_AUTO_TEST_CASE(what_is_granted_follows_what_the_provider_allows_and_leaves_nobody_out) {
    for (int const a_second : {1, 10}) {
        look({"DEL", "engram:pace:m"});
        std::size_t of[3] = {};
        // With few permits a second the first to ask gets them; daemons keep no step.
        for (int second = 0; second <= 60; ++second, pass(1s))
            for (int i = 0; i < 3; ++i) {
                auto const who = a_second == 1 ? (i + second) % 3 : i;
                of[who] += permits(std::to_string(who), told(100, second == 0 ? 10 : -1, 60 * a_second));
            }
        auto const all = of[0] + of[1] + of[2];
        BOOST_TEST(all >= std::size_t(55 * a_second));
        BOOST_TEST(all <= std::size_t(12 + 60 * a_second));  // the test's own time counts as well
        for (auto const one : of)
            BOOST_TEST(one >= all / 6);
    }
}

BOOST_AUTO_TEST_CASE(more_than_two_seconds_worth_is_not_saved_up) {
    tell("a", told(0, 1, 600));
    pass(50s);
    BOOST_TEST(permits("a", told(1000, -1, 600)) == 19u);  // of 19.6
    BOOST_TEST(permits("a", told(1000, -1, 600)) <= 1u);
}

BOOST_AUTO_TEST_CASE(what_others_take_of_the_limit_lowers_what_is_granted) {
    tell("a", told(0, 40));
    pass(1s);
    BOOST_TEST(permits("b", told(100, 3)) == 4u);
    BOOST_TEST(permits("b", told(100, 0)) <= 1u);
}

BOOST_AUTO_TEST_CASE(permits_that_nobody_used_come_back) {
    tell("a", told(0, 20));
    pass(1s);
    BOOST_TEST(permits("a", told(20)) == 20u);
    BOOST_TEST(permits("b", told(20)) <= 1u);
    tell("a", {.unused = 18, .allowed = 60});
    BOOST_TEST(permits("b", told(18)) == 18u);
}

BOOST_AUTO_TEST_CASE(chats_come_before_background_calls_of_all_daemons) {
    pace_report const background{.others = 10, .allowed = 60};
    tell("a", told(0, 40));
    pass(1s);
    BOOST_TEST(permits("b", {.chats = 1, .others = 2, .allowed = 60}) == 3u);  // its own first
    BOOST_TEST(permits("a", background) == 0u);
    tell("b", {.others = 1, .allowed = 60});
    BOOST_TEST(permits("a", background) == 10u);
    tell("b", told(1));
    BOOST_TEST(permits("a", background) == 0u);
    pass(3100ms);  // b is heard of no more
    BOOST_TEST(permits("a", background) == 10u);
}

BOOST_AUTO_TEST_CASE(chats_that_may_come_get_permits_and_keep_no_background_call_of_others_waiting) {
    pace_report const background{.others = 10, .allowed = 60};
    tell("a", told(0, 40));
    pass(1s);
    BOOST_TEST(permits("b", {.soon = 3, .allowed = 60}) == 3u);
    BOOST_TEST(permits("a", background) == 10u);
}

BOOST_AUTO_TEST_CASE(whoever_is_silent_has_no_share_and_is_forgotten) {
    tell("b", {.chats = 100, .answered_a_minute = 30, .allowed = 60, .left = 40});
    pass(2500ms);
    BOOST_TEST(permits("a", told(100)) == 20u);
    pass(1s);
    BOOST_TEST(permits("a", told(15)) == 15u);
    pass(56s);
    tell("a", told(1));
    BOOST_TEST(look({"HEXISTS", "engram:pace:m", "i:b"}) == "1");  // its calls still count
    pass(2s);
    tell("a", told(1));
    BOOST_TEST(look({"HEXISTS", "engram:pace:m", "i:b"}) == "0");
    BOOST_TEST(look({"HEXISTS", "engram:pace:m", "i:a"}) == "1");
}

BOOST_AUTO_TEST_CASE(a_wish_to_wait_holds_for_all_daemons_and_a_minute_at_most) {
    tell("a", told(0, 40));
    pass(1s);
    tell("a", {.chats = 9, .allowed = 60, .hold = 20s});
    BOOST_TEST(permits("b", told(9)) == 0u);
    pass(19s);
    BOOST_TEST(permits("b", told(9)) == 0u);
    pass(1s);
    BOOST_TEST(permits("b", told(9)) == 9u);
    tell("a", {.chats = 9, .allowed = 60, .hold = 10h});
    pass(59s);
    BOOST_TEST(permits("b", told(9)) == 0u);
    pass(1s);
    BOOST_TEST(permits("b", told(9)) == 9u);
}

BOOST_AUTO_TEST_CASE(a_refusal_lowers_the_rate_once_and_lets_one_call_look) {
    pace_report refused = told(100, 40, 1000);
    refused.refused = true;
    BOOST_TEST(rate("a", refused) == 980);
    refused.left = -1;
    BOOST_TEST(rate("b", refused) == 980, near);
    pass(5s);
    auto const cut = tell("a", refused);
    BOOST_TEST(cut.a_minute == 686, near);
    BOOST_TEST(cut.calls == 1u);
    pass(1s);
    auto const again = tell("b", refused);  // the same trouble, told by another
    BOOST_TEST(again.a_minute == 690, near);
    BOOST_TEST(again.calls == 1u);
    pass(4s);
    BOOST_TEST(rate("b", refused) == 492, near);
    pass(1s);
    BOOST_TEST(rate("b", told(1, -1, 1000)) == 494, near);
    pass(60s);  // nothing has spoken against what the provider says
    BOOST_TEST(rate("b", told(1, -1, 1000)) == 980);
}

BOOST_AUTO_TEST_CASE(a_limit_that_nobody_tells_is_found_by_what_is_answered_and_refused) {
    BOOST_TEST(rate("a", untold(9, 60, true)) == 42);
    BOOST_TEST(rate("b", untold(9, 40, true)) == 70, near);  // of 100 that all had answered
    pass(1s);
    auto const one = tell("a", untold(9, 60));
    BOOST_TEST(one.calls == 1u);
    BOOST_TEST(one.a_minute == 80.5, near);  // the limit may be far above what is answered so soon
    pass(1s);
    BOOST_TEST(rate("a", untold(9, 60)) == 92.6, near);
    pass(3s);
    BOOST_TEST(rate("a", untold(9, 60, true)) == 0.7 * 92.6, near);  // it has met the limit
    for (int i = 0; i < 10; ++i) {
        pass(1s);
        tell("a", untold(0, 60));
    }
    BOOST_TEST(rate("a", untold(9, 60)) == 68.2, near);
    pass(300s);  // nobody has tried
    BOOST_TEST(rate("a", untold(9, 0)) == 103.7,
               near);  // a minute after the last refusal it grows as at first
    pass(5s);
    BOOST_TEST(rate("a", untold(9, 40, true)) == 0.7 * 40, near);  // so many were answered
    for (int i = 0; i < 5; ++i, pass(5s))
        tell("a", untold(9, 1, true));
    BOOST_TEST(rate("a", untold(9, 1, true)) == 20);
}

BOOST_AUTO_TEST_CASE(what_one_daemon_was_told_of_the_limit_holds_for_all) {
    BOOST_TEST(rate("a", untold(9, 1, true)) == 20);
    BOOST_TEST(rate("b", told(9, -1, 500)) == 490);  // it is new
    BOOST_TEST(rate("b", told(9, -1, 5)) == 4.9);
    BOOST_TEST(rate("a", untold(9, 100)) == 4.9);  // it has had no answer that tells
    BOOST_TEST(rate("b", told(9, -1, 0.1)) == 1);  // one huge call may have made it so little
    pass(60s);
    BOOST_TEST(rate("b", told(9, -1, 500)) == 490);  // it was raised
}

BOOST_AUTO_TEST_CASE(garbage_in_the_hash_stops_nobody_for_long) {
    std::string const far = "4000000000000";  // as after a clock that was set back
    std::string const nines(400, '9');
    std::vector<std::string> const values{"nan",
                                          "-nan",
                                          "inf",
                                          "-inf",
                                          "1e400",
                                          "",
                                          "word",
                                          "-5",
                                          far,
                                          far + " 7 7 7",
                                          "1 " + nines + " 1 " + nines,
                                          std::string("\0", 1)};
    for (std::string const name :
         {"rate", "level", "allowed", "at", "until", "cut", "cuts", "born", "i:b", "i:"})
        for (auto const& value : values) {
            look({"DEL", "engram:pace:m"});
            tell("a", told(9, 40));
            set_field(name, value);
            for (int i = 0; i < 3; ++i) {
                auto const grant = tell("a", told(9));
                BOOST_TEST(grant.calls <= 9u);
                BOOST_TEST(grant.a_minute >= 1);
                BOOST_TEST(grant.a_minute <= 58.8);
            }
            BOOST_TEST(look({"EVAL", odd_field, "0"}) == "");
            pass(61s);
            BOOST_TEST(permits("a", told(9)) >= 1u, name << " with " << value);
            BOOST_TEST(look({"HEXISTS", "engram:pace:m", "i:b"}) == "0");
        }
}

BOOST_AUTO_TEST_CASE(numbers_that_are_none_in_a_report_say_nothing) {
    auto const nan = std::nan("");
    auto const huge = std::numeric_limits<double>::infinity();
    tell("a", told(9, 40));
    pass(1s);
    for (auto const& odd : {told(2, nan, nan), told(2, -huge, -huge), told(2, -7, -7)}) {
        BOOST_TEST(rate("a", odd) == 58.8);
        BOOST_TEST(permits("a", odd) >= 1u);
        BOOST_TEST(look({"EVAL", odd_field, "0"}) == "");
    }
    BOOST_TEST(rate("a", told(9, huge, huge)) <= 1e6);
    BOOST_TEST(look({"EVAL", odd_field, "0"}) == "");
}

BOOST_AUTO_TEST_CASE(something_foreign_in_the_key_of_a_model_hurts_no_other) {
    look({"SET", "engram:pace:odd", "mine"});
    pace_report odd = told(9), good = told(9, 40), idle = told(0);
    odd.model = idle.model = "odd";
    good.model = "m";
    std::vector<pace_report> const all{odd, good, idle};
    tell_all("a", all);
    pass(1s);
    auto const grants = tell_all("a", all);
    BOOST_REQUIRE(grants.size() == 3u);
    BOOST_TEST(grants[0].calls == 1u);
    BOOST_TEST(grants[0].a_minute == 0);
    BOOST_TEST(grants[1].calls == 9u);
    BOOST_TEST(grants[2].calls == 0u);
    BOOST_TEST(look({"GET", "engram:pace:odd"}) == "mine");
}

BOOST_AUTO_TEST_CASE(each_model_has_its_own_whatever_its_name) {
    std::vector<std::string> const names{"claude-opus-5-5", "a:b {c} *", std::string("\0\r\n\xFF", 4), "",
                                         std::string(5000, 'x')};
    std::vector<pace_report> all;
    for (auto const& name : names) {
        all.push_back(told(1, -1, 60 * double(all.size() + 1)));
        all.back().model = name;
    }
    auto const grants = tell_all("a", all);
    BOOST_REQUIRE(grants.size() == names.size());
    for (std::size_t i = 0; i < names.size(); ++i) {
        BOOST_TEST(grants[i].model == names[i]);
        BOOST_TEST(grants[i].a_minute == 58.8 * double(i + 1), boost::test_tools::tolerance(1e-6));
    }
    BOOST_TEST(look({"EXISTS", "engram:pace:claude-opus-5-5", "engram:pace:a:b {c} *", "engram:pace:"}) ==
               "3");
    auto const none = tell_all("a", {});
    BOOST_TEST(none.empty());
}

BOOST_AUTO_TEST_CASE(what_is_known_is_forgotten_ten_minutes_after_the_last_report) {
    for (int i = 0; i < 2; ++i) {
        tell("a", told(1));
        auto const ms = std::stol(look({"PTTL", "engram:pace:m"}));
        BOOST_TEST(ms > 590'000);
        BOOST_TEST(ms <= 600'000);
        look({"PEXPIRE", "engram:pace:m", "5000"});
    }
}

BOOST_AUTO_TEST_CASE(a_full_redis_goes_on_sharing) {
    tell("a", told(9, 40));
    pass(1s);
    look({"CONFIG", "SET", "maxmemory", "1"});
    BOOST_TEST(permits("a", told(9)) == 9u);
    look({"CONFIG", "SET", "maxmemory", "0"});
}

BOOST_AUTO_TEST_CASE(a_daemon_shares_while_it_is_registered) {
    play([](fixture& f) -> task<void> {
        pace_report report = told(9, 40);
        report.model = "m";
        std::vector<pace_report> const reports{report};
        worker w(f, f.set);
        auto const before = co_await w.queue.share_pace(reports);
        BOOST_TEST(!before.has_value());
        BOOST_TEST(f.look({"EXISTS", "engram:pace:m"}) == "0");
        co_await w.start();
        auto const first = co_await w.queue.share_pace(reports);
        BOOST_REQUIRE(first.has_value());
        BOOST_TEST(f.look({"HGET", "engram:pace:m", "i:" + w.queue.instance()}).ends_with(" 9 0 0"));
        f.pass(1s);
        auto const granted = co_await w.queue.share_pace(reports);
        BOOST_REQUIRE(granted.has_value());
        BOOST_TEST(granted->at(0).calls == 9u);
        BOOST_TEST(granted->at(0).a_minute == 58.8);
        co_await w.queue.drain(base::steady_time{});
        auto const after = co_await w.queue.share_pace(reports);
        BOOST_TEST(!after.has_value());
    });
}

BOOST_AUTO_TEST_SUITE_END()

// Scripts are answered with a number.
struct odd_server : queue_fixture {
    odd_server()
        : queue_fixture({"--rename-command", "EVALSHA", "off", "--rename-command", "RPUSH", "EVALSHA"}) {}
};

BOOST_FIXTURE_TEST_CASE(an_answer_of_the_pace_script_that_is_none_is_an_error, odd_server) {
    auto const set = options();
    client hand(*this, server.url());
    queue::job_calls calls(set, hand.redis);
    redis::result<std::vector<pace_grant>> given = std::vector<pace_grant>{};
    run(ask(calls, "a", {told(1)}, given));
    BOOST_REQUIRE(!given.has_value());
    BOOST_TEST(given.error().message == "ERR a script gave an answer that is none");
}

}  // namespace

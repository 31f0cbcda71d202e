// What `engramd --check` makes of what it is told.
#include "daemon/check_claude.hpp"
#include "daemon/finding.hpp"
#include "daemon/judge_redis.hpp"

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <string>

namespace {

using namespace engram;
using namespace engram::daemon;
using namespace std::chrono_literals;
using enum finding::grade;
using claude::error_kind;
using told = claude::result<claude::model_info>;

constexpr auto lease = 15s;

bool holds(std::string const& text, std::string const& piece) {
    return text.find(piece) != std::string::npos;
}

BOOST_AUTO_TEST_SUITE(findings_of_a_check)

BOOST_AUTO_TEST_CASE(a_finding_is_one_line_with_its_cure) {
    BOOST_TEST(to_line({ok, "all is\nhere"}) == "ok    all is here");
    BOOST_TEST(to_line({warning, "it is small", "make it larger"}) ==
               "warn  it is small; cure: make it larger");
    BOOST_TEST(to_line({failure, "it is away", "start it", true}) == "FAIL  it is away; cure: start it");
    BOOST_TEST(to_line({note, "not looked at"}) == "note  not looked at");
}

BOOST_AUTO_TEST_CASE(only_failures_make_a_status_and_passing_ones_another) {
    finding const good{ok, ""}, warned{warning, ""}, lasting{failure, ""}, passing{failure, "", "", true};
    BOOST_TEST(exit_status({}) == 0);
    BOOST_TEST(exit_status({good, warned}) == 0);
    BOOST_TEST(exit_status({good, passing, passing}) == 75);
    BOOST_TEST(exit_status({passing, lasting}) == 78);
    BOOST_TEST(to_summary({good}) == "all is well");
    BOOST_TEST(to_summary({good, warned}) == "jobs would be answered: 1 warning");
    BOOST_TEST(to_summary({lasting, warned, warned}) == "no jobs would be answered: 1 failure, 2 warnings");
}

BOOST_AUTO_TEST_CASE(a_clock_may_be_some_seconds_off) {
    BOOST_TEST((judge_clock("Redis", 4s).how == ok));
    BOOST_TEST((judge_clock("Redis", -5s).how == ok));
    BOOST_TEST((judge_clock("Redis", 6s).how == warning));
    BOOST_TEST((judge_clock("Redis", -5min).how == warning));
    auto const wrong = judge_clock("Redis", -1h);
    BOOST_TEST((wrong.how == failure));
    BOOST_TEST(wrong.what == "the clock of this machine is 3600 s behind that of Redis");
    BOOST_TEST(!wrong.cure.empty());
}

BOOST_AUTO_TEST_CASE(sizes_are_for_people) {
    BOOST_TEST(size_text(0) == "0 bytes");
    BOOST_TEST(size_text(1536) == "1.5 KiB");
    BOOST_TEST(size_text(3ULL << 30) == "3.0 GiB");
}

BOOST_AUTO_TEST_CASE(each_risk_of_a_server_is_a_warning_with_its_setting) {
    std::string const good =
        "redis_version:7.0.15\r\nmaxmemory_policy:noeviction\r\naof_enabled:1\r\naof_last_write_status:ok\r\n"
        "used_memory:1000\r\nmaxmemory:0\r\nconnected_clients:1\r\nmaxclients:10000\r\n";
    BOOST_TEST(judge_server(good, "engram").empty());
    auto const evicting = judge_server("maxmemory_policy:allkeys-lru\r\n", "engram");
    BOOST_REQUIRE(evicting.size() == 1u);
    BOOST_TEST((evicting[0].how == warning));
    BOOST_TEST(evicting[0].cure == "set maxmemory-policy noeviction");
    BOOST_TEST(judge_server("aof_last_write_status:err\r\n", "engram").size() == 1u);
    BOOST_TEST((judge_server("used_memory:95\r\nmaxmemory:100\r\n", "engram").at(0).how == warning));
    BOOST_TEST((judge_server("used_memory:100\r\nmaxmemory:100\r\n", "engram").at(0).how == failure));
    BOOST_TEST(judge_server("connected_clients:7\r\nmaxclients:10\r\n", "engram").size() == 1u);
    BOOST_TEST(judge_server("connected_clients:6\r\nmaxclients:10\r\n", "engram").empty());
}

BOOST_AUTO_TEST_CASE(settings_below_what_is_needed_are_told) {
    auto const odd = [](char const* name, char const* value) { return judge_setting(name, value, lease); };
    BOOST_TEST(!odd("proto-max-bulk-len", "536870912"));
    BOOST_TEST(odd("proto-max-bulk-len", "1048576").has_value());
    BOOST_TEST(!odd("client-query-buffer-limit", "16777216"));
    BOOST_TEST(odd("client-query-buffer-limit", "16777215").has_value());
    BOOST_TEST(!odd("lua-time-limit", "0"));
    BOOST_TEST(odd("lua-time-limit", "999").has_value());
    BOOST_TEST(!odd("timeout", "0"));
    BOOST_TEST(!odd("timeout", "16"));
    BOOST_TEST(odd("timeout", "15").has_value());
    BOOST_TEST(!odd("client-output-buffer-limit", "normal 0 0 0 slave 1 1 1 pubsub 1 1 1"));
    BOOST_TEST(odd("client-output-buffer-limit", "slave 0 0 0 normal 1048576 0 0").has_value());
    BOOST_TEST(!odd("databases", "1"));
    BOOST_TEST(holds(odd("timeout", "15")->cure, "CONFIG SET timeout 0"));
}

BOOST_AUTO_TEST_CASE(what_redis_refuses_is_named_for_what_it_is) {
    auto const right = judge_refusal("RPUSH: NOPERM this user has no permissions to run the 'rpush' command");
    BOOST_TEST((right.how == failure && !right.passes));
    BOOST_TEST(holds(right.what, "a right of the Redis user is missing"));
    BOOST_TEST(holds(right.what, "RPUSH"));
    BOOST_TEST(holds(right.cure, "docs/redis.md"));
    auto const disk = judge_refusal("DEL: MISCONF Redis is configured to save RDB snapshots");
    BOOST_TEST((disk.how == failure && disk.passes));
    BOOST_TEST(holds(judge_refusal("READONLY You can't write").cure, "master"));
    BOOST_TEST(holds(judge_refusal("LPOP: ERR Unknown Redis command called from script").cure, "6.2"));
    BOOST_TEST(holds(judge_refusal("BUSY Redis is busy running a script").cure, "SCRIPT KILL"));
    BOOST_TEST((judge_refusal("ERR something else").how == failure));
}

BOOST_AUTO_TEST_CASE(a_refused_login_does_not_pass_by_itself) {
    BOOST_TEST(!judge_no_connection("redis:6379: AUTH: WRONGPASS", true).passes);
    BOOST_TEST(judge_no_connection("redis:6379: connection refused", false).passes);
    BOOST_TEST(!judge_no_connection("the server's certificate is not accepted", false).passes);
}

BOOST_AUTO_TEST_CASE(a_model_is_judged_by_its_end_and_by_who_needs_it) {
    base::wall_time const now{std::chrono::sys_days{std::chrono::year(2026) / 1 / 2}};
    used_model const chat{"the-model", "claude.model"};
    auto const ends = [&](std::chrono::hours in) {
        return told(claude::model_info{"the-model", now + in, 0});
    };
    BOOST_TEST((judge_model(chat, told(claude::model_info{"the-model", {}, 0}), true, now).how == ok));
    BOOST_TEST((judge_model(chat, ends(24h * 61), true, now).how == ok));
    auto const soon = judge_model(chat, ends(24h * 10), true, now);
    BOOST_TEST((soon.how == warning));
    BOOST_TEST(holds(soon.what, "ends on 2026-01-12"));
    BOOST_TEST(holds(soon.cure, "claude.model"));
    told const gone(claude::error{error_kind::model_gone, "model: the-model", 404, 1});
    BOOST_TEST((judge_model(chat, gone, true, now).how == failure));
    BOOST_TEST((judge_model(chat, gone, false, now).how == warning));
}

BOOST_AUTO_TEST_CASE(what_the_api_refuses_to_everybody_is_told_once) {
    auto const judged = [](error_kind kind, int status, bool passes = false) {
        claude::error why{kind, "qzwording", status, 1};
        why.passes = passes;
        auto const found = judge_model({"m", "claude.model"}, told(why), true, {});
        BOOST_TEST((status == 0 || !holds(found.what, "qzwording")));
        return std::pair(found, concerns_all_models(why));
    };
    for (auto const kind : {error_kind::auth, error_kind::spend_limit, error_kind::on_hold}) {
        auto const [found, all] = judged(kind, 403);
        BOOST_TEST((found.how == failure && !found.passes && all && !found.cure.empty()));
    }
    auto const [overloaded, all_wait] = judged(error_kind::unavailable, 529, true);
    BOOST_TEST((overloaded.how == failure && overloaded.passes && all_wait));
    auto const [silent, none_answered] = judged(error_kind::unavailable, 0, true);
    BOOST_TEST((silent.how == failure && silent.passes && none_answered));
    auto const [untold, all_untold] = judged(error_kind::no_api, 404);
    BOOST_TEST((untold.how == note && !all_untold));
    auto const [between, all_between] = judged(error_kind::no_api, 403);
    BOOST_TEST((between.how == failure && all_between));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace

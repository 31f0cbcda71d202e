// What the daemon says of itself.
#include "daemon/status.hpp"

#include "daemon/readiness.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/json/parse.hpp>
#include <boost/test/unit_test.hpp>

namespace {

using namespace engram;
using namespace engram::daemon;
using queue::intake;

status in(intake state) {
    status now;
    now.queue.state = state;
    now.queue.instance = "one";
    now.queue.in_flight = 3;
    now.queue.limit = 8;
    return now;
}

BOOST_AUTO_TEST_SUITE(daemon_status)

BOOST_AUTO_TEST_CASE(it_is_ready_while_jobs_are_taken_or_would_be) {
    BOOST_TEST(is_ready(in(intake::taking)));
    BOOST_TEST(is_ready(in(intake::full)));
    BOOST_TEST(!is_ready(in(intake::paused)));
    BOOST_TEST(!is_ready(in(intake::draining)));
    BOOST_TEST(!is_ready(in(intake::cut_off)));
}

BOOST_AUTO_TEST_CASE(a_store_that_cannot_be_used_makes_it_unready) {
    auto now = in(intake::taking);
    now.store_trouble = "the disk is full";
    BOOST_TEST(!is_ready(now));
    BOOST_TEST(to_line(now) == "not ready, taking: 3 of 8 jobs in hand, as one (store: the disk is full)");
}

BOOST_AUTO_TEST_CASE(a_damaged_page_that_few_need_is_told_and_keeps_nobody_else_waiting) {
    auto now = in(intake::taking);
    now.store_remark = "a page is damaged";
    BOOST_TEST(is_ready(now));
    BOOST_TEST(to_line(now) == "ready, taking: 3 of 8 jobs in hand, as one (store: a page is damaged)");
    now.store_trouble = "the database is damaged";
    BOOST_TEST(!is_ready(now));
    BOOST_TEST(trouble_of(now) == "store: the database is damaged");
}

BOOST_AUTO_TEST_CASE(requests_that_are_not_answered_are_told_unless_redis_is_away) {
    auto now = in(intake::taking);
    now.admin_trouble = "WRONGTYPE";
    BOOST_TEST(is_ready(now));
    BOOST_TEST(trouble_of(now) == "requests: WRONGTYPE");
    now.queue.trouble = "connection refused";
    BOOST_TEST(trouble_of(now) == "Redis: connection refused");
}

queue::recent_outcomes recent(std::uint32_t ok, std::uint32_t failed) {
    queue::recent_outcomes all;
    all.ok = ok;
    all.failed = failed;
    all.last_error = "internal: the database is damaged";
    return all;
}

BOOST_AUTO_TEST_CASE(forty_failures_of_forty_one_are_not_ready_whatever_else_is_well) {
    auto now = in(intake::taking);
    now.queue.recent = recent(1, 40);
    BOOST_TEST(!is_ready(now));
    BOOST_TEST(to_line(now) ==
               "not ready, taking: 3 of 8 jobs in hand, as one; 40 of 41 jobs of the last minute failed "
               "(internal: the database is damaged)");
    now.queue.trouble = "gone";
    constexpr auto all =
        "Redis: gone; 40 of 41 jobs of the last minute failed (internal: the database is damaged)";
    BOOST_TEST(trouble_of(now) == all);
    auto const json = boost::json::parse(to_json(now)).as_object();
    BOOST_TEST(!json.at("ready").as_bool());
    BOOST_TEST(json.at("trouble").as_string() == all);
    BOOST_TEST(json.at("answered_last_minute").as_int64() == 1);
    BOOST_TEST(json.at("failed_last_minute").as_int64() == 40);
    BOOST_TEST(json.at("last_error").as_string() == "internal: the database is damaged");
}

BOOST_AUTO_TEST_CASE(a_few_failures_among_many_answers_are_ready) {
    auto now = in(intake::taking);
    now.queue.recent = recent(40, 40);
    BOOST_TEST(is_ready(now));
    BOOST_TEST(to_line(now) == "ready, taking: 3 of 8 jobs in hand, as one");
    BOOST_TEST(trouble_of(now) == "");
}

BOOST_AUTO_TEST_CASE(what_was_put_off_is_told_and_is_no_trouble) {
    auto now = in(intake::taking);
    now.queue.recent.delayed = 40;
    now.queue.recent.last_delay = "HTTP status 529 overloaded_error";
    BOOST_TEST(is_ready(now));
    BOOST_TEST(to_line(now) ==
               "ready, taking: 3 of 8 jobs in hand, as one; 40 tries of the last minute were put off: "
               "HTTP status 529 overloaded_error");
    BOOST_TEST(trouble_of(now) == "");
}

BOOST_AUTO_TEST_CASE(a_long_error_is_cut_between_two_characters) {
    auto now = in(intake::taking);
    now.queue.recent = recent(0, 3);
    now.queue.recent.last_error = "x";
    for (int i = 0; i < 300; ++i)
        now.queue.recent.last_error += "\u00fc";
    auto const line = to_line(now);
    BOOST_TEST(line.size() < 400u);
    BOOST_TEST(line.ends_with("\u00fc…)"));
}

BOOST_AUTO_TEST_CASE(what_is_wrong_with_the_time_is_told_and_keeps_no_job_waiting) {
    auto now = in(intake::taking);
    now.clock_trouble = "set it";
    BOOST_TEST(is_ready(now));
    BOOST_TEST(to_line(now) == "ready, taking: 3 of 8 jobs in hand, as one (time: set it)");
}

BOOST_AUTO_TEST_CASE(what_this_machine_lacks_is_told_as_that_and_unready_once_nothing_is_answered) {
    auto now = in(intake::taking);
    now.local_lack = "this machine: no file descriptor is free";
    BOOST_TEST(is_ready(now));
    BOOST_TEST(to_line(now) ==
               "ready, taking: 3 of 8 jobs in hand, as one (this machine: no file descriptor is free)");
    now.answers_nothing = true;
    BOOST_TEST(!is_ready(now));
    now.queue.trouble = "gone";
    BOOST_TEST(trouble_of(now) == "Redis: gone; this machine: no file descriptor is free");
}

BOOST_AUTO_TEST_CASE(jobs_are_answered_again_once_one_was) {
    using enum readiness::news;
    readiness log;
    BOOST_TEST((log.heed(true, 0) == none));
    BOOST_TEST((log.heed(true, 5) == none));
    BOOST_TEST((log.heed(false, 5) == not_answered));
    BOOST_TEST((log.heed(false, 5) == none));
    BOOST_TEST((log.heed(true, 5) == taken_again));
    BOOST_TEST((log.heed(true, 5) == none));
    BOOST_TEST((log.heed(true, 6) == answered_again));
    BOOST_TEST((log.heed(true, 9) == none));
    BOOST_TEST((log.heed(false, 9) == not_answered));
    BOOST_TEST((log.heed(true, 10) == answered_again));
}

BOOST_AUTO_TEST_CASE(who_takes_jobs_and_fails_anew_has_answered_none) {
    using enum readiness::news;
    readiness log;
    BOOST_TEST((log.heed(false, 0) == not_answered));
    BOOST_TEST((log.heed(true, 0) == taken_again));
    BOOST_TEST((log.heed(false, 0) == not_answered));
    BOOST_TEST((log.heed(true, 0) == taken_again));
    BOOST_TEST((log.heed(true, 1) == answered_again));
}

BOOST_AUTO_TEST_CASE(what_an_api_says_stays_within_the_line) {
    auto now = in(intake::paused);
    now.api.cause = "no\nMAINPID=1\r\n";
    BOOST_TEST(to_line(now) == "not ready, paused: 3 of 8 jobs in hand, as one (Claude: no MAINPID=1  )");
}

BOOST_AUTO_TEST_CASE(every_trouble_is_told) {
    auto now = in(intake::cut_off);
    now.queue.trouble = "gone";
    now.queue.dead_dropped = 7;
    now.api = {claude::gate::state::shut, "spend_limit", "no credit", "add some", std::chrono::seconds(15)};
    BOOST_TEST(trouble_of(now) == "Redis: gone; Claude: no credit (cure: add some)");
    auto const json = boost::json::parse(to_json(now)).as_object();
    BOOST_TEST(json.at("state").as_string() == "cut off");
    BOOST_TEST(!json.at("ready").as_bool());
    BOOST_TEST(json.at("in_flight").as_int64() == 3);
    BOOST_TEST(json.at("dead_dropped").as_int64() == 7);
    BOOST_TEST(json.at("trouble").as_string() == "Redis: gone; Claude: no credit (cure: add some)");
    auto const& api = json.at("api").as_object();
    BOOST_TEST(api.at("state").as_string() == "shut");
    BOOST_TEST(api.at("kind").as_string() == "spend_limit");
    BOOST_TEST(api.at("cause").as_string() == "no credit");
    BOOST_TEST(api.at("cure").as_string() == "add some");
    BOOST_TEST(api.at("next_try_ms").as_int64() == 15'000);
}

BOOST_AUTO_TEST_CASE(what_waits_for_later_and_a_pause_by_an_operator_are_told) {
    auto now = in(intake::taking);
    auto json = boost::json::parse(to_json(now)).as_object();
    BOOST_TEST(json.at("delayed").as_int64() == 0);
    BOOST_TEST(!json.at("paused").as_bool());
    BOOST_TEST(json.at("api").at("state").as_string() == "open");
    BOOST_TEST(json.at("api").at("kind").as_string() == "");
    now.queue.delayed = 5;
    now.queue.paused = true;
    json = boost::json::parse(to_json(now)).as_object();
    BOOST_TEST(json.at("delayed").as_int64() == 5);
    BOOST_TEST(json.at("paused").as_bool());
}

BOOST_AUTO_TEST_CASE(models_near_their_limit_are_told) {
    auto now = in(intake::taking);
    BOOST_TEST(boost::json::parse(to_json(now)).at("paced").as_array().empty());
    now.paced = {{"one", 46.6, 3}};
    auto const paced = boost::json::parse(to_json(now)).at("paced").as_array();
    BOOST_REQUIRE_EQUAL(paced.size(), 1u);
    BOOST_TEST(paced[0].at("model").as_string() == "one");
    BOOST_TEST(paced[0].at("a_minute").as_int64() == 47);
    BOOST_TEST(paced[0].at("waiting").as_int64() == 3);
}

BOOST_AUTO_TEST_CASE(what_is_known_of_models_is_told) {
    auto now = in(intake::taking);
    BOOST_TEST(boost::json::parse(to_json(now)).at("models").as_array().empty());
    now.models = {{"one", base::wall_time(std::chrono::sys_days(std::chrono::January / 22 / 2027))},
                  {"two", {}, true}};
    auto const models = boost::json::parse(to_json(now)).at("models").as_array();
    BOOST_REQUIRE_EQUAL(models.size(), 2u);
    BOOST_TEST(models[0].at("model").as_string() == "one");
    BOOST_TEST(models[0].at("retires_at").as_string() == "2027-01-22T00:00:00Z");
    BOOST_TEST(!models[0].at("gone").as_bool());
    BOOST_TEST(models[1].at("retires_at").is_null());
    BOOST_TEST(models[1].at("gone").as_bool());
}

BOOST_AUTO_TEST_CASE(while_the_gate_is_shut_the_status_says_what_it_met_and_what_to_do) {
    boost::asio::io_context io;
    claude::gate gate(std::chrono::seconds(15), [](claude::gate::state) {}, io.get_executor());
    auto const now = std::chrono::steady_clock::now();
    BOOST_TEST(status_of(gate, now).cause.empty());
    claude::error why{claude::error_kind::auth, "invalid x-api-key", 401, 1};
    why.code = "authentication_error";
    BOOST_TEST((gate.met(why, gate.period(), now) == claude::fate::bears));
    auto const api = status_of(gate, now + std::chrono::seconds(5));
    BOOST_TEST((api.state == claude::gate::state::shut));
    BOOST_TEST(api.kind == "auth");
    BOOST_TEST(api.cause == "HTTP status 401 authentication_error");
    BOOST_TEST(!api.cure.empty());
    BOOST_TEST(api.next_try.count() == 10'000);
}

BOOST_AUTO_TEST_CASE(what_was_left_out_of_notes_is_counted) {
    auto now = in(intake::taking);
    now.notes = {1, 2, 3};
    auto const notes = boost::json::parse(to_json(now)).at("notes").as_object();
    BOOST_TEST(notes.at("cut").as_int64() == 1);
    BOOST_TEST(notes.at("too_long").as_int64() == 2);
    BOOST_TEST(notes.at("too_many").as_int64() == 3);
}

BOOST_AUTO_TEST_CASE(summaries_that_lag_are_told) {
    auto now = in(intake::taking);
    now.summaries.waiting = 7;
    now.summaries.oldest_ms = 29'999;
    now.summaries.workers = 32;
    BOOST_TEST(to_line(now) == "ready, taking: 3 of 8 jobs in hand, as one");
    now.summaries.oldest_ms = 30'000;
    now.summaries.unseen_turns = 12;
    BOOST_TEST(to_line(now) ==
               "ready, taking: 3 of 8 jobs in hand, as one; summaries lag: 7 wait, the first "
               "for 30 s, 12 turns are in neither prompt nor summary");
    auto const summaries = boost::json::parse(to_json(now)).at("summaries").as_object();
    BOOST_TEST(summaries.at("waiting").as_int64() == 7);
    BOOST_TEST(summaries.at("oldest_ms").as_int64() == 30'000);
    BOOST_TEST(summaries.at("unseen_turns").as_int64() == 12);
    BOOST_TEST(summaries.at("workers").as_int64() == 32);
    now.summaries.oldest_ms = 0;
    BOOST_TEST(to_line(now).find("summaries lag") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace

#include "claude/gate.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/test/unit_test.hpp>

#include <map>
#include <vector>

using namespace engram::claude;
namespace asio = boost::asio;
using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;
using state = gate::state;
using enum error_kind;

namespace {

error refusal(error_kind kind, int status, std::string code = {}) {
    return {kind, "in the words of the server", status, 1, std::move(code)};
}

error const bad_key = refusal(auth, 401, "authentication_error");
error const bad_request = refusal(rejected, 400, "invalid_request_error");

struct fixture {
    asio::io_context loop;
    std::vector<state> told;
    steady_clock::time_point now = steady_clock::now();

    gate make(milliseconds pause = std::chrono::hours(1)) {
        return {pause, [this](state next) { told.push_back(next); }, loop.get_executor()};
    }
    /// The fate of a call that began just now.
    fate met(gate& tested, error const& why) { return tested.met(why, tested.period(), now); }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(gates, fixture)

BOOST_AUTO_TEST_CASE(the_first_who_is_refused_bears_it) {
    auto tested = make();
    BOOST_CHECK(met(tested, bad_key) == fate::bears);
    BOOST_CHECK(met(tested, bad_key) == fate::goes_back);
    BOOST_TEST(tested.reason() == "HTTP status 401 authentication_error");
    tested.try_now();
    BOOST_CHECK(met(tested, bad_key) == fate::goes_back);
    BOOST_CHECK(told == std::vector({state::shut, state::trial, state::shut}));
}

BOOST_AUTO_TEST_CASE(each_kind_has_its_name_its_pause_and_its_cure) {
    struct row {
        error why;
        std::string_view kind;
        fate first;
        int pauses;
        std::string_view cure;  // a piece of it
    };
    for (auto const& r : {row{bad_key, "auth", fate::bears, 1, "anthropic_api_key"},
                          row{refusal(spend_limit, 402), "spend_limit", fate::bears, 4, "credit"},
                          row{refusal(on_hold, 400), "on_hold", fate::bears, 4, "support"},
                          row{refusal(model_gone, 404), "model_gone", fate::bears, 4, "claude.model"},
                          row{refusal(no_api, 403), "no_api", fate::goes_back, 1, "claude.base_url"}}) {
        auto tested = make(seconds(15));
        BOOST_TEST(tested.kind() == "");
        BOOST_TEST(tested.cure() == "");
        BOOST_TEST(tested.next_try(now).count() == 0);
        BOOST_CHECK(met(tested, r.why) == r.first);
        BOOST_CHECK(tested.current() == state::shut);
        BOOST_TEST(tested.kind() == r.kind);
        BOOST_TEST(tested.cure().find(r.cure) != std::string_view::npos);
        BOOST_CHECK(tested.next_try(now) == seconds(15) * r.pauses);
        BOOST_CHECK(tested.next_try(now + seconds(1)) == seconds(15) * r.pauses - seconds(1));
        BOOST_TEST(tested.next_try(now + std::chrono::hours(1)).count() == 0);
        tested.try_now();
        BOOST_TEST(tested.next_try(now).count() == 0);
        BOOST_CHECK(met(tested, r.why) == fate::goes_back);
    }
}

BOOST_AUTO_TEST_CASE(an_answer_to_a_call_that_began_before_the_refusal_does_not_open_the_gate) {
    auto tested = make();
    auto const before = tested.period();
    BOOST_CHECK(met(tested, bad_key) == fate::bears);
    tested.answered(before);
    BOOST_CHECK(tested.current() == state::shut);
    tested.answered(tested.period());
    BOOST_CHECK(tested.current() == state::open);
    BOOST_TEST(tested.reason() == "");
    BOOST_TEST(tested.kind() == "");
}

BOOST_AUTO_TEST_CASE(many_calls_under_way_cost_one_job) {
    for (auto const kind : {auth, spend_limit, on_hold, model_gone}) {
        auto tested = make(seconds(15));
        auto const before = tested.period();
        std::map<fate, int> fates;
        for (int i = 0; i < 256; ++i) {
            ++fates[tested.met(refusal(kind, 403), before, now)];
            now += milliseconds(10);
        }
        BOOST_TEST(fates[fate::bears] == 1);
        BOOST_TEST(fates[fate::goes_back] == 255);
        // Those that came back late put the next trial off no further.
        BOOST_TEST((tested.next_try(now) < seconds(60) - milliseconds(2550)));
    }
}

BOOST_AUTO_TEST_CASE(a_refusal_from_before_the_gate_opened_again_does_not_shut_it) {
    auto tested = make();
    auto const before = tested.period();
    BOOST_CHECK(met(tested, bad_key) == fate::bears);
    tested.try_now();
    tested.answered(tested.period());
    BOOST_CHECK(tested.met(bad_key, before, now) == fate::goes_back);
    BOOST_CHECK(tested.met(bad_request, before, now) == fate::waits);
    BOOST_CHECK(tested.current() == state::open);
}

BOOST_AUTO_TEST_CASE(a_trial_that_meets_another_kind_takes_its_name_and_pause) {
    auto tested = make(seconds(15));
    BOOST_CHECK(met(tested, bad_key) == fate::bears);
    tested.try_now();
    BOOST_CHECK(met(tested, refusal(spend_limit, 402, "billing_error")) == fate::goes_back);
    BOOST_TEST(tested.kind() == "spend_limit");
    BOOST_TEST(tested.reason() == "HTTP status 402 billing_error");
    BOOST_CHECK(tested.next_try(now) == seconds(60));
}

BOOST_AUTO_TEST_CASE(a_trial_that_is_refused_by_itself_does_not_open_the_gate_and_lets_another_try) {
    for (auto const& why :
         {bad_request, refusal(rejected, 413), refusal(rejected, 422), refusal(too_long, 400)}) {
        auto tested = make(seconds(15));
        BOOST_CHECK(met(tested, refusal(spend_limit, 402, "billing_error")) == fate::bears);
        tested.try_now();
        now += seconds(5);
        auto const trial = tested.period();
        BOOST_CHECK(met(tested, why) == fate::waits);
        BOOST_CHECK(tested.current() == state::shut);
        BOOST_TEST(tested.kind() == "spend_limit");
        BOOST_TEST(tested.reason() == "HTTP status 402 billing_error");
        BOOST_CHECK(tested.next_try(now) == seconds(60));
        tested.answered(trial);
        BOOST_CHECK(tested.current() == state::shut);
    }
}

BOOST_AUTO_TEST_CASE(four_jobs_bear_a_refusal_that_all_meet_and_the_fifth_shuts_the_gate) {
    auto tested = make(seconds(15));
    auto const before = tested.period();
    std::map<fate, int> fates;
    for (int i = 0; i < 256; ++i)
        ++fates[tested.met(bad_request, before, now)];
    BOOST_TEST(fates[fate::bears] == 4);
    BOOST_TEST(fates[fate::waits] == 252);
    BOOST_TEST(tested.kind() == "refuses_all");
    BOOST_TEST(tested.reason() == "HTTP status 400 invalid_request_error");
    BOOST_TEST(tested.cure().find("claude.effort") != std::string_view::npos);
    BOOST_CHECK(tested.next_try(now) == seconds(15));
    tested.try_now();
    BOOST_CHECK(met(tested, bad_request) == fate::waits);
    tested.try_now();
    tested.answered(tested.period());
    BOOST_CHECK(met(tested, bad_request) == fate::bears);
    BOOST_CHECK(tested.current() == state::open);
}

BOOST_AUTO_TEST_CASE(refused_requests_with_an_answer_in_between_shut_nothing) {
    auto tested = make();
    for (int i = 0; i < 20; ++i) {
        BOOST_CHECK(met(tested, bad_request) == fate::bears);
        if (i % 4 == 3) tested.answered(tested.period());
    }
    BOOST_CHECK(tested.current() == state::open);
}

BOOST_AUTO_TEST_CASE(refused_requests_far_apart_shut_nothing) {
    auto tested = make();
    for (int i = 0; i < 20; ++i) {
        BOOST_CHECK(met(tested, bad_request) == fate::bears);
        now += seconds(16);
    }
    BOOST_CHECK(tested.current() == state::open);
}

BOOST_AUTO_TEST_CASE(requests_that_are_too_large_or_too_long_are_never_counted) {
    auto tested = make();
    for (int i = 0; i < 20; ++i)
        for (auto const& why : {refusal(rejected, 413), refusal(rejected, 422), refusal(too_long, 400)})
            BOOST_CHECK(met(tested, why) == fate::bears);
    BOOST_TEST(told.empty());
}

BOOST_AUTO_TEST_CASE(after_the_pause_one_is_tried) {
    auto tested = make(milliseconds(1));
    asio::cancellation_signal stop;
    asio::co_spawn(loop, tested.run(), asio::bind_cancellation_slot(stop.slot(), asio::detached));
    loop.poll();
    BOOST_CHECK(tested.met(bad_key, tested.period()) == fate::bears);
    while (told.size() < 2)
        loop.run_one();
    BOOST_CHECK(told == std::vector({state::shut, state::trial}));
    asio::post(loop, [&stop] { stop.emit(asio::cancellation_type::terminal); });
    loop.run();
}

BOOST_AUTO_TEST_SUITE_END()

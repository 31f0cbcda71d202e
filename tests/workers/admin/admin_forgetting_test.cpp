#include "workers/admin/admin_fixture.hpp"

namespace {

using namespace engram;
using namespace engram::test;
using namespace std::chrono_literals;

}  // namespace

BOOST_FIXTURE_TEST_SUITE(admin_forgetting, admin_fixture)

BOOST_AUTO_TEST_CASE(a_user_is_forgotten_step_by_step) {
    wait_for_job("t1", R"({"id":"a","user_id":"u","session_id":"s","message":"hi","metadata":{"n": 1}})");
    wait_for_job("t2", R"({"user_id":"u","message":"hi","reply_to":"engram:reply:web"})");
    traces.replies = 4;
    traces.dead_letters = 2;
    CHECK_JSON(
        result("user.forget"),
        R"({"deleted":{"memories":2,"turns":2,"summaries":1,"index_entries":3,"vectors":1,"replies":1,)"
        R"("sessions":1},"redis":{"cancelled_jobs":2,"replies":4,"dead_letters":2},)"
        R"("at":"2025-11-24 16:00:00.123"})");
    CHECK_CALLS({"forget_user u keep", "find_jobs u", "cancel t1", "cancel t2", "find_jobs u",
                 "forget_user u keep", "erase_replies u all", "erase_dead_letters u",
                 "forget_user u remove"});
    BOOST_TEST(traces.erased[0].reply_keys == std::vector<std::string>{"engram:reply:j"},
               boost::test_tools::per_element());
    BOOST_TEST(traces.erased[0].job_ids == std::vector<std::string>{"j"}, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(who_waits_for_a_cancelled_job_is_told) {
    wait_for_job("t1", R"({"id":"a","user_id":"u","session_id":"s","message":"hi","metadata":{"n": 1}})");
    wait_for_job("t2", R"({"user_id":"u","message":"hi","reply_to":"engram:reply:web"})");
    wait_for_job("", R"({"user_id":"u","message":"hi"})", queue::job_place::list);
    wait_for_job("t4", R"({"id":"b","user_id":"u","message":""})");
    wait_for_job("", R"({"id":"c","user_id":"u","op":"memory.list"})", queue::job_place::admin);
    CHECK_VALUE(result("user.forget").at("redis").at("cancelled_jobs"), 4);
    BOOST_REQUIRE_EQUAL(traces.told.size(), 4u);
    auto const why =
        R"("error":{"type":"cancelled","message":"everything about this user was erased","retryable":false})";
    CHECK_JSON(json::parse(traces.told["engram:reply:a"]),
               R"({"id":"a","status":"error","user_id":"u","session_id":"s",)" + std::string(why) +
                   R"(,"attempts":1,"metadata":{"n":1}})");
    BOOST_TEST(traces.told["engram:reply:a"].find(R"({"n": 1})") != std::string::npos);
    CHECK_JSON(json::parse(traces.told["engram:reply:web"]), R"({"id":"t2","status":"error","user_id":"u",)" +
                                                                 std::string(why) +
                                                                 R"(,"attempts":1,"metadata":{}})");
    BOOST_TEST(traces.told.contains("engram:reply:b"));
    CHECK_JSON(json::parse(traces.told["engram:reply:c"]),
               R"({"id":"c","op":"memory.list","status":"error",)" + std::string(why) + "}");
}

BOOST_AUTO_TEST_CASE(forgetting_goes_on_until_no_job_is_found) {
    for (int i = 0; i < 1'000; ++i)
        wait_for_job("t" + std::to_string(i), R"({"user_id":"u","message":")" + std::to_string(i) + "\"}");
    CHECK_VALUE(result("user.forget").at("redis").at("cancelled_jobs"), 1'000);
    BOOST_TEST(traces.waiting.empty());
}

BOOST_AUTO_TEST_CASE(jobs_that_cannot_be_cancelled_end_the_request_with_an_error) {
    wait_for_job("t1", R"({"user_id":"u","message":"hi"})");
    traces.stubborn = true;
    auto const failed = error("user.forget");
    CHECK_VALUE(failed.at("type"), "internal");
    CHECK_VALUE(failed.at("retryable"), true);
    CHECK_CALLS({"forget_user u keep", "find_jobs u", "cancel t1"});
}

BOOST_AUTO_TEST_CASE(what_came_back_meanwhile_is_forgotten_too_and_counted) {
    // Each forgetting finds what the one before left out.
    journal.failing = 0;
    auto const once = result("user.forget").at("deleted").at("memories").as_int64();
    BOOST_TEST(once == 2);
    struct returning : test::scripted_memories {
        using scripted_memories::scripted_memories;
        answer<store::erased> forget_user(std::string user_id, store::finished_jobs jobs,
                                          base::wall_time at) override {
            erased.counts = {1, 0, 0, 1, 0, 1, 1};
            erased.job_ids.push_back("k" + std::to_string(erased.job_ids.size()));
            erased.reply_keys.push_back("engram:reply:" + erased.job_ids.back());
            return scripted_memories::forget_user(std::move(user_id), jobs, at);
        }
    };
    returning again(journal);
    workers::admin admin(rules, again, traces, clock, io.get_executor());
    std::string reply;
    asio::co_spawn(io, admin.answer(R"({"op":"user.forget","user_id":"u","id":"1"})"),
                   [&](std::exception_ptr, queue::admin_answer given) { reply = given.reply; });
    io.restart();
    io.run();
    auto const deleted = json::parse(reply).at("result").at("deleted");
    CHECK_VALUE(deleted.at("memories"), 3);
    CHECK_VALUE(deleted.at("sessions"), 3);
    BOOST_REQUIRE(traces.erased.size() == 3u);
    BOOST_TEST(traces.erased[1].job_ids == (std::vector<std::string>{"k0", "k1"}),
               boost::test_tools::per_element());
    BOOST_TEST(traces.erased[2].reply_keys ==
                   (std::vector<std::string>{"engram:reply:k0", "engram:reply:k1", "engram:reply:k2"}),
               boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_forgetting_that_failed_at_any_step_is_finished_by_the_next_one) {
    wait_for_job("t1", R"({"id":"a","user_id":"u","message":"hi"})");
    result("user.forget");
    auto const steps = journal.calls.size();
    BOOST_REQUIRE_EQUAL(steps, 8u);
    for (std::size_t step = 1; step <= steps; ++step) {
        BOOST_TEST_CONTEXT("step " << step) {
            admin_fixture anew;
            anew.wait_for_job("t1", R"({"id":"a","user_id":"u","message":"hi"})");
            anew.traces.dead_letters = 2;
            anew.journal.failing = step;
            auto const failed = anew.error("user.forget");
            CHECK_VALUE(failed.at("type"), "internal");
            CHECK_VALUE(failed.at("retryable"), true);
            BOOST_TEST(anew.journal.calls.size() == step);
            anew.journal.calls.clear();
            anew.journal.failing = 0;
            anew.result("user.forget");
            BOOST_TEST(anew.traces.waiting.empty());
            BOOST_TEST(anew.traces.told.contains("engram:reply:a"));
            BOOST_TEST(anew.traces.dead_letters == 0u);
            BOOST_TEST(anew.curator.erased.counts.memories == 0u);
            BOOST_TEST(anew.curator.erased.job_ids.empty());
            BOOST_REQUIRE(!anew.traces.erased.empty());
            if (step < steps)  // then Redis was clean, and that was the last thing to do
                BOOST_TEST(anew.traces.erased.back().job_ids == std::vector<std::string>{"j"},
                           boost::test_tools::per_element());
        }
    }
}

BOOST_AUTO_TEST_CASE(a_redis_that_was_away_for_a_moment_is_asked_again) {
    rules.patience = 10s;
    wait_for_job("t1", R"({"user_id":"u","message":"hi"})");
    journal.failing = 3;
    CHECK_VALUE(result("user.forget").at("redis").at("cancelled_jobs"), 1);
    journal = {};
    journal.failing = 2;
    curator.erased = {{1, 0, 0, 0, 0, 1, 0}, {"engram:reply:j"}, {"j"}};
    result("memory.delete", R"("memory_id":7)");
    CHECK_CALLS({"delete_memory u 7", "erase_replies u some", "erase_replies u some"});
}

BOOST_AUTO_TEST_CASE(what_redis_refuses_is_not_asked_for_again) {
    rules.patience = 10s;
    traces.failure = redis::error_kind::refused;
    journal.failing = 2;
    CHECK_VALUE(error("user.forget").at("retryable"), true);
    CHECK_CALLS({"forget_user u keep", "find_jobs u"});
}

BOOST_AUTO_TEST_SUITE_END()

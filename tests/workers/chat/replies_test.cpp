#include "workers/chat/replies.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <boost/test/unit_test.hpp>

#include <string>
#include <utility>
#include <vector>

namespace {

namespace json = boost::json;
using namespace engram;
using workers::chat_job;

// Said by user u, without an id and a session of its own.
chat_job unnamed_job() {
    chat_job job;
    job.what.user_id = "u";
    job.what.message = "hello";
    job.what.metadata = R"({"n":1.0})";
    job.key = {"t-1.1", "t-1.1", "digest"};
    job.conversation = {"u", "s-t-1.1"};
    job.shown_id = "t-1.1";
    job.reply_to = "engram:reply:t-1.1";
    job.attempts = 2;
    return job;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(replies)

BOOST_AUTO_TEST_CASE(an_ok_reply_has_the_answer_as_it_was_said_and_the_memories_it_is_given) {
    claude::answer answer;
    answer.content.emplace_back("Hi.\n[MEMORY: fact|x]");
    answer.model = "m";
    answer.stop_reason = "end_turn";
    answer.usage.output_tokens = 7;
    answer.cost_usd = 0.5;
    queue::reply_timing timing;
    timing.load_ms = 3;
    auto const write = workers::ok_reply_writer(unnamed_job(), answer, "Hi.", timing);
    auto const first = write({});
    auto const text = write({{5, "fact", "x", "added"}});
    BOOST_TEST(json::parse(first).at("memories").as_array().empty());
    auto const reply = json::parse(text).as_object();
    BOOST_TEST(reply.at("status").as_string() == "ok");
    BOOST_TEST(reply.at("id").as_string() == "t-1.1");
    BOOST_TEST(reply.at("user_id").as_string() == "u");
    BOOST_TEST(reply.at("session_id").as_string() == "s-t-1.1");
    BOOST_TEST(reply.at("reply").as_string() == "Hi.");
    BOOST_TEST(reply.at("model").as_string() == "m");
    BOOST_TEST(reply.at("stop_reason").as_string() == "end_turn");
    BOOST_TEST(reply.at("usage").at("output_tokens").as_int64() == 7);
    BOOST_TEST(reply.at("attempts").as_int64() == 2);
    BOOST_TEST(reply.at("timing_ms").at("load").as_int64() == 3);
    BOOST_REQUIRE_EQUAL(reply.at("memories").as_array().size(), 1u);
    BOOST_TEST(reply.at("memories").as_array()[0].at("id").as_int64() == 5);
    BOOST_TEST(text.find(R"("metadata":{"n":1.0})") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(an_answer_is_cut_if_there_was_no_room_for_more) {
    for (auto const& [reason, cut] :
         std::vector<std::pair<std::string, bool>>{{"max_tokens", true},
                                                   {"model_context_window_exceeded", true},
                                                   {"end_turn", false},
                                                   {"stop_sequence", false},
                                                   {"refusal", false},
                                                   {"", false}}) {
        claude::answer answer;
        answer.stop_reason = reason;
        BOOST_TEST(workers::was_cut(answer) == cut, reason);
        auto const reply = json::parse(workers::ok_reply_writer(unnamed_job(), answer, "Hi.", {})({}));
        BOOST_TEST(reply.as_object().contains("notes") == cut, reason);
    }
}

BOOST_AUTO_TEST_CASE(an_error_reply_names_what_the_job_named) {
    auto const text = workers::error_reply(unnamed_job(), {"internal", "no luck", true, "secret"});
    auto const reply = json::parse(text).as_object();
    BOOST_TEST(reply.at("status").as_string() == "error");
    BOOST_TEST(reply.at("id").as_string() == "t-1.1");
    BOOST_TEST(reply.at("user_id").as_string() == "u");
    BOOST_TEST(!reply.contains("session_id"));
    BOOST_TEST(reply.at("error").at("type").as_string() == "internal");
    BOOST_TEST(reply.at("error").at("message").as_string() == "no luck");
    BOOST_TEST(reply.at("error").at("retryable").as_bool());
    BOOST_TEST(text.find("secret") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(what_a_server_says_of_a_request_stays_out_of_the_log) {
    auto const refused = workers::failure_of({claude::error_kind::rejected, "you said hello", 400, 1});
    BOOST_TEST(refused.type == "claude_rejected");
    BOOST_TEST(refused.message == "you said hello");
    BOOST_TEST(refused.logged == "HTTP status 400");
    BOOST_TEST(!refused.retryable);
    auto const unreached = workers::failure_of({claude::error_kind::unavailable, "no route", 0, 3});
    BOOST_TEST(unreached.type == "claude_unavailable");
    BOOST_TEST(unreached.logged == "no route");
    BOOST_TEST(unreached.retryable);
}

BOOST_AUTO_TEST_CASE(only_errors_become_dead_letters) {
    auto const job = unnamed_job();
    auto const answered = workers::settle_answered(job, "{}");
    BOOST_TEST(answered.id == "t-1.1");
    BOOST_TEST(answered.reply_to == "engram:reply:t-1.1");
    BOOST_TEST(answered.reply == "{}");
    BOOST_TEST(!answered.dead);
    auto const failed = workers::settle_failed(job, "{}", {"poisoned", "why"});
    BOOST_REQUIRE(failed.dead);
    BOOST_TEST(failed.dead->reason == "poisoned");
    BOOST_TEST(failed.dead->message == "why");
    auto const cancelled = workers::settle_cancelled(job);
    BOOST_TEST(!cancelled.dead);
    BOOST_TEST(json::parse(cancelled.reply).at("error").at("type").as_string() == "cancelled");
    BOOST_TEST(!json::parse(cancelled.reply).at("error").at("retryable").as_bool());
}

BOOST_AUTO_TEST_CASE(a_recorded_error_is_a_dead_letter_with_what_was_recorded_beside_its_reply) {
    auto const job = unnamed_job();
    BOOST_TEST(!workers::settle_recorded(job, {true, true, "{}"}).dead);
    auto const failed = workers::settle_recorded(job, {false, true, "the reply", "poisoned", "m"});
    BOOST_TEST(failed.reply == "the reply");
    BOOST_REQUIRE(failed.dead);
    BOOST_TEST(failed.dead->reason == "poisoned");
    BOOST_TEST(failed.dead->message == "m");
}

BOOST_AUTO_TEST_SUITE_END()

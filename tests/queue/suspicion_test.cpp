// When a payload is to blame for a lost connection, and what is sent instead.
#include "queue/suspicion.hpp"

#include "queue/pushed_json.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/test/unit_test.hpp>

#include <string>

namespace {

using namespace engram;
using namespace engram::queue;
using redis::error_kind;

redis::error const cut{error_kind::disconnected, "closed by the server", true};
redis::error const never_sent{error_kind::disconnected, "not connected yet"};
redis::error const late{error_kind::timeout, "no answer in time"};
redis::error const too_long{error_kind::refused, "ERR Protocol error: invalid bulk length"};

settlement reply_of(std::size_t bytes, std::string const& metadata) {
    return {"7", "engram:reply:7",
            R"({"id":"7","status":"ok","user_id":"ada","session_id":"s","reply":")" +
                std::string(bytes, 'x') + R"(","attempts":2,"metadata":)" + metadata + "}",
            std::nullopt};
}

boost::json::object parsed(settlement const& outcome) {
    auto const value = boost::json::parse(outcome.reply);
    return value.as_object();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(suspicions)

BOOST_AUTO_TEST_CASE(a_large_payload_goes_alone_after_a_loss_and_is_proven_after_three_alone) {
    suspicion one(least_suspicious_bytes);
    one.failed(never_sent, false);
    one.failed(late, false);
    BOOST_TEST(!one.goes_alone());
    for (int i = 0; i < 9; ++i)
        one.failed(cut, false);
    BOOST_TEST(one.goes_alone());
    one.failed(cut, true);
    one.failed(late, true);
    one.failed(never_sent, true);
    one.failed(cut, true);
    BOOST_TEST(!one.is_proven());
    one.failed(cut, true);
    BOOST_TEST(one.is_proven());
}

BOOST_AUTO_TEST_CASE(where_others_were_given_up_one_loss_alone_is_proof) {
    suspicion one(least_suspicious_bytes, true);
    BOOST_TEST(one.goes_alone());
    one.failed(late, true);
    BOOST_TEST(!one.is_proven());
    one.failed(cut, true);
    BOOST_TEST(one.is_proven());
}

BOOST_AUTO_TEST_CASE(what_was_given_up_is_forgotten_with_the_connection_and_after_a_while) {
    refused_sizes sizes;
    base::steady_time const now{std::chrono::hours(1)};
    auto const later = now + refused_sizes::memory;
    BOOST_TEST(!sizes.knows(1'000'000, 0, now));
    sizes.refused(1'000, 7, now);
    BOOST_TEST(sizes.knows(1'000, 7, later - std::chrono::nanoseconds(1)));
    BOOST_TEST(!sizes.knows(999, 7, now));
    BOOST_TEST(!sizes.knows(1'000, 8, now));
    BOOST_TEST(!sizes.knows(1'000, 7, later));
    sizes.refused(2'000, 7, now);  // a longer one says nothing new
    BOOST_TEST(sizes.knows(1'000, 7, now));
    sizes.refused(2'000, 8, now);  // the first one at this server
    BOOST_TEST(!sizes.knows(1'000, 8, now));
    BOOST_TEST(sizes.knows(2'000, 8, now));
    sizes.refused(3'000, 8, later);
    BOOST_TEST(!sizes.knows(2'000, 8, later));
    BOOST_TEST(sizes.knows(3'000, 8, later));
    sizes.passed(2'999);
    BOOST_TEST(sizes.knows(3'000, 8, later));
    sizes.passed(3'000);
    BOOST_TEST(!sizes.knows(3'000, 8, later));
    sizes.refused(4'000, 8, later);
    BOOST_TEST(sizes.knows(4'000, 8, later));
}

BOOST_AUTO_TEST_CASE(what_redis_says_itself_is_proof) {
    suspicion one(least_suspicious_bytes);
    one.failed({error_kind::refused, "OOM command not allowed"}, false);
    BOOST_TEST(!one.is_proven());
    one.failed(too_long, false);
    BOOST_TEST(one.is_proven());
}

BOOST_AUTO_TEST_CASE(a_small_payload_is_never_to_blame) {
    suspicion one(least_suspicious_bytes - 1);
    for (int i = 0; i < 9; ++i)
        one.failed(cut, i % 2 == 0);
    one.failed(too_long, true);
    BOOST_TEST(!one.goes_alone());
    BOOST_TEST(!one.is_proven());
}

BOOST_AUTO_TEST_CASE(the_short_reply_tells_what_happened_and_keeps_whose_it_is) {
    auto const outcome = reply_of(2'000'000, R"({"shop":7})");
    auto const instead = without_reply(outcome);
    BOOST_TEST(instead.id == "7");
    BOOST_TEST(instead.reply_to == "engram:reply:7");
    BOOST_TEST(instead.reply.size() < 2'000u);
    auto const reply = parsed(instead);
    BOOST_TEST(reply.at("id").as_string() == "7");
    BOOST_TEST(reply.at("status").as_string() == "error");
    BOOST_TEST(reply.at("user_id").as_string() == "ada");
    BOOST_TEST(reply.at("session_id").as_string() == "s");
    BOOST_TEST(reply.at("attempts").as_int64() == 2);
    BOOST_TEST(reply.at("metadata").as_object().at("shop").as_int64() == 7);
    auto const& error = reply.at("error").as_object();
    BOOST_TEST(error.at("type").as_string() == "internal");
    BOOST_TEST(!error.at("retryable").as_bool());
    auto const message = std::string(error.at("message").as_string());
    BOOST_TEST(message.find(std::to_string(outcome.reply.size()) + " bytes") != std::string::npos, message);
    BOOST_REQUIRE(instead.dead.has_value());
    BOOST_TEST(instead.dead->reason == "internal");
    BOOST_TEST(instead.dead->message == message);
}

BOOST_AUTO_TEST_CASE(metadata_that_is_nested_as_deep_as_it_may_be_comes_along) {
    std::string const deep = std::string(63, '[') + std::string(63, ']');
    auto const reply =
        boost::json::parse(without_reply(reply_of(2'000'000, deep)).reply, {}, parse_options_of_pushed());
    BOOST_TEST(reply.at("user_id").as_string() == "ada");
    BOOST_TEST(boost::json::serialize(reply.at("metadata")) == deep);
}

BOOST_AUTO_TEST_CASE(long_metadata_does_not_come_along_and_a_dead_letter_stays_what_it_is) {
    auto outcome = reply_of(10, R"({"long":")" + std::string(2'000'000, 'x') + R"("})");
    outcome.dead = dead_letter{"claude_rejected", "why"};
    auto const instead = without_reply(outcome);
    BOOST_TEST(instead.reply.size() < 2'000u);
    BOOST_TEST(parsed(instead).at("metadata").as_object().empty());
    BOOST_TEST(instead.dead->reason == "claude_rejected");
}

BOOST_AUTO_TEST_CASE(a_reply_that_is_no_json_has_its_id_at_least) {
    auto const instead = without_reply({"7", "engram:reply:7", std::string(100'000, 'x'), std::nullopt});
    BOOST_TEST(parsed(instead).at("id").as_string() == "7");
}

BOOST_AUTO_TEST_SUITE_END()

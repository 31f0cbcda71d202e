// An endpoint that is away costs chats nothing: the rest after a failure.
#include "harness.hpp"
#include "support/no_descriptors.hpp"

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <list>

using namespace engram::tests;
using engram::embedding::error_kind;
using engram::embedding::purpose;
using namespace std::chrono_literals;
namespace asio = boost::asio;

namespace {

std::string broken() {
    return http_answer(500, "");
}
std::string refused() {
    return http_answer(400, "");
}
std::string good() {
    return http_answer(200, vectors_answer({"[1]"}));
}

bool rests(embedded const& outcome) {
    return outcome.has_error() && outcome.error().kind == error_kind::resting;
}

bool fails(embedded const& outcome) {
    return outcome.has_error() && outcome.error().kind == error_kind::unavailable;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(embedding_rests)

BOOST_AUTO_TEST_CASE(after_a_failure_queries_fail_without_a_request) {
    harness h({answers({broken(), good()})});
    BOOST_TEST(fails(h.query()));
    BOOST_TEST(rests(h.query()));
    h.clock.now += 749ms;  // a rest is shortened by up to a quarter
    BOOST_TEST(rests(h.query()));
    BOOST_TEST(h.client().status().requests == 1U);
    BOOST_TEST(h.client().status().refusals == 2U);
    BOOST_TEST(h.client().status().resting);
    h.clock.now += 251ms;
    BOOST_TEST(h.query().has_value());
    BOOST_TEST(!h.client().status().resting);
}

BOOST_AUTO_TEST_CASE(what_this_machine_lacks_is_no_failure_of_the_endpoint) {
    harness h({answers_and_closes(good()), answers({good()})});
    BOOST_TEST(h.query().has_value());  // the server is there, too, and needs no descriptor to wait
    {
        no_descriptors const none;
        for (auto const why : {purpose::query, purpose::document}) {
            auto const outcome = h.embed({"a"}, why);
            BOOST_REQUIRE(outcome.has_error());
            BOOST_CHECK(outcome.error().kind == error_kind::lacking);
            BOOST_TEST(outcome.error().message.find("could not be asked: this machine: no file descriptor") !=
                       std::string::npos);
        }
        BOOST_TEST(h.client().status().failures == 0U);
        BOOST_TEST(!h.client().status().resting);
    }
    BOOST_TEST(h.query().has_value());
}

BOOST_AUTO_TEST_CASE(each_further_failure_doubles_the_rest_up_to_a_minute) {
    harness h({answers(std::vector<std::string>(20, broken()))});
    for (std::chrono::milliseconds const pause : {1s, 2s, 4s, 8s, 16s, 32s, 60s, 60s}) {
        BOOST_TEST(fails(h.query()));
        h.clock.now += pause * 3 / 4 - 1ms;
        BOOST_TEST(rests(h.query()));
        h.clock.now += pause / 4 + 1ms;
    }
}

BOOST_AUTO_TEST_CASE(a_success_makes_the_next_rest_short_again) {
    harness h({answers({broken(), broken(), good(), broken(), good()})});
    BOOST_TEST(fails(h.query()));
    h.clock.now += 1s;
    BOOST_TEST(fails(h.query()));
    h.clock.now += 2s;
    BOOST_TEST(h.query().has_value());
    BOOST_TEST(fails(h.query()));
    h.clock.now += 1s;
    BOOST_TEST(h.query().has_value());
}

BOOST_AUTO_TEST_CASE(documents_are_sent_during_a_rest_and_do_not_end_it) {
    harness h({answers({broken(), good(), broken(), good(), good()})});
    BOOST_TEST(fails(h.query()));
    BOOST_TEST(h.embed({"a"}).has_value());
    BOOST_TEST(rests(h.query()));
    h.clock.now += 1s;
    BOOST_TEST(fails(h.query()));
    // The next rest is longer all the same.
    BOOST_TEST(h.embed({"a"}).has_value());
    h.clock.now += 1s;
    BOOST_TEST(rests(h.query()));
    h.clock.now += 1s;
    BOOST_TEST(h.query().has_value());
}

BOOST_AUTO_TEST_CASE(documents_that_fail_or_are_refused_say_nothing_about_queries) {
    harness h({answers({refused(), broken(), good()})});
    BOOST_CHECK(h.embed({"a"}).error().kind == error_kind::rejected);
    BOOST_TEST(fails(h.embed({"a"})));
    BOOST_TEST(h.client().status().failures == 2U);
    BOOST_TEST(h.query().has_value());
}

BOOST_AUTO_TEST_CASE(a_query_that_is_refused_is_counted_and_the_next_is_sent) {
    harness h({answers({refused(), good(), broken(), refused(), good()})});
    BOOST_CHECK(h.query().error().kind == error_kind::rejected);
    BOOST_TEST(h.client().status().failures == 1U);
    BOOST_TEST(h.query().has_value());
    // After a rest it has learnt nothing, and leaves the try to the next.
    BOOST_TEST(fails(h.query()));
    h.clock.now += 1s;
    BOOST_CHECK(h.query().error().kind == error_kind::rejected);
    BOOST_TEST(h.client().status().resting);
    BOOST_TEST(h.query().has_value());
    BOOST_TEST(!h.client().status().resting);
}

BOOST_AUTO_TEST_CASE(after_a_rest_one_query_tries_and_the_others_do_not_wait_for_it) {
    harness h({answers({broken()}), stalls()});
    BOOST_TEST(fails(h.query()));
    h.clock.now += 1s;
    pending first(h, {"a"}, purpose::query);
    h.run_until([&] { return h.client().status().requests == 2; });
    BOOST_TEST(rests(h.query()));
    BOOST_TEST(!first.ended());
    first.cancel();
    h.run_until([&] { return first.ended(); });
    BOOST_TEST(first.was_cancelled());
    // It found out nothing, so another one may try.
    pending second(h, {"a"}, purpose::query);
    h.run_until([&] { return h.client().status().requests == 3; });
    second.cancel();
    h.run_until([&] { return second.ended(); });
}

BOOST_AUTO_TEST_CASE(queries_that_fail_together_count_as_one_failure) {
    auto const once = answers({http_answer(500, "", "connection: close\r\n")});
    harness h({once, once, once, answers({good()})});
    std::list<pending> calls;
    for (int i = 0; i < 3; ++i)
        calls.emplace_back(h, std::vector<std::string>{"a"}, purpose::query);
    for (auto& call : calls)
        h.run_until([&] { return call.ended(); });
    BOOST_TEST(h.client().status().requests == 3U);
    BOOST_TEST(h.client().status().failures == 3U);
    h.clock.now += 1s;
    BOOST_TEST(h.query().has_value());
}

BOOST_AUTO_TEST_CASE(an_endpoint_with_too_many_queries_open_gets_no_more) {
    harness h({stalls()});
    std::list<pending> calls;
    for (int i = 0; i < 64; ++i)
        calls.emplace_back(h, std::vector<std::string>{"a"}, purpose::query);
    h.run_until([&] { return h.client().status().requests == 64; });
    BOOST_TEST(rests(h.query()));
    for (auto& call : calls)
        call.cancel();
    for (auto& call : calls)
        h.run_until([&] { return call.ended(); });
    BOOST_TEST(!h.client().status().resting);
    pending again(h, {"a"}, purpose::query);
    h.run_until([&] { return h.client().status().requests == 65; });
    again.cancel();
    h.run_until([&] { return again.ended(); });
}

BOOST_AUTO_TEST_SUITE_END()

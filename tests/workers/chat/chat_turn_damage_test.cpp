// A damaged store: jobs wait or go back, none is a dead letter for it, and Claude is not paid for what cannot
// be kept.
#include "store/health.hpp"
#include "store/scripted_keeping.hpp"
#include "workers/turn_fixture.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/test/unit_test.hpp>

#include <chrono>
#include <exception>
#include <optional>
#include <string>

namespace {

using namespace engram;
using namespace std::chrono_literals;
using state = store::health::state;
using store::test::damage;
using test::error_of;

store::error const bug{store::error_kind::internal, "the database: no such table: t (SQLite code 1)"};

queue::delivery delivery_of(std::string const& id) {
    queue::delivery delivery;
    delivery.ticket = "t-" + id;
    delivery.body = R"({"id":")" + id + R"(","user_id":"u","session_id":"s","message":"hello"})";
    delivery.attempts = 30;
    return delivery;
}

struct watched : test::turn_fixture {
    watched() {
        turn.watch(health);
        boost::asio::co_spawn(io, health.look(), [](std::exception_ptr failed) {
            if (failed) std::rethrow_exception(failed);
        });
        io.run();
        BOOST_REQUIRE(bool(health.current() == state::well));
    }

    void check_waits(queue::delivery delivery) {
        BOOST_TEST(!deliver(std::move(delivery)));
        BOOST_REQUIRE(postponed);
        BOOST_TEST(postponed->reason == "the database is damaged");
        BOOST_TEST(store.failures.empty());
    }
    void check_goes_back(std::string const& id) {
        BOOST_TEST(!deliver(delivery_of(id)));
        BOOST_TEST(!postponed);
        BOOST_TEST(store.failures.empty());
    }

    store::test::scripted_keeping keeping;
    store::health health{keeping, clock, [] {}};
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(chat_turn_damage, watched)

BOOST_AUTO_TEST_CASE(a_job_that_cannot_be_loaded_waits_and_the_third_one_stops_the_taking) {
    store.load_fails = damage;
    check_waits(delivery_of("1"));
    check_waits(delivery_of("1"));
    check_waits(delivery_of("2"));
    BOOST_TEST(!health.is_shut());
    check_goes_back("3");
    BOOST_TEST(health.is_shut());
    BOOST_TEST(claude.asked.empty());
}

BOOST_AUTO_TEST_CASE(an_answer_that_cannot_be_stored_puts_its_job_off) {
    store.commit_fails = damage;
    check_waits(delivery_of("1"));
    BOOST_TEST(claude.asked.size() == 1u);
}

BOOST_AUTO_TEST_CASE(once_damage_is_known_each_job_is_rehearsed_before_claude_is_paid) {
    store.commit_fails = damage;
    check_waits(delivery_of("1"));
    keeping.next = damage;
    store.context.seen = {2, 1};
    check_waits(delivery_of("1"));
    BOOST_TEST(claude.asked.size() == 1u);
    BOOST_TEST(keeping.last.job.job_id == "1");
    BOOST_TEST((keeping.last.of == store::conversation{"u", "s"}));
    BOOST_TEST((keeping.last.seen == store::erasures{2, 1}));
    keeping.next = {};
    store.commit_fails.reset();
    store.context.seen = {};
    auto const answered = deliver(delivery_of("1"));
    BOOST_REQUIRE(answered);
    BOOST_TEST(!answered->dead);
    BOOST_TEST(claude.asked.size() == 2u);
}

BOOST_AUTO_TEST_CASE(a_rehearsal_that_fails_for_another_reason_keeps_nobody_from_being_asked) {
    health.met(damage, "somebody else");
    keeping.next = bug;
    BOOST_TEST(deliver(delivery_of("1")).has_value());
    BOOST_TEST(claude.asked.size() == 1u);
    BOOST_TEST(store.exchanges.size() == 1u);
}

BOOST_AUTO_TEST_CASE(while_it_is_shut_nothing_that_was_taken_before_is_asked) {
    keeping.seen.lost = "the database file was removed";
    boost::asio::co_spawn(io, health.look(), [](std::exception_ptr) {});
    io.restart();
    io.run();
    BOOST_REQUIRE(health.is_shut());
    check_goes_back("1");
    BOOST_TEST(claude.asked.empty());
}

BOOST_AUTO_TEST_CASE(what_cannot_be_recorded_is_not_answered_while_there_is_patience) {
    store.load_fails = damage;
    store.record_fails = damage;
    check_waits(delivery_of("1"));
    auto const invalid = R"({"id":"x","message":"hi"})";
    BOOST_TEST(!answer(invalid));
    BOOST_REQUIRE(postponed);
    BOOST_TEST(postponed->reason == "the database is damaged");
}

BOOST_AUTO_TEST_CASE(patience_with_one_damaged_page_ends) {
    store.load_fails = damage;
    auto late = delivery_of("1");
    late.failing = 1h;
    BOOST_TEST(error_of(deliver(late)) == "internal");
    BOOST_TEST(!health.is_shut());
}

BOOST_AUTO_TEST_CASE(who_can_never_be_recorded_is_answered_once_patience_is_over) {
    store.record_fails = damage;
    auto late = delivery_of("1");
    late.body = R"({"id":"1","user_id":"u","session_id":"s","message":" "})";
    late.failing = 1h;
    BOOST_TEST(error_of(deliver(std::move(late))) == "invalid_job");
    BOOST_TEST(!postponed);
}

BOOST_AUTO_TEST_CASE(a_store_that_fails_every_job_costs_five_of_them_at_most) {
    store.commit_fails = bug;
    for (auto const* id : {"1", "2", "3", "4"})
        BOOST_TEST(error_of(deliver(delivery_of(id))) == "internal");
    BOOST_TEST(!health.is_shut());
    auto const fifth = deliver(delivery_of("5"));
    BOOST_TEST(!fifth);
    BOOST_TEST(!postponed);
    BOOST_TEST(health.is_shut());
    auto const asked = claude.asked.size();
    BOOST_TEST(!deliver(delivery_of("6")));
    BOOST_TEST(claude.asked.size() == asked);
}

BOOST_AUTO_TEST_CASE(a_job_that_is_stored_shows_that_the_store_works) {
    store.commit_fails = bug;
    for (auto const* id : {"1", "2", "3", "4"})
        BOOST_TEST(error_of(deliver(delivery_of(id))) == "internal");
    store.commit_fails.reset();
    BOOST_TEST(!deliver(delivery_of("5"))->dead);
    store.commit_fails = bug;
    BOOST_TEST(error_of(deliver(delivery_of("6"))) == "internal");
    BOOST_TEST(!health.is_shut());
}

BOOST_AUTO_TEST_SUITE_END()

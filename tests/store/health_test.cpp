// When jobs are taken, and when not, by what the store says.
#include "store/health.hpp"

#include "scripted_keeping.hpp"
#include "store_fixture.hpp"

#include <boost/test/unit_test.hpp>

#include <string>

using namespace engram;
using namespace engram::store::test;
using namespace std::chrono_literals;
using state = store::health::state;

namespace {

class standing_clock : public base::clock {
public:
    [[nodiscard]] base::steady_time steady() const override { return now; }
    base::steady_time now{1h};
};

store::error const bug{store::error_kind::internal, "the database: no such table: t (SQLite code 1)"};
store::error const full{store::error_kind::unavailable, "the database: disk is full (SQLite code 13)"};

struct fixture {
    boost::asio::io_context loop;
    standing_clock clock;
    scripted_keeping keeping;
    int changes = 0;
    store::health health{keeping, clock, [this] { ++changes; }};

    void look() { run(loop, health.look()); }
    void begin() {
        look();
        BOOST_REQUIRE(bool(health.current() == state::well));
    }
    void check_shut(std::string const& says) {
        BOOST_TEST(bool(health.current() == state::shut));
        BOOST_TEST(health.is_shut());
        BOOST_TEST(health.trouble().find(says) != std::string::npos, health.trouble());
        BOOST_TEST(health.trouble().find("cure: ") != std::string::npos, health.trouble());
        BOOST_TEST(health.remark() == "");
    }
    void check_well() {
        BOOST_TEST(bool(health.current() == state::well));
        BOOST_TEST(!health.is_shut());
        BOOST_TEST(health.trouble() == "");
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(store_health, fixture)

BOOST_AUTO_TEST_CASE(nothing_is_taken_before_a_rehearsal_has_gone_well) {
    BOOST_TEST(bool(health.current() == state::unknown));
    look();
    check_well();
    BOOST_TEST(keeping.rehearsed == 1);
    BOOST_TEST(changes == 1);
    look();
    BOOST_TEST(keeping.rehearsed == 1);
}

BOOST_AUTO_TEST_CASE(a_rehearsal_that_meets_damage_shuts_before_the_first_job) {
    keeping.next = damage;
    look();
    check_shut("database disk image is malformed (SQLite code 11)");
    clock.now += 1h;
    keeping.next = {};
    look();
    check_shut("the database is damaged");
}

BOOST_AUTO_TEST_CASE(a_rehearsal_that_fails_for_another_reason_leaves_it_to_the_jobs) {
    for (auto const& why : {bug, full}) {
        store::health other(keeping, clock, [] {});
        keeping.next = why;
        run(loop, other.look());
        BOOST_TEST(bool(other.current() == state::well));
    }
}

BOOST_AUTO_TEST_CASE(three_jobs_shut_and_one_alone_does_not) {
    begin();
    for (int i = 0; i < 20; ++i)
        health.met(damage, "one");
    check_well();
    BOOST_TEST(health.is_in_doubt());
    BOOST_TEST(health.remark().find("database disk image is malformed") != std::string::npos);
    health.met(damage, "two");
    health.worked();
    check_well();
    health.met(damage, "one");
    check_well();
    health.met(damage, "three");
    check_shut("the database is damaged");
    BOOST_TEST(changes == 2);
}

BOOST_AUTO_TEST_CASE(damage_long_ago_does_not_count_any_more_but_is_still_told) {
    begin();
    health.met(damage, "one");
    health.met(damage, "two");
    clock.now += 11min;
    health.met(damage, "three");
    check_well();
    BOOST_TEST(health.remark() != "");
}

BOOST_AUTO_TEST_CASE(the_first_damage_brings_a_rehearsal_and_that_decides) {
    begin();
    health.met(damage, "one");
    look();
    BOOST_TEST(keeping.rehearsed == 2);
    check_well();
    BOOST_TEST(health.is_in_doubt());
    look();
    BOOST_TEST(keeping.rehearsed == 2);

    store::health other(keeping, clock, [] {});
    run(loop, other.look());
    other.met(damage, "one");
    keeping.next = damage;
    run(loop, other.look());
    BOOST_TEST(bool(other.current() == state::shut));
}

BOOST_AUTO_TEST_CASE(damage_that_nobody_told_of_is_seen_at_the_next_look) {
    begin();
    keeping.seen.damage = damage.message;
    keeping.seen.times_damaged = 1;
    look();
    BOOST_TEST(health.is_in_doubt());
    BOOST_TEST(health.remark().find("malformed") != std::string::npos);
    BOOST_TEST(keeping.rehearsed == 2);
    check_well();
}

BOOST_AUTO_TEST_CASE(what_passes_by_itself_does_not_count) {
    begin();
    for (auto const* whose : {"1", "2", "3", "4", "5", "6", "7"})
        health.met(full, whose);
    check_well();
}

BOOST_AUTO_TEST_CASE(somebody_who_has_seen_to_it_lets_a_rehearsal_decide) {
    begin();
    for (auto const* whose : {"1", "2", "3"})
        health.met(damage, whose);
    check_shut("damaged");
    keeping.next = damage;
    health.reconsider();
    look();
    check_shut("damaged");
    keeping.next = {};
    look();
    check_shut("damaged");
    health.reconsider();
    look();
    check_well();
    BOOST_TEST(!health.is_in_doubt());
    // From the beginning.
    health.met(damage, "4");
    check_well();
}

BOOST_AUTO_TEST_CASE(five_jobs_that_fail_without_a_commit_shut_and_a_commit_in_between_forgets) {
    begin();
    for (auto const* whose : {"1", "2", "3", "4"})
        health.met(bug, whose);
    health.worked();
    for (auto const* whose : {"5", "6", "7", "8"})
        health.met(bug, whose);
    check_well();
    health.met(bug, "8");
    check_well();
    clock.now += 61s;
    health.met(bug, "9");
    check_well();
    for (auto const* whose : {"10", "11", "12", "13"})
        health.met(bug, whose);
    check_shut("no such table");
}

BOOST_AUTO_TEST_CASE(after_a_failure_one_job_is_tried_each_half_minute_once_a_rehearsal_goes_well) {
    begin();
    keeping.next = bug;
    for (auto const* whose : {"1", "2", "3", "4", "5"})
        health.met(bug, whose);
    look();
    BOOST_TEST(keeping.rehearsed == 1);
    clock.now += 31s;
    look();
    BOOST_TEST(keeping.rehearsed == 2);
    check_shut("no such table");
    keeping.next = {};
    clock.now += 31s;
    look();
    BOOST_TEST(bool(health.current() == state::trial));
    BOOST_TEST(health.trouble() != "");
    health.met(bug, "6");
    check_shut("no such table");
    clock.now += 31s;
    look();
    BOOST_TEST(bool(health.current() == state::trial));
    health.worked();
    check_well();
}

BOOST_AUTO_TEST_CASE(where_what_is_written_would_be_lost_nothing_is_taken_until_that_is_over) {
    begin();
    keeping.seen.lost = "the database file was removed";
    look();
    BOOST_TEST(health.is_shut());
    BOOST_TEST(health.trouble() == "the database file was removed");
    keeping.seen.lost = "";
    look();
    check_well();
    BOOST_TEST(changes == 3);
}

BOOST_AUTO_TEST_SUITE_END()

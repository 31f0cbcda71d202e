// What expires, and rows of other software.
#include "upkeep_fixture.hpp"

#include <boost/test/unit_test.hpp>

using namespace engram;
using namespace engram::test;
using namespace std::chrono_literals;

BOOST_FIXTURE_TEST_SUITE(upkeep_loops, upkeep_fixture)

BOOST_AUTO_TEST_CASE(memories_expire_every_minute) {
    store.to_expire = 7;
    start();
    BOOST_TEST(store.expiry_times.size() == 1U);
    BOOST_TEST(bool(store.expiry_times[0] == clock.wall()));
    BOOST_TEST(upkeep.status().expired_memories == 7U);
    pass(59s);
    BOOST_TEST(store.expiry_times.size() == 1U);
    pass(1s);
    BOOST_TEST(store.expiry_times.size() == 2U);
}

BOOST_AUTO_TEST_CASE(after_a_full_batch_the_next_one_follows_at_once) {
    store.to_expire = 1'200;
    start();
    BOOST_TEST(store.expiry_times.size() == 3U);
    BOOST_TEST(upkeep.status().expired_memories == 1'200U);
}

BOOST_AUTO_TEST_CASE(outcomes_expire_every_ten_minutes_after_the_time_for_repeats) {
    store.outcomes = 5;
    start();
    BOOST_REQUIRE_EQUAL(store.outcome_times.size(), 1U);
    BOOST_TEST(bool(store.outcome_times[0] == clock.wall() - 72h));
    BOOST_TEST(store.outcome_limits[0] == 1'000U);
    BOOST_TEST(upkeep.status().expired_outcomes == 5U);
    pass(599s);
    BOOST_TEST(store.outcome_times.size() == 1U);
    pass(1s);
    BOOST_TEST(store.outcome_times.size() == 2U);
}

BOOST_AUTO_TEST_CASE(full_batches_of_outcomes_leave_room_for_jobs) {
    store.outcomes = 2'500;
    start();
    BOOST_TEST(store.outcome_times.size() == 1U);
    pass(50ms);
    BOOST_TEST(store.outcome_times.size() == 2U);
    pass(50ms);
    BOOST_TEST(store.outcome_times.size() == 3U);
    pass(50ms);
    BOOST_TEST(store.outcome_times.size() == 3U);
}

BOOST_AUTO_TEST_CASE(rows_of_other_software_are_looked_for_every_twenty_seconds_and_adopted_in_pieces) {
    store.foreign = 100;
    start();
    BOOST_TEST(store.foreign == 36U);
    pass(50ms);
    BOOST_TEST(store.foreign == 0U);
    pass(50ms);
    BOOST_TEST(store.adoptions == 3);
    pass(19s);
    BOOST_TEST(store.adoptions == 3);
    pass(1s);
    BOOST_TEST(store.adoptions == 4);
    store.fails = true;
    pass(20s);
    pass(20s);
    BOOST_TEST(store.adoptions == 6);
}

BOOST_AUTO_TEST_CASE(of_an_answer_what_the_user_saw_is_embedded_with_the_question) {
    store.texts[1] = "hello";
    store.answers[1] = "Hi.\n[MEMORY: fact|Is polite]";
    store.texts[2] = "";
    store.answers[2] = "Alone.";
    store.texts[3] = "A memory [MEMORY: fact|x]";
    start();
    BOOST_REQUIRE(embedder.asked.size() == 1U);
    std::vector<std::string> const expected{"hello\nHi.", "Alone.", "A memory [MEMORY: fact|x]"};
    BOOST_TEST(embedder.asked[0] == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_failure_or_a_bug_ends_no_loop) {
    store.fails = true;
    start();
    store.fails = false;
    store.throws = true;
    pass(1min);
    store.throws = false;
    store.to_expire = 3;
    pass(1min);
    BOOST_TEST(store.expiry_times.size() == 3U);
    BOOST_TEST(upkeep.status().expired_memories == 3U);
}

BOOST_AUTO_TEST_CASE(a_changed_time_for_repeats_holds_from_the_next_batch_on) {
    start();
    options.dedupe = 1h;
    upkeep.set_options(options);
    pass(10min);
    BOOST_TEST(bool(store.outcome_times.back() == clock.wall() - 1h));
}

BOOST_AUTO_TEST_CASE(it_stops_before_it_was_started) {
    BOOST_TEST(stops());
}

BOOST_AUTO_TEST_CASE(it_stops_while_memories_are_removed) {
    store.hold_expiry = true;
    start();
    BOOST_TEST(stops());
}

BOOST_AUTO_TEST_SUITE_END()

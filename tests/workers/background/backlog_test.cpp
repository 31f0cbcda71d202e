#include "workers/background/backlog.hpp"

#include <boost/test/unit_test.hpp>

#include <string>

namespace {

using namespace engram;
using namespace std::chrono_literals;

struct fixture {
    workers::backlog waiting{3};
    base::steady_time now{1h};
    store::conversation const a{"u", "a"}, b{"u", "b"}, c{"v", "a"}, d{"v", "b"};
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(summary_backlog, fixture)

BOOST_AUTO_TEST_CASE(first_come_first_served) {
    BOOST_TEST(!waiting.take());
    BOOST_TEST(waiting.add(b, 0, now));
    BOOST_TEST(waiting.add(a, 0, now));
    BOOST_TEST(waiting.size() == 2U);
    BOOST_TEST((waiting.take() == b));
    BOOST_TEST((waiting.take() == a));
    BOOST_TEST(waiting.empty());
}

BOOST_AUTO_TEST_CASE(no_conversation_twice_and_it_keeps_its_place) {
    BOOST_TEST(waiting.add(a, 0, now));
    BOOST_TEST(waiting.add(c, 0, now));
    BOOST_TEST(!waiting.add(a, 0, now + 1h));
    BOOST_TEST(waiting.size() == 2U);
    BOOST_TEST((waiting.waiting_since() == now));
    BOOST_TEST((waiting.take() == a));
    BOOST_TEST(waiting.add(a, 0, now));
    BOOST_TEST((waiting.take() == c));
    BOOST_TEST((waiting.take() == a));
}

BOOST_AUTO_TEST_CASE(it_knows_of_the_first_whether_its_turns_are_long) {
    (void)waiting.add(a, 0, now);
    (void)waiting.add(b, 0, now, true);
    (void)waiting.add(c, 0, now);
    (void)waiting.add(c, 0, now, true);
    (void)waiting.add(c, 0, now);  // who does not know changes nothing
    BOOST_TEST(!waiting.is_by_size());
    (void)waiting.take();
    BOOST_TEST(waiting.is_by_size());
    (void)waiting.take();
    BOOST_TEST(waiting.is_by_size());
}

BOOST_AUTO_TEST_CASE(what_does_not_fit_is_not_kept) {
    for (auto const& one : {a, b, c})
        BOOST_TEST(waiting.add(one, 0, now));
    BOOST_TEST(!waiting.add(d, 5, now));
    BOOST_TEST(waiting.size() == 3U);
    BOOST_TEST(waiting.unseen_turns() == 0U);
}

BOOST_AUTO_TEST_CASE(it_knows_since_when_the_first_one_waits) {
    BOOST_TEST(!waiting.waiting_since());
    (void)waiting.add(a, 0, now);
    (void)waiting.add(b, 0, now + 5s);
    BOOST_TEST((waiting.waiting_since() == now));
    (void)waiting.take();
    BOOST_TEST((waiting.waiting_since() == now + 5s));
}

BOOST_AUTO_TEST_CASE(unseen_turns_are_summed_up_over_those_that_wait) {
    (void)waiting.add(a, 2, now);
    (void)waiting.add(b, 1, now);
    (void)waiting.add(a, 4, now);
    (void)waiting.add(a, 0, now);  // who does not know changes nothing
    BOOST_TEST(waiting.unseen_turns() == 5U);
    (void)waiting.take();
    BOOST_TEST(waiting.unseen_turns() == 1U);
    (void)waiting.take();
    BOOST_TEST(waiting.unseen_turns() == 0U);
}

BOOST_AUTO_TEST_CASE(many_that_wait_make_no_step_slower) {
    // A linear look for duplicates needs 400 million comparisons for this, minutes in a debug build.
    constexpr std::size_t many = 20'000;
    workers::backlog crowd(many);
    for (int round = 0; round < 2; ++round)
        for (std::size_t i = 0; i < many; ++i)
            BOOST_REQUIRE_EQUAL(crowd.add({"u", std::to_string(i)}, 0, now), round == 0);
    BOOST_TEST(crowd.size() == many);
    for (std::size_t i = 0; i < many; ++i)
        BOOST_REQUIRE_EQUAL(crowd.take()->session_id, std::to_string(i));
}

BOOST_AUTO_TEST_SUITE_END()

// When jobs are taken: every transition of the machine, without a Redis.
#include "queue/intake.hpp"

#include <boost/test/unit_test.hpp>

#include <initializer_list>
#include <string>

namespace {

using namespace engram;
using queue::intake;
using queue::intake_machine;
using state = intake_machine::state;
using step = intake_machine::step;
using claim_call = intake_machine::claim_call;
using namespace std::chrono_literals;

struct fixture {
    base::steady_time now{1h};
    int changes = 0;
    intake_machine machine{2, [this] { ++changes; }};

    void in(state expected, step next, std::size_t claims = 0) const {
        BOOST_TEST(int(machine.now_in()) == int(expected));
        BOOST_TEST(int(machine.next().what) == int(next));
        BOOST_TEST(machine.next().claims == claims);
    }
    // Registered, with room for two.
    void be_hungry() {
        machine.registered(now);
        in(state::hungry, step::take, 2);
    }
    // There was nothing to take.
    void be_dry() {
        be_hungry();
        BOOST_TEST(machine.looked(2, 0, 0, false, now));
        in(state::dry, step::wait_for_push);
    }
    [[nodiscard]] intake report(bool failing = false) const { return machine.report(true, failing, now); }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(intake_of_jobs, fixture)

BOOST_AUTO_TEST_CASE(who_is_not_registered_rests_and_takes_as_many_as_there_are_places_when_it_is) {
    in(state::away, step::rest);
    BOOST_TEST((report() == intake::cut_off));
    machine.registered(now);
    in(state::hungry, step::take, 2);
    BOOST_TEST(changes == 1);
    BOOST_TEST((report() == intake::taking));
}

BOOST_AUTO_TEST_CASE(a_look_that_finds_less_than_there_was_room_for_is_followed_by_a_wait) {
    be_hungry();
    machine.begun("a");
    BOOST_TEST(machine.looked(2, 1, 1, false, now));
    in(state::dry, step::wait_for_push);
    BOOST_TEST(!machine.is_blocked());
    machine.waited(true, now);
    in(state::hungry, step::take, 1);
}

BOOST_AUTO_TEST_CASE(a_look_that_says_that_there_is_more_is_followed_by_another) {
    be_hungry();
    BOOST_TEST(machine.looked(2, 0, 128, true, now));
    in(state::hungry, step::take, 2);
}

BOOST_AUTO_TEST_CASE(jobs_that_may_neither_be_moved_nor_taken_are_waited_for_as_blocked) {
    be_hungry();
    BOOST_TEST(machine.looked(2, 0, 0, true, now));
    in(state::dry, step::wait_for_push);
    BOOST_TEST(machine.is_blocked());
    machine.waited(true, now);
    BOOST_TEST(machine.looked(2, 0, 1, true, now));
    BOOST_TEST(!machine.is_blocked());
}

BOOST_AUTO_TEST_CASE(what_makes_a_dry_queue_look_again) {
    be_dry();
    machine.waited(false, now);
    in(state::hungry, step::take, 2);
    BOOST_TEST(machine.looked(2, 0, 0, false, now));
    machine.more_came();
    in(state::hungry, step::take, 2);
    BOOST_TEST(machine.looked(2, 0, 0, false, now));
    machine.set_limit(1);
    in(state::hungry, step::take, 1);
    BOOST_TEST(machine.looked(1, 0, 0, false, now));
    machine.reconciled(machine.doubts());
    in(state::hungry, step::take, 1);
}

BOOST_AUTO_TEST_CASE(places_that_are_taken_leave_no_room_until_their_jobs_have_gone) {
    be_hungry();
    machine.begun("a");
    in(state::hungry, step::take, 1);
    machine.begun("b");
    in(state::full, step::rest);
    BOOST_TEST((report() == intake::full));
    BOOST_TEST(machine.held() == 2u);
    int const before = changes;
    machine.gone("a");
    BOOST_TEST(changes == before + 1);
    in(state::hungry, step::take, 1);
}

BOOST_AUTO_TEST_CASE(a_limit_of_none_pauses_and_jobs_in_hand_stay) {
    be_hungry();
    machine.begun("a");
    machine.set_limit(0);
    in(state::full, step::rest);
    BOOST_TEST((report() == intake::paused));
    BOOST_TEST(machine.held() == 1u);
    machine.set_limit(2);
    in(state::hungry, step::take, 1);
}

BOOST_AUTO_TEST_CASE(a_call_under_way_keeps_the_places_of_what_it_may_bring) {
    be_hungry();
    {
        claim_call call(machine, 2, 0);
        in(state::full, step::rest);
        call.was_answered();
    }
    in(state::hungry, step::take, 2);
}

BOOST_AUTO_TEST_CASE(a_call_that_asks_for_nothing_changes_nothing) {
    be_hungry();
    int const before = changes;
    {
        claim_call const call(machine, 0, 1);
    }
    in(state::hungry, step::take, 2);
    BOOST_TEST(changes == before);
}

BOOST_AUTO_TEST_CASE(the_end_of_a_job_asks_for_one_more_than_is_free_since_its_own_place_becomes_free) {
    be_hungry();
    machine.begun("a");
    BOOST_TEST(machine.claims_at_end_of("a") == 2u);
    {
        claim_call call(machine, 2, 1);
        in(state::full, step::rest);  // one is held, one reserved
        BOOST_TEST(machine.claims_at_end_of("a") == 1u);
        call.was_answered();
    }
    BOOST_TEST(machine.claims_at_end_of("unknown") == 0u);
    machine.begun("b");
    BOOST_TEST(machine.claims_at_end_of("b") == 1u);
    machine.set_limit(1);
    BOOST_TEST(machine.claims_at_end_of("b") == 0u);
}

BOOST_AUTO_TEST_CASE(no_call_asks_for_more_than_it_may) {
    machine.set_limit(1'000);
    machine.registered(now);
    in(state::hungry, step::take, intake_machine::most_claims_a_call);
    machine.begun("a");
    BOOST_TEST(machine.claims_at_end_of("a") == intake_machine::most_claims_a_call);
}

BOOST_AUTO_TEST_CASE(a_lost_answer_is_reconciled_before_anything_is_taken) {
    be_hungry();
    {
        claim_call const call(machine, 1, 0);
    }
    in(state::unsure, step::reconcile);
    machine.begun("a");
    BOOST_TEST(machine.claims_at_end_of("a") == 0u);
    machine.reconciled(machine.doubts());
    in(state::hungry, step::take, 1);
}

BOOST_AUTO_TEST_CASE(a_reconciliation_waits_for_the_calls_under_way) {
    be_hungry();
    {
        claim_call call(machine, 1, 0);
        machine.doubt();
        in(state::unsure, step::rest);
        call.was_answered();
    }
    in(state::unsure, step::reconcile);
}

BOOST_AUTO_TEST_CASE(a_doubt_that_arises_while_redis_is_asked_is_not_settled_by_that_answer) {
    be_hungry();
    machine.doubt();
    auto const asked = machine.doubts();
    machine.doubt();
    machine.reconciled(asked);
    in(state::unsure, step::reconcile);
    machine.reconciled(machine.doubts());
    machine.reconciled(asked);  // an answer from before changes nothing
    in(state::hungry, step::take, 2);
}

BOOST_AUTO_TEST_CASE(more_lanes_in_redis_than_jobs_in_hand_are_a_doubt_unless_a_call_is_under_way) {
    be_hungry();
    machine.begun("a");
    machine.counted(1);
    in(state::hungry, step::take, 1);
    {
        claim_call call(machine, 1, 0);
        machine.counted(2);
        in(state::full, step::rest);
        call.was_answered();
    }
    machine.counted(2);
    in(state::unsure, step::reconcile);
}

BOOST_AUTO_TEST_CASE(a_lease_that_cannot_be_renewed_stops_the_taking_until_it_can) {
    be_hungry();
    machine.begun("a");
    machine.renewed(false);
    in(state::at_risk, step::rest);
    BOOST_TEST(machine.claims_at_end_of("a") == 0u);
    BOOST_TEST((report() == intake::cut_off));
    int const before = changes;
    machine.renewed(false);
    BOOST_TEST(changes == before);
    machine.renewed(true);
    BOOST_TEST(changes == before + 1);
    in(state::hungry, step::take, 1);
}

BOOST_AUTO_TEST_CASE(who_was_taken_for_dead_begins_with_empty_hands) {
    be_dry();
    machine.begun("a");
    machine.doubt();
    auto const asked = machine.doubts();
    machine.lost();
    in(state::away, step::rest);
    BOOST_TEST(machine.held() == 0u);
    machine.reconciled(asked - 1);  // about the earlier incarnation
    machine.registered(now);
    in(state::hungry, step::take, 2);
}

BOOST_AUTO_TEST_CASE(a_stop_takes_nothing_more_and_gives_back_what_comes_too_late) {
    be_hungry();
    machine.begun("a");
    machine.stop();
    in(state::ended, step::rest);
    BOOST_TEST((report() == intake::draining));
    BOOST_TEST(machine.claims_at_end_of("a") == 0u);
    BOOST_TEST(!machine.looked(1, 0, 0, false, now));
    in(state::ended, step::rest);
    BOOST_TEST(!machine.looked(1, 1, 1, false, now));
    in(state::unsure, step::reconcile);
    machine.reconciled(machine.doubts());
    in(state::ended, step::rest);
    machine.set_limit(9);
    machine.more_came();
    machine.renewed(true);
    in(state::ended, step::rest);
}

BOOST_AUTO_TEST_CASE(who_has_not_heard_of_redis_for_long_or_fails_or_has_no_connection_is_cut_off) {
    be_hungry();
    BOOST_TEST((report() == intake::taking));
    BOOST_TEST((report(true) == intake::cut_off));
    BOOST_TEST((machine.report(false, false, now) == intake::cut_off));
    now += intake_machine::longest_silence;
    BOOST_TEST((report() == intake::cut_off));
    machine.waited(false, now);
    BOOST_TEST((report() == intake::cut_off));
    machine.waited(true, now);
    BOOST_TEST((report() == intake::taking));
    now += intake_machine::longest_silence;
    BOOST_TEST(machine.looked(2, 2, 2, true, now));
    BOOST_TEST((report() == intake::taking));
}

// A call whose connection is lost, and the reconciliation after it.
void lose(intake_machine& machine, bool alone) {
    {
        claim_call call(machine, 1, 0);
        call.was_cut_off(alone);
    }
    machine.reconciled(machine.doubts());
}

BOOST_AUTO_TEST_CASE(each_lost_connection_halves_what_calls_ask_for_down_to_single_jobs) {
    be_hungry();
    auto expected = intake_machine::most_bytes_a_call;
    BOOST_TEST(machine.bytes_a_call() == expected);
    while (expected > intake_machine::least_batch_bytes) {
        lose(machine, false);
        expected /= 2;
        BOOST_TEST(machine.bytes_a_call() == expected);
    }
    lose(machine, false);
    BOOST_TEST(machine.bytes_a_call() == 1u);
    lose(machine, false);
    BOOST_TEST(machine.bytes_a_call() == 1u);
}

BOOST_AUTO_TEST_CASE(many_calls_on_one_lost_connection_are_one_loss_and_an_answer_lost_otherwise_is_none) {
    machine.set_limit(9);
    machine.registered(now);
    {
        claim_call one(machine, 1, 0), two(machine, 1, 0);
        one.was_cut_off(false);
        two.was_cut_off(false);
    }
    BOOST_TEST(machine.bytes_a_call() == intake_machine::most_bytes_a_call / 2);
    {
        claim_call const call(machine, 1, 0);
    }
    BOOST_TEST(machine.bytes_a_call() == intake_machine::most_bytes_a_call / 2);
}

BOOST_AUTO_TEST_CASE(who_is_careful_asks_with_one_call_at_a_time_and_not_with_the_end_of_a_job) {
    be_hungry();
    machine.begun("a");
    lose(machine, false);
    BOOST_TEST(!machine.is_careful());
    BOOST_TEST(machine.claims_at_end_of("a") == 2u);
    lose(machine, false);
    BOOST_TEST(machine.is_careful());
    BOOST_TEST(machine.claims_at_end_of("a") == 0u);
    in(state::hungry, step::take, 1);
    machine.set_limit(9);
    {
        claim_call call(machine, 1, 0);
        in(state::full, step::rest);
        call.was_answered();
    }
    in(state::hungry, step::take, 8);
}

BOOST_AUTO_TEST_CASE(what_works_for_a_while_is_doubled) {
    be_hungry();
    for (int i = 0; i < 3; ++i)
        lose(machine, false);
    auto const most = intake_machine::most_bytes_a_call;
    BOOST_TEST(machine.bytes_a_call() == most / 8);
    BOOST_TEST(machine.looked(2, 2, 2, true, now));
    now += intake_machine::trial - 1ms;
    BOOST_TEST(machine.looked(2, 2, 2, true, now));
    BOOST_TEST(machine.bytes_a_call() == most / 8);
    now += 1ms;
    BOOST_TEST(machine.looked(2, 2, 2, true, now));
    BOOST_TEST(machine.bytes_a_call() == most / 4);
    lose(machine, true);  // the time begins anew
    now += intake_machine::trial;
    BOOST_TEST(machine.looked(2, 2, 2, true, now));
    BOOST_TEST(machine.bytes_a_call() == most / 8);
    for (int i = 0; i < 9; ++i) {
        now += intake_machine::trial;
        BOOST_TEST(machine.looked(2, 2, 2, true, now));
    }
    BOOST_TEST(machine.bytes_a_call() == most);
}

BOOST_AUTO_TEST_CASE(single_jobs_that_are_lost_alone_again_and_again_are_refused) {
    be_hungry();
    while (machine.bytes_a_call() > 1)
        lose(machine, true);
    auto const refuses_after = [&](std::initializer_list<bool> losses) {
        for (bool const alone : losses)
            lose(machine, alone);
        machine.doubt();
        bool const refuses = machine.next().refuse;
        BOOST_TEST(int(machine.next().what) == int(step::reconcile));
        machine.reconciled(machine.doubts());
        return refuses;
    };
    BOOST_TEST(!refuses_after({true, true, false, false}));
    {
        claim_call call(machine, 1, 0);
        call.was_answered();
    }
    BOOST_TEST(!refuses_after({true, true}));
    {
        claim_call call(machine, 1, 0);
        call.was_not_sent();  // says nothing
    }
    in(state::hungry, step::take, 2);
    BOOST_TEST(refuses_after({true}));
    machine.refused();
    BOOST_TEST(!refuses_after({true, true}));
}

BOOST_AUTO_TEST_SUITE_END()

// Error outcomes: by ticket, so that a new push of the job runs anew.
#include "store_fixture.hpp"

#include <boost/test/unit_test.hpp>

using namespace engram;
using namespace engram::store::test;
using engram::store::conversation;

namespace {

struct fixture {
    temporary_folder folder;
    std::string path = folder.file("engram.db");
    opened_store db{options_for(path)};
    conversation of{"ada", "s1"};

    std::optional<store::recorded_outcome> recorded(store::job_key const& key) {
        auto query = query_of(of);
        query.job = key;
        return db.get(db->load_context(query)).recorded;
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(store_failure, fixture)

BOOST_AUTO_TEST_CASE(a_redelivery_of_the_ticket_gets_the_recorded_error) {
    auto const told = db.get(db->record_failure(failure_of(job("j1", "t1"), "no")));
    BOOST_TEST(!told.ok);
    BOOST_TEST(told.reply == "no");
    BOOST_TEST(told.error_type == "claude_rejected");
    auto const seen = recorded(job("j1", "t1"));
    BOOST_REQUIRE(seen.has_value());
    BOOST_TEST(!seen->ok);
    BOOST_TEST(seen->same_body);
    BOOST_TEST(seen->reply == "no");
    BOOST_TEST(seen->error_type == "claude_rejected");
    BOOST_TEST(seen->error_message == "because of no");
    auto const late = db.get(db->commit_exchange(exchange_of(of, job("j1", "t1"))));
    BOOST_TEST(!late.committed);
    BOOST_TEST(!late.outcome.ok);
    BOOST_TEST(late.outcome.reply == "no");
    BOOST_TEST(late.outcome.error_message == "because of no");
    BOOST_TEST(late.window_turns == 0u);
    BOOST_TEST(number(path, "SELECT count(*) FROM conversation_history") == 0);
}

BOOST_AUTO_TEST_CASE(a_repeat_after_an_error_runs_anew) {
    db.get(db->record_failure(failure_of(job("j1", "t1"), "no")));
    BOOST_TEST(!recorded(job("j1", "t2")).has_value());
    auto const done = db.get(db->commit_exchange(exchange_of(of, job("j1", "t2"))));
    BOOST_TEST(done.committed);
    // From now on every delivery of the job, even of the ticket that failed, has the ok outcome.
    BOOST_TEST(recorded(job("j1", "t1"))->ok);
    BOOST_TEST(recorded(job("j1", "t3"))->ok);
}

BOOST_AUTO_TEST_CASE(a_redelivery_gets_its_error_though_another_job_of_the_id_succeeded_meanwhile) {
    db.get(db->record_failure(failure_of(job("j1", "t1"), "no")));
    auto other = job("j1", "t2");
    other.body_digest = "of other bytes";
    BOOST_TEST(db.get(db->commit_exchange(exchange_of(of, other))).committed);
    auto const seen = recorded(job("j1", "t1"));
    BOOST_REQUIRE(seen.has_value());
    BOOST_TEST(!seen->ok);
    BOOST_TEST(seen->reply == "no");
    // A new push of it meets the other job.
    BOOST_TEST(!recorded(job("j1", "t3"))->same_body);
}

BOOST_AUTO_TEST_CASE(a_failure_after_success_gets_the_success) {
    db.get(db->commit_exchange(exchange_of(of, job("j1", "t1"))));
    auto const told = db.get(db->record_failure(failure_of(job("j1", "t1"), "no")));
    BOOST_TEST(told.ok);
    BOOST_TEST(told.reply == "reply j1");
    BOOST_TEST(number(path, "SELECT count(*) FROM engram_failed_delivery") == 0);
}

BOOST_AUTO_TEST_CASE(the_first_error_of_a_ticket_stays) {
    db.get(db->record_failure(failure_of(job("j1", "t1"), "first")));
    BOOST_TEST(db.get(db->record_failure(failure_of(job("j1", "t1"), "second"))).reply == "first");
    BOOST_TEST(recorded(job("j1", "t1"))->reply == "first");
}

BOOST_AUTO_TEST_CASE(a_conflict_of_ids_is_recorded_beside_the_success) {
    db.get(db->commit_exchange(exchange_of(of, job("j1", "t1", "one"))));
    auto const told = db.get(db->record_failure(failure_of(job("j1", "t2", "two"), "conflict")));
    BOOST_TEST(!told.ok);
    BOOST_TEST(told.reply == "conflict");
    BOOST_TEST(db.get(db->record_failure(failure_of(job("j1", "t2", "two"), "other"))).reply == "conflict");
    BOOST_TEST(recorded(job("j1", "t1", "one"))->same_body);
}

BOOST_AUTO_TEST_CASE(a_ticket_given_out_twice_is_not_mistaken_for_the_first) {
    db.get(db->record_failure(failure_of(job("j1", "1"), "old")));
    BOOST_TEST(!recorded(job("j2", "1")).has_value());
    BOOST_TEST(db.get(db->record_failure(failure_of(job("j2", "1"), "new"))).reply == "new");
    BOOST_TEST(recorded(job("j2", "1"))->reply == "new");
}

BOOST_AUTO_TEST_CASE(outcomes_are_forgotten_by_age_and_never_more_than_asked_for) {
    for (int i = 0; i < 10; ++i) {
        auto what = exchange_of(of, job("ok" + std::to_string(i)));
        what.at = at(i);
        db.get(db->commit_exchange(what));
        auto failed = failure_of(job("bad" + std::to_string(i), "t" + std::to_string(i)), "no");
        failed.at = at(i);
        db.get(db->record_failure(failed));
    }
    BOOST_TEST(db.get(db->expire_outcomes(at(5), 3)) == 3u);
    BOOST_TEST(db.get(db->expire_outcomes(at(5), 4)) == 4u);
    BOOST_TEST(db.get(db->expire_outcomes(at(5), 100)) == 3u);
    BOOST_TEST(db.get(db->expire_outcomes(at(5), 100)) == 0u);
    BOOST_TEST(!recorded(job("ok4", "x")).has_value());
    BOOST_TEST(recorded(job("ok5", "x")).has_value());
    BOOST_TEST(!recorded(job("bad4", "t4")).has_value());
    BOOST_TEST(recorded(job("bad5", "t5")).has_value());
    BOOST_TEST(number(path, "SELECT count(*) FROM conversation_history") == 20);
}

BOOST_AUTO_TEST_SUITE_END()

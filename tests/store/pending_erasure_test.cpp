// What an erasure has left to do outside of the store is on record until it is done.
#include "store_fixture.hpp"

#include <boost/test/unit_test.hpp>

using namespace engram;
using namespace engram::store::test;
using engram::store::conversation;
using engram::store::erasure_state;
using kind = engram::store::pending_erasure::kind;

namespace {

struct fixture {
    temporary_folder folder;
    std::string path = folder.file("engram.db");
    opened_store db{options_for(path)};
    conversation of{"ada", "s1"};

    store::erased tell_and_delete() {
        db.get(db->commit_exchange(exchange_of(of, job("j1"), {{"fact", "likes green tea"}})));
        return *db.get(db->delete_memory(of.user_id, 1, at()));
    }
    auto claim(std::int64_t second) { return db.get(db->claim_erasure(at(second), at(second + 300))); }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(store_pending_erasure, fixture)

BOOST_AUTO_TEST_CASE(a_repeat_before_it_is_finished_tells_the_same) {
    auto const gone = tell_and_delete();
    BOOST_TEST(gone.pending != 0);
    auto const again = db.get(db->delete_memory(of.user_id, 1, at(5)));
    BOOST_REQUIRE(again.has_value());
    BOOST_TEST(again->pending == gone.pending);
    BOOST_TEST(again->reply_keys == gone.reply_keys, boost::test_tools::per_element());
    BOOST_TEST(again->job_ids == gone.job_ids, boost::test_tools::per_element());
    BOOST_TEST(again->counts.memories == 1u);
    BOOST_TEST(again->counts.turns == 2u);
    BOOST_TEST(again->counts.replies == 1u);
    BOOST_TEST(!db.get(db->delete_memory("eve", 1, at(5))).has_value());
    db.get(db->settle_erasure(gone.pending, erasure_state::cleaned, at(30)));
    BOOST_TEST(!db.get(db->delete_memory(of.user_id, 1, at(6))).has_value());
}

BOOST_AUTO_TEST_CASE(the_same_of_a_session) {
    fill(db, of, 4);
    auto const gone = db.get(db->delete_session(of, true, at()));
    auto const again = db.get(db->delete_session(of, true, at(1)));
    BOOST_REQUIRE(again.has_value());
    BOOST_TEST(again->pending == gone->pending);
    BOOST_TEST(again->counts.sessions == 1u);
    BOOST_TEST(again->reply_keys.size() == 2u);
    db.get(db->settle_erasure(gone->pending, erasure_state::done, at(1)));
    BOOST_TEST(!db.get(db->delete_session(of, true, at(1))).has_value());
}

BOOST_AUTO_TEST_CASE(one_that_named_no_reply_leaves_nothing_to_do) {
    auto const id = db.get(db->add_memory(of.user_id, {"fact", "likes green tea"}, at())).now.what.id;
    BOOST_TEST(db.get(db->delete_memory(of.user_id, id, at()))->pending == 0);
    BOOST_TEST(!claim(1000).has_value());
}

BOOST_AUTO_TEST_CASE(it_is_taken_by_one_at_a_time_until_it_is_done) {
    auto const gone = tell_and_delete();
    BOOST_TEST(!claim(59).has_value());
    auto taken = claim(60);
    BOOST_REQUIRE(taken.has_value());
    BOOST_TEST(taken->id == gone.pending);
    BOOST_TEST((taken->what == kind::memory));
    BOOST_TEST(taken->user_id == "ada");
    BOOST_TEST(taken->reply_keys == std::vector<std::string>{"reply:j1"}, boost::test_tools::per_element());
    BOOST_TEST(taken->job_ids == std::vector<std::string>{"j1"}, boost::test_tools::per_element());
    BOOST_TEST(!taken->cleaned);
    BOOST_TEST(taken->tries == 0u);
    BOOST_TEST(!claim(61).has_value());
    db.get(db->settle_erasure(taken->id, erasure_state::open, at(70)));
    BOOST_TEST(!claim(69).has_value());
    taken = claim(70);
    BOOST_TEST(taken.value().tries == 1u);
    db.get(db->settle_erasure(taken->id, erasure_state::cleaned, at(100)));
    BOOST_TEST(!claim(99).has_value());
    taken = claim(100);
    BOOST_TEST(taken.value().cleaned);
    db.get(db->settle_erasure(taken->id, erasure_state::done, at(100)));
    BOOST_TEST(!claim(100'000).has_value());
    BOOST_TEST(number(path, "SELECT count(*) FROM engram_erasure_trace") == 0);
}

BOOST_AUTO_TEST_CASE(a_clock_that_was_set_back_does_not_put_it_off) {
    tell_and_delete();
    BOOST_TEST(claim(-86'400).has_value());
}

BOOST_AUTO_TEST_CASE(the_last_forgetting_of_a_user_takes_what_is_pending_along) {
    tell_and_delete();
    db.get(db->forget_user(of.user_id, store::finished_jobs::remove, at()));
    BOOST_TEST(!claim(1000).has_value());
    BOOST_TEST(number(path, "SELECT count(*) FROM engram_erasure_trace") == 0);
}

BOOST_AUTO_TEST_SUITE_END()

// Another process brings the database to a newer schema while a store is open on it.
#include "store/sqlite/migrations.hpp"
#include "store_fixture.hpp"

#include <boost/test/unit_test.hpp>

#include <future>

using namespace engram;
using namespace engram::store::test;
using engram::store::conversation;
using engram::store::error_kind;

namespace {

constexpr auto newer = store::schema_version + 1;

struct fixture {
    temporary_folder folder;
    std::string path = folder.file("engram.db");
    opened_store db{options_for(path)};
    conversation of{"ada", "s1"};

    void migrate() const {
        look_at(path).execute(
            "BEGIN IMMEDIATE; ALTER TABLE conversation_history ADD COLUMN mood TEXT; "
            "PRAGMA user_version = " +
            std::to_string(newer) + "; COMMIT");
    }
    void check_refused(store::error const& why) const {
        BOOST_TEST((why.kind == error_kind::unavailable));
        BOOST_TEST(why.message.find("schema version " + std::to_string(newer)) != std::string::npos,
                   why.message);
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(store_schema_moved, fixture)

BOOST_AUTO_TEST_CASE(a_batch_after_a_migration_of_another_process_is_not_written) {
    BOOST_TEST(db.get(db->commit_exchange(exchange_of(of, job("before")))).committed);
    BOOST_TEST(db.get(db->look()).moved_on == "");
    migrate();
    check_refused(db.fail(db->commit_exchange(exchange_of(of, job("after")))));
    check_refused(db.fail(db->record_failure(failure_of(job("failed"), "no"))));
    check_refused(db.fail(db->add_memory("ada", {"fact", "likes tea"}, at())));
    check_refused(db.fail(db->forget_user("ada", store::finished_jobs::remove, at())));
    BOOST_TEST(number(path, "SELECT count(*) FROM conversation_history") == 2);
    BOOST_TEST(number(path, "SELECT count(*) FROM long_term_memory") == 0);
    BOOST_TEST(db.get(db->look()).moved_on == store::moved_on(newer));
    BOOST_TEST(db.get(db->look()).lost == "");
}

BOOST_AUTO_TEST_CASE(a_batch_that_waited_for_the_migration_is_not_written_either) {
    db.get(db->commit_exchange(exchange_of(of, job("before"))));
    auto other = look_at(path);
    other.execute("BEGIN IMMEDIATE; PRAGMA user_version = " + std::to_string(newer));
    // The writer waits for the lock, or will find the version: either way it comes after the migration.
    auto waiting = boost::asio::co_spawn(db.loop(), db->commit_exchange(exchange_of(of, job("after"))),
                                         boost::asio::use_future);
    db.loop().restart();
    db.loop().poll();
    other.execute("COMMIT");
    db.loop().run();
    auto const outcome = waiting.get();
    BOOST_REQUIRE(outcome.has_error());
    check_refused(outcome.error());
    BOOST_TEST(number(path, "SELECT count(*) FROM conversation_history") == 2);
}

BOOST_AUTO_TEST_CASE(what_is_read_goes_on) {
    db.get(db->commit_exchange(exchange_of(of, job("before"))));
    migrate();
    BOOST_TEST(db.get(db->load_context(query_of(of))).turns.size() == 2u);
}

BOOST_AUTO_TEST_CASE(a_change_of_the_schema_without_a_newer_version_stops_nobody) {
    db.get(db->commit_exchange(exchange_of(of, job("before"))));
    look_at(path).execute(
        "CREATE TABLE notes_of_mine(x); CREATE VIEW mine AS SELECT * FROM conversation_history");
    BOOST_TEST(db.get(db->commit_exchange(exchange_of(of, job("after")))).committed);
    BOOST_TEST(db.get(db->look()).moved_on == "");
}

BOOST_AUTO_TEST_SUITE_END()

// A user is forgotten in pieces: others write in between, and whoever ends in between leaves it to be
// finished.
#include "raw_files.hpp"
#include "store/sqlite/writer.hpp"
#include "store_fixture.hpp"

#include <boost/asio/detached.hpp>
#include <boost/test/unit_test.hpp>

using namespace engram;
using namespace engram::store::test;
using namespace std::chrono_literals;
using engram::store::conversation;
using store::finished_jobs;
using staleness = engram::store::commit_outcome::staleness;
using kind = engram::store::pending_erasure::kind;

namespace {

struct fixture {
    temporary_folder folder;
    std::string path = folder.file("engram.db");
    opened_store db{options_for(path)};
    conversation of{"adaqq", "s1"};

    void write_much() {
        fill(db, of, 8);
        look_at(path).execute(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000) "
            "INSERT INTO conversation_history(user_id, session_id, role, content, created_at, job_id) "
            "SELECT 'adaqq', 's1', 'user', 'wordqq ' || i, '', '' FROM n;"
            "INSERT INTO long_term_memory(user_id, memory_type, content, label) "
            "SELECT 'adaqq', 'fact', 'wordqq ' || id, id FROM conversation_history LIMIT 700;"
            "INSERT INTO engram_finished_job(job_id, user_id, body_digest, reply, finished_at, reply_to) "
            "SELECT 'f' || id, 'adaqq', x'', 'replyqq', 0, 'key' || (id % 3) FROM conversation_history "
            "LIMIT 1200");
    }

    // One piece, by a process that then ends.
    void forget_a_piece(std::size_t rows) {
        auto raw = look_at(path);
        raw.execute("PRAGMA secure_delete = ON");
        store::write_queries queries(raw, &words());
        raw.execute("BEGIN IMMEDIATE");
        auto const from = store::forgetting_queries::from_the_start;
        BOOST_REQUIRE(
            !queries.forgetting.forget_some({of.user_id, finished_jobs::keep, at(), at()}, from, rows).done);
        raw.execute("COMMIT");
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(store_forgetting, fixture)

BOOST_AUTO_TEST_CASE(everything_is_counted_once_and_gone) {
    write_much();
    auto const gone = db.get(db->forget_user(of.user_id, finished_jobs::remove, at()));
    BOOST_TEST(gone.counts.turns == 3008u);
    BOOST_TEST(gone.counts.memories == 700u);
    BOOST_TEST(gone.counts.replies == 1204u);
    BOOST_TEST(gone.counts.sessions == 1u);
    BOOST_TEST(gone.counts.index_entries == 4u);
    BOOST_TEST(gone.job_ids.size() == 1204u);
    BOOST_TEST(gone.reply_keys.size() == 7u);
    BOOST_TEST(gone.pending == 0);
    for (std::string const word : {"wordqq", "replyqq", "adaqq"})
        BOOST_TEST(!stands_in_files(path, word), word);
}

BOOST_AUTO_TEST_CASE(another_user_is_served_in_between) {
    write_much();
    std::vector<std::string> ended;
    auto const forget = [](fixture& all, std::vector<std::string>& order) -> boost::asio::awaitable<void> {
        auto const gone = co_await all.db->forget_user(all.of.user_id, finished_jobs::remove, at());
        BOOST_TEST(gone.has_value());
        order.emplace_back("forgotten");
    };
    auto const talk = [](fixture& all, std::vector<std::string>& order) -> boost::asio::awaitable<void> {
        auto const done = co_await all.db->commit_exchange(exchange_of({"bob", "s"}, job("bob")));
        BOOST_TEST(done.has_value());
        order.emplace_back("answered");
    };
    boost::asio::co_spawn(db.loop(), forget(*this, ended), boost::asio::detached);
    boost::asio::co_spawn(db.loop(), talk(*this, ended), boost::asio::detached);
    db.loop().restart();
    db.loop().run();
    BOOST_TEST(ended == (std::vector<std::string>{"answered", "forgotten"}),
               boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(from_the_first_piece_on_nothing_of_before_is_written) {
    write_much();
    auto late = exchange_of(of, job("late"));
    late.seen = db.get(db->load_context(query_of(of))).seen;
    forget_a_piece(100);
    BOOST_TEST((db.get(db->commit_exchange(late)).stale == staleness::forget));
    // What is read and written in between goes with the rest, what is only read is not written after it.
    late.seen = db.get(db->load_context(query_of(of))).seen;
    BOOST_TEST(db.get(db->commit_exchange(late)).committed);
    auto later = exchange_of(of, job("later"));
    later.seen = db.get(db->load_context(query_of(of))).seen;
    db.get(db->forget_user(of.user_id, finished_jobs::remove, at()));
    BOOST_TEST((db.get(db->commit_exchange(later)).stale == staleness::forget));
    BOOST_TEST(!stands_in_files(path, "adaqq"));
}

BOOST_AUTO_TEST_CASE(one_that_ended_in_between_is_pending_until_it_is_finished) {
    write_much();
    forget_a_piece(100);
    BOOST_TEST(!db.get(db->claim_erasure(at(), at(60))).has_value());
    auto const left = db.get(db->claim_erasure(at(61), at(300)));
    BOOST_REQUIRE(left.has_value());
    BOOST_TEST((left->what == kind::user));
    BOOST_TEST(left->user_id == of.user_id);
    BOOST_TEST(!db.get(db->claim_erasure(at(61), at(300))).has_value());
    auto const kept = db.get(db->forget_user(of.user_id, finished_jobs::keep, at(62)));
    BOOST_TEST(kept.pending == left->id);
    BOOST_TEST(kept.job_ids.size() == 1204u);
    BOOST_TEST(number(path, "SELECT count(*) FROM engram_erasure") == 1);
    db.get(db->forget_user(of.user_id, finished_jobs::remove, at(63)));
    BOOST_TEST(number(path, "SELECT count(*) FROM engram_erasure") == 0);
    BOOST_TEST(!stands_in_files(path, "adaqq"));
}

BOOST_AUTO_TEST_SUITE_END()

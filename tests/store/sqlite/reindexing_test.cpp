// The index is made in slices: an end in between loses one of them, and several processes may share the work.
#include "store/sqlite/reindexing.hpp"

#include "store/sqlite/opening.hpp"
#include "store_fixture.hpp"

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <thread>

using namespace engram;
using namespace engram::store::test;

namespace {

constexpr int turns = 9'000, memories = 2'500;

// Counts the texts that are analysed.
class counting_index final : public word_index {
public:
    using word_index::word_index;
    [[nodiscard]] std::string entry(std::string_view text, store::text_kind kind) const override {
        ++texts;
        return word_index::entry(text, kind);
    }

    mutable std::atomic<int> texts{0};
};

struct ends_after : store::opening_watch {
    explicit ends_after(int questions) : left(questions) {}
    bool go_on(store::opening_progress const& now) override {
        seen = now;
        return --left > 0;
    }
    int left;
    store::opening_progress seen;
};

struct fixture {
    temporary_folder folder;
    std::string path = folder.file("engram.db");
    boost::asio::io_context loop;

    fixture() {
        opened_store first(options_for(path));
        look_at(path).execute(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < " +
            std::to_string(turns) +
            ") INSERT INTO conversation_history(user_id, session_id, role, content, created_at, job_id) "
            "SELECT 'user' || (i % 7), 's', 'user', 'words of turn ' || i, '2024-01-01 00:00:00.000', '' "
            "FROM n;"
            "INSERT INTO long_term_memory(user_id, memory_type, content, created_at) "
            "SELECT user_id, 'fact', content, created_at FROM conversation_history LIMIT " +
            std::to_string(memories) +
            "; UPDATE engram_state SET value = 1000000 WHERE name LIKE 'taken_over_%'");
    }

    // Until the watch ends it. Returns whether it was ended.
    bool open(store::text_index const& texts, store::opening_watch& watch) {
        try {
            auto const opened = store::open_sqlite(options_for(path), loop.get_executor(), &texts, watch);
            return false;
        } catch (store::open_stopped const&) {
            return true;
        }
    }
    void check_whole() {
        BOOST_TEST(number(path, "SELECT count(*) FROM conversation_history WHERE item IS NULL") == 0);
        BOOST_TEST(number(path,
                          "SELECT count(*) FROM long_term_memory WHERE item IS NULL OR label IS NULL "
                          "OR fingerprint IS NULL OR last_seen IS NULL") == 0);
        BOOST_TEST(number(path, "SELECT sum(next_item) FROM engram_user") == turns + memories);
        BOOST_TEST(
            number(path, "SELECT count(*) FROM (SELECT DISTINCT user_id, label FROM long_term_memory)") ==
            memories);
        BOOST_TEST(number(path, "SELECT count(*) FROM engram_state WHERE name LIKE 'reindex%'") == 0);
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(store_reindexing, fixture)

BOOST_AUTO_TEST_CASE(an_interrupted_reindexing_carries_on_from_where_it_was) {
    counting_index const second(2);
    int interruptions = 0;
    for (int questions = 2;; ++questions) {
        ends_after watch(questions);
        if (!open(second, watch)) break;
        ++interruptions;
        BOOST_REQUIRE(interruptions < 100);
    }
    BOOST_TEST(interruptions > 1);
    check_whole();
    // Every interruption may cost the slice that was under way.
    BOOST_TEST(second.texts >= turns + memories);
    BOOST_TEST(second.texts <= turns + memories + interruptions * 1'000);
}

BOOST_AUTO_TEST_CASE(another_version_does_not_carry_on_but_begins_anew) {
    counting_index const second(2), third(3);
    ends_after soon(4);
    BOOST_REQUIRE(open(second, soon));
    ends_after never(1'000'000);
    BOOST_REQUIRE(!open(third, never));
    BOOST_TEST(third.texts == turns + memories);
    check_whole();
    BOOST_TEST(number(path, "SELECT value FROM engram_state WHERE name = 'index_version'") == 3);
}

BOOST_AUTO_TEST_CASE(two_processes_share_the_work) {
    counting_index const second(2);
    std::atomic<int> failed{0};
    auto const work = [&] {
        try {
            auto with = options_for(path);
            ends_after never(1'000'000);
            boost::asio::io_context own;
            auto const opened = store::open_sqlite(with, own.get_executor(), &second, never);
        } catch (std::exception const&) {
            ++failed;
        }
    };
    std::thread other(work);
    work();
    other.join();
    BOOST_TEST(failed == 0);
    BOOST_TEST(second.texts == turns + memories);
    check_whole();
}

BOOST_AUTO_TEST_CASE(progress_is_told_in_texts) {
    counting_index const second(2);
    ends_after watch(6);
    BOOST_REQUIRE(open(second, watch));
    BOOST_TEST(watch.seen.all == std::size_t{turns + memories});
    BOOST_TEST(watch.seen.done <= watch.seen.all);
}

BOOST_AUTO_TEST_CASE(a_migration_that_another_process_does_is_waited_for_and_can_be_ended) {
    look_at(path).execute("PRAGMA user_version = 0; PRAGMA application_id = 0");
    auto other = look_at(path);
    other.execute("BEGIN IMMEDIATE");
    counting_index const first(1);
    ends_after watch(5);
    BOOST_TEST(open(first, watch));
}

BOOST_AUTO_TEST_SUITE_END()

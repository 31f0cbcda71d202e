// Several stores, in this process and in others, on one file.
#include "actor.hpp"
#include "raw_files.hpp"
#include "store_fixture.hpp"

#include <boost/test/unit_test.hpp>

#include <fstream>
#include <thread>

using namespace engram;
using namespace engram::store::test;
using namespace std::chrono_literals;
using engram::store::conversation;

namespace {

struct fixture {
    temporary_folder folder;
    std::string path = folder.file("engram.db");
};

int count_of(std::vector<std::string> const& lines, std::string const& start) {
    int n = 0;
    for (auto const& line : lines)
        n += line.substr(0, start.size()) == start ? 1 : 0;
    return n;
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(store_sharing, fixture)

BOOST_AUTO_TEST_CASE(the_same_jobs_in_several_processes_are_done_once) {
    constexpr int processes = 4;
    constexpr int jobs = 100;
    std::vector<std::unique_ptr<actor>> all;
    for (int p = 0; p < processes; ++p) {
        all.push_back(std::make_unique<actor>(
            std::vector<std::string>{"commit", path, "ada", "s1", "j", std::to_string(jobs)}));
    }
    int done = 0;
    int again = 0;
    for (auto& one : all) {
        auto const lines = one->lines();
        done += count_of(lines, "done ");
        again += count_of(lines, "again ");
        BOOST_TEST(count_of(lines, "error ") == 0);
        BOOST_TEST(one->wait() == 0);
    }
    BOOST_TEST(done == jobs);
    BOOST_TEST(again == (processes - 1) * jobs);
    BOOST_TEST(number(path, "SELECT count(*) FROM conversation_history") == 2 * jobs);
    BOOST_TEST(number(path, "SELECT window_turns FROM engram_session") == 2 * jobs);
}

BOOST_AUTO_TEST_CASE(several_processes_that_start_at_once_take_a_database_over_once) {
    for (int round = 0; round < 5; ++round) {
        std::ofstream(path).close();
        look_at(path).execute(
            "CREATE TABLE long_term_memory(id TEXT, user_id TEXT, content TEXT);"
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000) "
            "INSERT INTO long_term_memory SELECT 'x' || i, 'u', i FROM n");
        std::vector<std::unique_ptr<actor>> all;
        for (int p = 0; p < 4; ++p)
            all.push_back(std::make_unique<actor>(std::vector<std::string>{"open", path}));
        for (auto& one : all) {
            auto const said = one->line();
            BOOST_TEST(said == "open", said);
            BOOST_TEST(one->wait() == 0);
        }
        auto db = look_at(path);
        BOOST_TEST(db.query_integer("SELECT count(*) FROM long_term_memory WHERE legacy_id = 'x' || id") ==
                   5000);
        BOOST_TEST(db.query_integer("SELECT count(*) FROM pragma_table_info('long_term_memory')") == 19);
        for (auto const* suffix : {"", "-wal", "-shm"})
            std::filesystem::remove(path + suffix);
    }
}

BOOST_AUTO_TEST_CASE(several_processes_that_make_a_database_at_once_agree) {
    for (int round = 0; round < 5; ++round) {
        std::vector<std::unique_ptr<actor>> all;
        for (int p = 0; p < 4; ++p)
            all.push_back(std::make_unique<actor>(std::vector<std::string>{"open", path}));
        for (auto& one : all) {
            auto const said = one->line();
            BOOST_TEST(said == "open", said);
        }
        all.clear();
        for (auto const* suffix : {"", "-wal", "-shm"})
            std::filesystem::remove(path + suffix);
    }
}

BOOST_AUTO_TEST_CASE(one_of_several_processes_gets_the_summary) {
    {
        opened_store db(options_for(path));
        fill(db, {"ada", "s1"}, 30);
    }
    std::vector<std::unique_ptr<actor>> all;
    for (int p = 0; p < 4; ++p) {
        all.push_back(std::make_unique<actor>(
            std::vector<std::string>{"summarize", path, "ada", "s1", "owner" + std::to_string(p)}));
    }
    int committed = 0;
    for (auto& one : all) {
        auto const lines = one->lines();
        committed += count_of(lines, "committed 24");
        BOOST_TEST(count_of(lines, "error ") == 0);
    }
    BOOST_TEST(committed == 1);
    BOOST_TEST(number(path, "SELECT count(*) FROM long_term_memory") == 1);
    BOOST_TEST(number(path, "SELECT window_turns FROM engram_session") == 6);
}

BOOST_AUTO_TEST_CASE(what_one_store_has_confirmed_the_other_reads) {
    opened_store first(options_for(path));
    opened_store second(options_for(path));
    conversation const of{"ada", "s1"};
    for (int i = 0; i < 200; ++i) {
        auto& writes = i % 2 == 0 ? first : second;
        auto& reads = i % 2 == 0 ? second : first;
        writes.get(writes->commit_exchange(
            exchange_of(of, job("j" + std::to_string(i)), {{"fact", std::to_string(i)}})));
        auto const seen = reads.get(reads->load_context(query_of(of)));
        BOOST_REQUIRE(by_age(seen.memories).back().content == std::to_string(i));
        BOOST_REQUIRE(seen.turns.back().content == "answer j" + std::to_string(i));
    }
}

BOOST_AUTO_TEST_CASE(a_database_that_another_holds_makes_jobs_wait_and_then_fail_for_now) {
    auto with = options_for(path);
    with.busy_timeout = 30ms;
    opened_store db(with);
    conversation const of{"ada", "s1"};
    db.get(db->commit_exchange(exchange_of(of, job("j1"))));
    auto other = look_at(path);
    other.execute("BEGIN IMMEDIATE");
    BOOST_TEST(
        (db.fail(db->commit_exchange(exchange_of(of, job("j2")))).kind == store::error_kind::unavailable));
    BOOST_TEST(db.get(db->load_context(query_of(of))).turns.size() == 2u);
    other.execute("ROLLBACK");
    BOOST_TEST(db.get(db->commit_exchange(exchange_of(of, job("j2")))).committed);
}

BOOST_AUTO_TEST_CASE(a_reader_elsewhere_delays_the_cleaning_of_the_log_and_hardly_anything_else) {
    opened_store db(options_for(path));
    conversation const of{"ada", "s1"};
    auto what = exchange_of(of, job("j1"), {{"fact", "secretqq"}});
    db.get(db->commit_exchange(what));
    actor reader({"hold", path});
    BOOST_REQUIRE(reader.line() == "held");
    auto const begun = std::chrono::steady_clock::now();
    db.get(db->delete_memory("ada", 1, at()));
    for (int i = 0; i < 20; ++i) {
        auto next = exchange_of(of, job("next" + std::to_string(i)));
        next.seen = {.deletions = 1, .forgets = 0};
        BOOST_REQUIRE(db.get(db->commit_exchange(next)).committed);
    }
    // Far below the time that a lock is waited for, 10 s, which each of these would otherwise take.
    BOOST_TEST((std::chrono::steady_clock::now() - begun < 6s));
    BOOST_TEST(stands_in_files(path, "secretqq"));
    BOOST_TEST(db.get(db->load_context(query_of(of))).memories.empty());
    reader.kill();
    // Cleaning is tried again after later writes, with pauses.
    auto const until = std::chrono::steady_clock::now() + 20s;
    for (int i = 0; stands_in_files(path, "secretqq") && std::chrono::steady_clock::now() < until; ++i) {
        auto later = exchange_of(of, job("later" + std::to_string(i)));
        later.seen = {.deletions = 1, .forgets = 0};
        db.get(db->commit_exchange(later));
    }
    BOOST_TEST(!stands_in_files(path, "secretqq"));
}

BOOST_AUTO_TEST_CASE(what_a_process_erased_before_it_died_is_cleaned_by_the_next_one) {
    opened_store other(options_for(path));  // so that this one does not remove the log
    conversation const of{"ada", "s1"};
    {
        opened_store db(options_for(path));
        db.get(db->commit_exchange(exchange_of(of, job("j1"), {{"fact", "secretqq"}})));
        auto raw = look_at(path);  // deletes, and is gone before it can clean the log
        raw.execute("PRAGMA secure_delete = ON; DELETE FROM long_term_memory; DELETE FROM engram_recall");
        BOOST_TEST(stands_in_files(path, "secretqq"));
    }
    opened_store next(options_for(path));
    next.get(next->commit_exchange(exchange_of(of, job("j2"))));
    BOOST_TEST(!stands_in_files(path, "secretqq"));
}

BOOST_AUTO_TEST_CASE(a_context_is_of_one_moment_while_summaries_are_committed) {
    opened_store writes(options_for(path));
    conversation const of{"ada", "s1"};
    fill(writes, of, 20);
    std::atomic<bool> stop{false};
    std::atomic<int> torn{0};
    std::atomic<int> loads{0};
    std::thread reading([&] {
        opened_store reads(options_for(path));
        std::size_t most = 0;
        while (!stop) {
            auto query = query_of(of);
            query.history_turns = 1000;
            query.memory_limit = 1000;
            auto const seen = reads.get(reads->load_context(query));
            // Each summary says how many turns it covers; with those in the window they are all, and all only
            // become more.
            std::size_t in_all = seen.turns.size();
            for (auto const& one : seen.memories)
                in_all += std::stoul(one.content);
            if (in_all < most || in_all % 2 != 0) ++torn;
            most = std::max(most, in_all);
            ++loads;
        }
    });
    for (int i = 0; i < 200; ++i) {
        auto const claimed = writes.get(writes->claim_summary({of, 20, 6, "me", 60s, at(i * 100)}));
        BOOST_REQUIRE(claimed.has_value());
        auto const text = std::to_string(claimed->turns.size());
        BOOST_REQUIRE(writes.get(writes->commit_summary(*claimed, text, false, at())));
        fill(writes, of, 14, "round" + std::to_string(i));
    }
    while (loads < 3)
        std::this_thread::yield();
    stop = true;
    reading.join();
    BOOST_TEST(torn == 0);
}

BOOST_AUTO_TEST_SUITE_END()

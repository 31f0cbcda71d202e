// The process dies at any moment: what was confirmed is there, and nothing is there by half.
#include "actor.hpp"
#include "store/sqlite/migrations.hpp"
#include "store_fixture.hpp"

#include <boost/test/unit_test.hpp>

#include <fstream>
#include <thread>

using namespace engram;
using namespace engram::store::test;

namespace {

struct fixture {
    temporary_folder folder;
    std::string path = folder.file("engram.db");
};

void make_legacy(std::string const& path, int rows) {
    std::ofstream(path).close();
    auto db = look_at(path);
    db.execute(
        "CREATE TABLE long_term_memory(id INTEGER PRIMARY KEY, user_id TEXT, memory_type TEXT, content TEXT, "
        "created_at TEXT, updated_at TEXT);"
        "CREATE TABLE conversation_history(id INTEGER PRIMARY KEY, session_id TEXT, user_id TEXT, role TEXT, "
        "content TEXT, created_at TEXT)");
    auto const numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < " +
                         std::to_string(rows) + ") ";
    db.execute(numbers +
               "INSERT INTO conversation_history SELECT i, 's' || (i % 97), 'u' || (i % 13), "
               "iif(i % 2, 'user', 'assistant'), 'turn ' || i || hex(zeroblob(100)), i FROM n");
    db.execute(numbers +
               "INSERT INTO long_term_memory SELECT i, 'u' || (i % 13), 'fact', 'memory ' || i, i, i FROM n");
}

std::string checksum(std::string const& path) {
    auto db = look_at(path);
    return db.query_text(
               "SELECT count(*) || ' ' || sum(id) || ' ' || sum(length(content)) FROM conversation_history") +
           db.query_text(
               "SELECT count(*) || ' ' || sum(id) || ' ' || sum(length(content)) FROM long_term_memory");
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(store_crash, fixture)

BOOST_AUTO_TEST_CASE(what_was_confirmed_survives_a_kill_and_nothing_is_there_by_half) {
    int confirmed = 0;
    for (int round = 0; round < 6; ++round) {
        auto const prefix = "r" + std::to_string(round) + "-";
        std::vector<std::string> done;
        actor victim({"commit", path, "ada", "s" + std::to_string(round), prefix, "1000000"});
        BOOST_REQUIRE(victim.line() == "open");
        for (int i = 0; i < 5 + 40 * round; ++i)
            done.push_back(victim.line());
        victim.kill();
        for (auto const& line : victim.lines())
            done.push_back(line);
        if (!done.empty() && done.back().find(' ') == std::string::npos) done.pop_back();  // cut by the kill

        opened_store db(options_for(path));
        auto raw = look_at(path);
        BOOST_TEST(raw.query_text("PRAGMA integrity_check") == "ok");
        for (auto const& line : done) {
            BOOST_REQUIRE(line.substr(0, 5) == "done ");
            auto const id = line.substr(5);
            auto const again = db.get(db->commit_exchange(exchange_of({"ada", "x"}, job(id, "t", "b"))));
            BOOST_TEST(!again.committed);
            BOOST_TEST(again.outcome.reply == "reply " + id);
            ++confirmed;
        }
        auto const finished = "(SELECT count(*) FROM engram_finished_job)";
        BOOST_TEST(raw.query_integer(std::string("SELECT count(*) = 2 * ") + finished +
                                     " FROM conversation_history") == 1);
        BOOST_TEST(
            raw.query_integer(std::string("SELECT count(*) = ") + finished + " FROM long_term_memory") == 1);
        BOOST_TEST(raw.query_integer(std::string("SELECT sum(window_turns) = 2 * ") + finished +
                                     " FROM engram_session") == 1);
    }
    BOOST_TEST(confirmed > 500);
}

// Killed when its journal shows that it is in the middle, each time a little later.
BOOST_AUTO_TEST_CASE(a_kill_while_a_database_is_taken_over_leaves_the_old_or_the_new) {
    auto const original = folder.file("original.db");
    make_legacy(original, 30'000);
    auto const expected = checksum(original);
    int old = 0;
    for (std::uintmax_t round = 0; round < 8; ++round) {
        std::filesystem::copy_file(original, path, std::filesystem::copy_options::overwrite_existing);
        auto const size = std::filesystem::file_size(path);
        {
            actor victim({"open", path});
            std::error_code none;
            std::thread watcher;
            // Round 0: as soon as there is a journal; then when the file has grown by an eighth more each
            // time.
            while (!std::filesystem::exists(path + "-journal", none)) {
                if (std::filesystem::exists(path + "-wal", none)) break;  // too late: it is done
                std::this_thread::yield();
            }
            while (round > 0 && std::filesystem::file_size(path, none) < size + size * round / 8) {
                if (!std::filesystem::exists(path + "-journal", none)) break;
                std::this_thread::yield();
            }
            victim.kill();
        }
        auto const version = number(path, "PRAGMA user_version");
        BOOST_TEST((version == 0 || version == store::schema_version));
        old += version == 0 ? 1 : 0;
        BOOST_TEST(checksum(path) == expected);
        BOOST_TEST(look_at(path).query_text("PRAGMA integrity_check") == "ok");
        if (version == 0) BOOST_TEST(number(path, "SELECT count(*) FROM sqlite_schema") == 2);
        {
            opened_store db(options_for(path));
            BOOST_TEST(!db.get(db->load_context(query_of({"u1", "s1"}))).memories.empty());
        }
        BOOST_TEST(checksum(path) == expected);
        for (auto const* suffix : {"", "-wal", "-shm", "-journal"})
            std::filesystem::remove(path + suffix);
    }
    BOOST_TEST(old > 0);
}

BOOST_AUTO_TEST_SUITE_END()

// What can be read of a database with damaged pages.
#include "backup/salvage.hpp"

#include "backup/restore.hpp"
#include "backup_fixture.hpp"
#include "store/sqlite/schema.hpp"

#include <map>
#include <sysexits.h>

using namespace engram;
using namespace engram::backup::test;
using backup::salvage;

namespace {

constexpr std::int64_t page_bytes = 4096;

struct damage_fixture : database_fixture {
    std::string fresh = folder.file("new.db");

    [[nodiscard]] std::vector<std::int64_t> pages(std::string const& of,
                                                  std::string const& kind = "leaf") const {
        std::vector<std::int64_t> found;
        auto db = look_at(path);
        auto all = db.prepare("SELECT pageno FROM dbstat WHERE name = ?1 AND pagetype = ?2 ORDER BY path");
        for (auto rows = all.query(std::string_view(of), std::string_view(kind)); rows.next();)
            found.push_back(rows.integer(0));
        return found;
    }
    void overwrite(std::int64_t page) const {
        std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
        file.seekp((page - 1) * page_bytes);
        file << std::string(page_bytes, '\xAA');
    }
    static std::map<std::string, backup::copied_table> by_name(backup::salvaged const& done) {
        std::map<std::string, backup::copied_table> tables;
        for (auto const& one : done.tables)
            tables[one.name] = one;
        return tables;
    }
    static std::int64_t count(std::string const& file, std::string const& table) {
        return number(file, "SELECT count(*) FROM " + table);
    }
    void check_refused(int status, std::string const& words, bool replace = false) const {
        auto const refused = complaint_of([&] { salvage(path, fresh, replace); });
        BOOST_TEST(refused.status == status, refused.what());
        BOOST_TEST(std::string(refused.what()).find(words) != std::string::npos, refused.what());
        for (auto const& name : others())
            BOOST_TEST(!name.starts_with("new.db.part"), name);
    }
};

// Of every table, but the index and what is made with it.
std::string rows_of(std::string const& file) {
    std::string text;
    auto db = look_at(file);
    for (auto const* sql :
         {"SELECT id || '|' || user_id || '|' || content || '|' || label || '|' || created_at FROM "
          "long_term_memory",
          "SELECT id || '|' || session_id || '|' || role || '|' || content || '|' || job_id FROM "
          "conversation_history ORDER BY id",
          "SELECT user_id || '|' || session_id || '|' || window_turns || '|' || updated_at FROM "
          "engram_session",
          "SELECT user_key || hex(digest) || '|' || coalesce(user_id, '-') || next_label || forgets || '|' "
          "|| "
          "forgotten_at FROM engram_user ORDER BY user_key",
          "SELECT job_id || '|' || reply || '|' || finished_at FROM engram_finished_job ORDER BY rowid",
          "SELECT memory_id || '|' || user_turn || '|' || job_id FROM engram_memory_source",
          "SELECT name || '|' || seq FROM sqlite_sequence ORDER BY name",
          "SELECT value FROM engram_state WHERE name = 'database_id'"}) {
        auto all = db.prepare(sql);
        for (auto found = all.query(); found.next();)
            text += found.text(0) + '\n';
    }
    return text;
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(salvage_of_a_database, damage_fixture)

BOOST_AUTO_TEST_CASE(a_whole_one_gives_all_rows) {
    {
        opened_store opened(options_for(path));
        fill(opened, {"ada", "s1"}, 60);
        fill(opened, {"bob", "s2"}, 20, "b");
        opened.get(opened->forget_user("bob", store::finished_jobs::remove, at()));
    }
    leave_log("k");
    auto const before = bytes_of(path), log = bytes_of(path + "-wal");
    auto const done = salvage(path, fresh, false);
    BOOST_TEST((bytes_of(path) == before));
    BOOST_TEST((bytes_of(path + "-wal") == log));
    BOOST_TEST(done.is_whole());
    BOOST_TEST(done.now.turns == std::uint64_t(count(path, "conversation_history")));
    BOOST_TEST(rows_of(fresh) == rows_of(path));
    BOOST_TEST(count(fresh, "engram_user") == 2);  // bob's says that he was forgotten
    BOOST_TEST((stat_of(fresh).st_mode & 07777) == 0600u);
    BOOST_TEST(number(fresh, "PRAGMA application_id") == number(path, "PRAGMA application_id"));
    BOOST_TEST(number(fresh, "PRAGMA user_version") == 5);
}

BOOST_AUTO_TEST_CASE(rows_around_and_between_damaged_pages_come_and_work) {
    {
        opened_store opened(options_for(path));
        fill(opened, {"ada", "s1"}, 600);
        fill(opened, {"bob", "s2"}, 600, "b");
    }
    auto const leaves = pages("conversation_history");
    BOOST_REQUIRE(leaves.size() > 20);
    auto const per_page = number(path, "SELECT max(ncell) FROM dbstat WHERE name = 'conversation_history'");
    auto const lost = std::vector{leaves[5], leaves[6], leaves[15]};
    std::int64_t rows_lost = 0;
    for (auto const page : lost)
        rows_lost += number(path, "SELECT ncell FROM dbstat WHERE pageno = " + std::to_string(page));
    auto const turns = count(path, "conversation_history"), memories = count(path, "long_term_memory");
    auto const highest = number(path, "SELECT seq FROM sqlite_sequence WHERE name = 'conversation_history'");
    auto const index_page = pages("engram_history_window").at(1);
    for (auto const page : lost)
        overwrite(page);
    overwrite(index_page);
    BOOST_TEST(rows_lost <= 3 * per_page);

    auto const done = salvage(path, fresh, false);
    auto const tables = by_name(done);
    BOOST_TEST(!done.is_whole());
    BOOST_TEST(!tables.at("conversation_history").is_whole);
    BOOST_TEST(tables.at("conversation_history").rows == std::uint64_t(turns - rows_lost));
    BOOST_TEST(tables.at("long_term_memory").is_whole);
    BOOST_TEST(count(fresh, "conversation_history") == turns - rows_lost);
    BOOST_TEST(count(fresh, "long_term_memory") == memories);
    BOOST_TEST(look_at(fresh).query_text("PRAGMA integrity_check") == "ok");
    BOOST_TEST(number(fresh, "SELECT seq FROM sqlite_sequence WHERE name = 'conversation_history'") ==
               highest);
    BOOST_TEST(number(fresh, "SELECT sum(window_turns) FROM engram_session") == turns - rows_lost);
    BOOST_TEST(number(fresh, "SELECT count(*) FROM engram_state WHERE name = 'index_version'") == 0);
}

BOOST_AUTO_TEST_CASE(a_store_finds_turns_memories_and_search_in_it) {
    {
        opened_store opened(options_for(path));
        fill(opened, {"ada", "s1"}, 600);
        opened.get(opened->commit_exchange(
            exchange_of({"ada", "s1"}, job("noted"), {{.type = "fact", .content = "Keeps two parrots."}})));
    }
    overwrite(pages("conversation_history").at(5));
    overwrite(pages("engram_recall").at(0));
    static_cast<void>(salvage(path, fresh, false));
    backup::restore(fresh, path);
    opened_store opened(options_for(path));
    auto const found = opened.get(opened->find("ada", {"parrots", 10, {}, {}}, {}, at()));
    BOOST_REQUIRE(found.memories.size() == 1u);
    BOOST_TEST(found.memories.front().first.what.content == "Keeps two parrots.");
    auto const context = opened.get(opened->load_context(query_of({"ada", "s1"})));
    BOOST_TEST(context.turns.size() == 40u);
    fill(opened, {"ada", "s1"}, 2, "new");
    BOOST_TEST(jobs(path, "new") == 1);
}

BOOST_AUTO_TEST_CASE(a_lost_number_is_not_given_again) {
    {
        opened_store opened(options_for(path));
        opened.get(opened->commit_exchange(
            exchange_of({"ada", "s1"}, job("noted"), {{.type = "fact", .content = "Keeps two parrots."}})));
        fill(opened, {"ada", "s1"}, 600);
    }
    auto const highest = number(path, "SELECT max(id) FROM conversation_history");
    for (auto const page :
         {pages("engram_user").at(0), pages("sqlite_sequence").at(0), pages("conversation_history").back()})
        overwrite(page);
    auto const tables = by_name(salvage(path, fresh, false));
    BOOST_TEST(!tables.at("engram_user").is_whole);
    BOOST_TEST(tables.at("engram_user").rows == 0u);
    BOOST_TEST(number(fresh, "SELECT max(id) FROM conversation_history") < highest);
    BOOST_TEST(number(fresh, "SELECT seq FROM sqlite_sequence WHERE name = 'conversation_history'") >
               highest);
    // Labels of memories, too.
    BOOST_TEST(number(fresh, "SELECT next_label FROM engram_user WHERE user_id = 'ada'") == 2);
}

BOOST_AUTO_TEST_CASE(turns_whose_summary_is_lost_are_in_the_window_again) {
    {
        opened_store opened(options_for(path));
        opened.get(opened->commit_exchange(
            exchange_of({"ada", "s1"}, job("noted"), {{.type = "fact", .content = "Keeps two parrots."}})));
        fill(opened, {"ada", "s1"}, 8);
    }
    look_at(path).execute(
        "UPDATE conversation_history SET summary_id = 1 WHERE id <= 6; UPDATE conversation_history SET "
        "content = '', summary_id = 0 WHERE id = 7; UPDATE engram_session SET window_turns = 3");
    overwrite(pages("long_term_memory").at(0));
    BOOST_TEST(by_name(salvage(path, fresh, false)).at("long_term_memory").rows == 0u);
    BOOST_TEST(number(fresh, "SELECT count(*) FROM conversation_history WHERE summary_id IS NULL") == 9);
    BOOST_TEST(number(fresh, "SELECT window_turns FROM engram_session") == 9);  // a deleted turn stays out
    BOOST_TEST(count(fresh, "engram_memory_source") == 0);
}

BOOST_AUTO_TEST_CASE(a_file_that_was_cut_off_gives_what_is_there) {
    write("a", 2000);
    fs::resize_file(path, fs::file_size(path) / 2 / page_bytes * page_bytes);
    auto const done = salvage(path, fresh, false);
    BOOST_TEST(!done.is_whole());
    BOOST_TEST(done.now.turns > 500u);
    BOOST_TEST(done.now.turns < 2000u);
}

BOOST_AUTO_TEST_CASE(what_other_software_has_added_comes_too) {
    write("a");
    look_at(path).execute(
        "ALTER TABLE long_term_memory ADD COLUMN mood TEXT; CREATE TABLE other(x PRIMARY KEY) WITHOUT ROWID; "
        "INSERT INTO other VALUES (x'00ff'), ('b'), (3); CREATE VIEW seen AS SELECT x FROM other; "
        "INSERT INTO long_term_memory(user_id, content, mood) VALUES ('ada', 'c', 'gay')");
    auto const done = salvage(path, fresh, false);
    BOOST_TEST(done.is_whole());
    BOOST_TEST(look_at(fresh).query_text("SELECT mood FROM long_term_memory WHERE content = 'c'") == "gay");
    BOOST_TEST(count(fresh, "seen WHERE x = x'00ff'") == 1);
}

BOOST_AUTO_TEST_CASE(one_of_an_older_version_is_brought_to_the_present_one) {
    std::ofstream(path).close();
    look_at(path).execute(
        store::create_table_sql(store::memory_table(), "long_term_memory") + ";" +
        store::create_table_sql(store::history_table(), "conversation_history") + ";" +
        store::create_rest_sql() +
        "PRAGMA application_id = 1162757965; PRAGMA user_version = 1;"
        "INSERT INTO conversation_history(id, user_id, session_id, role, content, job_id) "
        "VALUES (7, 'ada', 's', 'user', 'hello', 'j'), (8, 'ada', 's', 'assistant', 'yes', 'j');"
        "INSERT INTO long_term_memory(user_id, session_id, content, job_id) VALUES ('ada', 's', 'sings', "
        "'j')");
    auto const done = salvage(path, fresh, false);
    BOOST_TEST(done.is_whole());
    BOOST_TEST(done.now.version == 5);
    BOOST_TEST(number(fresh, "SELECT window_turns FROM engram_session") == 2);
    BOOST_TEST(number(fresh, "SELECT user_turn FROM engram_memory_source") == 7);
}

BOOST_AUTO_TEST_CASE(what_is_no_database_of_engram_is_refused_and_makes_nothing) {
    check_refused(EX_NOINPUT, "is not there");
    std::ofstream(path).close();
    check_refused(EX_DATAERR, "is no database of engram");
    std::ofstream(path) << std::string(10'000, 'x');
    check_refused(EX_DATAERR, "first page cannot be read");
    fs::remove(path);
    std::ofstream(path).close();
    look_at(path).execute("CREATE TABLE other(x)");
    check_refused(EX_DATAERR, "is no database of engram");
    look_at(path).execute("PRAGMA application_id = 1162757965; PRAGMA user_version = 6");
    check_refused(EX_DATAERR, "made by a newer engramd");
    look_at(path).execute("PRAGMA user_version = 5");
    check_refused(EX_DATAERR, "its schema cannot be read");
    BOOST_TEST(others().empty());
}

BOOST_AUTO_TEST_CASE(one_that_is_in_use_is_refused) {
    write("a");
    actor user({"commit", path, "bob", "s1", "b", "1000000"});
    BOOST_REQUIRE(user.line() == "open");
    BOOST_REQUIRE(user.line().starts_with("done "));  // it has a log, too
    check_refused(EX_TEMPFAIL, "systemctl stop 'engramd*' first");
    BOOST_TEST(!fs::exists(fresh));
}

BOOST_AUTO_TEST_CASE(a_file_that_is_there_is_only_replaced_if_told_so) {
    write("a");
    std::ofstream(fresh) << "precious";
    check_refused(EX_CANTCREAT, "is there already");
    BOOST_TEST(bytes_of(fresh) == "precious");
    BOOST_TEST(salvage(path, fresh, true).is_whole());
    BOOST_TEST(jobs(fresh, "a") == 10);
    BOOST_TEST(complaint_of([&] { salvage(path, path, true); }).status == EX_USAGE);
}

BOOST_AUTO_TEST_SUITE_END()

// The database's file is removed, replaced or overwritten while a store is open on it: nothing is confirmed
// that the next start would not find.
#include "store/sqlite/file_watch.hpp"

#include "store_fixture.hpp"

#include <boost/test/unit_test.hpp>
#include <sqlite3.h>

#include <atomic>
#include <fcntl.h>
#include <fstream>
#include <iterator>
#include <memory>
#include <set>
#include <sys/stat.h>
#include <unistd.h>

using namespace engram;
using namespace engram::store::test;
using store::conversation;
using store::error_kind;
namespace fs = std::filesystem;

namespace {

std::string bytes_of(std::string const& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

struct open_file {
    open_file() = default;
    open_file(open_file const&) = delete;
    open_file& operator=(open_file const&) = delete;
    ~open_file() { ::close(number); }

    void open(std::string const& path) { number = ::open(path.c_str(), O_RDWR | O_CLOEXEC); }

    int number = -1;
};

/// Between begin() and end(), the link leads nowhere from the moment on in which a transaction commits. One
/// at a time, for all connections that are opened meanwhile.
class breaking_commits {
public:
    explicit breaking_commits(std::string const& link) {
        broken = link;
        sqlite3_auto_extension(entry());
    }
    ~breaking_commits() {
        end();
        sqlite3_cancel_auto_extension(entry());
    }
    breaking_commits(breaking_commits const&) = delete;
    breaking_commits& operator=(breaking_commits const&) = delete;

    void begin() const { breaks = true; }
    void end() const { breaks = false; }

private:
    static int hook(sqlite3* db, char**, sqlite3_api_routines const*) {
        sqlite3_commit_hook(db, [](void*) { return on_commit(); }, nullptr);
        return SQLITE_OK;
    }
    static void (*entry())() { return reinterpret_cast<void (*)()>(&hook); }
    static int on_commit() {
        if (!breaks) return 0;
        fs::remove(broken);
        fs::create_symlink(broken, broken);  // ELOOP
        return 0;
    }

    inline static std::string broken;
    inline static std::atomic<bool> breaks = false;
};

struct fixture {
    temporary_folder folder;
    std::string path = folder.file("engram.db");
    std::string copy = folder.file("copy.db");
    conversation of{"ada", "s1"};

    static bool commit(opened_store& db, std::string const& id, std::size_t bytes = 0) {
        auto what = exchange_of({"ada", "s1"}, job(id));
        what.turns[0].content.append(bytes, 'x');
        return db.get(db->commit_exchange(what)).committed;
    }

    /// An older state of the database, shorter than the present one.
    void make_copy(opened_store& db) {
        BOOST_REQUIRE(commit(db, "in the copy"));
        move_log("TRUNCATE");
        fs::copy_file(path, copy);
        BOOST_REQUIRE(commit(db, "long", 100'000));
        move_log("TRUNCATE");
        BOOST_REQUIRE(commit(db, "in the log"));
    }
    void move_log(std::string const& how) const {
        look_at(path).execute("PRAGMA wal_checkpoint(" + how + ")");
    }

    /// Every call says the same from now on, and that it may work later.
    void check_lost(opened_store& db, std::string const& how) const {
        auto const failed = db.fail(db->commit_exchange(exchange_of(of, job("after"))));
        BOOST_TEST((failed.kind == error_kind::unavailable));
        BOOST_TEST(failed.message.find(how) != std::string::npos, failed.message);
        for (auto const& later : {db.fail(db->commit_exchange(exchange_of(of, job("later")))),
                                  db.fail(db->load_context(query_of(of))), db.fail(db->count(""))}) {
            BOOST_TEST((later.kind == error_kind::unavailable));
            BOOST_TEST(later.message == failed.message);
        }
        BOOST_TEST(db.get(db->look()).lost == failed.message);
    }
    void check_kept(opened_store& db) const { BOOST_TEST(db.get(db->look()).lost == ""); }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(store_file_watch, fixture)

BOOST_AUTO_TEST_CASE(a_file_that_was_removed_takes_no_more_commits) {
    opened_store db(options_for(path));
    BOOST_REQUIRE(commit(db, "before"));
    check_kept(db);
    fs::remove(path);
    check_lost(db, "was removed");
}

BOOST_AUTO_TEST_CASE(a_backup_moved_over_it_takes_no_more_commits_and_is_left_alone) {
    std::string backup;
    {
        opened_store db(options_for(path));
        make_copy(db);
        backup = bytes_of(copy);
        fs::rename(copy, path);
        check_lost(db, "was replaced");
    }
    BOOST_TEST((bytes_of(path) == backup));
}

BOOST_AUTO_TEST_CASE(a_backup_copied_over_it_takes_no_more_commits_and_is_left_alone) {
    std::string backup;
    {
        opened_store db(options_for(path));
        make_copy(db);
        backup = bytes_of(copy);
        copy_over(copy, path);
        check_lost(db, "was overwritten");
    }
    BOOST_TEST((bytes_of(path) == backup));
}

BOOST_AUTO_TEST_CASE(what_is_overwritten_before_a_stop_is_left_alone_though_nothing_was_written_since) {
    std::string backup;
    {
        opened_store db(options_for(path));
        make_copy(db);
        backup = bytes_of(copy);
        copy_over(copy, path);
    }
    BOOST_TEST((bytes_of(path) == backup));
    BOOST_TEST(fs::file_size(path + "-wal") > 0u);
}

BOOST_AUTO_TEST_CASE(a_file_that_was_emptied_takes_no_more_commits) {
    {
        opened_store db(options_for(path));
        make_copy(db);
        fs::resize_file(path, 0);
        check_lost(db, "was overwritten");
    }
    BOOST_TEST(fs::file_size(path) == 0u);
}

BOOST_AUTO_TEST_CASE(one_byte_that_another_program_writes_is_seen) {
    opened_store db(options_for(path));
    make_copy(db);
    check_kept(db);
    auto const changed_at = [&] {
        struct stat found{};
        BOOST_REQUIRE(::stat(path.c_str(), &found) == 0);
        return std::pair(found.st_mtim.tv_sec, found.st_mtim.tv_nsec);
    };
    int const file = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
    // The clock of the file system ticks some hundred times a second.
    for (auto const before = changed_at(); changed_at() == before;)
        BOOST_REQUIRE(::pwrite(file, "x", 1, 90) == 1);
    check_lost(db, "was overwritten");
    ::close(file);
}

BOOST_AUTO_TEST_CASE(a_load_from_a_file_that_was_overwritten_is_no_damage) {
    opened_store db(options_for(path));
    fill(db, {"bob", "s"}, 40);
    make_copy(db);
    auto const size = fs::file_size(path);
    std::ofstream(path, std::ios::binary) << std::string(size + 4096, '\x5A');
    auto const failed = db.fail(db->load_context(query_of({"bob", "s"})));  // nothing of it was read before
    BOOST_TEST((failed.kind == error_kind::unavailable), failed.message);
    BOOST_TEST(failed.message.find("was overwritten") != std::string::npos, failed.message);
    check_lost(db, "was overwritten");
}

BOOST_AUTO_TEST_CASE(a_log_that_was_removed_takes_no_more_commits_and_what_was_in_it_is_kept) {
    {
        opened_store db(options_for(path));
        BOOST_REQUIRE(commit(db, "before"));
        fs::remove(path + "-wal");
        check_lost(db, "-wal was removed");
    }
    opened_store again(options_for(path));
    BOOST_TEST(!commit(again, "before"));
    BOOST_TEST(commit(again, "after"));
}

BOOST_AUTO_TEST_CASE(a_stop_without_the_log_leaves_what_another_program_has_begun_in_its_place) {
    auto staying = std::make_unique<opened_store>(options_for(path));
    fill(*staying, of, 100, "before");
    move_log("PASSIVE");
    fs::remove(path + "-wal");
    check_lost(*staying, "-wal was removed");
    {
        auto other = look_at(path);
        auto const insert = [&] { other.execute("INSERT INTO other VALUES(randomblob(3000))"); };
        other.execute("CREATE TABLE other(at)");
        for (int i = 0; i < 200; ++i)
            insert();
        staying.reset();
        insert();
    }
    BOOST_TEST(look_at(path).query_text("PRAGMA integrity_check") == "ok");
    BOOST_TEST(number(path, "SELECT count(*) FROM other") == 201);
    BOOST_TEST(number(path, "SELECT count(*) FROM engram_finished_job") == 50);
}

BOOST_AUTO_TEST_CASE(a_log_that_was_cut_takes_no_more_commits) {
    opened_store db(options_for(path));
    BOOST_REQUIRE(commit(db, "before"));  // after the first one the log is emptied
    BOOST_REQUIRE(commit(db, "more"));
    fs::resize_file(path + "-wal", 1000);
    check_lost(db, "-wal was cut short");
}

BOOST_AUTO_TEST_CASE(an_index_of_the_log_that_was_removed_takes_no_more_commits) {
    {
        opened_store db(options_for(path));
        BOOST_REQUIRE(commit(db, "before"));
        fs::remove(path + "-shm");
        check_lost(db, "-shm, was removed");
    }
    opened_store again(options_for(path));
    BOOST_TEST(!commit(again, "before"));
}

BOOST_AUTO_TEST_CASE(a_link_that_leads_elsewhere_is_another_file) {
    auto const link = folder.file("link.db");
    auto const other = folder.file("other.db");
    fs::create_symlink(path, link);
    std::ofstream(path).close();
    opened_store db(options_for(link));
    BOOST_REQUIRE(commit(db, "before"));
    check_kept(db);
    {
        opened_store another(options_for(other));
    }
    fs::remove(link);
    fs::create_symlink(other, link);
    check_lost(db, "was replaced");
}

BOOST_AUTO_TEST_CASE(a_folder_that_was_moved_takes_its_file_along) {
    auto const place = folder.file("place");
    fs::create_directory(place);
    opened_store db(options_for(place + "/engram.db"));
    BOOST_REQUIRE(commit(db, "before"));
    fs::rename(place, folder.file("elsewhere"));
    check_lost(db, "was removed");
}

BOOST_AUTO_TEST_CASE(what_came_back_is_trusted_after_the_next_start) {
    {
        opened_store db(options_for(path));
        BOOST_REQUIRE(commit(db, "before"));
        fs::rename(path, copy);
        check_lost(db, "was removed");
        fs::rename(copy, path);
        check_lost(db, "was removed");
    }
    opened_store again(options_for(path));
    BOOST_TEST(!commit(again, "before"));
    BOOST_TEST(commit(again, "after"));
}

BOOST_AUTO_TEST_CASE(nobodys_checkpoint_is_a_loss) {
    opened_store first(options_for(path));
    opened_store second(options_for(path));
    for (int i = 0; i < 300; ++i) {
        auto& db = i % 2 == 0 ? first : second;
        BOOST_REQUIRE(commit(db, "j" + std::to_string(i), i % 7 == 0 ? 20'000 : 0));
        if (i % 5 == 0) move_log(i % 3 == 0 ? "TRUNCATE" : i % 3 == 1 ? "PASSIVE" : "RESTART");
        if (i % 100 == 50) look_at(path).execute("VACUUM");
        check_kept(first);
        check_kept(second);
    }
}

BOOST_AUTO_TEST_CASE(a_checkpoint_by_half_is_no_loss_and_hides_none) {
    opened_store db(options_for(path));
    make_copy(db);
    auto reader = look_at(path);
    reader.execute("BEGIN");
    BOOST_REQUIRE(reader.query_integer("SELECT count(*) FROM conversation_history") > 0);
    for (int i = 0; i < 5; ++i) {
        BOOST_REQUIRE(commit(db, "j" + std::to_string(i), 20'000));
        move_log("PASSIVE");
        check_kept(db);
    }
    copy_over(copy, path);
    check_lost(db, "was overwritten");
}

// As it is left by a process that dies in the middle of a checkpoint.
BOOST_AUTO_TEST_CASE(a_checkpoint_that_nobody_ends_is_ended_and_hides_no_loss) {
    open_file index;  // closed last: that costs this process its locks there
    opened_store db(options_for(path));
    make_copy(db);
    index.open(path + "-shm");
    std::uint32_t const moving = 1;
    BOOST_REQUIRE(::pwrite(index.number, &moving, sizeof moving, 128) == sizeof moving);
    for (int i = 0; i < 3; ++i)
        check_kept(db);
    std::uint32_t moved = 0;
    std::uint32_t attempted = 0;
    BOOST_REQUIRE(::pread(index.number, &moved, sizeof moved, 96) == sizeof moved);
    BOOST_REQUIRE(::pread(index.number, &attempted, sizeof attempted, 128) == sizeof attempted);
    BOOST_TEST(moved == attempted);
    check_kept(db);
    copy_over(copy, path);
    check_lost(db, "was overwritten");
}

// The schema's number is of the same moment as the rest of the tie, not of a later one.
BOOST_AUTO_TEST_CASE(a_tie_is_of_one_moment) {
    {
        opened_store made(options_for(path));
    }
    auto db = look_at(path);
    auto const before = db.schema_in_file();
    BOOST_REQUIRE(db.query_integer("SELECT count(*) FROM engram_state") > 0);
    store::file_watch watch(path, db);
    BOOST_REQUIRE(watch.look(db) == "");
    auto other = look_at(path);
    other.execute("CREATE TABLE passing(at); PRAGMA wal_checkpoint(PASSIVE)");
    BOOST_REQUIRE(db.schema_in_file() > before);
    auto const tie = watch.untold_tie();
    BOOST_REQUIRE(tie.has_value());
    BOOST_TEST(tie->schema == before);
    BOOST_REQUIRE(watch.look(db) == "");
    BOOST_TEST(watch.untold_tie()->schema == db.schema_in_file());
}

BOOST_AUTO_TEST_CASE(what_cannot_be_looked_at_after_a_commit_is_stored) {
    {
        opened_store made(options_for(path));
    }
    auto const link = folder.file("link.db");
    fs::create_symlink(path, link);
    breaking_commits const breaks(link);
    opened_store db(options_for(link));
    BOOST_REQUIRE(commit(db, "before"));
    breaks.begin();
    BOOST_TEST(commit(db, "broken"));
    BOOST_TEST(fs::read_symlink(link) == link);  // it was
    auto const failed = db.fail(db->commit_exchange(exchange_of(of, job("after"))));
    BOOST_TEST(failed.message.find("cannot be looked at") != std::string::npos, failed.message);
    breaks.end();
    fs::remove(link);
    fs::create_symlink(path, link);
    BOOST_TEST(!commit(db, "broken"));
    BOOST_TEST(commit(db, "after"));
}

BOOST_AUTO_TEST_CASE(what_cannot_be_looked_at_may_pass) {
    store::connection db = store::test::look_at([&] {
        opened_store made(options_for(path));
        return path;
    }());
    BOOST_REQUIRE(db.query_integer("PRAGMA schema_version") > 0);
    auto const link = folder.file("link.db");
    fs::create_symlink(path, link);
    store::file_watch watch(link, db);
    fs::remove(link);
    fs::create_symlink(link, link);  // ELOOP
    BOOST_TEST(watch.look(db).find("cannot be looked at") != std::string::npos);
    BOOST_TEST(watch.lost() == "");
    fs::remove(link);
    fs::create_symlink(path, link);
    BOOST_TEST(watch.look(db) == "");
}

BOOST_AUTO_TEST_CASE(a_database_has_an_id_of_its_own_that_lasts) {
    std::set<std::uint64_t> ids;
    std::uint64_t id = 0;
    {
        opened_store made(options_for(path));
        opened_store beside(options_for(path));
        id = made->opened_as().id;
        BOOST_TEST(id > 0u);
        BOOST_TEST(beside->opened_as().id == id);
        BOOST_TEST(made->opened_as().made);
        BOOST_TEST(!beside->opened_as().made);
    }
    opened_store again(options_for(path));
    BOOST_TEST(again->opened_as().id == id);
    BOOST_TEST(store::id_text(id).size() == 16u);
    opened_store other(options_for(copy));
    BOOST_TEST(other->opened_as().id != id);
}

BOOST_AUTO_TEST_CASE(a_database_of_an_earlier_program_gets_an_id) {
    {
        opened_store made(options_for(path));
    }
    look_at(path).execute("DELETE FROM engram_state WHERE name = 'database_id'");
    opened_store again(options_for(path));
    BOOST_TEST(again->opened_as().id > 0u);
    BOOST_TEST(!again->opened_as().made);
    BOOST_TEST(std::uint64_t(number(path, "SELECT value FROM engram_state WHERE name = 'database_id'")) ==
               again->opened_as().id);
}

BOOST_AUTO_TEST_CASE(a_database_that_is_made_is_reported_with_what_was_there) {
    std::ofstream(copy).close();
    for (auto const& [file, was_empty] : {std::pair(path, false), std::pair(copy, true)}) {
        opened_store made(options_for(file));
        auto const& report = made->opened_as();
        BOOST_TEST(report.made);
        BOOST_TEST(report.was_empty == was_empty);
        BOOST_TEST(report.place == file);
        BOOST_TEST(report.from_version == 0);
        BOOST_TEST(report.version > 0);
    }
}

BOOST_AUTO_TEST_CASE(the_log_of_a_database_that_is_gone_is_kept) {
    auto const others = [&] {
        std::set<std::string> found;
        for (auto const& one : fs::directory_iterator(folder.file("")))
            if (one.path().string().find("-wal-of-") != std::string::npos) found.insert(one.path().string());
        return found;
    };
    std::string log;
    {
        opened_store db(options_for(path));
        BOOST_REQUIRE(commit(db, "before"));  // after the first one the log is emptied
        BOOST_REQUIRE(commit(db, "more"));
        log = bytes_of(path + "-wal");
        BOOST_REQUIRE(!log.empty());
        fs::rename(path, copy);
        check_lost(db, "was removed");
    }
    {
        opened_store made(options_for(path));
        BOOST_TEST(made->opened_as().made);
        BOOST_TEST(commit(made, "before"));
    }
    auto const kept = others();
    BOOST_REQUIRE(kept.size() == 1u);
    BOOST_TEST((bytes_of(*kept.begin()) == log));
    // Both put back are the database that was moved away.
    for (auto const* suffix : {"", "-wal", "-shm"})
        fs::remove(path + suffix);
    fs::rename(copy, path);
    fs::rename(*kept.begin(), path + "-wal");
    opened_store back(options_for(path));
    BOOST_TEST(!back->opened_as().made);
    BOOST_TEST(!commit(back, "before"));
    BOOST_TEST(others().empty());
}

BOOST_AUTO_TEST_SUITE_END()

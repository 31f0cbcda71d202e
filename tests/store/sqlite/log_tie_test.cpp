// Whether the log that a killed process has left belongs to the file beside it: a copy that was put there is
// not undone without a word, and nothing else is refused.
#include "store/sqlite/log_tie.hpp"

#include "actor.hpp"
#include "store_fixture.hpp"

#include <boost/test/unit_test.hpp>
#include <sqlite3.h>

#include <array>
#include <fstream>
#include <iterator>
#include <random>

using namespace engram;
using namespace engram::store::test;
using store::log_tie;
namespace fs = std::filesystem;

namespace {

std::string bytes_of(std::string const& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

struct fixture {
    temporary_folder folder;
    std::string path = folder.file("engram.db");
    std::string copy = folder.file("copy.db");

    /// Jobs by a process that is killed then: its log is left, and says to which file it belongs.
    void leave_log(std::string const& prefix, int jobs = 6) const {
        actor victim({"commit", path, "ada", "s1", prefix, "1000000"});
        BOOST_REQUIRE(victim.line() == "open");
        for (int i = 0; i < jobs; ++i)
            BOOST_REQUIRE(victim.line().starts_with("done "));
        victim.kill();
        BOOST_REQUIRE(fs::file_size(path + "-wal") > 0);
    }
    /// A state before the killed process: with nothing in the log.
    void make_copy() const {
        {
            opened_store made(options_for(path));
            fill(made, {"ada", "s1"}, 20, "before");
        }
        fs::copy_file(path, copy);
    }
    /// What SQLite makes of the state that a daemon shows.
    void make_backup() const {
        std::ofstream(copy).close();
        auto to = look_at(copy);
        auto from = look_at(path);
        auto* const backup = sqlite3_backup_init(to.native(), "main", from.native(), "main");
        BOOST_REQUIRE(backup != nullptr);
        BOOST_REQUIRE(sqlite3_backup_step(backup, -1) == SQLITE_DONE);
        BOOST_REQUIRE(sqlite3_backup_finish(backup) == SQLITE_OK);
    }

    std::string refusal(bool accept_log = false) const {
        auto with = options_for(path);
        with.accept_log = accept_log;
        try {
            opened_store opened(with);
        } catch (store::open_error const& refused) {
            return refused.what();
        }
        return "";
    }
    void check_refused() const {
        auto const file = bytes_of(path);
        auto const log = bytes_of(path + "-wal");
        for (int i = 0; i < 2; ++i) {
            auto const message = refusal();
            BOOST_TEST(message.find("does not belong to the database " + path) != std::string::npos, message);
        }
        BOOST_TEST((bytes_of(path) == file));
        BOOST_TEST((bytes_of(path + "-wal") == log));
    }
    void move_log_away() const {
        fs::remove(path + "-wal");
        fs::remove(path + "-shm");
    }
    std::int64_t jobs(std::string const& prefix) const {
        return number(path, "SELECT count(*) FROM engram_finished_job WHERE job_id LIKE '" + prefix + "%'");
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(store_log_tie, fixture)

BOOST_AUTO_TEST_CASE(a_tie_is_text_and_back) {
    log_tie const tie{1, 2, -3, 0xFFFF'FFFF'FFFF'FFFF, 5, 6, 7};
    BOOST_TEST((store::parse_log_tie(store::to_text(tie)) == tie));
    for (auto const* text : {"", "1", "2 1 2 3 4 5 6 7", "1 1 2 3 4 5 6", "one"})
        BOOST_TEST((store::parse_log_tie(text) == std::nullopt));
}

BOOST_AUTO_TEST_CASE(what_belongs_together) {
    log_tie const tie{.file_inode = 10,
                      .log_inode = 11,
                      .file_time = 12,
                      .boot = 13,
                      .schema = 40,
                      .salt = 5ULL << 32,
                      .moved = 8};
    store::tie_facts const same{
        .left = {.file_inode = 10,
                 .log_inode = 11,
                 .file_time = 12,
                 .salt = 5ULL << 32,
                 .index =
                     store::log_state{
                         .salt = 5ULL << 32, .page_bytes = 4096, .frames = 20, .moved = 8, .moving = 8}},
        .boot = 13,
        .schema = 40,
        .schema_shown = 41};
    auto const with = [&](auto change) {
        auto facts = same;
        change(facts);
        return store::belongs(tie, facts);
    };
    BOOST_TEST(store::belongs(tie, same));
    // Another file.
    BOOST_TEST(!with([](auto& f) { f.left.file_inode = 99; }));
    BOOST_TEST(!with([](auto& f) { f.left.file_time = 99; }));
    BOOST_TEST(!with([](auto& f) { f.schema = 1; }));
    BOOST_TEST(!with([](auto& f) { f.schema = 42; }));
    BOOST_TEST(with([](auto& f) { f.schema = 41; }));
    // Another log: both were moved here.
    BOOST_TEST(with([](auto& f) { f.left.log_inode = 99, f.left.file_inode = 98; }));
    BOOST_TEST(with([](auto& f) { f.left.salt = 1ULL << 63, f.left.file_inode = 98; }));
    // The time may have changed by a checkpoint, or with the machine.
    for (auto const& unsure : std::initializer_list<void (*)(store::tie_facts&)>{
             [](auto& f) { f.left.index->moved = f.left.index->moving = 20; },
             [](auto& f) { f.left.index->moving = 20; }, [](auto& f) { f.left.index->salt += 1ULL << 32; },
             [](auto& f) { f.left.index.reset(); }, [](auto& f) { f.boot = 99; }}) {
        BOOST_TEST(with([&](auto& f) { f.left.file_time = 99, unsure(f); }));
    }
}

BOOST_AUTO_TEST_CASE(what_a_killed_process_has_left_is_taken_over) {
    make_copy();
    leave_log("killed");
    BOOST_TEST(refusal() == "");
    BOOST_TEST(jobs("killed") >= 6);
    BOOST_TEST(jobs("before") == 10);
}

BOOST_AUTO_TEST_CASE(a_copy_that_was_copied_over_it_is_refused_until_the_log_is_moved_away) {
    make_copy();
    leave_log("killed");
    copy_over(copy, path);
    check_refused();
    move_log_away();
    BOOST_TEST(refusal() == "");
    BOOST_TEST(jobs("killed") == 0);
    BOOST_TEST(jobs("before") == 10);
}

BOOST_AUTO_TEST_CASE(a_copy_that_was_moved_over_it_is_refused) {
    make_copy();
    leave_log("killed");
    fs::rename(copy, path);
    check_refused();
    move_log_away();
    BOOST_TEST(refusal() == "");
    BOOST_TEST(jobs("killed") == 0);
}

BOOST_AUTO_TEST_CASE(a_copy_that_sqlite_made_is_refused_without_the_index_too) {
    make_copy();
    leave_log("first");
    BOOST_REQUIRE(refusal() == "");
    fs::remove(copy);
    make_backup();
    leave_log("killed");
    copy_over(copy, path);
    fs::remove(path + "-shm");  // as after a restart of the machine: nobody knows of the checkpoints
    check_refused();
    move_log_away();
    BOOST_TEST(refusal() == "");
    BOOST_TEST(jobs("killed") == 0);
    BOOST_TEST(jobs("first") >= 6);
}

BOOST_AUTO_TEST_CASE(a_log_is_accepted_when_the_operator_says_that_it_belongs_there) {
    make_copy();
    leave_log("killed");
    fs::last_write_time(path, fs::file_time_type::clock::now());
    check_refused();
    BOOST_TEST(refusal(true) == "");
    BOOST_TEST(jobs("killed") >= 6);
    leave_log("again");
    BOOST_TEST(refusal() == "");
}

BOOST_AUTO_TEST_CASE(file_and_log_that_were_moved_together_are_accepted) {
    make_copy();
    leave_log("killed");
    auto const other = folder.file("other.db");
    for (auto const* suffix : {"", "-wal"})
        fs::copy_file(path + suffix, other + suffix);
    path = other;
    BOOST_TEST(refusal() == "");
    BOOST_TEST(jobs("killed") >= 6);
}

BOOST_AUTO_TEST_CASE(a_file_that_replaced_a_database_without_a_log_is_accepted) {
    make_copy();
    leave_log("killed");
    BOOST_REQUIRE(refusal() == "");
    fs::rename(copy, path);
    BOOST_TEST(refusal() == "");
    BOOST_TEST(jobs("killed") == 0);
}

BOOST_AUTO_TEST_CASE(a_kill_at_any_moment_is_no_reason_to_refuse) {
    std::mt19937 chance(7);
    make_copy();
    for (int round = 0; round < 60; ++round) {
        actor first({"commit", path, "ada", "s1", "a" + std::to_string(round) + "-", "1000000"});
        BOOST_REQUIRE(first.line() == "open");
        actor second({"commit", path, "bob", "s1", "b" + std::to_string(round) + "-", "1000000"});
        BOOST_REQUIRE(second.line() == "open");
        actor mover({"checkpoint", path});
        BOOST_REQUIRE(mover.line() == "open");
        for (auto left = chance() % 12; left > 0; --left) {
            auto const line = (chance() % 2 == 0 ? first : second).line();
            BOOST_REQUIRE_MESSAGE(line.starts_with("done "), line);
        }
        // All at once, as far as that goes; or one after the other.
        for (auto* one :
             chance() % 2 == 0 ? std::array{&mover, &first, &second} : std::array{&first, &mover, &second})
            one->kill();
        auto const message = refusal();
        BOOST_TEST(message == "", "round " << round << ": " << message);
    }
    BOOST_TEST(look_at(path).query_text("PRAGMA integrity_check") == "ok");
}

BOOST_AUTO_TEST_CASE(a_start_beside_stores_at_work_is_no_reason_to_refuse) {
    make_copy();
    actor first({"commit", path, "ada", "s1", "a", "1000000"});
    BOOST_REQUIRE(first.line() == "open");
    actor second({"commit", path, "bob", "s1", "b", "1000000"});
    BOOST_REQUIRE(second.line() == "open");
    actor mover({"checkpoint", path});
    BOOST_REQUIRE(mover.line() == "open");
    actor changer({"change", path});
    BOOST_REQUIRE(changer.line() == "open");
    for (int round = 0; round < 25; ++round) {
        for (int i = 0; i < 10; ++i) {
            auto const line = (i % 2 == 0 ? first : second).line();
            BOOST_REQUIRE_MESSAGE(line.starts_with("done "), line);
        }
        auto const message = refusal();
        BOOST_REQUIRE_MESSAGE(message.empty(), "round " << round << ": " << message);
    }
}

BOOST_AUTO_TEST_CASE(a_copy_that_was_copied_over_it_is_refused_while_another_store_has_it_open) {
    make_copy();
    opened_store other(options_for(path));
    {
        opened_store first(options_for(path));
        fill(first, {"ada", "s1"}, 20, "late");
        for (int i = 0; i < 3; ++i) {  // until each has seen what the other one has begun
            BOOST_REQUIRE(first.get(first->look()).lost == "");
            BOOST_REQUIRE(other.get(other->look()).lost == "");
        }
        copy_over(copy, path);
        BOOST_TEST(first.get(first->look()).lost.find("was overwritten") != std::string::npos);
        BOOST_TEST(other.get(other->look()).lost.find("was overwritten") != std::string::npos);
    }
    check_refused();
}

BOOST_AUTO_TEST_CASE(a_copy_that_was_copied_over_it_is_refused_while_another_process_has_it_open) {
    make_copy();
    actor other({"hold", path});
    BOOST_REQUIRE(other.line() == "held");
    leave_log("killed");
    copy_over(copy, path);
    check_refused();
    other.kill();
    check_refused();
}

BOOST_AUTO_TEST_CASE(a_start_without_the_log_that_another_process_still_uses_is_refused) {
    make_copy();
    actor other({"stay", path});
    BOOST_REQUIRE(other.line() == "open");
    leave_log("killed");
    fs::remove(path + "-wal");
    for (int i = 0; i < 2; ++i) {
        auto const message = refusal();
        BOOST_TEST(message.find("stop every engramd that uses this file") != std::string::npos, message);
        BOOST_TEST(!fs::exists(path + "-wal"));
    }
    BOOST_TEST(other.stop() == 0);
    BOOST_TEST(refusal() == "");
    BOOST_TEST(jobs("killed") >= 6);
}

BOOST_AUTO_TEST_CASE(a_stop_with_an_index_that_was_removed_leaves_a_new_one_alone) {
    make_copy();
    actor other({"stay", path});
    BOOST_REQUIRE(other.line() == "open");
    leave_log("killed");
    fs::remove(path + "-shm");
    {
        opened_store again(options_for(path));
        fill(again, {"bob", "s1"}, 200, "again");
        look_at(path).execute("PRAGMA wal_checkpoint(TRUNCATE)");
        fill(again, {"eve", "s1"}, 200, "more");
        BOOST_TEST(other.stop() == 0);
        fill(again, {"ada", "s1"}, 20, "last");
    }
    BOOST_TEST(look_at(path).query_text("PRAGMA integrity_check") == "ok");
    BOOST_TEST(jobs("killed") >= 6);
    for (auto const& [prefix, count] : {std::pair("again", 100), {"more", 100}, {"last", 10}})
        BOOST_TEST(jobs(prefix) == count);
}

BOOST_AUTO_TEST_SUITE_END()

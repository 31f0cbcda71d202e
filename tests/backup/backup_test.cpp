// A copy of the database while others write to it.
#include "backup/backup.hpp"

#include "backup_fixture.hpp"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <sys/resource.h>
#include <sysexits.h>

using namespace engram;
using namespace engram::backup::test;
using backup::back_up;

BOOST_FIXTURE_TEST_SUITE(backup_of_the_database, database_fixture)

BOOST_AUTO_TEST_CASE(it_is_one_whole_file_that_only_its_owner_may_read) {
    write("a");
    auto const found = back_up(path, copy, false);
    BOOST_TEST(found.users == 1u);
    BOOST_TEST(found.turns == 20u);
    BOOST_TEST(found.version == 5);
    BOOST_TEST(found.id ==
               std::uint64_t(number(path, "SELECT value FROM engram_state WHERE name = 'database_id'")));
    BOOST_TEST(found.bytes == fs::file_size(copy));
    BOOST_TEST(!found.newest_turn.empty());
    BOOST_TEST((stat_of(copy).st_mode & 07777) == 0600u);
    BOOST_TEST(others() == std::vector<std::string>{"copy.db"}, boost::test_tools::per_element());
    BOOST_TEST(look_at(copy).query_text("PRAGMA integrity_check") == "ok");
    BOOST_TEST(look_at(copy).query_text("PRAGMA journal_mode") == "delete");
    BOOST_TEST(jobs(copy, "a") == 10);
}

BOOST_AUTO_TEST_CASE(a_moment_of_a_database_that_others_write_to) {
    write("a");
    actor writer({"commit", path, "bob", "s1", "b", "1000000"});
    BOOST_REQUIRE(writer.line() == "open");
    for (int round = 0; round < 5; ++round) {
        // What was confirmed before is in it.
        int confirmed = 0;
        std::string last;
        for (; confirmed < 20; ++confirmed)
            last = writer.line();
        auto const id = last.substr(std::string("done ").size());
        back_up(path, copy, true);
        BOOST_TEST(jobs(copy, id) >= 1, id);
        BOOST_TEST(look_at(copy).query_text("PRAGMA integrity_check") == "ok");
        BOOST_TEST(number(copy, "SELECT count(*) FROM conversation_history") ==
                   2 * (jobs(copy, "b") + jobs(copy, "a")));
    }
    // The writer has not been in its way, nor the other way round.
    BOOST_TEST(writer.line().starts_with("done "));
}

BOOST_AUTO_TEST_CASE(what_a_killed_daemon_has_left_in_its_log_is_in_it_and_stays_where_it_is) {
    write("a");
    leave_log("k");
    auto const file = bytes_of(path), log = bytes_of(path + "-wal"), index = bytes_of(path + "-shm");
    back_up(path, copy, false);
    BOOST_TEST(jobs(copy, "k") >= 6);
    BOOST_TEST((bytes_of(path) == file));
    BOOST_TEST((bytes_of(path + "-wal") == log));
    BOOST_TEST((bytes_of(path + "-shm") == index));
}

BOOST_AUTO_TEST_CASE(a_log_of_another_file_is_not_mixed_into_it) {
    write("a");
    auto const old = folder.file("old.db");
    fs::copy_file(path, old);
    leave_log("k");
    fs::rename(old, path);
    auto const refused = complaint_of([&] { back_up(path, copy, false); });
    BOOST_TEST(refused.status == EX_DATAERR);
    BOOST_TEST(std::string(refused.what()).find("does not belong to the database") != std::string::npos);
    BOOST_TEST(!fs::exists(copy));
}

BOOST_AUTO_TEST_CASE(what_is_there_already_is_only_replaced_if_told_so) {
    write("a");
    std::ofstream(copy) << "precious";
    BOOST_TEST(complaint_of([&] { back_up(path, copy, false); }).status == EX_CANTCREAT);
    BOOST_TEST(bytes_of(copy) == "precious");
    back_up(path, copy, true);
    BOOST_TEST(jobs(copy, "a") == 10);
    BOOST_TEST((stat_of(copy).st_mode & 07777) == 0600u);
}

BOOST_AUTO_TEST_CASE(the_log_of_a_file_that_is_replaced_goes_with_it) {
    write("a");
    for (auto const* suffix : {"", "-wal", "-shm", "-journal"})
        std::ofstream(copy + suffix) << "of another one";
    back_up(path, copy, true);
    BOOST_TEST(others() == std::vector<std::string>{"copy.db"}, boost::test_tools::per_element());
    BOOST_TEST(jobs(copy, "a") == 10);
}

BOOST_AUTO_TEST_CASE(a_file_that_somebody_uses_is_not_replaced) {
    write("a");
    auto const used = folder.file("used.db");
    actor user({"commit", used, "ada", "s1", "u", "1000000"});
    BOOST_REQUIRE(user.line() == "open");
    BOOST_REQUIRE(user.line().starts_with("done "));
    BOOST_TEST(complaint_of([&] { back_up(path, used, true); }).status == EX_TEMPFAIL);
    BOOST_TEST(user.line().starts_with("done "));
}

BOOST_AUTO_TEST_CASE(what_the_system_says_of_a_write_that_fails_is_told) {
    write("a", 400);
    ::signal(SIGXFSZ, SIG_IGN);
    struct rlimit before{};
    BOOST_REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
    auto tight = before;
    tight.rlim_cur = 64 << 10;
    BOOST_REQUIRE(::setrlimit(RLIMIT_FSIZE, &tight) == 0);
    auto const refused = complaint_of([&] { back_up(path, copy, false); });
    BOOST_REQUIRE(::setrlimit(RLIMIT_FSIZE, &before) == 0);
    ::signal(SIGXFSZ, SIG_DFL);
    BOOST_TEST(refused.status == EX_IOERR);
    BOOST_TEST(std::string(refused.what()).find(std::strerror(EFBIG)) != std::string::npos, refused.what());
    BOOST_TEST(others().empty());
}

BOOST_AUTO_TEST_CASE(what_cannot_be_a_copy_is_refused) {
    write("a");
    auto const before = bytes_of(path);
    for (bool const replace : {false, true}) {
        for (auto const& target : {path, path + "-wal", path + ".forgotten"})
            BOOST_TEST(complaint_of([&] { back_up(path, target, replace); }).status == EX_USAGE, target);
        BOOST_TEST(complaint_of([&] { back_up(path, fs::path(path).parent_path(), replace); }).status ==
                   EX_CANTCREAT);
        BOOST_TEST(complaint_of([&] { back_up(path, folder.file("none/x"), replace); }).status ==
                   EX_CANTCREAT);
    }
    fs::create_symlink(path, folder.file("link"));
    BOOST_TEST(complaint_of([&] { back_up(path, folder.file("link"), true); }).status == EX_USAGE);
    BOOST_TEST((bytes_of(path) == before));
}

BOOST_AUTO_TEST_CASE(what_is_no_database_of_engram_is_refused) {
    BOOST_TEST(complaint_of([&] { back_up(path, copy, false); }).status == EX_NOINPUT);
    std::ofstream(path) << std::string(10'000, 'x');
    BOOST_TEST(complaint_of([&] { back_up(path, copy, false); }).status == EX_DATAERR);
    fs::remove(path);
    std::ofstream(path).close();
    look_at(path).execute("CREATE TABLE other(x)");
    auto const refused = complaint_of([&] { back_up(path, copy, false); });
    BOOST_TEST(refused.status == EX_DATAERR);
    BOOST_TEST(std::string(refused.what()).find("is no database of engram") != std::string::npos);
    BOOST_TEST(!fs::exists(copy));
}

BOOST_AUTO_TEST_CASE(a_damaged_database_gives_no_copy) {
    write("a", 400);
    {
        std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
        file.seekp(20 * 4096);
        file << std::string(8 * 4096, '\xAA');
    }
    auto const refused = complaint_of([&] { back_up(path, copy, false); });
    BOOST_TEST(refused.status == EX_DATAERR);
    BOOST_TEST(std::string(refused.what()).find("engramctl salvage FILE NEW") != std::string::npos,
               refused.what());
    BOOST_TEST(others().empty());
}

BOOST_AUTO_TEST_CASE(a_kill_leaves_nothing_that_passes_for_a_copy) {
    write("a");
    if (!is_killed_at("backup_copied", [&] { back_up(path, copy, false); })) return;
    BOOST_TEST(!fs::exists(copy));
    back_up(path, copy, false);
    BOOST_TEST(jobs(copy, "a") == 10);
}

BOOST_AUTO_TEST_CASE(what_root_opens_is_left_to_the_owner_of_the_database) {
    if (::geteuid() != 0) {
        BOOST_TEST_MESSAGE("only root can try this");
        return;
    }
    constexpr uid_t somebody = 12'345;
    write("a");
    BOOST_REQUIRE(::chown(path.c_str(), somebody, somebody) == 0);
    auto reader = look_at(path);  // keeps log and index there
    static_cast<void>(reader.query_integer("SELECT count(*) FROM engram_state"));
    back_up(path, copy, false);
    for (auto const* suffix : {"-wal", "-shm"})
        BOOST_TEST(stat_of(path + suffix).st_uid == somebody, suffix);
    BOOST_TEST(stat_of(copy).st_uid == 0u);
}

BOOST_AUTO_TEST_SUITE_END()

// A copy is put in the place of the database.
#include "backup/restore.hpp"

#include "backup/backup.hpp"
#include "backup_fixture.hpp"
#include "failing_links.hpp"

#include <array>
#include <sysexits.h>

using namespace engram;
using namespace engram::backup::test;
using backup::back_up;
using backup::restore;

namespace {

struct fixture : database_fixture {
    /// A copy with "early" jobs, and a database with "late" ones, too.
    void make_both() const {
        write("early");
        back_up(path, copy, false);
        write("late");
    }
    mutable int starts = 0;

    /// As the next daemon finds it, without a complaint.
    void check(std::int64_t early, std::int64_t late) const {
        {
            opened_store opened(options_for(path));
            fill(opened, {"ada", "s2"}, 2, "new" + std::to_string(++starts));
        }
        BOOST_TEST(jobs(path, "early") == early);
        BOOST_TEST(jobs(path, "late") == late);
        BOOST_TEST(look_at(path).query_text("PRAGMA integrity_check") == "ok");
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(backup_restored, fixture)

BOOST_AUTO_TEST_CASE(it_takes_the_place_of_the_database_which_is_kept) {
    make_both();
    auto const before = bytes_of(copy);
    auto const done = restore(copy, path);
    BOOST_TEST(done.now.turns == 20u);
    BOOST_TEST((bytes_of(copy) == before));
    BOOST_TEST(jobs(done.kept, "late") == 10);
    BOOST_TEST(done.kept.starts_with(path + ".before-restore-"));
    BOOST_TEST(!fs::exists(path + "-wal"));
    check(10, 0);
    BOOST_TEST(others() == (std::vector<std::string>{"copy.db", fs::path(done.kept).filename().string()}),
               boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(it_has_owner_and_mode_of_the_one_before) {
    make_both();
    fs::permissions(path, fs::perms(0640));
    bool const is_root = ::geteuid() == 0;
    if (is_root) BOOST_REQUIRE(::chown(path.c_str(), 12'345, 12'346) == 0);
    restore(copy, path);
    auto const now = stat_of(path);
    BOOST_TEST((now.st_mode & 07777) == 0640u);
    if (is_root) BOOST_TEST((now.st_uid == 12'345 && now.st_gid == 12'346));
}

BOOST_AUTO_TEST_CASE(where_there_is_no_database_it_is_the_folders) {
    write("early");
    back_up(path, copy, false);
    fs::create_directory(folder.file("new"));
    path = folder.file("new/engram.db");
    bool const is_root = ::geteuid() == 0;
    if (is_root) BOOST_REQUIRE(::chown(folder.file("new").c_str(), 12'345, 12'346) == 0);
    BOOST_TEST(restore(copy, path).kept == "");
    auto const now = stat_of(path);
    BOOST_TEST((now.st_mode & 07777) == 0640u);
    if (is_root) BOOST_TEST((now.st_uid == 12'345 && now.st_gid == 12'346));
    check(10, 0);
}

BOOST_AUTO_TEST_CASE(a_database_that_somebody_has_open_and_does_nothing_with_is_left_alone) {
    make_both();
    std::array<int, 2> ready{};
    BOOST_REQUIRE(::pipe(ready.data()) == 0);
    auto const idle = ::fork();
    if (idle == 0) {
        auto reader = look_at(path);
        static_cast<void>(reader.query_integer("SELECT count(*) FROM engram_state"));
        static_cast<void>(::write(ready[1], "x", 1));
        ::pause();
        ::_exit(0);
    }
    char said = 0;
    BOOST_REQUIRE(::read(ready[0], &said, 1) == 1);
    auto const refused = complaint_of([&] { restore(copy, path); });
    ::kill(idle, SIGKILL);
    ::waitpid(idle, nullptr, 0);
    BOOST_TEST(refused.status == EX_TEMPFAIL);
    BOOST_TEST(jobs(path, "late") == 10);
    BOOST_TEST(others() == std::vector<std::string>{"copy.db"}, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(who_uses_it_is_named) {
    make_both();
    actor daemon({"commit", path, "ada", "s1", "used", "1000000"});
    BOOST_REQUIRE(daemon.line() == "open");
    BOOST_REQUIRE(daemon.line().starts_with("done "));
    auto const refused = complaint_of([&] { restore(copy, path); });
    BOOST_TEST(refused.status == EX_TEMPFAIL);
    BOOST_TEST(std::string(refused.what()).find("store_actor (process ") == 0u, refused.what());
}

BOOST_AUTO_TEST_CASE(the_log_of_a_killed_daemon_goes_with_its_database_and_not_with_the_copy) {
    make_both();
    leave_log("killed");
    auto const done = restore(copy, path);
    BOOST_TEST(jobs(done.kept, "killed") >= 6);
    check(10, 0);
    BOOST_TEST(jobs(path, "killed") == 0);
}

BOOST_AUTO_TEST_CASE(a_log_that_does_not_belong_to_the_old_file_is_kept_beside_it) {
    make_both();
    leave_log("killed");
    auto const raw = folder.file("raw.db");
    fs::copy_file(copy, raw);
    fs::rename(raw, path);  // as somebody does who has no engramctl
    BOOST_CHECK_THROW(opened_store{options_for(path)}, store::open_error);
    auto const done = restore(copy, path);
    BOOST_TEST(fs::exists(done.kept + "-wal"));
    check(10, 0);
    BOOST_TEST(jobs(path, "killed") == 0);
}

BOOST_AUTO_TEST_CASE(a_damaged_database_can_be_replaced) {
    make_both();
    leave_log("killed");
    std::ofstream(path) << "nothing of this is a database";
    auto const done = restore(copy, path);
    BOOST_TEST(bytes_of(done.kept) == "nothing of this is a database");
    BOOST_TEST(fs::exists(done.kept + "-wal"));
    check(10, 0);
}

BOOST_AUTO_TEST_CASE(a_log_without_its_database_does_not_meet_the_copy) {
    make_both();
    leave_log("killed");
    fs::remove(path);
    BOOST_TEST(restore(copy, path).kept == "");
    check(10, 0);
    BOOST_TEST(jobs(path, "killed") == 0);
}

BOOST_AUTO_TEST_CASE(a_copy_that_was_made_by_hand_is_as_good) {
    make_both();
    leave_log("killed");
    auto const raw = folder.file("raw.db");
    for (auto const* suffix : {"", "-wal"})
        fs::copy_file(path + suffix, raw + suffix);
    auto const before = bytes_of(raw + "-wal");
    restore(raw, path);
    BOOST_TEST((bytes_of(raw + "-wal") == before));
    BOOST_TEST(jobs(path, "killed") >= 6);
    check(10, 10);
}

BOOST_AUTO_TEST_CASE(a_link_to_the_database_stays_one) {
    make_both();
    auto const link = folder.file("link.db");
    fs::create_symlink(path, link);
    restore(copy, link);
    BOOST_TEST(fs::is_symlink(link));
    check(10, 0);
}

BOOST_AUTO_TEST_CASE(what_is_no_good_copy_changes_nothing) {
    make_both();
    auto const before = bytes_of(path);
    auto const bad = folder.file("bad.db");
    auto const refused = [&](std::string const& file) {
        return complaint_of([&] { restore(file, path); }).status;
    };
    BOOST_TEST(refused(bad) == EX_NOINPUT);
    BOOST_TEST(refused(path) == EX_USAGE);
    std::ofstream(bad) << std::string(10'000, 'x');
    BOOST_TEST(refused(bad) == EX_DATAERR);
    fs::copy_file(copy, bad, fs::copy_options::overwrite_existing);
    look_at(bad).execute("PRAGMA user_version = 99");
    BOOST_TEST(refused(bad) == EX_DATAERR);
    fs::copy_file(copy, bad, fs::copy_options::overwrite_existing);
    look_at(bad).execute("PRAGMA application_id = 7");
    BOOST_TEST(refused(bad) == EX_DATAERR);
    fs::copy_file(copy, bad, fs::copy_options::overwrite_existing);
    fs::resize_file(bad, fs::file_size(bad) / 2);
    BOOST_TEST(refused(bad) == EX_DATAERR);
    BOOST_TEST((bytes_of(path) == before));
    BOOST_TEST(others() == (std::vector<std::string>{"bad.db", "copy.db"}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_kill_at_any_moment_leaves_one_whole_database) {
    make_both();
    for (auto const* place : {"restore_copied", "restore_log_moved", "restore_old_kept"}) {
        leave_log(std::string("killed-") + place);
        if (!is_killed_at(place, [&] { restore(copy, path); })) return;
        check(10, 10);
        BOOST_TEST(jobs(path, std::string("killed-") + place) >= 6, place);
    }
    restore(copy, path);
    check(10, 0);
}

BOOST_AUTO_TEST_CASE(without_hard_links_the_old_one_is_kept_as_well) {
    make_both();
    for (int const error : {EPERM, EOPNOTSUPP, ENOSYS}) {
        failing_links const none(error);
        auto const done = restore(copy, path);
        BOOST_TEST(fs::exists(done.kept));
        BOOST_TEST((stat_of(path).st_mode & 07777) == 0640u);
        check(10, 0);
    }
}

BOOST_AUTO_TEST_CASE(a_log_that_was_put_away_comes_back_if_the_rest_fails) {
    make_both();
    leave_log("killed");
    std::ofstream(path) << "nothing of this is a database";
    auto const log = bytes_of(path + "-wal");
    BOOST_REQUIRE(!log.empty());
    failing_links const full(EMLINK);
    auto const refused = complaint_of([&] { restore(copy, path); });
    BOOST_TEST(refused.status == EX_CANTCREAT);
    BOOST_TEST((bytes_of(path + "-wal") == log));
    BOOST_TEST(bytes_of(path) == "nothing of this is a database");
    BOOST_TEST(others() == std::vector<std::string>{"copy.db"}, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(what_was_put_away_is_told) {
    make_both();
    BOOST_TEST(restore(copy, path).put_away.empty());
    leave_log("killed");
    fs::remove(path);
    auto const log = bytes_of(path + "-wal");
    auto const done = restore(copy, path);
    BOOST_TEST(done.kept == "");
    BOOST_REQUIRE(done.put_away.size() == 1u);
    BOOST_TEST((bytes_of(done.put_away.front()) == log));
    check(10, 0);
}

BOOST_AUTO_TEST_SUITE_END()

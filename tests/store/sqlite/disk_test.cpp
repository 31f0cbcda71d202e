// A disk that is full, and then is not.
#include "store_fixture.hpp"

#include <boost/test/unit_test.hpp>

#include <fstream>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>

using namespace engram;
using namespace engram::store::test;
using engram::store::conversation;

namespace {

// No file of this process grows beyond `bytes` while it lives. The store's threads take no SIGXFSZ.
class file_size_limit {
public:
    explicit file_size_limit(rlim_t bytes) {
        ::getrlimit(RLIMIT_FSIZE, &before_);
        rlimit const now{bytes, before_.rlim_max};
        ::setrlimit(RLIMIT_FSIZE, &now);
    }
    ~file_size_limit() { ::setrlimit(RLIMIT_FSIZE, &before_); }
    file_size_limit(file_size_limit const&) = delete;
    file_size_limit& operator=(file_size_limit const&) = delete;

private:
    rlimit before_{};
};

struct fixture {
    temporary_folder folder;
    std::string path = folder.file("engram.db");
    conversation of{"ada", "s1"};

    static store::exchange big(std::string const& id) {
        auto what = exchange_of({"ada", "s1"}, job(id), {{"fact", id}});
        what.turns[0].content.assign(20'000, 'x');
        return what;
    }

    // Commits until one fails, checks what a failure leaves behind; the number of those that worked.
    int fill_up(opened_store& db) {
        for (int i = 0; i < 10'000; ++i) {
            auto const id = "j" + std::to_string(i);
            auto const answer = run(db.loop(), db->commit_exchange(big(id)));
            if (answer.has_value()) continue;
            BOOST_TEST((answer.error().kind == store::error_kind::unavailable));
            auto const seen = db.get(db->load_context(query_of(of, id)));
            BOOST_TEST(!seen.recorded.has_value());
            BOOST_TEST(by_age(seen.memories).back().content == "j" + std::to_string(i - 1));
            return i;
        }
        return -1;
    }

    void check_recovery(opened_store& db, int worked) {
        auto const id = "j" + std::to_string(worked);
        auto const again = db.get(db->commit_exchange(big(id)));
        BOOST_TEST(again.committed);
        BOOST_TEST(again.window_turns == 2u * static_cast<std::size_t>(worked + 1));
        BOOST_TEST(!db.get(db->commit_exchange(big("j0"))).committed);
        BOOST_TEST(look_at(path).query_text("PRAGMA integrity_check") == "ok");
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(store_disk, fixture)

BOOST_AUTO_TEST_CASE(a_write_that_the_system_refuses_fails_the_job_for_now_and_works_later) {
    opened_store db(options_for(path));
    int worked = 0;
    {
        file_size_limit const limit(2'000'000);
        worked = fill_up(db);
        BOOST_TEST(worked > 10);
    }
    check_recovery(db, worked);
}

BOOST_AUTO_TEST_CASE(opening_a_database_that_cannot_be_taken_over_for_lack_of_space_leaves_it_as_it_was) {
    std::ofstream(path).close();
    look_at(path).execute(
        "CREATE TABLE conversation_history(id INTEGER PRIMARY KEY, session_id TEXT, user_id TEXT, role TEXT, "
        "content TEXT);"
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000) "
        "INSERT INTO conversation_history SELECT i, 's', 'u', 'user', hex(zeroblob(500)) FROM n");
    auto const size = std::filesystem::file_size(path);
    {
        ::signal(SIGXFSZ, SIG_IGN);  // the migration runs on this thread
        file_size_limit const limit(size + size / 4);
        BOOST_CHECK_EXCEPTION(opened_store(options_for(path)), store::open_error, [](auto const& refused) {
            return std::string(refused.what()).find("as it was") != std::string::npos;
        });
        ::signal(SIGXFSZ, SIG_DFL);
    }
    BOOST_TEST(number(path, "SELECT count(*) FROM sqlite_schema") == 1);
    BOOST_TEST(number(path, "SELECT count(*) FROM conversation_history") == 2000);
    opened_store db(options_for(path));
    BOOST_TEST(db.get(db->load_context(query_of({"u", "s"}))).turns.size() == 40u);
}

// A file system of its own needs rights that a test seldom has; the limit above covers the same paths.
BOOST_AUTO_TEST_CASE(a_full_file_system_fails_jobs_for_now_and_space_brings_them_back) {
    auto const disk = folder.file("disk");
    std::filesystem::create_directory(disk);
    if (::mount("none", disk.c_str(), "tmpfs", 0, "size=4m") != 0) {
        BOOST_TEST_MESSAGE("skipped: mounting a file system is not permitted here");
        return;
    }
    struct unmount {
        std::string const& where;
        ~unmount() { ::umount2(where.c_str(), MNT_DETACH); }
    } const unmounted{disk};
    path = disk + "/engram.db";
    std::ofstream(disk + "/ballast") << std::string(1'500'000, 'x');
    opened_store db(options_for(path));
    int const worked = fill_up(db);
    BOOST_TEST(worked > 10);
    std::filesystem::remove(disk + "/ballast");
    check_recovery(db, worked);
}

BOOST_AUTO_TEST_SUITE_END()

// A user who was forgotten does not come back with a copy of the database, however it is put in its place.
#include "raw_files.hpp"
#include "store/sqlite/forgotten_list.hpp"
#include "store/sqlite/user_queries.hpp"
#include "store_fixture.hpp"

#include <boost/asio/detached.hpp>
#include <boost/test/unit_test.hpp>

#include <fstream>
#include <memory>
#include <sys/stat.h>

using namespace engram;
using namespace engram::store::test;
using store::finished_jobs;
using store::forgotten_list;
using store::forgotten_user;
namespace fs = std::filesystem;

namespace {

struct fixture {
    temporary_folder folder;
    std::string path = folder.file("engram.db"), copy = folder.file("copy.db");
    std::string list = path + ".forgotten";

    /// As a daemon does it, in three steps.
    static void forget(opened_store& in, std::string const& user) {
        for (auto const jobs : {finished_jobs::keep, finished_jobs::keep, finished_jobs::remove})
            in.get(in->forget_user(user, jobs, at()));
    }
    /// As fill() does, whatever was forgotten before: the user comes back.
    static void come_back(opened_store& in, std::string const& user, int turns, std::string const& prefix) {
        engram::store::conversation const of{user, "new"};
        for (int i = 0; i < turns / 2; ++i) {
            auto what = exchange_of(of, job(prefix + std::to_string(i)));
            what.seen = in.get(in->load_context(query_of(of))).seen;
            BOOST_REQUIRE(in.get(in->commit_exchange(what)).committed);
        }
    }
    /// Ada and Bob talk, a copy is made, Ada is forgotten.
    void talk_copy_forget() const {
        opened_store db(options_for(path));
        fill(db, {"adaqq", "s1"}, 8);
        db.get(db->add_memory("adaqq", {.type = "fact", .content = "wordqq"}, at()));
        fill(db, {"bob", "s1"}, 8, "b");
        look_at(path).execute("VACUUM INTO '" + copy + "'");
        forget(db, "adaqq");
    }
    /// Somebody puts the copy in the place of the database, with all daemons stopped.
    void put_back() const {
        for (auto const* suffix : {"", "-wal", "-shm"})
            fs::remove(path + suffix);
        fs::copy_file(copy, path);
    }
    [[nodiscard]] std::size_t start() const {
        opened_store db(options_for(path));
        return db.get(db->forget_again());
    }
    /// By a process that ends once something is gone.
    void start_and_end_after_a_piece(std::string const& user) const {
        auto const before = turns(user);
        opened_store db(options_for(path));
        boost::asio::co_spawn(db.loop(), db->forget_again(), boost::asio::detached);
        while (turns(user) == before)
            BOOST_REQUIRE(db.loop().run_one() == 1u);
    }
    [[nodiscard]] std::int64_t turns(std::string const& user) const {
        return number(path, "SELECT count(*) FROM conversation_history WHERE user_id = '" + user + "'");
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(store_forgotten_again, fixture)

BOOST_AUTO_TEST_CASE(who_was_forgotten_after_the_copy_is_forgotten_again) {
    talk_copy_forget();
    put_back();
    BOOST_TEST(turns("adaqq") == 8);
    BOOST_TEST(start() == 1u);
    BOOST_TEST(dump_of(path, "adaqq") == "");
    for (std::string const word : {"adaqq", "wordqq"})
        BOOST_TEST(!stands_in_files(path, word), word);
    BOOST_TEST(turns("bob") == 8);
    BOOST_TEST(number(path, "SELECT count(*) FROM engram_erasure") == 0);
}

BOOST_AUTO_TEST_CASE(who_is_back_since_is_left_alone) {
    talk_copy_forget();
    for (int round = 0; round < 3; ++round) {
        put_back();
        BOOST_TEST(start() == 1u);
        {
            opened_store db(options_for(path));
            come_back(db, "adaqq", 4, "new");
        }
        BOOST_TEST(start() == 0u);
        BOOST_TEST(turns("adaqq") == 4);
    }
}

BOOST_AUTO_TEST_CASE(without_a_copy_put_back_nobody_is_forgotten) {
    talk_copy_forget();
    {
        opened_store db(options_for(path));
        come_back(db, "adaqq", 4, "new");
    }
    BOOST_TEST(start() == 0u);
    BOOST_TEST(turns("adaqq") == 4);
}

BOOST_AUTO_TEST_CASE(who_was_forgotten_twice_is_forgotten_again_whichever_copy_it_is) {
    talk_copy_forget();
    auto const second = folder.file("second.db");
    {
        opened_store db(options_for(path));
        come_back(db, "adaqq", 4, "new");
        look_at(path).execute("VACUUM INTO '" + second + "'");
        forget(db, "adaqq");
    }
    for (auto const& one : {second, copy}) {
        copy = one;
        put_back();
        BOOST_TEST(start() == 1u);
        BOOST_TEST(turns("adaqq") == 0);
    }
}

BOOST_AUTO_TEST_CASE(another_database_in_the_same_place_is_not_touched) {
    talk_copy_forget();
    for (auto const* suffix : {"", "-wal", "-shm"})
        fs::remove(path + suffix);
    {
        opened_store db(options_for(path));
        fill(db, {"adaqq", "s1"}, 4, "other");
    }
    BOOST_TEST(start() == 0u);
    BOOST_TEST(turns("adaqq") == 4);
}

BOOST_AUTO_TEST_CASE(a_copy_from_before_there_were_ids_is_of_the_database_in_whose_place_it_is) {
    talk_copy_forget();
    auto const id = number(path, "SELECT value FROM engram_state WHERE name = 'database_id'");
    look_at(copy).execute("DELETE FROM engram_state WHERE name = 'database_id'");
    put_back();
    BOOST_TEST(start() == 1u);
    BOOST_TEST(turns("adaqq") == 0);
    BOOST_TEST(number(path, "SELECT value FROM engram_state WHERE name = 'database_id'") == id);
}

BOOST_AUTO_TEST_CASE(a_copy_from_before_the_user_came_makes_nobody_look_twice) {
    {
        opened_store db(options_for(path));
        fill(db, {"bob", "s1"}, 2, "b");
    }
    fs::copy_file(path, copy);
    {
        opened_store db(options_for(path));
        fill(db, {"adaqq", "s1"}, 2);
        forget(db, "adaqq");
    }
    put_back();
    BOOST_TEST(start() == 0u);
    auto const users = forgotten_list(path).read();
    BOOST_REQUIRE(users.has_value());
    auto raw = look_at(path);
    auto const id =
        std::uint64_t(raw.query_integer("SELECT value FROM engram_state WHERE name = 'database_id'"));
    BOOST_TEST(store::find_returned(raw, id, *users).empty());
}

BOOST_AUTO_TEST_CASE(users_whom_only_rows_of_another_program_name_are_found) {
    talk_copy_forget();
    look_at(copy).execute(
        "DELETE FROM conversation_history; DELETE FROM long_term_memory; DELETE FROM engram_session;"
        "DELETE FROM engram_finished_job; DELETE FROM engram_failed_delivery;"
        "INSERT INTO conversation_history(user_id, session_id, role, content) VALUES ('adaqq', 's', 'tool', "
        "'x')");
    put_back();
    BOOST_TEST(start() == 1u);
    BOOST_TEST(turns("adaqq") == 0);
}

BOOST_AUTO_TEST_CASE(one_that_ended_in_between_is_done_by_the_next_start) {
    talk_copy_forget();
    put_back();
    {
        opened_store db(options_for(path));
        // A first piece, of which the process did not come to see the end.
        db.get(db->forget_user("adaqq", finished_jobs::keep, at()));
        come_back(db, "adaqq", 2, "meanwhile");
    }
    BOOST_TEST(start() == 1u);
    BOOST_TEST(turns("adaqq") == 0);
    BOOST_TEST(start() == 0u);
}

BOOST_AUTO_TEST_CASE(however_often_it_ended_in_between_all_of_it_is_done) {
    talk_copy_forget();
    look_at(copy).execute(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 4000) "
        "INSERT INTO conversation_history(user_id, session_id, role, content, created_at, job_id) "
        "SELECT 'adaqq', 's1', 'user', 'wordqq ' || i, '', '' FROM n");
    put_back();
    auto const now = base::to_unix_ms(base::clock().wall());
    auto const forgotten = forgotten_list(path).read()->front().forgets;
    for (std::int64_t i = 0; i < forgotten; ++i)
        start_and_end_after_a_piece("adaqq");
    BOOST_TEST(turns("adaqq") > 0);
    // Until its minute is over it is left to those who begin it anew.
    BOOST_TEST(number(path, "SELECT due_at FROM engram_erasure") > now);
    BOOST_TEST(start() == 1u);
    BOOST_TEST(turns("adaqq") == 0);
    BOOST_TEST(number(path, "SELECT count(*) FROM engram_erasure") == 0);
    BOOST_TEST(start() == 0u);
}

BOOST_AUTO_TEST_CASE(who_was_forgotten_through_a_link_is_known_beside_the_file) {
    auto const file = path, link = folder.file("link.db");
    opened_store{options_for(file)};
    fs::create_symlink(file, link);
    path = link;
    talk_copy_forget();
    path = file;
    BOOST_TEST(fs::exists(list));
    put_back();
    BOOST_TEST(start() == 1u);
    BOOST_TEST(turns("adaqq") == 0);
}

BOOST_AUTO_TEST_CASE(a_list_that_stands_beside_a_link_is_read_as_well) {
    auto const link = folder.file("link.db");
    fs::create_symlink(path, link);
    talk_copy_forget();
    fs::rename(list, link + ".forgotten");
    put_back();
    path = link;
    BOOST_TEST(start() == 1u);
    BOOST_TEST(turns("adaqq") == 0);
}

BOOST_AUTO_TEST_CASE(a_list_that_is_lost_is_made_anew_of_what_the_database_knows) {
    talk_copy_forget();
    fs::remove(list);
    BOOST_TEST(start() == 0u);
    put_back();
    BOOST_TEST(start() == 1u);
    BOOST_TEST(turns("adaqq") == 0);
}

BOOST_AUTO_TEST_CASE(where_the_list_cannot_be_written_nobody_is_told_that_they_are_forgotten) {
    opened_store db(options_for(path));
    fill(db, {"adaqq", "s1"}, 4);
    fs::create_directory(list);
    db.get(db->forget_user("adaqq", finished_jobs::keep, at()));
    auto const failed = db.fail(db->forget_user("adaqq", finished_jobs::remove, at()));
    BOOST_TEST((failed.kind == store::error_kind::unavailable));
    BOOST_TEST(failed.message.find(list) != std::string::npos, failed.message);
    BOOST_TEST((db.fail(db->forget_again()).kind == store::error_kind::unavailable));
    BOOST_TEST(number(path, "SELECT count(*) FROM engram_erasure") == 1);
    fs::remove(list);
    db.get(db->forget_user("adaqq", finished_jobs::remove, at()));
    BOOST_TEST(number(path, "SELECT count(*) FROM engram_erasure") == 0);
}

BOOST_AUTO_TEST_CASE(the_list_holds_digests_alone) {
    talk_copy_forget();
    std::ifstream in(list);
    std::string line, rest;
    BOOST_TEST(static_cast<bool>(std::getline(in, line)));
    BOOST_TEST(!std::getline(in, rest));
    BOOST_TEST(line.find("adaqq") == std::string::npos);
    struct stat found{};
    BOOST_REQUIRE(::stat(list.c_str(), &found) == 0);
    BOOST_TEST((found.st_mode & 0137) == 0u);
    auto const users = forgotten_list(path).read();
    BOOST_REQUIRE(users->size() == 1u);
    BOOST_TEST(users->front().digest == store::digest_of_user("adaqq"));
    BOOST_TEST(users->front().forgets >= 3);
}

BOOST_AUTO_TEST_CASE(half_a_line_does_no_harm) {
    forgotten_list const of(path);
    BOOST_TEST(!of.read().has_value());
    std::vector<forgotten_user> users{{1, "aaaa", 3, 5},
                                      {0x8000'0000'0000'0001, std::string("\0\xff", 2), 4, 6}};
    of.add({users[0]});
    std::ofstream(list, std::ios::app) << "0000000000000001 6161 ";
    of.add({users[1]});
    for (auto const* odd : {"\n", "xyz 61 1 1\n", "1 6 1 1\n", "1 61 one 1\n", "1 61 1\n", "00 6162 3 4"})
        std::ofstream(list, std::ios::app) << odd;
    BOOST_TEST((*of.read() == users));
}

BOOST_AUTO_TEST_SUITE_END()

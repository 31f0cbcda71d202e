// Opening: what is made, what is refused, and how it is said.
#include "store/sqlite/migrations.hpp"
#include "store_fixture.hpp"
#include "support/no_descriptors.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/test/unit_test.hpp>

#include <fstream>
#include <sys/stat.h>

using namespace engram;
using namespace engram::store::test;
using namespace std::chrono_literals;

namespace {

struct fixture {
    temporary_folder folder;
    std::string path = folder.file("engram.db");

    std::string refusal(store::options const& with) {
        try {
            opened_store opened(with);
        } catch (store::open_error const& refused) {
            return refused.what();
        }
        return "";
    }
    std::string refusal() { return refusal(options_for(path)); }

    void write(std::string const& bytes) { std::ofstream(path, std::ios::binary) << bytes; }
    std::string read() {
        std::ifstream file(path, std::ios::binary);
        return {std::istreambuf_iterator<char>(file), {}};
    }
    static store::connection make_file(std::string const& file) {
        std::ofstream(file, std::ios::binary).close();
        return look_at(file);
    }
    static bool says(std::string const& message, std::string const& part) {
        return message.find(part) != std::string::npos;
    }
    static unsigned mode(std::string const& file) {
        struct stat found{};
        return ::stat(file.c_str(), &found) == 0 ? found.st_mode & 07777 : 0;
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(store_open, fixture)

BOOST_AUTO_TEST_CASE(a_new_database_is_marked_and_logs_ahead) {
    opened_store made(options_for(path));
    BOOST_TEST(number(path, "PRAGMA user_version") == store::schema_version);
    BOOST_TEST(number(path, "PRAGMA application_id") == store::engram_application_id);
    BOOST_TEST(look_at(path).query_text("PRAGMA journal_mode") == "wal");
}

BOOST_AUTO_TEST_CASE(a_new_database_is_nobody_elses_to_read) {
    auto const before = ::umask(0);
    opened_store made(options_for(path));
    made.get(made->commit_exchange(exchange_of({"u", "s"}, job("j"))));
    BOOST_TEST(mode(path) == 0640u);
    BOOST_TEST(mode(path + "-wal") == 0640u);
    BOOST_TEST(mode(path + "-shm") == 0640u);
    ::umask(077);
    auto const other = folder.file("other.db");
    opened_store closed(options_for(other));
    BOOST_TEST(mode(other) == 0600u);
    ::umask(before);
}

BOOST_AUTO_TEST_CASE(an_empty_file_is_a_new_database) {
    write("");
    opened_store made(options_for(path));
    BOOST_TEST(made.get(made->commit_exchange(exchange_of({"u", "s"}, job("j")))).committed);
}

BOOST_AUTO_TEST_CASE(a_newer_database_is_refused_by_name_and_version_and_left_alone) {
    {
        opened_store made(options_for(path));
    }
    look_at(path).execute("PRAGMA user_version = 7");
    auto const before = read();
    auto const message = refusal();
    BOOST_TEST(says(message, path));
    BOOST_TEST(says(message, "version 7"));
    BOOST_TEST(says(message, "up to " + std::to_string(store::schema_version)));
    BOOST_TEST((read() == before));
}

BOOST_AUTO_TEST_CASE(garbage_is_refused_and_left_alone) {
    for (auto const& bytes : {std::string("xy"), std::string(5000, 'x'), std::string(100, '\0'),
                              "SQLite format 3" + std::string(1, '\0') + std::string(4080, '\xAB')}) {
        write(bytes);
        auto const message = refusal();
        BOOST_TEST(says(message, path));
        BOOST_TEST((read() == bytes));
    }
}

BOOST_AUTO_TEST_CASE(somebody_elses_database_is_refused_and_left_alone) {
    make_file(path).execute("CREATE TABLE bookmarks(url TEXT)");
    auto const before = read();
    BOOST_TEST(says(refusal(), "another program"));
    BOOST_TEST((read() == before));
}

BOOST_AUTO_TEST_CASE(what_cannot_be_a_file_is_refused) {
    auto with = options_for(folder.file("no/such/folder/engram.db"));
    BOOST_TEST(says(refusal(with), "folder"));
    with.path = "";
    BOOST_TEST(says(refusal(with), "store.path"));
    with.path = folder.file("");
    BOOST_TEST(says(refusal(with), with.path));
}

BOOST_AUTO_TEST_CASE(without_a_descriptor_the_file_is_not_blamed) {
    {
        opened_store const made(options_for(path));
    }
    boost::asio::io_context loop;
    tests::no_descriptors const none;
    auto const open = [&] { auto const again = store::open_sqlite(options_for(path), loop.get_executor()); };
    BOOST_CHECK_EXCEPTION(open(), store::open_error, [](store::open_error const& lack) {
        BOOST_TEST(lack.passes);
        BOOST_TEST(says(lack.what(), "this machine: no file descriptor is free (limit 1)"), lack.what());
        return !says(lack.what(), "writable for this user");
    });
    try {
        BOOST_TEST(look_at(path).query_integer("SELECT 1 FROM engram_state") == 0, "it was opened");
    } catch (store::sqlite_error const& failed) {
        BOOST_TEST(failed.is_lack());
        BOOST_TEST(failed.passes());
        BOOST_TEST(says(failed.to_error().message, "(this machine: no file descriptor is free (limit 1)"),
                   failed.to_error().message);
        BOOST_CHECK(failed.to_error().kind == store::error_kind::unavailable);
    }
}

BOOST_AUTO_TEST_CASE(names_that_mean_something_to_sqlite_are_plain_file_names) {
    auto const before = std::filesystem::current_path();
    std::filesystem::current_path(folder.file(""));
    for (std::string const name : {":memory:", "file:x.db?mode=memory", "a b%20'c.db"}) {
        opened_store made(options_for(name));
        made.get(made->commit_exchange(exchange_of({"u", "s"}, job("j"))));
        BOOST_TEST(std::filesystem::exists(folder.file(name)));
    }
    std::filesystem::current_path(before);
}

BOOST_AUTO_TEST_CASE(a_database_that_another_holds_is_waited_for_and_then_refused) {
    make_file(path).execute("PRAGMA user_version = 0");
    auto other = look_at(path);
    other.execute("BEGIN EXCLUSIVE");
    auto with = options_for(path);
    with.busy_timeout = 20ms;
    BOOST_TEST(says(refusal(with), "another process"));
    other.execute("ROLLBACK");
    BOOST_TEST(refusal(with).empty());
}

BOOST_AUTO_TEST_CASE(a_damaged_database_is_refused_or_says_so_and_never_ends_the_process) {
    {
        opened_store made(options_for(path));
        fill(made, {"u", "s"}, 40);
    }
    auto bytes = read();
    for (std::size_t i = 4096; i < bytes.size(); ++i)
        bytes[i] = static_cast<char>(i * 31);
    write(bytes);
    try {
        opened_store damaged(options_for(path));
        BOOST_TEST(
            (damaged.fail(damaged->load_context(query_of({"u", "s"}))).kind == store::error_kind::internal));
        BOOST_TEST((damaged.fail(damaged->commit_exchange(exchange_of({"u", "s"}, job("j")))).kind ==
                    store::error_kind::internal));
    } catch (store::open_error const& refused) {
        BOOST_TEST(says(refused.what(), path));
    }
}

BOOST_AUTO_TEST_CASE(odd_numbers_in_the_options_are_taken_for_the_nearest_sense) {
    auto with = options_for(path);
    with.readers = 0;
    with.max_batch = 0;
    with.cache_kib = 0;
    with.busy_timeout = -1ms;
    opened_store made(with);
    BOOST_TEST(made.get(made->commit_exchange(exchange_of({"u", "s"}, job("j")))).committed);
    BOOST_TEST(made.get(made->load_context(query_of({"u", "s"}))).turns.size() == 2u);
}

BOOST_AUTO_TEST_CASE(forgotten_text_does_not_stay_in_the_file) {
    std::string const secret = "the-reply-nobody-may-find";
    {
        opened_store made(options_for(path));
        auto what = exchange_of({"u", "s"}, job("j"));
        what.compose_reply = [&](auto const&) { return secret; };
        made.get(made->commit_exchange(what));
    }
    BOOST_TEST(says(read(), secret));
    {
        opened_store again(options_for(path));
        BOOST_TEST(again.get(again->expire_outcomes(at(1), 10)) == 1u);
    }
    BOOST_TEST(!says(read(), secret));
    BOOST_TEST(!std::filesystem::exists(path + "-wal"));
}

BOOST_AUTO_TEST_SUITE_END()

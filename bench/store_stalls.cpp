// How long the load of a turn takes while people's lists are read: the slowest of many, alone and beside
// calls that read the whole database (`stats`), over the real store.
#include "base/log.hpp"
#include "distribution.hpp"
#include "scratch_folder.hpp"
#include "store/sqlite/sqlite_store.hpp"

#include <CLI/CLI.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/json/serialize.hpp>
#include <sqlite3.h>

#include <chrono>
#include <filesystem>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>

namespace {

namespace asio = boost::asio;
namespace json = boost::json;
using namespace engram;
using std::chrono::steady_clock;

struct arguments {
    std::string database;
    std::size_t turns = 1'000'000;
    std::size_t stats = 5;
    double seconds = 5;
};

constexpr std::size_t turns_a_user = 500;

// Straight into the table: what is measured is reading.
void fill(std::string const& file, std::size_t turns) {
    sqlite3* db = nullptr;
    if (sqlite3_open(file.c_str(), &db) != SQLITE_OK) throw std::runtime_error("cannot open " + file);
    std::unique_ptr<sqlite3, int (*)(sqlite3*)> const owner(db, sqlite3_close);
    auto const sql = "BEGIN; WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < " +
                     std::to_string(turns) +
                     ") INSERT INTO conversation_history(session_id, user_id, role, content, created_at) "
                     "SELECT 's' || (i / 20), 'u' || (i / " +
                     std::to_string(turns_a_user) +
                     "), CASE i % 2 WHEN 0 THEN 'user' ELSE 'assistant' END, "
                     "'Some words of a usual length that somebody said about a day, turn ' || i, '2026-01-01 "
                     "00:00:00' FROM n; "
                     "COMMIT;";
    char* why = nullptr;
    if (sqlite3_exec(db, sql.c_str(), nullptr, nullptr, &why) != SQLITE_OK)
        throw std::runtime_error(why != nullptr ? why : "cannot fill the database");
}

class stalls {
public:
    stalls(arguments const& given, std::string const& file) : given_(given), store_(open(file)) {}

    // One load after the other; `stats` calls that read everything are under way all the time.
    json::object measure(std::size_t stats) {
        times_ = {};
        until_ = steady_clock::now() + std::chrono::duration_cast<steady_clock::duration>(
                                           std::chrono::duration<double>(given_.seconds));
        counts_ = 0;
        asio::co_spawn(io_, load(), asio::detached);
        for (std::size_t i = 0; i < stats; ++i)
            asio::co_spawn(io_, count(), asio::detached);
        io_.restart();
        io_.run();
        return {{"stats_under_way", stats}, {"stats_answered", counts_}, {"load_ms", times_.to_json()}};
    }

private:
    std::unique_ptr<store::database> open(std::string const& file) {
        store::options options;
        options.path = file;
        return store::open_sqlite(options, io_.get_executor(), nullptr);
    }

    asio::awaitable<void> load() {
        std::size_t const users = given_.turns / turns_a_user;
        for (std::size_t i = 0; steady_clock::now() < until_; ++i) {
            store::context_query query;
            auto const user = (i * 7919) % users;
            query.of = {"u" + std::to_string(user), "s" + std::to_string(user * turns_a_user / 20)};
            auto const begun = steady_clock::now();
            auto const loaded = co_await store_->load_context(std::move(query));
            times_.add(steady_clock::now() - begun);
            if (!loaded) throw std::runtime_error(loaded.error().message);
        }
    }

    asio::awaitable<void> count() {
        while (steady_clock::now() < until_) {
            auto const counted = co_await store_->count({});
            if (!counted) throw std::runtime_error(counted.error().message);
            ++counts_;
        }
    }

    arguments given_;
    asio::io_context io_{1};
    std::unique_ptr<store::database> store_;
    bench::distribution times_;
    steady_clock::time_point until_{};
    std::size_t counts_ = 0;
};

int run(arguments const& given) {
    bench::scratch_folder const folder("/var/tmp");
    auto const file = given.database.empty() ? (folder.path / "stalls.db").string() : given.database;
    bool const made = !std::filesystem::exists(file);
    if (made) {
        {
            stalls const schema(given, file);
        }
        fill(file, given.turns);
    }
    stalls all(given, file);
    for (std::size_t const stats : {std::size_t{0}, given.stats})
        std::cout << json::serialize(all.measure(stats)) << std::endl;
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    arguments given;
    CLI::App app("store-stalls: the slowest load of a turn while lists are read", "store-stalls");
    app.add_option("--database", given.database, "keep the database in this file (default: a temporary one)");
    app.add_option("--turns", given.turns, "turns in the database");
    app.add_option("--stats", given.stats, "`stats` calls under way at a time");
    app.add_option("--seconds", given.seconds, "how long each of the two is measured");
    CLI11_PARSE(app, argc, argv);
    base::log_set_level(base::log_level::off);
    try {
        return run(given);
    } catch (std::exception const& failed) {
        std::cerr << "store-stalls: " << failed.what() << '\n';
        return 1;
    }
}

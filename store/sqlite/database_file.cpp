#include "store/sqlite/database_file.hpp"

#include "store/sqlite/migrations.hpp"
#include "store/sqlite/reindexing.hpp"
#include "store/sqlite/sqlite_store.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <system_error>
#include <thread>
#include <unistd.h>

namespace engram::store {
namespace {

using namespace std::chrono_literals;

// Never what SQLite would read as a URI, as a database in memory or as a temporary one.
std::string absolute_path(std::string const& path) {
    if (path.empty()) throw open_error("store.path is empty: give the file the database is to be in");
    if (path.find('\0') != std::string::npos) throw open_error("store.path holds a zero byte");
    std::error_code failed;
    auto const absolute = std::filesystem::absolute(path, failed);
    if (failed) throw open_error("store.path " + path + ": " + failed.message());
    return absolute.string();
}

// SQLite would make the file 0644, and its log and index files like it. Closing a descriptor drops all locks
// this process has on the file: harmless here, for a file that did not exist has none.
void make_file(std::string const& path) {
    int const file = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
    if (file >= 0) {
        ::close(file);
        return;
    }
    if (errno == EEXIST) return;
    throw open_error("cannot make the database " + path + ": " + std::generic_category().message(errno) +
                     "; its folder must exist and be writable for this user");
}

open_error cannot_open(std::string const& path, sqlite_error const& why) {
    std::string advice = "see that the file and its folder are readable and writable for this user";
    if (why.is_busy()) advice = "another process holds it";
    if (why.is_damage())
        advice = "it is damaged or no SQLite database; restore it or give another store.path";
    return open_error("cannot open the database " + path + ": " + why.what() + "; " + advice);
}

// For the switch nobody else may use the file for a moment, and SQLite does not wait for that by itself.
void use_write_ahead_log(connection& db, std::chrono::milliseconds patience, std::string const& path) {
    auto const until = std::chrono::steady_clock::now() + patience;
    for (;;) {
        try {
            auto const mode = db.query_text("PRAGMA journal_mode = WAL");
            if (mode == "wal") return;
            throw open_error("the database " + path + " cannot use write-ahead logging (it stays in mode " +
                             mode + "): put it on a local disk");
        } catch (sqlite_error const& failed) {
            if (!failed.is_busy() || std::chrono::steady_clock::now() >= until) throw;
            std::this_thread::sleep_for(5ms);
        }
    }
}

void set_up(connection& db, std::size_t cache_kib) {
    auto const kib = std::clamp<std::size_t>(cache_kib, 64, 64UL * 1024 * 1024);
    db.execute("PRAGMA cache_size = -" + std::to_string(kib) +
               "; PRAGMA mmap_size = 0; PRAGMA temp_store = MEMORY; PRAGMA foreign_keys = OFF");
}

}  // namespace

connection open_for_writing(options const& options, text_index const* texts, opening& under_way) {
    auto const path = absolute_path(options.path);
    make_file(path);
    try {
        connection db(path, connection::access::read_write, options.busy_timeout);
        if (db.is_read_only()) throw open_error("the database " + path + " is not writable for this user");
        // Deleted text is overwritten, from the first step on: what a migration moves leaves no copy behind.
        db.execute("PRAGMA secure_delete = ON");
        under_way.attach(db);
        migrate(db, path, under_way);
        use_write_ahead_log(db, options.busy_timeout, path);
        set_up(db, options.cache_kib);
        reindex_if_needed(db, texts, path, under_way);
        under_way.detach(db);
        // Checkpoints every 16 MiB of log rather than 4: most pages of a burst are written more than once,
        // and reach the database once. A log grown by a migration is cut back to 64 MiB.
        db.execute(std::string("PRAGMA synchronous = ") + (options.synchronous_full ? "FULL" : "NORMAL") +
                   "; PRAGMA wal_autocheckpoint = 4096; PRAGMA journal_size_limit = 67108864");
        return db;
    } catch (sqlite_error const& failed) {
        if (under_way.stopped()) under_way.check();
        throw cannot_open(path, failed);
    } catch (open_error const&) {
        if (under_way.stopped()) under_way.check();
        throw;
    }
}

connection open_for_reading(options const& options, std::size_t cache_kib) {
    auto const path = absolute_path(options.path);
    try {
        connection db(path, connection::access::read_only, options.busy_timeout);
        set_up(db, std::min(options.cache_kib, cache_kib));
        return db;
    } catch (sqlite_error const& failed) {
        throw cannot_open(path, failed);
    }
}

}  // namespace engram::store

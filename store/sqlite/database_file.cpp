#include "store/sqlite/database_file.hpp"

#include "base/clock.hpp"
#include "base/local_lack.hpp"
#include "base/log.hpp"
#include "base/random_id.hpp"
#include "store/sqlite/forgotten_list.hpp"
#include "store/sqlite/log_tie.hpp"
#include "store/sqlite/migrations.hpp"
#include "store/sqlite/reindexing.hpp"
#include "store/sqlite/sqlite_store.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <fcntl.h>
#include <filesystem>
#include <system_error>
#include <thread>
#include <unistd.h>
#include <utility>

namespace engram::store {
namespace {

using namespace std::chrono_literals;

// In bytes: moving one takes longer than anybody notices.
constexpr std::uintmax_t large_log = 64 << 20;

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
// this process has on the file: harmless here, for a file that did not exist has none. Returns whether it did
// not.
bool make_file(std::string const& path) {
    int const file = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
    if (file >= 0) {
        ::close(file);
        return true;
    }
    if (errno == EEXIST) return false;
    std::error_code const error(errno, std::generic_category());
    auto const lack = base::local_lack(error);
    bool const is_folder_missing = error == std::errc::no_such_file_or_directory;  // it may be mounted later
    bool const passes = !lack.empty() || is_folder_missing || error.value() == EIO ||
                        error.value() == ENOSPC || error.value() == EDQUOT;
    bool const is_folders_fault = !passes || is_folder_missing;
    throw open_error("cannot make the database " + path + ": " + (lack.empty() ? error.message() : lack) +
                         (is_folders_fault ? "; its folder must exist and be writable for this user" : ""),
                     passes);
}

// SQLite removes the log that it finds beside an empty database. If that one was moved away, or emptied, by
// mistake, the last turns are in the log alone.
void keep_log_of_lost(std::string const& path) {
    std::error_code none;
    auto const log = std::filesystem::weakly_canonical(path, none).string() + "-wal";
    auto const bytes = std::filesystem::file_size(log, none);
    if (none || bytes == 0) return;
    auto const database_bytes = std::filesystem::file_size(path, none);
    if (none ? none != std::errc::no_such_file_or_directory : database_bytes > 0) return;
    none.clear();
    auto kept = log + "-of-" + base::to_utc_text(base::clock().wall());
    std::ranges::replace(kept, ' ', 'T');
    std::filesystem::rename(log, kept, none);
    if (none)
        throw open_error("the database " + path + " is missing or empty, but not its log " + log + ": " +
                         none.message());
    base::log_error(
        "a log was found without its database: it is kept, in case that the database turns up; it "
        "holds what users said, and no deletion reaches it: remove it when it is of no use",
        {{"file", path}, {"log", kept}, {"bytes", bytes}});
}

// Random, and positive as everything in engram_state.
std::int64_t new_id() {
    auto const digits = base::random_hex(8);
    std::uint64_t id = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), id, 16);
    return std::int64_t(id >> 1 | 1);
}

// A copy from before there were ids, put in the place of a database that has one, is that database. 0: none.
std::int64_t id_of_place(std::string const& path) {
    forgotten_list const list(path);
    try {
        auto const forgotten = list.read();
        return forgotten && !forgotten->empty() ? std::int64_t(forgotten->back().database) : 0;
    } catch (std::system_error const& failed) {
        throw open_error(list.describe(failed));
    }
}

// That of the file that is there, whoever gave it one.
std::uint64_t id_of(connection& db, std::string const& path, bool is_new) {
    constexpr auto stored = "SELECT value FROM engram_state WHERE name = 'database_id'";
    if (auto const id = db.query_integer(stored); id != 0) return std::uint64_t(id);
    auto const known = is_new ? 0 : id_of_place(path);
    db.prepare("INSERT OR IGNORE INTO engram_state(name, value) VALUES ('database_id', ?1)")
        .run(known != 0 ? known : new_id());
    return std::uint64_t(db.query_integer(stored));
}

// What a process that died has left in the log. As long as it is there, nobody can tell a checkpoint from a
// write by another program (see log_state.hpp).
void move_log(connection& db) {
    try {
        db.execute("PRAGMA wal_checkpoint(PASSIVE)");
    } catch (sqlite_error const& failed) {
        base::log_warn("the database's log could not be moved into it: it is tried again later",
                       {{"reason", failed.what()}});
    }
}

open_error cannot_open(std::string const& path, sqlite_error const& why) {
    std::string advice = "; see that the file and its folder are readable and writable for this user";
    if (why.is_busy()) advice = "; another process holds it";
    if (why.is_damage())
        advice =
            "; it is damaged or no SQLite database; restore it or give another store.path "
            "(if another file was put there while its log " +
            path + "-wal was left: move that and -shm away)";
    if (why.is_lack()) advice.clear();
    return {"cannot open the database " + path + ": " + why.what() + advice, why.passes()};
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

opened_file open_for_writing(options const& options, text_index const* texts, opening& under_way) {
    auto const path = absolute_path(options.path);
    opening_report report{.place = path};
    keep_log_of_lost(path);
    bool const was_there = !make_file(path);
    try {
        check_log_is_there(path);
        if (auto const left = look_at_left(path); left && !options.accept_log)
            check_log(path, *left, options.busy_timeout);
        connection db(path, connection::access::read_write, options.busy_timeout);
        if (db.is_read_only()) throw open_error("the database " + path + " is not writable for this user");
        // Deleted text is overwritten, from the first step on: what a migration moves leaves no copy behind.
        db.execute("PRAGMA secure_delete = ON");
        under_way.attach(db);
        auto const found = migrate(db, path, under_way);
        report.made = found.was_empty;
        report.was_empty = found.was_empty && was_there;
        report.version = schema_version;
        report.from_version = found.version;
        use_write_ahead_log(db, options.busy_timeout, path);
        set_up(db, options.cache_kib);
        reindex_if_needed(db, texts, path, under_way);
        report.id = id_of(db, path, report.made);
        under_way.detach(db);
        // Checkpoints every 16 MiB of log rather than 4: most pages of a burst are written more than once,
        // and reach the database once. A log grown by a migration is cut back to 64 MiB.
        db.execute(std::string("PRAGMA synchronous = ") + (options.synchronous_full ? "FULL" : "NORMAL") +
                   "; PRAGMA wal_autocheckpoint = 4096; PRAGMA journal_size_limit = 67108864");
        std::error_code none;
        if (std::filesystem::file_size(db.path() + "-wal", none) > large_log && !none)
            under_way.before_long_step();
        move_log(db);
        return {std::move(db), std::move(report)};
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

#include "backup/copying.hpp"

#include "backup/database_use.hpp"
#include "backup/failure.hpp"
#include "backup/new_file.hpp"
#include "store/sqlite/log_tie.hpp"
#include "store/sqlite/migrations.hpp"
#include "store/sqlite/sqlite_store.hpp"

#include <sqlite3.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <sysexits.h>
#include <unistd.h>

namespace engram::backup {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using store::connection;

namespace {

constexpr auto patience = 10'000ms;  // with others who lock the database for a moment
constexpr auto cure_of_damage = "); engramctl salvage FILE NEW brings over what can be read of it";

void sync(std::string const& path, int flags) {
    int const file = ::open(path.c_str(), flags | O_CLOEXEC);
    int const error = file < 0 || ::fsync(file) != 0 ? errno : 0;
    if (file >= 0) ::close(file);
    if (error != 0) throw failure(EX_IOERR, path + " cannot be written to the disk: " + std::strerror(error));
}

void copy_pages(connection& from, connection& to) {
    auto* const copying = sqlite3_backup_init(to.native(), "main", from.native(), "main");
    int const code = copying != nullptr ? sqlite3_backup_step(copying, -1) : sqlite3_errcode(to.native());
    sqlite3_backup_finish(copying);
    if (code != SQLITE_DONE) throw store::sqlite_error(code, sqlite3_errstr(code));
}

bool has(connection& db, std::string const& table) {
    return db.query_integer("SELECT count(*) FROM sqlite_schema WHERE name = '" + table + "'") > 0;
}

void check_kind(connection& db, std::string const& path) {
    if (db.query_integer("PRAGMA application_id") != store::engram_application_id)
        throw failure(EX_DATAERR, path + " is no database of engram");
}

}  // namespace

failure explain(std::string const& what, store::sqlite_error const& failed, int error) {
    if (failed.is_damage())
        return {EX_DATAERR,
                what + ": it is damaged or no SQLite database (" + failed.what() + cure_of_damage};
    auto const said = what + ": " + failed.what();
    if (failed.is_busy()) return {EX_TEMPFAIL, said + "; try again"};
    int const kind = failed.code() & 0xff;  // without SQLite's details
    bool const is_full = kind == SQLITE_FULL || error == ENOSPC || error == EDQUOT;
    if (!is_full && kind != SQLITE_IOERR)
        return {EX_NOINPUT, said + "; see that file and folder are there, and run this as root"};
    return {EX_IOERR, said + (error != 0 ? std::string(" (") + std::strerror(error) + ")" : "") +
                          (is_full ? "; make room" : "; see what the kernel's log says of this disk")};
}

connection open_source(std::string const& database) {
    using enum connection::access;
    auto how = read_write;
    try {
        if (!fs::is_regular_file(database))
            throw failure(EX_NOINPUT, database + " is not there, or no file; name another one");
        if (auto const left = store::look_at_left(database)) {
            store::check_log(database, *left, patience);
            if (!user_of(database)) how = left->index ? read_only_and_leave_index : read_only;
        }
        connection source(database, how, patience);
        source.execute("BEGIN");
        check_kind(source, database);
        return source;
    } catch (store::sqlite_error const& failed) {
        throw explain(database + " cannot be read", failed);
    } catch (store::open_error const& refused) {
        throw failure(EX_DATAERR, refused.what());
    } catch (fs::filesystem_error const& failed) {
        throw failure(EX_NOPERM,
                      database + " cannot be read: " + failed.code().message() + "; run this as root");
    }
}

contents look(connection& db) {
    auto const count = [&](std::string const& what) { return std::uint64_t(db.query_integer(what)); };
    contents found;
    found.version = db.query_integer("PRAGMA user_version");
    if (has(db, "engram_state"))
        found.id = count("SELECT value FROM engram_state WHERE name = 'database_id'");
    found.users = count(
        "SELECT count(*) FROM (SELECT user_id FROM conversation_history "
        "UNION SELECT user_id FROM long_term_memory)");
    found.turns = count("SELECT count(*) FROM conversation_history");
    bool const has_past =
        count("SELECT count(*) FROM pragma_table_info('long_term_memory') WHERE name = 'valid_to'") > 0;
    found.memories = count(std::string("SELECT count(*) FROM long_term_memory") +
                           (has_past ? " WHERE valid_to IS NULL" : ""));
    found.newest_turn = db.query_text("SELECT created_at FROM conversation_history ORDER BY id DESC LIMIT 1");
    return found;
}

// A copy has the mode of its source, and with it would get a log and an index of its own beside it.
void make_one_checked_file(connection& db, std::string const& from) {
    auto const mode = db.query_text("PRAGMA journal_mode = DELETE");
    if (mode != "delete") throw failure(EX_IOERR, db.path() + " stays in mode " + mode);
    if (auto const said = db.query_text("PRAGMA integrity_check(1)"); said != "ok")
        throw failure(EX_DATAERR, from + " is damaged (" + said + cure_of_damage);
}

namespace {

// `error`: set to what the system says where `to` cannot be written; 0: nothing.
contents copy_and_check(connection& from, std::string const& to, int& error) {
    connection copy(to, connection::access::read_write, patience);
    try {
        copy.execute("PRAGMA synchronous = OFF");  // it is synchronized as a whole later
        copy_pages(from, copy);
        make_one_checked_file(copy, from.path());
    } catch (store::sqlite_error const&) {
        sqlite3_file_control(copy.native(), "main", SQLITE_FCNTL_LAST_ERRNO, &error);
        throw;
    }
    return look(copy);
}

}  // namespace

contents copy_into(connection& from, std::string const& to) {
    make_file(to);
    int error = 0;
    try {
        auto found = copy_and_check(from, to, error);
        sync_file(to);
        found.bytes = fs::file_size(to);
        return found;
    } catch (...) {
        remove_database(to);
        try {
            throw;
        } catch (store::sqlite_error const& failed) {
            throw explain(from.path() + " cannot be copied to " + to, failed, error);
        } catch (fs::filesystem_error const& failed) {
            throw failure(EX_IOERR, to + ": " + failed.code().message());
        }
    }
}

std::string resolved(std::string const& path) {
    std::error_code none;
    auto const absolute = fs::absolute(path, none);
    auto const found = fs::weakly_canonical(absolute, none);
    return none ? absolute.string() : found.string();
}

void sync_file(std::string const& path) {
    sync(path, O_RDONLY);
}

void sync_folder_of(std::string const& path) {
    sync(fs::path(path).parent_path().string(), O_RDONLY | O_DIRECTORY);
}

}  // namespace engram::backup

#include "backup/restore.hpp"

#include "backup/database_use.hpp"
#include "backup/failure.hpp"
#include "base/clock.hpp"
#include "base/failpoint.hpp"
#include "base/random_id.hpp"
#include "store/sqlite/forgotten_list.hpp"
#include "store/sqlite/log_tie.hpp"
#include "store/sqlite/migrations.hpp"
#include "store/sqlite/sqlite_store.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <sys/stat.h>
#include <sysexits.h>
#include <system_error>
#include <unistd.h>

namespace engram::backup {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using store::connection;

namespace {

bool is_there(std::string const& path) {
    struct stat found{};
    return ::lstat(path.c_str(), &found) == 0;
}

void refuse_if_used(std::string const& database) {
    if (auto const user = user_of(database))
        throw failure(EX_TEMPFAIL, *user + " uses " + database + ": systemctl stop 'engramd*' first");
}

// Without a log it is read without making anything beside it: it may be on a medium that cannot be written
// to.
connection open_copy(std::string const& file) {
    if (!fs::is_regular_file(file))
        throw failure(EX_NOINPUT, file + " is not there, or no file; name the copy that is to be put back");
    if (auto const user = user_of(file))
        throw failure(EX_TEMPFAIL, *user + " uses " + file + ": make a copy of it with engramctl backup");
    if (store::look_at_left(file)) return open_source(file);
    connection copy(file, connection::access::read_only_and_unshared, 0ms);
    if (copy.query_integer("PRAGMA application_id") != store::engram_application_id)
        throw failure(EX_DATAERR, file + " is no database of engram");
    return copy;
}

void check_version(connection& copy, std::string const& file) {
    auto const version = copy.query_integer("PRAGMA user_version");
    if (version > store::schema_version)
        throw failure(EX_DATAERR, file + " was made by a newer engramd (schema version " +
                                      std::to_string(version) + "): install that version first");
}

// Of the database from before, else of the folder.
void give_owner(std::string const& part, std::string const& database) {
    struct stat like{};
    bool const has_old = ::stat(database.c_str(), &like) == 0;
    if (!has_old && ::stat(fs::path(database).parent_path().c_str(), &like) != 0)
        throw failure(EX_CANTCREAT, database + ": " + std::strerror(errno));
    struct stat now{};
    bool const is_theirs =
        ::stat(part.c_str(), &now) == 0 && now.st_uid == like.st_uid && now.st_gid == like.st_gid;
    if (!is_theirs && ::chown(part.c_str(), like.st_uid, like.st_gid) != 0)
        throw failure(EX_NOPERM, part + " cannot be given the owner of the database: " +
                                     std::strerror(errno) + "; run this as root");
    if (::chmod(part.c_str(), has_old ? like.st_mode & 07777 : 0640) != 0)
        throw failure(EX_NOPERM, part + ": " + std::strerror(errno));
    sync_file(part);
}

// Whether the old database is whole without its log from now on. REQUIRES: nobody uses it.
bool move_log(std::string const& database) {
    auto const left = store::look_at_left(database);
    if (!left) return true;
    try {
        store::check_log(database, *left, 1'000ms);
        connection old(database, connection::access::read_write, 1'000ms);
        if (old.query_integer("PRAGMA wal_checkpoint(TRUNCATE)") != 0)  // its first column: busy
            throw failure(EX_TEMPFAIL, database + " is in use: systemctl stop 'engramd*' first");
    } catch (store::open_error const&) {
        return false;
    } catch (store::sqlite_error const& failed) {
        if (failed.is_busy())
            throw failure(EX_TEMPFAIL, database + " is in use: systemctl stop 'engramd*' first");
        if (!failed.is_damage())
            throw failure(EX_IOERR, "the log of " + database + " cannot be moved into it: " + failed.what());
        return false;
    }
    return !store::look_at_left(database);
}

void rename_or_fail(std::string const& from, std::string const& to) {
    if (std::rename(from.c_str(), to.c_str()) != 0)
        throw failure(EX_CANTCREAT, from + " cannot be renamed to " + to + ": " + std::strerror(errno));
}

// Whether there is anything in it; also of a log without its database.
bool is_log_of_use(std::string const& log) {
    std::error_code none;
    auto const bytes = fs::file_size(log, none);
    return !none && bytes > 0;
}

constexpr std::array kept_suffixes{"-wal", "-journal"};

// What must not lie beside another database. The log first: without it the index says nothing. Returns the
// names that it has now.
std::vector<std::string> put_log_away(std::string const& database, std::string const& kept) {
    std::vector<std::string> put_away;
    for (std::string const suffix : kept_suffixes) {
        auto const log = database + suffix;
        if (!is_log_of_use(log)) {
            ::unlink(log.c_str());
            continue;
        }
        rename_or_fail(log, kept + suffix);
        put_away.push_back(kept + suffix);
    }
    ::unlink((database + "-shm").c_str());
    return put_away;
}

// The index is made anew of it.
void put_log_back(std::string const& database, std::string const& kept) {
    for (std::string const suffix : kept_suffixes)
        if (!is_there(database + suffix)) std::rename((kept + suffix).c_str(), (database + suffix).c_str());
}

std::optional<std::size_t> count_forgotten(std::string const& copy, std::string const& database,
                                           contents const& now) {
    if (now.version != store::schema_version) return std::nullopt;
    auto const list = store::forgotten_list(database).read();
    if (!list || list->empty()) return 0;
    auto const id = now.id != 0 ? now.id : list->back().database;
    connection db(copy, connection::access::read_only_and_unshared, 0ms);
    auto const returned = store::find_returned(db, id, *list);
    return std::size_t(
        std::ranges::count_if(returned, [](auto const& user) { return user.user_id.has_value(); }));
}

std::string name_for_old(std::string const& database) {
    auto time = base::to_utc_text(base::clock().wall());
    std::ranges::replace(time, ' ', 'T');
    return database + ".before-restore-" + time;
}

bool is_without_hard_links(int error) {
    return error == EPERM || error == EOPNOTSUPP || error == ENOSYS;
}

// A kill between the two leaves no database, but the old one as `kept` and the new one as `part`, both whole:
// to be renamed by hand.
void replace_by_renaming(std::string const& part, std::string const& database, std::string const& kept) {
    rename_or_fail(database, kept);
    try {
        rename_or_fail(part, database);
    } catch (failure const&) {
        std::rename(kept.c_str(), database.c_str());
        throw;
    }
}

void replace_and_keep(std::string const& part, std::string const& database, std::string const& kept) {
    if (::link(database.c_str(), kept.c_str()) != 0) {
        if (is_without_hard_links(errno)) return replace_by_renaming(part, database, kept);
        throw failure(EX_CANTCREAT, kept + " cannot be made: " + std::strerror(errno));
    }
    base::failpoint("restore_old_kept");
    try {
        rename_or_fail(part, database);
    } catch (failure const&) {
        ::unlink(kept.c_str());
        throw;
    }
}

// The moment of truth. Returns what was put away beside the old database.
std::vector<std::string> put_in_place(std::string const& part, std::string const& database,
                                      std::string const& kept) {
    bool const has_old = is_there(database);
    bool const is_whole = has_old && move_log(database);
    base::failpoint("restore_log_moved");
    std::optional<held_database> held;
    if (has_old) held.emplace(database);
    // Somebody may have come and gone meanwhile.
    if (is_whole && store::look_at_left(database))
        throw failure(EX_TEMPFAIL, database + " was used meanwhile: systemctl stop 'engramd*' first");
    try {
        auto put_away = put_log_away(database, kept);
        if (has_old)
            replace_and_keep(part, database, kept);
        else
            rename_or_fail(part, database);
        return put_away;
    } catch (failure const&) {
        put_log_back(database, kept);
        throw;
    }
}

restored restore_checked(std::string const& file, std::string const& database, std::string const& part,
                         std::string const& list_beside) {
    restored done;
    {
        auto copy = open_copy(file);
        check_version(copy, file);
        done.now = copy_into(copy, part);
    }
    done.forgotten = count_forgotten(part, list_beside, done.now);
    give_owner(part, database);
    base::failpoint("restore_copied");
    auto const kept = name_for_old(database);
    bool const had_one = is_there(database);
    done.put_away = put_in_place(part, database, kept);
    sync_folder_of(database);
    if (had_one) done.kept = kept;
    return done;
}

}  // namespace

restored restore(std::string const& file, std::string const& database) {
    auto const target = resolved(database);
    auto const part = target + ".restoring-" + base::random_hex(8);
    try {
        if (resolved(file) == target)
            throw failure(EX_USAGE, file + " is the database itself; name a copy of it");
        refuse_if_used(target);
        return restore_checked(resolved(file), target, part, fs::absolute(database).string());
    } catch (...) {
        ::unlink(part.c_str());
        try {
            throw;
        } catch (store::sqlite_error const& failed) {
            throw failure(failed.is_damage() ? EX_DATAERR : EX_NOINPUT,
                          file + " cannot be read: " + failed.what());
        } catch (std::system_error const& failed) {
            throw failure(EX_NOINPUT, failed.what());
        }
    }
}

}  // namespace engram::backup

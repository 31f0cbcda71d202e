#include "backup/salvage.hpp"

#include "backup/database_use.hpp"
#include "backup/failure.hpp"
#include "backup/mending.hpp"
#include "backup/new_file.hpp"
#include "base/random_id.hpp"
#include "store/sqlite/log_tie.hpp"
#include "store/sqlite/migrations.hpp"
#include "store/sqlite/opening.hpp"
#include "store/sqlite/sqlite_store.hpp"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <memory>
#include <string_view>
#include <sysexits.h>
#include <unistd.h>
#include <utility>

namespace engram::backup {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using store::connection;

namespace {

constexpr auto patience = 10'000ms;
constexpr auto go_back = ": nothing of it can be brought over; go back to a copy with engramctl restore";

// Without a log the file is read as it lies there, with no lock and nothing made beside it; so nobody may
// come.
struct source {
    std::unique_ptr<held_database> held;
    connection db;
};

// A log that cannot tell to which file it belongs, since the page with its tie is damaged, is taken for this
// one's.
void check_log_if_readable(std::string const& database, store::left_files const& left) {
    try {
        store::check_log(database, left, patience);
    } catch (store::sqlite_error const& failed) {
        if (!failed.is_damage()) throw;
    }
}

source open_damaged(std::string const& database) {
    using enum connection::access;
    if (!fs::is_regular_file(database))
        throw failure(EX_NOINPUT, database + " is not there, or no file; name another one");
    if (auto const user = user_of(database))
        throw failure(EX_TEMPFAIL, *user + " uses " + database + ": systemctl stop 'engramd*' first");
    auto const left = store::look_at_left(database);
    if (left) {
        check_log_if_readable(database, *left);
        return {nullptr, connection(database, left->index ? read_only_and_leave_index : read_only, patience)};
    }
    std::unique_ptr<held_database> held;
    if (::access(database.c_str(), W_OK) == 0) held = std::make_unique<held_database>(database);
    return {std::move(held), connection(database, read_only_and_unshared, patience)};
}

// A file that is shorter than it says, or a part of whose schema cannot be read, is used as far as it goes.
std::int64_t begin_reading(connection& db, std::string const& database) {
    try {
        db.execute("PRAGMA writable_schema = ON; BEGIN");
        if (db.query_integer("PRAGMA application_id") != store::engram_application_id)
            throw failure(EX_DATAERR, database + " is no database of engram");
        auto const version = db.query_integer("PRAGMA user_version");
        if (version > store::schema_version)
            throw failure(EX_DATAERR, database + " was made by a newer engramd (schema version " +
                                          std::to_string(version) + "): install that version first");
        if (version < 1) throw failure(EX_DATAERR, database + " has no version" + go_back);
        return version;
    } catch (store::sqlite_error const& failed) {
        if (!failed.is_damage()) throw;
        throw failure(EX_DATAERR,
                      database + ": its first page cannot be read (" + failed.what() + ")" + go_back);
    }
}

struct schema_object {
    std::string type, name, sql;
};

// As far as they can be read. What SQLite keeps for itself, and makes by itself, is left out.
std::vector<schema_object> objects_of(connection& db) {
    std::vector<schema_object> objects;
    try {
        auto all = db.prepare(
            "SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite\\_%' "
            "ESCAPE '\\' ORDER BY rowid");
        for (auto found = all.query(); found.next();)
            objects.push_back({found.text(0), std::string(found.bytes(1)), std::string(found.bytes(2))});
    } catch (store::sqlite_error const& failed) {
        if (!failed.is_damage()) throw;
    }
    return objects;
}

bool has_object(std::vector<schema_object> const& objects, std::string const& name) {
    return std::ranges::any_of(objects, [&](schema_object const& one) { return one.name == name; });
}

// The tables of `of` that a query can name, which does not hold for one whose definition is damaged.
bool can_be_read(connection& of, std::string const& table) {
    auto columns = of.prepare("SELECT 1 FROM pragma_table_info(?1)");
    return columns.query(std::string_view(table)).next();
}

class salvaging {
public:
    salvaging(connection& from, connection& to, std::int64_t version)
        : from_(from), to_(to), version_(version), objects_(objects_of(from)) {}

    void check_schema(std::string const& database) {
        for (auto const* table : {"conversation_history", "long_term_memory"})
            if (can_be_read(from_, table)) return;
        throw failure(EX_DATAERR, database + ": its schema cannot be read" + go_back);
    }

    std::vector<copied_table> run() {
        to_.execute("PRAGMA synchronous = OFF; PRAGMA journal_mode = MEMORY; PRAGMA foreign_keys = OFF");
        if (version_ == store::schema_version) migrate();
        to_.execute("BEGIN");
        make("table");
        copy_tables();
        raise_sequences(from_, to_);
        for (auto const* type : {"index", "view", "trigger"})
            make(type);
        to_.execute("PRAGMA application_id = " + std::to_string(store::engram_application_id) +
                    "; PRAGMA user_version = " + std::to_string(version_) + "; COMMIT");
        migrate();
        to_.execute("BEGIN");
        mend(to_, done_);
        to_.execute("COMMIT");
        return done_;
    }

private:
    // From the version that it has; an empty one becomes a database of the present version.
    void migrate() {
        store::opening under_way(nullptr);
        store::migrate(to_, to_.path(), under_way);
    }

    // What `to` lacks: all of an older version, and what other software has made.
    void make(std::string_view type) {
        auto const there = objects_of(to_);
        for (auto const& one : objects_) {
            if (one.type != type || has_object(there, one.name)) continue;
            try {
                if (one.sql.starts_with("CREATE VIRTUAL"))
                    done_.push_back({one.name, 0, false});
                else
                    to_.prepare(one.sql).run();
            } catch (store::sqlite_error const& failed) {
                if (failed.is_environment()) throw;
                done_.push_back({one.name, 0, false});
            }
        }
    }

    // Other software may have given columns of its own to engram's tables.
    void add_columns(std::string const& table) {
        auto columns = from_.prepare("SELECT name, type FROM pragma_table_info(?1)");
        auto known = to_.prepare("SELECT 1 FROM pragma_table_info(?1) WHERE name = ?2 COLLATE NOCASE");
        for (auto found = columns.query(std::string_view(table)); found.next();) {
            auto const name = std::string(found.bytes(0));
            if (known.query(std::string_view(table), std::string_view(name)).next()) continue;
            to_.execute("ALTER TABLE " + quoted(table) + " ADD COLUMN " + quoted(name) + " " +
                        std::string(found.bytes(1)));
        }
    }

    void copy_tables() {
        for (auto const& one : objects_of(to_)) {
            if (one.type != "table" || one.name == "engram_recall" || one.name == "engram_vector") continue;
            if (!can_be_read(from_, one.name)) {
                done_.push_back({one.name, 0, false});
                continue;
            }
            add_columns(one.name);
            done_.push_back(copy_table(from_, to_, one.name));
        }
    }

    connection& from_;
    connection& to_;
    std::int64_t version_;
    std::vector<schema_object> objects_;
    std::vector<copied_table> done_;
};

salvaged salvage_into(std::string const& part, std::string const& database) {
    auto from = open_damaged(database);
    auto const version = begin_reading(from.db, database);
    make_file(part);
    salvaged done;
    {
        connection to(part, connection::access::read_write, patience);
        salvaging work(from.db, to, version);
        work.check_schema(database);
        done.tables = work.run();
        make_one_checked_file(to, part);
        done.now = look(to);
    }
    sync_file(part);
    done.now.bytes = fs::file_size(part);
    return done;
}

}  // namespace

bool salvaged::is_whole() const {
    return std::ranges::all_of(tables, &copied_table::is_whole);
}

salvaged salvage(std::string const& database, std::string const& file, bool replace) {
    auto const source_path = resolved(database);
    auto const target = fs::absolute(file).string();
    check_target(source_path, target, replace);
    auto const part = target + ".part-" + base::random_hex(8);
    try {
        auto done = salvage_into(part, source_path);
        give_name(part, target, replace);
        sync_folder_of(target);
        return done;
    } catch (...) {
        remove_database(part);
        try {
            throw;
        } catch (store::sqlite_error const& failed) {
            throw explain(source_path + " cannot be brought over to " + target, failed);
        } catch (store::open_error const& refused) {
            throw failure(EX_DATAERR, refused.what());
        } catch (fs::filesystem_error const& failed) {
            throw failure(EX_NOPERM, database + ": " + failed.code().message() + "; run this as root");
        }
    }
}

}  // namespace engram::backup

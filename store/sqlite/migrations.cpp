#include "store/sqlite/migrations.hpp"

#include "base/clock.hpp"
#include "base/log.hpp"
#include "store/sqlite/legacy.hpp"
#include "store/sqlite/schema.hpp"
#include "store/sqlite/sqlite_store.hpp"

#include <array>
#include <chrono>
#include <exception>
#include <string>

namespace engram::store {
namespace {

// Version 1: the two tables, taken over if somebody else made them, and what engram adds.
void adopt_or_create(connection& db, std::string const& file) {
    auto const memories = adopt_table(db, memory_table());
    auto const turns = adopt_table(db, history_table());
    db.execute(fill_sessions_sql().insert(0, create_rest_sql()));
    if (memories + turns > 0) {
        base::log_info("database of older software taken over",
                       {{"file", file}, {"memories", memories}, {"turns", turns}});
    }
}

// A column of older software with the name of a new one makes room, as in adopt_table().
void add_column(connection& db, std::string_view table, column_definition const& column) {
    std::string const of = "ALTER TABLE " + std::string(table);
    std::string const name(column.name);
    auto columns = db.prepare("SELECT 1 FROM pragma_table_info(?1) WHERE name = ?2 COLLATE NOCASE");
    auto const is_taken = [&](std::string const& wanted) { return columns.query(table, wanted).next(); };
    if (is_taken(name)) {
        auto free = "legacy_" + name;
        for (int n = 2; is_taken(free); ++n)
            free = "legacy_" + name + "_" + std::to_string(n);
        // A view that is broken already would refuse the renaming; with this it is left as it is.
        db.execute("PRAGMA writable_schema = ON; " + of + " RENAME COLUMN " + name + " TO " + free +
                   "; PRAGMA writable_schema = OFF");
    }
    db.execute(of + " ADD COLUMN " + name + " " + std::string(column.declaration));
}

// Version 2: versions of memories, and what is needed to find texts again.
void add_recall(connection& db, std::string const&) {
    for (auto const& column : memory_columns_of_version_2())
        add_column(db, memory_table().name, column);
    for (auto const& column : history_columns_of_version_2())
        add_column(db, history_table().name, column);
    db.execute(version_2_sql());
}

// Version 3: what an error was, in columns.
void add_errors(connection& db, std::string const&) {
    db.execute(version_3_sql());
}

// Version 4: erasures that upkeep finishes.
void add_erasures(connection& db, std::string const&) {
    db.execute(version_4_sql());
}

// Version 5: what of a user's memory lasts, and what other software writes meanwhile is found.
void add_lasting_memory(connection& db, std::string const&) {
    db.execute(version_5_sql());
}

// steps[v] leads from version v to v + 1.
using step = void (*)(connection&, std::string const& file);
constexpr std::array<step, schema_version> steps{adopt_or_create, add_recall, add_errors, add_erasures,
                                                 add_lasting_memory};

// 0: not marked as ours. Throws if we must not touch it.
std::int64_t version_of(connection& db, std::string const& file) {
    auto const application = db.query_integer("PRAGMA application_id");
    auto const version = db.query_integer("PRAGMA user_version");
    if (application == engram_application_id) {
        if (version > schema_version) {
            throw open_error("the database " + file + " has schema version " + std::to_string(version) +
                             ", this program knows versions up to " + std::to_string(schema_version) +
                             ": run a newer engramd or give another store.path");
        }
        return version < 0 ? 0 : version;
    }
    if (has_any_tables(db) && !has_assistant_tables(db)) {
        throw open_error("the database " + file + " belongs to another program (it has tables, but neither " +
                         std::string(memory_table().name) + " nor " + std::string(history_table().name) +
                         "): give another store.path");
    }
    return 0;
}

former_database run_steps(connection& db, std::string const& file) {
    // Again, under the lock: another process may have been faster.
    former_database const found{version_of(db, file), !has_any_tables(db)};
    if (found.version == schema_version) return found;
    for (auto version = found.version; version < schema_version; ++version) {
        steps.at(static_cast<std::size_t>(version))(db, file);
    }
    db.execute("PRAGMA application_id = " + std::to_string(engram_application_id) +
               "; PRAGMA user_version = " + std::to_string(schema_version));
    return found;
}

void roll_back(connection& db) {
    try {
        if (db.in_transaction()) db.execute("ROLLBACK");
    } catch (sqlite_error const&) {
        // Closing the connection, which is what follows, rolls back as well.
    }
}

}  // namespace

former_database migrate(connection& db, std::string const& file, opening& under_way) {
    auto const version = under_way.when_free(db, [&] { return version_of(db, file); });
    if (version == schema_version) return {version, false};
    under_way.report({"the database is brought to the present version", 0, 0});
    // Renaming must not touch or check what else mentions the tables; dropping must not cascade.
    db.execute("PRAGMA foreign_keys = OFF; PRAGMA legacy_alter_table = ON");
    under_way.when_free(db, [&] { db.execute("BEGIN IMMEDIATE"); });
    former_database found;
    auto const begun = std::chrono::steady_clock::now();
    try {
        found = run_steps(db, file);
        if (!found.was_empty) under_way.before_long_step();
        db.execute("COMMIT");
    } catch (open_error const&) {
        roll_back(db);
        throw;
    } catch (std::exception const& failed) {
        auto const* const lack = dynamic_cast<sqlite_error const*>(&failed);
        roll_back(db);
        throw open_error("the database " + file + " could not be brought to schema version " +
                             std::to_string(schema_version) + " and is as it was: " + failed.what(),
                         lack != nullptr && lack->passes());
    }
    db.execute("PRAGMA legacy_alter_table = OFF");
    if (found.version < schema_version && !found.was_empty)
        base::log_info("schema migrated",
                       {{"file", file},
                        {"from", found.version},
                        {"to", schema_version},
                        {"took_ms", base::elapsed_ms(begun, std::chrono::steady_clock::now())}});
    return found;
}

}  // namespace engram::store

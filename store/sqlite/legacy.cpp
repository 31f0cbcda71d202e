#include "store/sqlite/legacy.hpp"

#include <algorithm>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace engram::store {
namespace {

struct old_column {
    std::string name;
    std::string type;
};

struct old_table {
    std::string name;  // as it was written: SQLite's names ignore case
    bool has_rowid = true;
    std::vector<old_column> columns;
};

// What goes into one new column and from where.
struct transfer {
    std::string target;
    std::string source;
};

struct copy_plan {
    std::vector<std::string> extra_columns;
    std::vector<transfer> transfers;
    std::string order;
    bool keeps_ids = false;
};

// The largest id that a JSON number carries exactly. Ids beyond it, and near the end of 64 bits, are made
// anew.
constexpr char const* greatest_id = "9007199254740991";

std::string quoted(std::string_view name) {
    std::string out = "\"";
    for (char const c : name) {
        out += c;
        if (c == '"') out += c;
    }
    return out + '"';
}

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool same_name(std::string_view a, std::string_view b) {
    return std::ranges::equal(a, b, [](char x, char y) { return lower(x) == lower(y); });
}

old_column const* find_column(old_table const& old, std::string_view name) {
    auto const found =
        std::ranges::find_if(old.columns, [&](auto const& c) { return same_name(c.name, name); });
    return found == old.columns.end() ? nullptr : &*found;
}

// SQLite's rules for the affinity of a declared type (datatype3.html, section 3.1).
std::string affinity_of(std::string_view declared) {
    std::string type;
    std::ranges::transform(declared, std::back_inserter(type), lower);
    auto const has = [&](char const* part) { return type.find(part) != std::string::npos; };
    if (has("int")) return "INTEGER";
    if (has("char") || has("clob") || has("text")) return "TEXT";
    if (has("blob") || type.empty()) return "";
    if (has("real") || has("floa") || has("doub")) return "REAL";
    return "NUMERIC";
}

std::optional<old_table> find_old_table(connection& db, std::string_view name) {
    old_table old;
    auto tables = db.prepare(
        "SELECT name, type, wr FROM pragma_table_list WHERE schema = 'main' AND name = ?1 COLLATE NOCASE");
    {
        auto found = tables.query(name);
        if (!found.next()) return std::nullopt;
        old.name = found.bytes(0);
        if (found.bytes(1) == "view") {
            throw std::runtime_error("\"" + old.name +
                                     "\" is a view where a table is expected; rename or drop it");
        }
        old.has_rowid = found.integer(2) == 0;
    }
    auto columns = db.prepare("SELECT name, type FROM pragma_table_xinfo(?1) WHERE hidden <> 1 ORDER BY cid");
    auto found = columns.query(old.name);
    while (found.next())
        old.columns.push_back({std::string(found.bytes(0)), std::string(found.bytes(1))});
    return old;
}

bool ids_are_usable(connection& db, old_table const& old, old_column const& id) {
    auto const name = quoted(id.name);
    return db.query_integer("SELECT count(*) = count(DISTINCT " + name +
                            ") AND count(*) = coalesce(sum(typeof(" + name + ") = 'integer' AND " + name +
                            " BETWEEN 1 AND " + greatest_id + "), 0) FROM " + quoted(old.name)) != 0;
}

// The order of insertion, as far as the table knows it.
std::string order_of_rows(old_table const& old) {
    if (old.has_rowid) {
        for (char const* alias : {"rowid", "_rowid_", "oid"}) {
            if (find_column(old, alias) == nullptr) return alias;
        }
    }
    auto const* created = find_column(old, "created_at");
    return created == nullptr ? "1" : quoted(created->name);
}

// A value of a column that we know. Keys and types are compared as text, so bytes become text.
std::string source_of(old_table const& old, column_definition const& column) {
    auto const* from = find_column(old, column.name);
    if (from == nullptr) return column.name == "memory_type" ? "'fact'" : "NULL";
    auto const name = quoted(from->name);
    if (column.declaration != "TEXT") return name;
    return "CASE typeof(" + name + ") WHEN 'blob' THEN CAST(" + name + " AS TEXT) ELSE " + name + " END";
}

// job_id and summary_id are new: a column of that name means something else in the old table.
bool is_ours_alone(std::string_view name) {
    return same_name(name, "job_id") || same_name(name, "summary_id");
}

bool is_known(table_definition const& table, std::string_view name) {
    return std::ranges::any_of(table.columns, [&](auto const& c) { return same_name(c.name, name); });
}

std::string free_name(table_definition const& table, old_table const& old, std::string const& wanted) {
    std::string name = wanted;
    for (int n = 2; find_column(old, name) != nullptr || is_known(table, name); ++n) {
        name = wanted + "_" + std::to_string(n);
    }
    return name;
}

copy_plan plan_copy(connection& db, table_definition const& table, old_table const& old) {
    copy_plan plan;
    auto const* id = find_column(old, "id");
    plan.keeps_ids = id != nullptr && ids_are_usable(db, old, *id);
    plan.order = plan.keeps_ids ? quoted(id->name) : order_of_rows(old);
    if (plan.keeps_ids) plan.transfers.push_back({"id", quoted(id->name)});
    for (auto const& column : table.columns) {
        if (column.name == "id" || is_ours_alone(column.name)) continue;
        plan.transfers.push_back({std::string(column.name), source_of(old, column)});
    }
    for (auto const& column : old.columns) {
        bool const is_old_id = &column == id && !plan.keeps_ids;
        if (is_known(table, column.name) && !is_ours_alone(column.name) && !is_old_id) continue;
        std::string target = column.name;
        if (is_old_id || is_known(table, target)) target = free_name(table, old, "legacy_" + target);
        plan.extra_columns.push_back(quoted(target) + " " + affinity_of(column.type));
        plan.transfers.push_back({quoted(target), quoted(column.name)});
    }
    return plan;
}

void copy_rows(connection& db, old_table const& old, std::string const& into, copy_plan const& plan) {
    std::string targets;
    std::string sources;
    for (auto const& one : plan.transfers) {
        targets += (targets.empty() ? "" : ", ") + one.target;
        sources += (sources.empty() ? "" : ", ") + one.source;
    }
    db.execute("INSERT INTO " + into + "(" + targets + ") SELECT " + sources + " FROM " + quoted(old.name) +
               " ORDER BY " + plan.order);
}

// An AUTOINCREMENT table remembers ids of rows that are gone; they stay used.
void keep_used_ids(connection& db, old_table const& old, std::string const& into) {
    if (db.query_integer("SELECT count(*) FROM sqlite_schema WHERE name = 'sqlite_sequence'") == 0) return;
    std::int64_t last = 0;
    {
        auto find = db.prepare(
            "SELECT max(seq) FROM sqlite_sequence WHERE name COLLATE NOCASE IN (?1, ?2) AND typeof(seq) = "
            "'integer' "
            "AND seq BETWEEN 1 AND 9007199254740991");
        auto found = find.query(old.name, into);
        if (found.next()) last = found.integer(0);
    }
    if (last == 0) return;
    db.prepare("DELETE FROM sqlite_sequence WHERE name = ?1").run(into);
    db.prepare("INSERT INTO sqlite_sequence(name, seq) VALUES (?1, ?2)").run(into, last);
}

}  // namespace

bool has_assistant_tables(connection& db) {
    return db.query_integer(
               "SELECT count(*) FROM sqlite_schema WHERE type IN ('table', 'view') AND "
               "lower(name) IN ('long_term_memory', 'conversation_history')") != 0;
}

bool has_any_tables(connection& db) {
    return db.query_integer(
               "SELECT count(*) FROM sqlite_schema WHERE type IN ('table', 'view') AND "
               "name NOT LIKE 'sqlite\\_%' ESCAPE '\\'") != 0;
}

std::int64_t adopt_table(connection& db, table_definition const& table) {
    auto const old = find_old_table(db, table.name);
    if (!old) {
        db.execute(create_table_sql(table, table.name));
        return 0;
    }
    auto const plan = plan_copy(db, table, *old);
    std::string const into = "engram_new_" + std::string(table.name);
    db.execute(create_table_sql(table, into, plan.extra_columns));
    copy_rows(db, *old, into, plan);
    std::int64_t const copied = db.changes();
    if (copied != db.query_integer("SELECT count(*) FROM " + quoted(old->name))) {
        throw std::runtime_error("not every row of \"" + old->name + "\" could be copied");
    }
    if (plan.keeps_ids) keep_used_ids(db, *old, into);
    db.execute("DROP TABLE " + quoted(old->name));
    db.execute("ALTER TABLE " + into + " RENAME TO " + std::string(table.name));
    return copied;
}

}  // namespace engram::store

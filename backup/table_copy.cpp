#include "backup/table_copy.hpp"

#include <sqlite3.h>

#include <algorithm>
#include <deque>
#include <limits>
#include <memory>
#include <numeric>
#include <optional>
#include <string_view>
#include <vector>

namespace engram::backup {

namespace {

using store::connection;
using store::sqlite_error;

// Ranges of row ids that are looked at in one table. A damaged leaf holds some tens of rows; a gap in the ids
// may be wider than anybody can walk through.
constexpr int most_ranges = 50'000;

struct column {
    std::string name;
    int place_in_key = 0;  // 0: not in it
};

struct table_shape {
    std::vector<column> columns;
    std::vector<std::string> key;  // its columns, in their order; of a table with row ids their name
    bool has_row_ids = true;
};

struct closer {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using raw_statement = std::unique_ptr<sqlite3_stmt, closer>;

raw_statement prepare(connection& db, std::string const& sql) {
    sqlite3_stmt* made = nullptr;
    if (sqlite3_prepare_v2(db.native(), sql.c_str(), -1, &made, nullptr) != SQLITE_OK)
        throw sqlite_error::latest(db.native());
    return raw_statement(made);
}

std::string joined(std::vector<std::string> const& parts, std::string const& behind_each = "") {
    std::string text;
    for (auto const& part : parts)
        text += (text.empty() ? "" : ", ") + part + behind_each;
    return text;
}

std::vector<column> columns_of(connection& db, std::string const& table) {
    std::vector<column> columns;
    auto info = db.prepare("SELECT name, pk FROM pragma_table_info(?1)");
    for (auto found = info.query(std::string_view(table)); found.next();)
        columns.push_back({std::string(found.bytes(0)), int(found.integer(1))});
    return columns;
}

bool has_row_ids(connection& db, std::string const& table) {
    auto info = db.prepare("SELECT wr FROM pragma_table_list WHERE schema = 'main' AND name = ?1");
    auto found = info.query(std::string_view(table));
    return !found.next() || found.integer(0) == 0;
}

bool is_column(std::vector<column> const& columns, std::string const& name) {
    return std::ranges::any_of(
        columns, [&](column const& one) { return sqlite3_stricmp(one.name.c_str(), name.c_str()) == 0; });
}

// One of the three names of a row id that no column has taken.
std::string free_name(std::vector<column> const& columns) {
    for (auto const* name : {"_rowid_", "rowid", "oid"})
        if (!is_column(columns, name)) return name;
    return "_rowid_";
}

table_shape shape_of(connection& db, std::string const& table) {
    table_shape shape{columns_of(db, table), {}, has_row_ids(db, table)};
    if (shape.has_row_ids) {
        shape.key = {free_name(shape.columns)};
        return shape;
    }
    auto in_key = shape.columns;
    std::erase_if(in_key, [](column const& one) { return one.place_in_key == 0; });
    std::ranges::sort(in_key, {}, &column::place_in_key);
    for (auto const& one : in_key)
        shape.key.push_back(quoted(one.name));
    return shape;
}

// Whatever else goes wrong is not the state of the file.
bool is_unreadable(int code) {
    int const primary = code & 0xff;
    return primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB || primary == SQLITE_IOERR;
}

class row_copy {
public:
    row_copy(connection& from, connection& to, std::string const& table)
        : from_(from), to_(to), shape_(shape_of(from, table)) {
        std::vector<std::string> names, marks;
        for (auto const& one : shape_.columns)
            names.push_back(quoted(one.name));
        if (shape_.has_row_ids) names.insert(names.begin(), shape_.key.front());
        for (std::size_t i = 1; i <= names.size(); ++i)
            marks.push_back("?" + std::to_string(i));
        auto const name = quoted(table);
        auto const rows = "SELECT " + joined(names) + " FROM " + name;
        auto const where = shape_.has_row_ids
                               ? " NOT INDEXED WHERE " + shape_.key.front() + " BETWEEN ?1 AND ?2"
                               : std::string();
        up_ = prepare(from, rows + where + " ORDER BY " + joined(shape_.key));
        down_ = prepare(from, rows + where + " ORDER BY " + joined(shape_.key, " DESC"));
        put_ = prepare(
            to, "INSERT OR IGNORE INTO " + name + "(" + joined(names) + ") VALUES (" + joined(marks) + ")");
    }

    copied_table run() {
        if (shape_.has_row_ids)
            copy_ranges();
        else if (walk(*up_, std::nullopt).met_damage)
            walk(*down_, std::nullopt);  // what is there already is left as it is
        return {{}, rows_, is_whole_};
    }

private:
    struct id_range {
        std::int64_t first, last;
    };
    struct walked {
        std::optional<std::int64_t> last;  // the id that was copied last
        bool met_damage = false;
    };

    void copy_ranges() {
        std::deque<id_range> left{
            {std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max()}};
        for (int looked_at = 0; !left.empty() && looked_at < most_ranges; ++looked_at) {
            auto range = left.front();
            left.pop_front();
            auto const up = walk(*up_, range);
            if (!up.met_damage || up.last == range.last) continue;
            if (up.last) range.first = *up.last + 1;
            auto const down = walk(*down_, range);
            if (!down.met_damage || down.last == range.first || range.first == range.last) continue;
            if (down.last) range.last = *down.last - 1;
            // A disk that cannot be read takes seconds to say so.
            if (is_disk_failing_) continue;
            auto const middle = std::midpoint(range.first, range.last);
            left.push_back({range.first, middle});
            if (middle < range.last) left.push_back({middle + 1, range.last});
        }
    }

    walked walk(sqlite3_stmt& rows, std::optional<id_range> within) {
        walked so_far;
        if (within) {
            sqlite3_bind_int64(&rows, 1, within->first);
            sqlite3_bind_int64(&rows, 2, within->last);
        }
        bool const is_upwards = &rows == up_.get();
        int code = SQLITE_ROW;
        while ((code = sqlite3_step(&rows)) == SQLITE_ROW) {
            if (within) {
                auto const id = sqlite3_column_int64(&rows, 0);
                // A page of another part of the table, or one read for the second time.
                bool const is_in_order = !so_far.last || (is_upwards ? id > *so_far.last : id < *so_far.last);
                if (!is_in_order || id < within->first || id > within->last) {
                    so_far.met_damage = true;
                    break;
                }
                so_far.last = id;
            }
            put(rows);
        }
        note_end(code, so_far);
        sqlite3_reset(&rows);
        return so_far;
    }

    void note_end(int code, walked& so_far) {
        if (code != SQLITE_ROW && code != SQLITE_DONE) {
            if (!is_unreadable(code)) throw sqlite_error::latest(from_.native());
            so_far.met_damage = true;
            is_disk_failing_ = is_disk_failing_ || (code & 0xff) == SQLITE_IOERR;
        }
        if (so_far.met_damage) is_whole_ = false;
    }

    void put(sqlite3_stmt& row) {
        for (int i = 0; i < sqlite3_column_count(&row); ++i)
            sqlite3_bind_value(put_.get(), i + 1, sqlite3_column_value(&row, i));
        int const code = sqlite3_step(put_.get());
        if (code != SQLITE_DONE && code != SQLITE_MISMATCH && code != SQLITE_TOOBIG) {
            auto const failed = sqlite_error::latest(to_.native());
            sqlite3_reset(put_.get());
            throw failed;
        }
        if (code == SQLITE_DONE && to_.changes() > 0)
            ++rows_;
        else if (shape_.has_row_ids)
            is_whole_ = false;  // bytes of a damaged page that no row of this table can be
        sqlite3_reset(put_.get());
    }

    connection& from_;
    connection& to_;
    table_shape shape_;
    raw_statement up_, down_, put_;
    std::uint64_t rows_ = 0;
    bool is_whole_ = true, is_disk_failing_ = false;
};

}  // namespace

std::string quoted(std::string const& name) {
    std::string text = "\"";
    for (char const c : name)
        text += c == '"' ? std::string("\"\"") : std::string(1, c);
    return text + '"';
}

copied_table copy_table(connection& from, connection& to, std::string const& table) {
    auto copied = row_copy(from, to, table).run();
    copied.name = table;
    return copied;
}

}  // namespace engram::backup

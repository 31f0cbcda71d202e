// Cost must not grow with the database: every statement that the store keeps goes through an index.
#include "store/sqlite/reader.hpp"
#include "store/sqlite/writer.hpp"
#include "store_fixture.hpp"

#include <boost/test/unit_test.hpp>
#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <sstream>

using namespace engram;
using namespace engram::store::test;

namespace {

struct excuse {
    std::string_view step;       // of the plan
    std::string_view statement;  // a part of it
};

constexpr std::array excuses{
    // The memories of one type of one user, and only once there are more than its limit.
    excuse{"USE TEMP B-TREE FOR ORDER BY", "ORDER BY last_seen, id LIMIT ?4"},
};

bool is_excused(std::string_view step, std::string_view statement) {
    return std::ranges::any_of(excuses, [&](excuse const& one) {
        return step == one.step && statement.find(one.statement) != std::string_view::npos;
    });
}

// The steps of every statement that is prepared on `db` and that no excuse names, a line each.
std::string plans_of(store::connection& db) {
    std::vector<std::string> texts;
    for (auto* one = sqlite3_next_stmt(db.native(), nullptr); one != nullptr;
         one = sqlite3_next_stmt(db.native(), one)) {
        texts.emplace_back(sqlite3_sql(one));
    }
    std::string plans;
    for (auto const& text : texts) {
        sqlite3_stmt* explain = nullptr;
        auto const sql = "EXPLAIN QUERY PLAN " + text;
        BOOST_REQUIRE(sqlite3_prepare_v2(db.native(), sql.c_str(), -1, &explain, nullptr) == SQLITE_OK);
        while (sqlite3_step(explain) == SQLITE_ROW) {
            std::string const step = reinterpret_cast<char const*>(sqlite3_column_text(explain, 3));
            if (!is_excused(step, text)) plans += step + "   <- " + text + "\n";
        }
        sqlite3_finalize(explain);
    }
    return plans;
}

void check(std::string const& plans) {
    BOOST_TEST(plans.find("SEARCH") != std::string::npos);
    std::istringstream steps(plans);
    for (std::string step; std::getline(steps, step);) {
        for (std::string const costly : {"SCAN", "TEMP B-TREE", "AUTOMATIC"})
            BOOST_TEST(step.find(costly) == std::string::npos, step);
    }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(store_plan)

BOOST_AUTO_TEST_CASE(no_statement_scans_a_table_or_sorts) {
    temporary_folder folder;
    auto const path = folder.file("engram.db");
    opened_store made(options_for(path));
    auto db = look_at(path);
    {
        store::context_queries const loading(db, &words());
        store::listing_queries const listing(db, &words());
        check(plans_of(db));
    }
    store::write_queries const writing(db, &words());
    check(plans_of(db));
}

BOOST_AUTO_TEST_CASE(misleading_statistics_change_no_plan) {
    temporary_folder folder;
    auto const path = folder.file("engram.db");
    opened_store made(options_for(path));
    auto db = look_at(path);
    db.execute("ANALYZE");
    // As if every table had few rows and no index told them apart.
    db.execute(
        "DELETE FROM sqlite_stat1; INSERT INTO sqlite_stat1 "
        "SELECT tbl_name, name, '9 9 9 9' FROM sqlite_schema WHERE type = 'index' "
        "AND tbl_name IN ('long_term_memory', 'conversation_history', 'engram_session')");
    auto again = look_at(path);
    store::context_queries const loading(again, &words());
    store::listing_queries const listing(again, &words());
    store::write_queries const writing(again, &words());
    check(plans_of(again));
}

BOOST_AUTO_TEST_SUITE_END()

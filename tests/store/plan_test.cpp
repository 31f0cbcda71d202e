// Cost must not grow with the database: every statement that the store keeps goes through an index.
#include "store/context_queries.hpp"
#include "store/exchange_queries.hpp"
#include "store/summary_queries.hpp"
#include "store_fixture.hpp"

#include <boost/test/unit_test.hpp>
#include <sqlite3.h>

using namespace engram;
using namespace engram::store::test;

namespace {

// The plan of every statement that is prepared on `db`, one line a step.
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
            plans +=
                reinterpret_cast<char const*>(sqlite3_column_text(explain, 3)) + ("   <- " + text + "\n");
        }
        sqlite3_finalize(explain);
    }
    return plans;
}

void check(std::string const& plans) {
    BOOST_TEST(plans.find("SEARCH") != std::string::npos);
    BOOST_TEST(plans.find("SCAN") == std::string::npos, plans);
    BOOST_TEST(plans.find("TEMP B-TREE") == std::string::npos, plans);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(store_plan)

BOOST_AUTO_TEST_CASE(no_statement_scans_a_table_or_sorts) {
    temporary_folder folder;
    auto const path = folder.file("engram.db");
    opened_store made(options_for(path));
    auto db = look_at(path);
    {
        store::context_queries const reading(db);
        check(plans_of(db));
    }
    store::exchange_queries const exchanges(db);
    store::summary_queries const summaries(db);
    check(plans_of(db));
}

BOOST_AUTO_TEST_CASE(misleading_statistics_change_no_plan) {
    temporary_folder folder;
    auto const path = folder.file("engram.db");
    opened_store made(options_for(path));
    auto db = look_at(path);
    db.execute(
        "ANALYZE; INSERT INTO sqlite_stat1 VALUES ('long_term_memory', 'engram_memory_by_user', '9 9'), "
        "('conversation_history', 'engram_history_window', '9 9 9'), "
        "('engram_session', 'engram_session_by_window', '9 9')");
    auto again = look_at(path);
    store::context_queries const reading(again);
    store::exchange_queries const exchanges(again);
    store::summary_queries const summaries(again);
    check(plans_of(again));
}

BOOST_AUTO_TEST_SUITE_END()

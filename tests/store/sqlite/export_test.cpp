// An export is whole however much there is, and no page of it costs more than another.
#include "store/sqlite/export_queries.hpp"
#include "store_fixture.hpp"

#include <boost/test/unit_test.hpp>
#include <sqlite3.h>

#include <set>

using namespace engram;
using namespace engram::store::test;

namespace {

struct fixture {
    temporary_folder folder;
    std::string path = folder.file("engram.db");
    opened_store db{options_for(path)};

    // Sessions of one exchange each, as jobs without a session make them.
    void write_sessions(int count) {
        look_at(path).execute(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < " +
            std::to_string(count) +
            ") INSERT INTO engram_session(user_id, session_id, window_turns, updated_at) "
            "SELECT 'ada', printf('s%06d', i), 2, '2024-01-01 00:00:00.000' FROM n;"
            "INSERT INTO conversation_history(user_id, session_id, role, content, created_at, job_id) "
            "SELECT s.user_id, s.session_id, r.role, r.role, s.updated_at, '' FROM engram_session s, "
            "(SELECT 'user' AS role UNION ALL SELECT 'assistant') r");
    }
};

// How much work SQLite does, in hundreds of its steps.
int count_steps(void* steps) {
    ++*static_cast<int*>(steps);
    return 0;
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(store_export, fixture)

BOOST_AUTO_TEST_CASE(every_session_of_very_many_is_exported_once) {
    constexpr int sessions = 100'050;
    write_sessions(sessions);
    std::set<std::string> seen;
    std::size_t turns = 0;
    std::string from;
    do {
        auto const page = db.get(db->export_user("ada", {from, 10'000}));
        BOOST_REQUIRE(page.items.size() <= 10'000u);
        for (auto const& one : page.items) {
            if (one.session) BOOST_REQUIRE(seen.insert(one.session->session_id).second);
            turns += one.turn ? 1 : 0;
        }
        from = page.next;
    } while (!from.empty());
    BOOST_TEST(seen.size() == std::size_t{sessions});
    BOOST_TEST(turns == std::size_t{2 * sessions});
}

BOOST_AUTO_TEST_CASE(a_page_costs_the_same_wherever_it_is) {
    write_sessions(5'000);
    auto raw = look_at(path);
    store::export_queries exports(raw);
    int steps = 0;
    sqlite3_progress_handler(raw.native(), 10, count_steps, &steps);
    std::vector<int> costs;
    std::string from;
    do {
        steps = 0;
        from = exports.export_user("ada", {from, 300}).next;
        costs.push_back(steps);
    } while (!from.empty());
    BOOST_REQUIRE(costs.size() == 50u + 1u);  // the last one is empty but for the end
    costs.pop_back();
    BOOST_TEST(*std::ranges::max_element(costs) < 1.1 * *std::ranges::min_element(costs));
}

BOOST_AUTO_TEST_SUITE_END()

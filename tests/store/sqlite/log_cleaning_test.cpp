// Erased text leaves the log as soon as nobody reads an older state, at a bounded cost until then.
#include "store/sqlite/log_cleaning.hpp"

#include "store_fixture.hpp"

#include <boost/test/unit_test.hpp>

#include <filesystem>

using namespace engram;
using namespace engram::store::test;
using namespace std::chrono_literals;

namespace {

class set_clock : public base::clock {
public:
    [[nodiscard]] base::steady_time steady() const override { return now; }
    base::steady_time now{1h};
};

struct fixture {
    temporary_folder folder;
    std::string path = folder.file("engram.db");
    opened_store made{options_for(path)};
    store::connection db = look_at(path);
    store::connection reader = look_at(path);
    set_clock clock;
    store::log_cleaner cleaner{db, clock};

    fixture() {
        db.execute("PRAGMA busy_timeout = 1");  // the least that a try takes
        write();
        cleaner.after_commit(false);
        BOOST_REQUIRE(cleaner.is_clean());
        write();
    }
    void write() { db.execute("CREATE TABLE IF NOT EXISTS t(x); INSERT INTO t VALUES ('secret')"); }
    void hold() {
        reader.execute("BEGIN");
        BOOST_REQUIRE(reader.query_integer("SELECT count(*) FROM t") > 0);
    }
    [[nodiscard]] std::size_t log_bytes() const { return std::filesystem::file_size(path + "-wal"); }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(store_log_cleaning, fixture)

BOOST_AUTO_TEST_CASE(an_erasure_empties_the_log_at_once) {
    BOOST_TEST(log_bytes() > 0u);
    cleaner.after_commit(true);
    BOOST_TEST(cleaner.is_clean());
    BOOST_TEST(log_bytes() == 0u);
}

BOOST_AUTO_TEST_CASE(a_clean_log_is_left_alone) {
    cleaner.after_commit(false);
    BOOST_TEST(log_bytes() > 0u);
}

BOOST_AUTO_TEST_CASE(writes_do_not_pay_for_a_reader_that_stays) {
    hold();
    write();
    cleaner.after_commit(true);
    BOOST_TEST(!cleaner.is_clean());
    for (int i = 0; i < 1'000; ++i)
        cleaner.after_commit(false);
    BOOST_TEST(cleaner.tries() == 1u);
    // A write every 10 ms for ten minutes.
    for (int i = 0; i < 60'000; ++i) {
        clock.now += 10ms;
        cleaner.after_commit(false);
    }
    BOOST_TEST(cleaner.tries() < 75u);
    BOOST_TEST(cleaner.tries() > 50u);
}

BOOST_AUTO_TEST_CASE(it_is_tried_again_until_the_reader_has_gone) {
    hold();
    write();
    cleaner.after_commit(true);
    for (int i = 0; i < 100; ++i) {
        clock.now += store::log_cleaner::longest_pause;
        cleaner.after_commit(false);
    }
    BOOST_TEST(!cleaner.is_clean());
    reader.execute("COMMIT");
    clock.now += store::log_cleaner::longest_pause;
    cleaner.after_commit(false);
    BOOST_TEST(cleaner.is_clean());
    BOOST_TEST(cleaner.tries() == 0u);
    BOOST_TEST(log_bytes() == 0u);
}

BOOST_AUTO_TEST_CASE(another_erasure_does_not_wait_for_the_pause) {
    hold();
    write();
    cleaner.after_commit(true);
    reader.execute("COMMIT");
    cleaner.after_commit(true);
    BOOST_TEST(cleaner.is_clean());
}

BOOST_AUTO_TEST_SUITE_END()

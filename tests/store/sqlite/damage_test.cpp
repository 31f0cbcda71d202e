// Pages of the database's file are overwritten: what needs them says so, and the rest goes on.
#include "store_fixture.hpp"

#include <boost/test/unit_test.hpp>

#include <fstream>
#include <limits>
#include <map>
#include <string>
#include <vector>

using namespace engram;
using namespace engram::store::test;
using namespace std::chrono_literals;
using store::conversation;
using store::error_kind;

namespace {

constexpr std::size_t page_bytes = 4096;

enum class with { ones, zeros, another_page, noise };
constexpr with all_ways[] = {with::ones, with::zeros, with::another_page, with::noise};

struct fixture {
    temporary_folder folder;
    std::string path = folder.file("engram.db");
    conversation ada{"ada", "s1"};

    /// Some users, one of whom has much.
    void make() {
        opened_store db(options_for(path));
        fill(db, ada, 60, std::string(400, 'a'));
        for (int i = 0; i < 8; ++i)
            fill(db, {"user" + std::to_string(i), "s"}, 4);
        db.get(db->record_failure(failure_of(job("failed", "tf"), "r")));
        BOOST_REQUIRE(
            db.get(db->commit_exchange(exchange_of(ada, job("note"), {{"fact", "a note"}}))).committed);
    }

    /// Of a table or an index, in the order of their keys; those with the first `most` cells.
    std::vector<std::int64_t> pages(std::string const& name, std::string const& type,
                                    std::int64_t most = std::numeric_limits<std::int64_t>::max()) const {
        std::vector<std::int64_t> found;
        auto db = look_at(path);
        auto each =
            db.prepare("SELECT pageno, ncell FROM dbstat WHERE name = ?1 AND pagetype = ?2 ORDER BY path");
        auto rows = each.query(name, type);
        for (std::int64_t cells = 0; rows.next();) {
            cells += rows.integer(1);
            if (cells > most) break;
            found.push_back(rows.integer(0));
        }
        return found;
    }

    void overwrite(std::int64_t page, with how) const {
        std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
        std::string bytes(page_bytes, how == with::ones ? char(0xFF) : char(0));
        if (how == with::another_page) file.read(bytes.data(), page_bytes);  // the first: no page of a tree
        for (std::size_t i = 0; how == with::noise && i < page_bytes; ++i)
            bytes[i] = char(i * 31 + 7);
        file.seekp((page - 1) * std::int64_t(page_bytes));
        file.write(bytes.data(), page_bytes);
    }

    static store::rehearsal rehearsal_of(conversation const& of, std::string const& id = "j") {
        return {job(id), of, {}, at(5)};
    }

    /// Every row of every table, and where the next ids are.
    std::map<std::string, std::int64_t> contents() const {
        std::map<std::string, std::int64_t> found;
        auto db = look_at(path);
        auto tables = db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'");
        std::vector<std::string> names;
        auto rows = tables.query();
        while (rows.next())
            names.emplace_back(rows.bytes(0));
        for (auto const& name : names)
            found[name] = db.query_integer("SELECT count(*) FROM \"" + name + "\"");
        found["next memory"] =
            db.query_integer("SELECT seq FROM sqlite_sequence WHERE name = 'long_term_memory'");
        found["next turn"] =
            db.query_integer("SELECT seq FROM sqlite_sequence WHERE name = 'conversation_history'");
        found["next user"] = db.query_integer("SELECT max(user_key) FROM engram_user");
        found["next item"] = db.query_integer("SELECT max(next_item) FROM engram_user");
        return found;
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(store_damage, fixture)

BOOST_AUTO_TEST_CASE(damage_that_was_met_is_known_when_the_file_is_lost) {
    make();
    for (auto const page : pages("conversation_history", "leaf"))
        overwrite(page, with::noise);
    opened_store db(options_for(path));
    db.fail(db->rehearse(rehearsal_of(ada)));
    auto const met = db.get(db->look());
    std::filesystem::remove(path);
    for (int look = 0; look < 3; ++look) {
        auto const seen = db.get(db->look());
        BOOST_TEST(seen.lost != "");
        BOOST_TEST(seen.damage == met.damage);
        BOOST_TEST(seen.times_damaged >= met.times_damaged);
    }
}

BOOST_AUTO_TEST_CASE(a_rehearsal_leaves_nothing_behind) {
    make();
    auto const before = contents();
    {
        opened_store db(options_for(path));
        db.get(db->rehearse(rehearsal_of(ada)));
        db.get(db->rehearse(rehearsal_of({"nobody", "s"})));
        db.get(db->rehearse(rehearsal_of({"nobody", "s"})));
        auto stale = rehearsal_of(ada);
        stale.seen = {7, 7};
        db.get(db->rehearse(stale));
        // Those of the same transaction are not touched.
        auto const committed = db.get(db->commit_exchange(exchange_of(ada, job("j"))));
        BOOST_TEST(committed.committed);
        BOOST_TEST(db.get(db->look()).damage == "");
    }
    auto after = contents();
    BOOST_TEST(after["conversation_history"] == before.at("conversation_history") + 2);
    BOOST_TEST(after["next turn"] == before.at("next turn") + 2);
    BOOST_TEST(after["engram_finished_job"] == before.at("engram_finished_job") + 1);
    for (auto const* same : {"long_term_memory", "engram_user", "engram_session", "engram_failed_delivery",
                             "engram_memory_source", "next memory", "next user"})
        BOOST_TEST(after[same] == before.at(same), same);
}

// Where any exchange writes, and those of an old user.
BOOST_AUTO_TEST_CASE(a_rehearsal_finds_the_damage_that_an_exchange_would_meet) {
    for (std::string const name :
         {"conversation_history", "engram_user", "engram_session", "engram_recall", "engram_finished_job",
          "engram_failed_delivery", "long_term_memory", "engram_memory_source", "sqlite_sequence"}) {
        for (auto const how : all_ways) {
            BOOST_TEST_CONTEXT(name << " " << int(how)) {
                for (auto const* suffix : {"", "-wal", "-shm"})
                    std::filesystem::remove(path + suffix);
                make();
                auto const leaves = pages(name, "leaf");
                BOOST_REQUIRE(!leaves.empty());
                for (auto const page : leaves)
                    overwrite(page, how);
                opened_store db(options_for(path));
                auto const why = db.fail(db->rehearse(rehearsal_of(ada)));
                BOOST_TEST((why.kind == error_kind::internal));
                BOOST_TEST(why.damaged);
                BOOST_TEST(why.message.find("SQLite code") != std::string::npos, why.message);
                auto const seen = db.get(db->look());
                BOOST_TEST(seen.lost == "");
                BOOST_TEST(seen.damage == why.message);
                BOOST_TEST(seen.times_damaged > 0u);
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(a_load_that_meets_damage_says_so_and_others_are_answered) {
    make();
    // Those with nobody's turns but hers: her first 58.
    for (auto const page : pages("conversation_history", "leaf", 58))
        overwrite(page, with::ones);
    opened_store db(options_for(path));
    auto const why = db.fail(db->load_context(query_of(ada)));
    BOOST_TEST(why.damaged);
    BOOST_TEST(db.get(db->look()).damage == why.message);
    for (auto const* other : {"user7", "somebody new"}) {
        conversation const of{other, "s"};
        db.get(db->load_context(query_of(of)));
        BOOST_TEST(db.get(db->commit_exchange(exchange_of(of, job(other)))).committed);
    }
}

BOOST_AUTO_TEST_CASE(a_page_that_was_mended_is_read_anew) {
    make();
    std::string good(page_bytes, '\0');
    auto const leaf = pages("conversation_history", "leaf").back();
    {
        std::ifstream file(path, std::ios::binary);
        file.seekg((leaf - 1) * std::int64_t(page_bytes));
        file.read(good.data(), page_bytes);
    }
    overwrite(leaf, with::ones);
    auto const time = std::filesystem::last_write_time(path);
    opened_store db(options_for(path));
    BOOST_TEST(db.fail(db->rehearse(rehearsal_of(ada))).damaged);
    {
        std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
        file.seekp((leaf - 1) * std::int64_t(page_bytes));
        file.write(good.data(), page_bytes);
    }
    std::filesystem::last_write_time(path, time);
    db.get(db->rehearse(rehearsal_of(ada)));
    BOOST_TEST(db.get(db->commit_exchange(exchange_of(ada, job("after")))).committed);
}

BOOST_AUTO_TEST_CASE(a_file_that_was_cut_off_is_damaged) {
    make();
    std::filesystem::resize_file(path, std::filesystem::file_size(path) / 2);
    try {
        opened_store db(options_for(path));
        BOOST_TEST(db.fail(db->rehearse(rehearsal_of(ada))).damaged);
    } catch (store::open_error const& refused) {
        BOOST_TEST(std::string(refused.what()).find(path) != std::string::npos);
    }
}

BOOST_AUTO_TEST_CASE(a_lack_and_a_bug_are_no_damage) {
    make();
    auto options = options_for(path);
    options.busy_timeout = 20ms;
    opened_store db(options);
    {
        auto other = look_at(path);
        other.execute("BEGIN IMMEDIATE");
        auto const lack = db.fail(db->rehearse(rehearsal_of(ada)));
        BOOST_TEST((lack.kind == error_kind::unavailable));
        BOOST_TEST(!lack.damaged);
        other.execute("ROLLBACK");
    }
    look_at(path).execute("DROP TABLE engram_finished_job");
    auto const bug = db.fail(db->rehearse(rehearsal_of(ada)));
    BOOST_TEST((bug.kind == error_kind::internal));
    BOOST_TEST(!bug.damaged);
    BOOST_TEST(db.get(db->look()).damage == "");
}

BOOST_AUTO_TEST_SUITE_END()

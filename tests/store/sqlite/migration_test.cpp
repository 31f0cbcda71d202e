// A database of schema version 1 comes to this version with everything it had, and its texts are found.
#include "raw_files.hpp"
#include "store/sqlite/migrations.hpp"
#include "store_fixture.hpp"

#include <boost/test/unit_test.hpp>

using namespace engram;
using namespace engram::store::test;
using engram::store::conversation;

namespace {

// As version 1 made them.
constexpr char const* version_1 = R"sql(
CREATE TABLE long_term_memory(id INTEGER PRIMARY KEY AUTOINCREMENT, user_id TEXT, memory_type TEXT, content ,
    created_at , updated_at , session_id TEXT, job_id TEXT);
CREATE TABLE conversation_history(id INTEGER PRIMARY KEY AUTOINCREMENT, session_id TEXT, user_id TEXT, role TEXT,
    content , created_at , job_id TEXT, summary_id INTEGER);
CREATE INDEX engram_memory_by_user ON long_term_memory(user_id);
CREATE INDEX engram_memory_summaries ON long_term_memory(user_id, session_id) WHERE memory_type = 'summary';
CREATE INDEX engram_history_window ON conversation_history(user_id, session_id)
    WHERE summary_id IS NULL AND role IN ('user', 'assistant');
CREATE INDEX engram_history_archive ON conversation_history(user_id, session_id)
    WHERE summary_id IS NOT NULL OR role IS NULL OR role NOT IN ('user', 'assistant');
CREATE TABLE engram_session(user_id TEXT NOT NULL, session_id TEXT NOT NULL, window_turns INTEGER NOT NULL,
    updated_at TEXT NOT NULL, summary_owner TEXT NOT NULL DEFAULT '', summary_from INTEGER NOT NULL DEFAULT 0,
    summary_until INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (user_id, session_id)) WITHOUT ROWID;
CREATE INDEX engram_session_by_window ON engram_session(window_turns);
CREATE TABLE engram_finished_job(job_id TEXT NOT NULL PRIMARY KEY, user_id TEXT NOT NULL,
    body_digest BLOB NOT NULL, reply TEXT NOT NULL, finished_at INTEGER NOT NULL);
CREATE INDEX engram_finished_job_by_time ON engram_finished_job(finished_at);
CREATE TABLE engram_failed_delivery(ticket TEXT NOT NULL PRIMARY KEY, job_id TEXT NOT NULL, user_id TEXT NOT NULL,
    body_digest BLOB NOT NULL, reply TEXT NOT NULL, failed_at INTEGER NOT NULL);
CREATE INDEX engram_failed_delivery_by_time ON engram_failed_delivery(failed_at);
)sql";

constexpr char const* rows = R"sql(
INSERT INTO conversation_history(id, session_id, user_id, role, content, created_at, job_id, summary_id) VALUES
    (1, 's1', 'ada', 'user', 'my dog is called Rex', '2024-01-01 10:00:00.000', 'j1', 3),
    (2, 's1', 'ada', 'assistant', 'a fine name', '2024-01-01 10:00:00.000', 'j1', 3),
    (3, 's1', 'ada', 'user', 'I moved to Ghent', '2024-01-02 10:00:00.000', 'j2', NULL),
    (4, 's1', 'ada', 'assistant', 'good luck', '2024-01-02 10:00:00.000', 'j2', NULL),
    (5, 's1', 'ada', 'system', 'dog rules', NULL, NULL, NULL),
    (6, 's1', 'bob', 'user', 'bob has a dog', '2024-01-02 10:00:00.000', 'j3', NULL),
    (7, 's1', NULL, 'user', 'of nobody', NULL, NULL, NULL);
INSERT INTO long_term_memory(id, user_id, memory_type, content, created_at, updated_at, session_id, job_id) VALUES
    (1, 'ada', 'fact', 'has a dog called Rex', '2024-01-01 10:00:00.000', '', 's1', 'j1'),
    (2, 'ada', 'fact', 'lives in Ghent', '2024-01-02 10:00:00.000', '', 's1', 'j2'),
    (3, 'ada', 'summary', 'they talked about Rex', '2024-01-02 11:00:00.000', '', 's1', NULL),
    (4, 'bob', 'fact', 'has a dog', '2024-01-02 10:00:00.000', '', 's1', 'j3'),
    (5, 'ada', 'fact', 1.5, 1704067200, NULL, NULL, '');
INSERT INTO engram_session(user_id, session_id, window_turns, updated_at) VALUES
    ('ada', 's1', 2, '2024-01-02 10:00:00.000'), ('bob', 's1', 1, '2024-01-02 10:00:00.000');
INSERT INTO engram_finished_job VALUES ('j1', 'ada', x'62', 'reply j1', 1704103200000);
INSERT INTO engram_failed_delivery VALUES ('t9', 'j9', 'ada', x'62', 'no', 1704103200000);
)sql";

struct fixture {
    temporary_folder folder;
    std::string path = folder.file("engram.db");

    void make_version_1(std::string const& more = "") {
        std::ofstream(path).close();
        auto db = look_at(path);
        db.execute(version_1);
        db.execute(more + rows + "PRAGMA application_id = " + std::to_string(store::engram_application_id) +
                   "; PRAGMA user_version = 1");
    }
    static std::string find(opened_store& db, std::string const& user, std::string const& query) {
        auto const found = db.get(db->find(user, {query, 100, {}, {}}, {}, at()));
        std::string all;
        for (auto const& [record, rank] : found.memories)
            all += record.what.content + "|";
        for (auto const& [record, rank] : found.turns)
            all += record.what.content + "|";
        return all;
    }
    // All that the database is, but for its pages.
    std::string everything() {
        auto db = look_at(path);
        return dump_of(path, "ada") + dump_of(path, "bob") +
               db.query_text("SELECT group_concat(sql) FROM sqlite_schema") +
               db.query_text("SELECT group_concat(place || hex(entries)) FROM engram_recall") +
               db.query_text("SELECT value FROM engram_state WHERE name = 'index_version'");
    }
    // `failures`: SQL that adds rows to engram_failed_delivery as version 2 had it.
    void make_version_2(std::string const& failures) {
        {
            opened_store db(options_for(path));
        }
        look_at(path).execute(
            "DROP TABLE engram_erasure; DROP TABLE engram_erasure_trace; DROP INDEX engram_user_unembedded; "
            "DROP INDEX engram_user_by_model; DROP INDEX engram_session_by_lease; "
            "DROP INDEX engram_memory_foreign; DROP INDEX engram_history_foreign; "
            "DROP INDEX engram_memory_profile; DROP INDEX engram_memory_confirmed; "
            "DROP TABLE engram_failed_delivery; "
            "CREATE TABLE engram_failed_delivery(ticket TEXT NOT NULL PRIMARY KEY, job_id TEXT NOT NULL, "
            "user_id TEXT NOT NULL, body_digest BLOB NOT NULL, reply TEXT NOT NULL, failed_at INTEGER NOT "
            "NULL);"
            "CREATE INDEX engram_failed_delivery_by_time ON engram_failed_delivery(failed_at);"
            "CREATE INDEX engram_failed_delivery_by_user ON engram_failed_delivery(user_id);" +
            failures + "PRAGMA user_version = 2");
    }
    void check_what_ada_has(opened_store& db) {
        BOOST_TEST(number(path, "PRAGMA user_version") == store::schema_version);
        BOOST_TEST(look_at(path).query_text("PRAGMA integrity_check") == "ok");
        BOOST_TEST(number(path, "SELECT count(*) FROM conversation_history") == 7);
        auto const all = db.get(db->list_memories("ada", "", true, {{}, 10}, at())).items;
        BOOST_REQUIRE(all.size() == 4u);
        for (std::size_t i = 0; i < all.size(); ++i) {
            BOOST_TEST(all[i].what.label == static_cast<std::int64_t>(4 - i));
            BOOST_TEST(all[i].valid_to.empty());
            BOOST_TEST(all[i].times_seen == 1);
        }
        BOOST_TEST(all[3].valid_from == "2024-01-01 10:00:00.000");
        BOOST_TEST(all[3].last_seen == "2024-01-01 10:00:00.000");
        BOOST_TEST(all[0].what.content == "1.5");
        auto const history = db.get(db->read_history("ada", 1));
        BOOST_REQUIRE(history->sources.size() == 1u);
        BOOST_TEST(history->sources[0].turns.size() == 2u);
        BOOST_TEST(history->sources[0].job_id == "j1");
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(store_migration, fixture)

BOOST_AUTO_TEST_CASE(every_row_is_there_with_label_sources_and_index) {
    make_version_1();
    opened_store db(options_for(path));
    check_what_ada_has(db);
    BOOST_TEST(find(db, "ada", "dog") == "has a dog called Rex|my dog is called Rex|a fine name|");
    BOOST_TEST(find(db, "bob", "dog Ghent") == "has a dog|bob has a dog|");
    BOOST_TEST(number(path, "SELECT count(*) FROM engram_recall") == 8);
    auto query = query_of({"ada", "s1"});
    BOOST_TEST(db.get(db->load_context(query)).turns.size() == 2u);
    query.job = job("j1");
    BOOST_TEST(db.get(db->load_context(query)).recorded->reply == "reply j1");
    query.job = job("j9", "t9");
    BOOST_TEST(db.get(db->load_context(query)).recorded->reply == "no");
}

BOOST_AUTO_TEST_CASE(what_an_error_was_is_read_once_from_the_replies_of_version_2) {
    std::string const replies[] = {
        R"({"error":{"type":"poisoned","message":"twice \u0009"}})",
        R"({"error":{"type":"deadline_exceeded"}})",
        R"({"error":{"type":7,"message":[]}})",
        R"({"error":"x"})",
        "7",
        "{\"error\":{\"type\"",
        "",
    };
    std::string failures;
    int n = 0;
    for (auto const& reply : replies)
        failures += "INSERT INTO engram_failed_delivery VALUES ('t" + std::to_string(n++) +
                    "', 'j', 'ada', x'62', '" + reply + "', 1704103200000);";
    make_version_2(failures);
    opened_store db(options_for(path));
    std::string const types[] = {"poisoned", "deadline_exceeded", "internal", "internal",
                                 "internal", "internal",          "internal"};
    for (int i = 0; i < n; ++i) {
        auto query = query_of({"ada", "s1"});
        query.job = job("j", "t" + std::to_string(i));
        auto const known = db.get(db->load_context(query)).recorded;
        BOOST_REQUIRE(known.has_value());
        BOOST_TEST(known->reply == replies[i]);
        BOOST_TEST(known->error_type == types[i]);
        BOOST_TEST(known->error_message == (i == 0 ? "twice \t" : ""));
    }
}

BOOST_AUTO_TEST_CASE(what_was_known_before_is_confirmed_changed_and_deleted_like_the_rest) {
    make_version_1();
    opened_store db(options_for(path));
    auto const done = db.get(db->commit_exchange(exchange_of(
        {"ada", "s1"}, job("new"),
        {{"fact", "called Rex: has a dog"},
         {.type = {}, .content = "lives in Bruges", .what = store::new_memory::kind::update, .label = 2},
         {"fact", "new"}})));
    BOOST_TEST(done.unknown_labels == 0u);
    BOOST_TEST(done.window_turns == 4u);
    BOOST_TEST(number(path, "SELECT times_seen FROM long_term_memory WHERE id = 1") == 2);
    BOOST_TEST(number(path, "SELECT superseded_by FROM long_term_memory WHERE id = 2") == 6);
    BOOST_TEST(number(path, "SELECT label FROM long_term_memory WHERE content = 'new'") == 5);
    auto const gone = db.get(db->delete_memory("ada", 1, at()));
    BOOST_REQUIRE(gone.has_value());
    BOOST_TEST(gone->counts.turns == 4u);
    BOOST_TEST(gone->counts.summaries == 1u);
    BOOST_TEST(gone->counts.replies == 2u);
    BOOST_TEST(!stands_in_files(path, "Rex"));
}

BOOST_AUTO_TEST_CASE(what_a_migration_moved_leaves_no_copy_that_outlives_its_user) {
    std::ofstream(path).close();
    look_at(path).execute(
        "PRAGMA secure_delete = OFF; CREATE TABLE long_term_memory(user_id, content);"
        "CREATE TABLE conversation_history(user_id, session_id, role, content);"
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500) "
        "INSERT INTO conversation_history SELECT 'adaqq', 's', 'user', 'wordqq' || i FROM n;"
        "INSERT INTO long_term_memory SELECT user_id, content FROM conversation_history");
    opened_store db(options_for(path));
    BOOST_TEST(stands_in_files(path, "wordqq"));
    db.get(db->forget_user("adaqq", store::finished_jobs::remove, at()));
    BOOST_TEST(!stands_in_files(path, "wordqq"));
    BOOST_TEST(!stands_in_files(path, "adaqq"));
}

BOOST_AUTO_TEST_CASE(columns_of_older_software_with_the_names_of_new_ones_keep_their_values) {
    make_version_1(
        "ALTER TABLE long_term_memory ADD COLUMN label TEXT DEFAULT 'old label';"
        "ALTER TABLE long_term_memory ADD COLUMN legacy_label TEXT DEFAULT 'older label';"
        "ALTER TABLE long_term_memory ADD COLUMN Pinned TEXT DEFAULT 'yes';"
        "ALTER TABLE long_term_memory ADD COLUMN valid_to TEXT DEFAULT 'x';"
        "ALTER TABLE conversation_history ADD COLUMN item TEXT DEFAULT 'old item';"
        "CREATE VIEW broken AS SELECT missing FROM nowhere;"
        "CREATE VIEW labels AS SELECT label FROM long_term_memory;");
    opened_store db(options_for(path));
    check_what_ada_has(db);
    auto raw = look_at(path);
    BOOST_TEST(raw.query_text("SELECT legacy_label FROM long_term_memory WHERE id = 1") == "older label");
    BOOST_TEST(raw.query_text("SELECT legacy_label_2 FROM long_term_memory WHERE id = 1") == "old label");
    BOOST_TEST(raw.query_text("SELECT legacy_pinned FROM long_term_memory WHERE id = 1") == "yes");
    BOOST_TEST(raw.query_text("SELECT legacy_item FROM conversation_history WHERE id = 1") == "old item");
    BOOST_TEST(raw.query_integer("SELECT pinned FROM long_term_memory WHERE id = 1") == 0);
}

BOOST_AUTO_TEST_CASE(opening_again_changes_nothing) {
    make_version_1();
    {
        opened_store db(options_for(path));
    }
    auto const before = everything();
    {
        opened_store db(options_for(path));
    }
    BOOST_TEST(everything() == before);
}

BOOST_AUTO_TEST_CASE(another_version_of_the_index_is_made_anew_and_labels_stay) {
    make_version_1();
    word_index const second(2);
    {
        opened_store db(options_for(path));
    }
    look_at(path).execute(
        "UPDATE engram_recall SET entries = x''; UPDATE long_term_memory SET fingerprint = x''");
    {
        opened_store db(options_for(path), &second);
        check_what_ada_has(db);
        BOOST_TEST(find(db, "ada", "dog") == "has a dog called Rex|my dog is called Rex|a fine name|");
        BOOST_TEST(db.get(db->add_memory("ada", {"fact", "dog Rex called has a"}, at())).action ==
                   "confirmed");
        db.get(db->change_memory("ada", {.id = 1, .content = "has a cat", .type = {}, .pinned = {}}, at()));
        BOOST_TEST(db.get(db->find_unembedded("m", 100)).size() == 8u);
    }
    opened_store again(options_for(path));
    BOOST_TEST(find(again, "ada", "dog cat") == "has a cat|my dog is called Rex|a fine name|");
    BOOST_TEST(number(path, "SELECT label FROM long_term_memory WHERE content = 'has a cat'") == 1);
}

BOOST_AUTO_TEST_CASE(without_an_index_everything_else_works_and_with_one_all_is_found) {
    make_version_1();
    {
        opened_store db(options_for(path), nullptr);
        check_what_ada_has(db);
        BOOST_TEST(find(db, "ada", "dog").empty());
        db.get(db->commit_exchange(
            exchange_of({"ada", "s1"}, job("a"), {{"fact", "first cat"}, {"fact", "has a dog called Rex"}})));
        BOOST_TEST(number(path, "SELECT times_seen FROM long_term_memory WHERE id = 1") == 2);
    }
    {
        opened_store db(options_for(path));
    }
    {
        opened_store db(options_for(path), nullptr);
        db.get(db->commit_exchange(exchange_of({"ada", "s1"}, job("b"), {{"fact", "second cat"}})));
        db.get(db->delete_memory("ada", 1, at()));
    }
    opened_store db(options_for(path));
    BOOST_TEST(find(db, "ada", "cat dog") == "second cat|first cat|");
}

BOOST_AUTO_TEST_SUITE_END()

// Databases of other software: every row is there afterwards, with the bytes it had, and the database works.
#include "store/sqlite/migrations.hpp"
#include "store_fixture.hpp"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <fstream>
#include <map>
#include <sstream>

using namespace engram;
using namespace engram::store::test;
using engram::store::conversation;

namespace {

std::string sql_of(std::string const& name) {
    std::ifstream file(std::string(LEGACY_FOLDER) + "/" + name + ".sql");
    std::ostringstream text;
    text << file.rdbuf();
    if (text.str().empty()) throw std::runtime_error("no such fixture: " + name);
    return text.str();
}

std::string quoted(std::string const& name) {
    std::string out = "\"";
    for (char const c : name)
        out.append(c == '"' ? 2 : 1, c);
    return out + '"';
}

std::string lower(std::string text) {
    for (auto& c : text)
        c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return text;
}

using names = std::vector<std::string>;

names strings(store::connection& db, std::string const& sql) {
    auto statement = db.prepare(sql);
    auto found = statement.query();
    names all;
    while (found.next())
        all.emplace_back(found.bytes(0));
    return all;
}

names columns_of(store::connection& db, std::string const& table) {
    return strings(db, "SELECT name FROM pragma_table_xinfo('" + table + "') WHERE hidden <> 1 ORDER BY cid");
}

// The values of one column, a line each: type and bytes; of keys (compared as text) the bytes.
names values(store::connection& db, std::string const& table, std::string const& column,
             std::string const& order, bool is_key) {
    auto const name = quoted(column);
    auto const type =
        is_key ? "CASE typeof(" + name + ") WHEN 'null' THEN 'null' ELSE 'key' END" : "typeof(" + name + ")";
    return strings(db, "SELECT " + type + " || ' ' || hex(CAST(" + name + " AS " +
                           (is_key ? "TEXT" : "BLOB") + ")) FROM " + table + " ORDER BY " + order);
}

bool is_key(std::string const& column) {
    return column == "user_id" || column == "session_id" || column == "role" || column == "memory_type";
}

struct legacy_table {
    names columns;
    std::map<std::string, names> values;
};

legacy_table snapshot(store::connection& db, std::string const& table, std::string const& order) {
    legacy_table seen{columns_of(db, table), {}};
    for (auto const& column : seen.columns) {
        bool const key =
            is_key(lower(column)) && !(table == "long_term_memory" && lower(column) == "session_id");
        seen.values[column] = values(db, table, column, order, key);
    }
    return seen;
}

// What a column is called now, where it could not keep its name.
using renames = std::map<std::string, std::string>;

void check_table(store::connection& db, std::string const& table, legacy_table const& old,
                 renames const& renamed) {
    auto const now = columns_of(db, table);
    for (auto const& column : old.columns) {
        auto const found = renamed.find(column);
        auto const name = found == renamed.end() ? column : found->second;
        BOOST_TEST_CONTEXT(table << "." << column << " as " << name) {
            bool const key =
                is_key(lower(column)) && !(table == "long_term_memory" && lower(column) == "session_id");
            BOOST_TEST(values(db, table, name, "id", key) == old.values.at(column),
                       boost::test_tools::per_element());
        }
    }
}

struct fixture {
    temporary_folder folder;
    std::string path = folder.file("assistant.db");

    store::connection make(std::string const& name) {
        std::ofstream(path).close();
        auto db = look_at(path);
        db.execute(sql_of(name));
        return db;
    }

    // Takes the database over and compares; `order` is how the old rows were inserted.
    void take_over(std::string const& name, renames const& memories = {}, renames const& turns = {},
                   std::string const& memory_order = "_rowid_", std::string const& turn_order = "_rowid_") {
        legacy_table before[2];
        names others;
        {
            auto db = make(name);
            before[0] = snapshot(db, "long_term_memory", memory_order);
            before[1] = snapshot(db, "conversation_history", turn_order);
        }
        {
            opened_store taken(options_for(path));
        }
        auto db = look_at(path);
        check_table(db, "long_term_memory", before[0], memories);
        check_table(db, "conversation_history", before[1], turns);
        BOOST_TEST(db.query_text("PRAGMA integrity_check") == "ok");
        BOOST_TEST(db.query_integer("PRAGMA user_version") == store::schema_version);
        BOOST_TEST(db.query_integer("SELECT count(*) FROM sqlite_schema WHERE name LIKE 'engram_new_%'") ==
                   0);
    }

    // A whole turn, in a conversation that the old database may know.
    void check_it_works() {
        opened_store db(options_for(path));
        conversation const of{"ada", "s1"};
        auto const before = db.get(db->load_context(query_of(of)));
        auto const done =
            db.get(db->commit_exchange(exchange_of(of, job("new"), {{"summary", std::string(50, 'x')}})));
        BOOST_TEST(done.committed);
        BOOST_TEST(done.window_turns == before.turns.size() + 2);
        auto const after = db.get(db->load_context(query_of(of)));
        BOOST_TEST(after.turns.size() == before.turns.size() + 2);
        BOOST_TEST(after.turns.back().content == "answer new");
        BOOST_TEST(after.memories.size() == before.memories.size() + 1);
        BOOST_TEST(by_age(after.memories).back().content == std::string(50, 'x'));
    }
};

std::string turns_of(opened_store& db, conversation const& of) {
    std::string all;
    for (auto const& one : db.get(db->load_context(query_of(of))).turns)
        all += one.content + "|";
    return all;
}

std::string memories_of(opened_store& db, std::string const& user) {
    std::string all;
    for (auto const& one : by_age(db.get(db->load_context(query_of({user, "-"}))).memories)) {
        all += one.type + ":" + one.content + "|";
    }
    return all;
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(store_legacy, fixture)

BOOST_AUTO_TEST_CASE(the_common_form_is_taken_over_and_goes_on) {
    take_over("plain");
    {
        opened_store db(options_for(path));
        BOOST_TEST(turns_of(db, {"ada", "s1"}) == "hello|hi|and?||");
        BOOST_TEST(turns_of(db, {"bob", "s2"}) == "hello too|hi too|");
        BOOST_TEST(memories_of(db, "bob") == "fact:works at \"Acme\"|");
        BOOST_TEST(by_age(db.get(db->load_context(query_of({"ada", "x"}))).memories)[0].created_at ==
                   "2023-05-01 10:00:00");
    }
    check_it_works();
    // 5 was used and deleted before.
    BOOST_TEST(number(path, "SELECT max(id) FROM long_term_memory") == 6);
    BOOST_TEST(number(path, "SELECT window_turns FROM engram_session WHERE user_id = 'ada'") == 6);
    BOOST_TEST(number(path, "SELECT window_turns FROM engram_session WHERE user_id = 'bob'") == 2);
}

BOOST_AUTO_TEST_CASE(constraints_triggers_and_views_do_not_hinder) {
    take_over("constraints");
    auto db = look_at(path);
    BOOST_TEST(db.query_integer("SELECT count(*) FROM pinned") == 2);
    BOOST_TEST(db.query_integer("SELECT count(*) FROM recent") == 2);
    BOOST_TEST(db.query_integer("SELECT count(*) FROM sqlite_schema WHERE name = 'broken'") == 1);
    db.execute("PRAGMA foreign_keys = ON; INSERT INTO pinned VALUES (1, 'new')");
    BOOST_TEST(db.query_text("SELECT what FROM log") == "one");
    check_it_works();
    // Two answers with the same words, which the old table would have refused.
    opened_store twice(options_for(path));
    for (std::string const id : {"a", "b"}) {
        auto what = exchange_of({"ada", "s"}, job(id), {{"other", "same"}, {"other", "same"}});
        what.turns[0].content = what.turns[1].content = "same";
        BOOST_TEST(twice.get(twice->commit_exchange(what)).committed);
    }
    BOOST_TEST(turns_of(twice, {"ada", "s"}) == "one|two|same|same|same|same|");
    BOOST_TEST(turns_of(twice, {"ADA", "s"}).empty());
}

BOOST_AUTO_TEST_CASE(ids_that_are_no_numbers_are_kept_beside_new_ones) {
    take_over("text_ids", {{"id", "legacy_id"}}, {{"id", "legacy_id"}}, "_rowid_", "created_at");
    opened_store db(options_for(path));
    BOOST_TEST(turns_of(db, {"ada", "s1"}) == "one|two|three|");
    BOOST_TEST(memories_of(db, "ada") == "fact:first|fact:second|fact:third|");
}

BOOST_AUTO_TEST_CASE(columns_that_are_missing_are_empty) {
    take_over("missing_columns");
    {
        opened_store db(options_for(path));
        BOOST_TEST(turns_of(db, {"ada", "s1"}) == "one|two|");
        BOOST_TEST(memories_of(db, "ada") == "fact:first|fact:second|");
    }
    check_it_works();
}

BOOST_AUTO_TEST_CASE(values_of_any_kind_keep_their_bytes_and_are_read_as_text) {
    take_over("odd_values", {{"id", "legacy_id"}}, {{"id", "legacy_id"}});
    {
        opened_store db(options_for(path));
        BOOST_TEST(turns_of(db, {"ada", "s1"}) == "one|two||");
        BOOST_TEST(turns_of(db, {"42", "12"}) == "12|");
        BOOST_TEST(
            (memories_of(db, "42") == "fact:text|:" + std::string("\0\xEF\xBF\xBD\x10", 5) + "|7:3.75|"));
        BOOST_TEST(memories_of(db, "ada") ==
                   "fact:\xEF\xBF\xBD"
                   "A|");
    }
    check_it_works();
    BOOST_TEST(number(path, "SELECT window_turns FROM engram_session WHERE user_id = 'ada'") == 5);
}

BOOST_AUTO_TEST_CASE(columns_of_their_own_stay_and_so_do_other_tables) {
    take_over("extra", {{"job_id", "legacy_job_id"}}, {{"summary_id", "legacy_summary_id_2"}});
    BOOST_TEST(number(path, "SELECT count(*) FROM conversation_history WHERE summary_id IS NULL") == 2);
    BOOST_TEST(number(path, "SELECT count(*) FROM finished_job") == 2);
    BOOST_TEST(look_at(path).query_text("SELECT state FROM session WHERE id = 's1'") == "open");
    check_it_works();
}

BOOST_AUTO_TEST_CASE(another_encoding_and_another_page_size_are_taken_as_they_are) {
    take_over("utf16");
    {
        opened_store db(options_for(path));
        BOOST_TEST(turns_of(db, {"ada", "s1"}) == "één|twee|");
        BOOST_TEST(memories_of(db, "ada") == "fact:likes ☕|");
    }
    check_it_works();
    std::filesystem::remove(path);
    take_over("logged_ahead");
    check_it_works();
    BOOST_TEST(number(path, "PRAGMA page_size") == 1024);
}

BOOST_AUTO_TEST_CASE(one_table_alone_or_empty_ones_are_enough) {
    for (std::string const name : {"only_memories", "only_history", "empty_tables"}) {
        std::filesystem::remove(path);
        make(name);
        check_it_works();
        auto const expected = name == "empty_tables" ? 3 : 103;
        auto const ids = number(path, "SELECT count(*) + max(id) FROM long_term_memory");
        if (name == "only_memories") BOOST_TEST(ids == expected);
        if (name == "only_history")
            BOOST_TEST(number(path, "SELECT min(id) FROM conversation_history") == 100);
        if (name == "empty_tables") BOOST_TEST(number(path, "SELECT min(id) FROM conversation_history") == 1);
    }
}

BOOST_AUTO_TEST_CASE(a_long_history_is_due_for_a_summary_at_once) {
    make("empty_tables")
        .execute(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100) "
            "INSERT INTO conversation_history(session_id, user_id, role, content) "
            "SELECT 's1', 'ada', iif(i % 2, 'user', 'assistant'), i FROM n");
    opened_store db(options_for(path));
    BOOST_TEST(db.get(db->find_due_sessions(20, at(), 10)).size() == 1u);
    auto const task = db.get(db->claim_summary({{"ada", "s1"}, 20, 6, "me", std::chrono::seconds(60), at()}));
    BOOST_REQUIRE(task.has_value());
    BOOST_TEST(task->turns.size() == 94u);
}

BOOST_AUTO_TEST_CASE(what_cannot_be_taken_over_is_left_as_it_was) {
    names const hindrances{
        "CREATE VIEW long_term_memory AS SELECT 1 AS id",
        "CREATE TABLE conversation_history(id); CREATE TABLE engram_finished_job(x)",
        "CREATE TABLE conversation_history(id); CREATE TABLE engram_new_conversation_history(x)",
        "CREATE TABLE conversation_history(id, content); INSERT INTO conversation_history VALUES (1, 'x');"
        "CREATE TABLE t(x); CREATE INDEX engram_history_window ON t(x)",
    };
    for (auto const& sql : hindrances) {
        std::filesystem::remove(path);
        std::ofstream(path).close();
        look_at(path).execute(sql);
        auto const read = [&] {
            std::ifstream file(path, std::ios::binary);
            return std::string{std::istreambuf_iterator<char>(file), {}};
        };
        auto const before = read();
        BOOST_CHECK_EXCEPTION(opened_store(options_for(path)), store::open_error, [&](auto const& refused) {
            return std::string(refused.what()).find("as it was") != std::string::npos;
        });
        BOOST_TEST((read() == before));
    }
}

BOOST_AUTO_TEST_CASE(taking_over_happens_once) {
    take_over("plain");
    auto const before = look_at(path).query_integer("PRAGMA schema_version");
    {
        opened_store again(options_for(path));
    }
    BOOST_TEST(look_at(path).query_integer("PRAGMA schema_version") == before);
}

BOOST_AUTO_TEST_SUITE_END()

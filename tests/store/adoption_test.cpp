// What another program writes into the two tables gets what it lacks: a label, a place in the search, a
// session.
#include "store/sqlite/migrations.hpp"
#include "store_fixture.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>

using namespace engram;
using namespace engram::store::test;
using namespace std::chrono_literals;
using engram::store::conversation;

namespace {

struct fixture {
    temporary_folder folder;
    std::string path = folder.file("engram.db");
    opened_store db{options_for(path)};
    conversation of{"ada", "s1"};

    void run(std::string const& sql) { look_at(path).execute(sql); }
    // As the program does that the tables were made by.
    void tell(std::string const& content, std::string const& user = "'ada'") {
        run("INSERT INTO long_term_memory(user_id, memory_type, content, created_at) VALUES (" + user +
            ", 'fact', '" + content + "', '2023-05-06 07:08:09')");
    }
    void turn(std::string const& role, std::string const& content, std::string const& session = "'theirs'",
              std::string const& user = "'ada'") {
        run("INSERT INTO conversation_history(session_id, user_id, role, content, created_at) VALUES (" +
            session + ", " + user + ", " + role + ", " + content + ", '2023-05-06 07:08:09')");
    }
    // As an engramd of version 1 does, which knows no index.
    void older_turn(std::string const& session, std::string const& job_id, std::string const& role,
                    std::string const& content) {
        run("INSERT INTO conversation_history(session_id, user_id, role, content, created_at, job_id) VALUES "
            "('" +
            session + "', 'ada', '" + role + "', '" + content + "', '2025-03-01 12:00:00.000', '" + job_id +
            "')");
    }
    std::size_t adopt(std::size_t limit = 100) { return db.get(db->adopt_rows(limit)); }
    store::search_result find(std::string const& query) {
        return db.get(db->find("ada", {query, 10, {}, {}}, {}, at()));
    }
    store::context context(conversation const& where) { return db.get(db->load_context(query_of(where))); }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(store_adoption, fixture)

BOOST_AUTO_TEST_CASE(a_memory_of_another_program_is_one_like_any_other) {
    db.get(db->commit_exchange(exchange_of(of, job("j"), {{"fact", "likes tea"}})));
    tell("has a dog");
    BOOST_TEST(context(of).memories.size() == 2u);  // it is in the prompt at once
    BOOST_TEST(find("dog").memories.empty());
    BOOST_TEST(adopt() == 1u);
    BOOST_TEST(adopt() == 0u);
    auto const found = find("dog").memories;
    BOOST_REQUIRE(found.size() == 1u);
    BOOST_TEST(found[0].first.what.label == 2);
    BOOST_TEST(found[0].first.last_seen == "2023-05-06 07:08:09");
    // The same again is a confirmation, a note can change it, and it can be deleted.
    auto const again = db.get(db->add_memory("ada", {"fact", "has a dog"}, at()));
    BOOST_TEST(again.action == "confirmed");
    auto change = exchange_of(
        of, job("j2"),
        {{.type = {}, .content = "has two dogs", .what = store::new_memory::kind::update, .label = 2}});
    BOOST_TEST(db.get(db->commit_exchange(change)).unknown_labels == 0u);
    auto const listed = context(of).memories;
    BOOST_TEST(listed.size() == 2u);
    BOOST_TEST(std::ranges::count(listed, "has two dogs", [](auto const& one) { return one.content; }) == 1);
    auto const gone = db.get(db->delete_memory("ada", found[0].first.what.id, at()));
    BOOST_TEST(gone->counts.memories == 2u);
    BOOST_TEST(find("dog dogs").memories.empty());
}

BOOST_AUTO_TEST_CASE(a_conversation_of_another_program_is_found_listed_summarized_and_deleted) {
    for (int i = 0; i < 11; ++i) {
        turn("'user'", "'my dog is called Rex'");
        turn("'assistant'", "'a fine name'");
    }
    BOOST_TEST(context({"ada", "theirs"}).turns.size() == 22u);  // they are in the window at once
    BOOST_TEST(db.get(db->find_due_sessions(20, at(), 10)).empty());
    BOOST_TEST(!db.get(db->delete_session({"ada", "theirs"}, false, at())).has_value());
    BOOST_TEST(adopt() == 22u);
    BOOST_TEST(adopt() == 0u);
    BOOST_TEST(find("Rex").turns.size() == 10u);
    BOOST_TEST(number(path, "SELECT count(DISTINCT item) FROM conversation_history") == 11);
    BOOST_TEST(db.get(db->find_due_sessions(20, at(), 10)).size() == 1u);
    auto const sessions = db.get(db->list_sessions("ada", {})).items;
    BOOST_REQUIRE(sessions.size() == 1u);
    BOOST_TEST(sessions[0].updated_at == "2023-05-06 07:08:09");
    auto const task = db.get(db->claim_summary({{"ada", "theirs"}, 20, 6, "me", 60s, at()}));
    BOOST_REQUIRE(task.has_value());
    BOOST_TEST(db.get(db->commit_summary(*task, "a dog", false, at())));
    BOOST_TEST(number(path, "SELECT window_turns FROM engram_session") == 6);
    BOOST_TEST(db.get(db->delete_session({"ada", "theirs"}, false, at()))->counts.turns == 22u);
    BOOST_TEST(find("Rex").turns.empty());
    BOOST_TEST(number(path, "SELECT count(*) FROM engram_recall") == 0);
}

BOOST_AUTO_TEST_CASE(an_answer_that_comes_later_joins_its_exchange) {
    turn("'user'", "'my dog is called Rex'");
    BOOST_TEST(adopt() == 1u);
    turn("'user'", "'elsewhere'", "'other'");
    turn("'assistant'", "'a noble hound'");
    BOOST_TEST(adopt() == 2u);
    auto const found = find("hound").turns;
    BOOST_REQUIRE(found.size() == 2u);
    BOOST_TEST(found[0].first.what.content == "my dog is called Rex");
    turn("'assistant'", "'and a good one'");
    BOOST_TEST(adopt() == 1u);
    BOOST_TEST(find("hound").turns.size() == 3u);
    turn("'user'", "'hound again'");
    BOOST_TEST(adopt() == 1u);
    BOOST_TEST(number(path, "SELECT count(DISTINCT item) FROM conversation_history") == 3);
    BOOST_TEST(number(path, "SELECT count(*) FROM engram_recall") == 3);
}

BOOST_AUTO_TEST_CASE(it_goes_on_in_a_session_of_ours) {
    fill(db, of, 4);
    turn("'user'", "'my dog'", "'s1'");
    turn("'assistant'", "'woof'", "'s1'");
    BOOST_TEST(adopt() == 2u);
    BOOST_TEST(number(path, "SELECT window_turns FROM engram_session") == 6);
    BOOST_TEST(find("woof").turns.size() == 2u);
    BOOST_TEST(number(path, "SELECT count(DISTINCT item) FROM conversation_history") == 3);
    fill(db, of, 2, "more");
    BOOST_TEST(number(path, "SELECT window_turns FROM engram_session") == 8);
}

BOOST_AUTO_TEST_CASE(rows_of_any_kind_do_no_harm) {
    fill(db, of, 4);
    db.get(db->add_memory("ada", {"fact", "likes tea"}, at()));
    auto const before = dump_of(path, "ada");
    turn("'user'", "'x'", "'s'", "NULL");
    turn("'user'", "'x'", "NULL", "'eve'");
    turn("NULL", "'x'", "'s'", "'eve'");
    turn("'system'", "'be nice'", "'s'", "'eve'");
    turn("'tool'", "x'00ff'", "'s'", "'eve'");
    turn("'user'", "NULL", "'s'", "'eve'");
    turn("'user'", "''", "'s'", "'eve'");
    turn("'user'", "42", "7", "3.5");
    turn("'assistant'", "x'fffe41'", "'s'", "'eve'");
    turn("x'75736572'", "'of bytes'", "x'73'", "x'657665'");
    run("INSERT INTO conversation_history DEFAULT VALUES; INSERT INTO long_term_memory DEFAULT VALUES");
    tell("nobodys", "NULL");
    tell("of bytes", "x'657665'");
    run("INSERT INTO long_term_memory(user_id, memory_type, content, created_at) VALUES "
        "('eve', NULL, NULL, NULL), ('eve', x'66616374', x'ff', -1), (7, 42, 1.5, x''), "
        "('eve', 'summary', 'they talked', '2023'), ('', '', '', '')");
    std::size_t all = 0;
    for (int i = 0; i < 100; ++i)
        all += adopt(3);
    BOOST_TEST(all == 11u + 8u);
    BOOST_TEST(adopt() == 0u);
    BOOST_TEST(dump_of(path, "ada") == before);
    auto const eve = db.get(db->find("eve", {"of bytes", 20, {}, {}}, {}, at()));
    BOOST_TEST(eve.memories.size() == 1u);
    BOOST_TEST(eve.memories.at(0).first.what.label > 0);
    BOOST_TEST(eve.turns.size() == 1u);
    BOOST_TEST(db.get(db->list_memories("7", "42", false, {}, at())).items.size() == 1u);
    BOOST_TEST(number(path, "SELECT count(*) FROM long_term_memory WHERE label IS NULL") == 0);
    BOOST_TEST(number(path, "SELECT window_turns FROM engram_session WHERE user_id = 'eve'") == 4);
    for (std::string const user : {"eve", "7", "3.5", ""}) {
        context({user, "s"});
        db.get(db->export_user(user, {{}, 100}));
        db.get(db->forget_user(user, store::finished_jobs::remove, at()));
    }
    BOOST_TEST(dump_of(path, "ada") == before);
}

BOOST_AUTO_TEST_CASE(without_such_rows_nothing_is_written) {
    fill(db, of, 40);
    db.get(db->add_memory("ada", {"fact", "likes tea"}, at()));
    auto raw = look_at(path);
    auto const version = raw.query_integer("PRAGMA data_version");
    BOOST_TEST(adopt() == 0u);
    BOOST_TEST(raw.query_integer("PRAGMA data_version") == version);
}

BOOST_AUTO_TEST_CASE(long_texts_are_adopted_in_pieces) {
    for (int i = 0; i < 5; ++i)
        turn("'user'", "'dog" + std::to_string(i) + " ' || hex(zeroblob(100000))");
    BOOST_TEST(adopt() == 2u);
    BOOST_TEST(adopt() == 2u);
    BOOST_TEST(adopt() == 1u);
    BOOST_TEST(find("dog4").turns.size() == 1u);
}

BOOST_AUTO_TEST_CASE(without_a_search_they_get_the_rest) {
    opened_store plain(options_for(path), nullptr);
    tell("has a dog");
    turn("'user'", "'my dog'");
    BOOST_TEST(plain.get(plain->adopt_rows(100)) == 2u);
    BOOST_TEST(plain.get(plain->adopt_rows(100)) == 0u);
    BOOST_TEST(context(of).memories.at(0).label == 1);
    // The index is made when there is one again.
    opened_store again(options_for(path));
    BOOST_TEST(again.get(again->find("ada", {"dog", 10, {}, {}}, {}, at())).turns.size() == 1u);
}

BOOST_AUTO_TEST_CASE(a_new_index_leaves_them_to_be_adopted) {
    fill(db, of, 4);
    db.get(db->add_memory("ada", {"fact", "likes tea"}, at()));
    turn("x'75736572'", "'my dog'", "x'7468'", "x'616461'");
    turn("'assistant'", "'woof'", "'th'");
    turn("'assistant'", "'meow'", "'s1'");
    run("INSERT INTO long_term_memory(user_id, content) VALUES (x'616461', 'has a dog')");
    word_index const second(2);
    opened_store again(options_for(path), &second);
    auto const found = [&](std::string const& query) {
        return again.get(again->find("ada", {query, 10, {}, {}}, {}, at()));
    };
    BOOST_TEST(found("tea").memories.size() == 1u);
    BOOST_TEST(found("dog woof meow").turns.empty());
    BOOST_TEST(again.get(again->adopt_rows(2)) == 2u);
    BOOST_TEST(again.get(again->adopt_rows(2)) == 2u);
    BOOST_TEST(again.get(again->adopt_rows(2)) == 0u);
    BOOST_TEST(found("woof").turns.size() == 2u);
    auto const memories = found("dog").memories;
    BOOST_REQUIRE(memories.size() == 1u);
    BOOST_TEST(memories[0].first.what.type == "fact");
    BOOST_TEST(memories[0].first.what.label == 2);
    BOOST_TEST(number(path, "SELECT window_turns FROM engram_session WHERE session_id = 'th'") == 2);
    BOOST_TEST(number(path, "SELECT window_turns FROM engram_session WHERE session_id = 's1'") == 5);
}

BOOST_AUTO_TEST_CASE(a_transaction_that_fails_leaves_nothing_for_the_next_one) {
    turn("'user'", "'my dog'");
    turn("'assistant'", "'woof'");
    run("CREATE TRIGGER refuse BEFORE UPDATE OF job_id ON conversation_history "
        "BEGIN SELECT RAISE(ABORT, 'not now'); END");
    db.fail(db->adopt_rows(100));
    run("DROP TRIGGER refuse");
    BOOST_TEST(adopt() == 2u);
    BOOST_TEST(number(path, "SELECT count(*) FROM engram_recall") == 1);
    BOOST_TEST(number(path, "SELECT next_item FROM engram_user") == 1);
    // Nor for a later one, when the user has been forgotten meanwhile.
    turn("'user'", "'my cat'");
    run("CREATE TRIGGER refuse BEFORE UPDATE OF job_id ON conversation_history "
        "BEGIN SELECT RAISE(ABORT, 'not now'); END");
    db.fail(db->adopt_rows(100));
    run("DROP TRIGGER refuse");
    db.get(db->forget_user("ada", store::finished_jobs::remove, at()));
    turn("'user'", "'hello'", "'s'", "'eve'");
    BOOST_TEST(adopt() == 1u);
    BOOST_TEST(find("cat").turns.empty());
    BOOST_TEST(number(path, "SELECT count(*) FROM engram_recall") == 1);
}

BOOST_AUTO_TEST_CASE(a_conversation_that_is_adopted_in_pieces_is_counted_once) {
    for (int i = 0; i < 7; ++i)
        turn("'user'", "'dog" + std::to_string(i) + "'");
    std::size_t all = 0;
    for (int i = 0; i < 4; ++i)
        all += adopt(2);
    BOOST_TEST(all == 7u);
    BOOST_TEST(number(path, "SELECT window_turns FROM engram_session") == 7);
}

// An engramd of version 1 goes on writing after another one has brought the database to the present version.
BOOST_AUTO_TEST_CASE(turns_of_an_older_engramd_are_found_and_counted_no_second_time) {
    fill(db, of, 4);
    BOOST_TEST(adopt() == 0u);
    older_turn("s1", "j9", "user", "my dog is called Rex");
    older_turn("s1", "j9", "assistant", "a fine name");
    older_turn("s1", "j10", "user", "and my cow Bella");
    run("UPDATE engram_session SET window_turns = window_turns + 3");
    fill(db, of, 2, "later");
    BOOST_TEST(find("Rex Bella").turns.empty());
    BOOST_TEST(adopt() == 3u);
    BOOST_TEST(adopt() == 0u);
    BOOST_TEST(find("Rex").turns.size() == 2u);
    BOOST_TEST(find("Bella").turns.size() == 1u);
    BOOST_TEST(number(path, "SELECT count(DISTINCT item) FROM conversation_history") == 5);
    BOOST_TEST(number(path, "SELECT window_turns FROM engram_session") == 9);
    BOOST_TEST(number(path, "SELECT count(*) FROM conversation_history WHERE job_id = 'j9'") == 2);
    BOOST_TEST(db.get(db->delete_session(of, false, at()))->counts.turns == 9u);
    BOOST_TEST(find("Rex Bella").turns.empty());
}

BOOST_AUTO_TEST_CASE(they_are_found_after_a_restart_too_and_in_pieces) {
    fill(db, of, 4);
    for (int i = 0; i < 5; ++i)
        older_turn("s1", "j" + std::to_string(i), "user", "dog" + std::to_string(i));
    opened_store again(options_for(path));
    BOOST_TEST(again.get(again->adopt_rows(2)) == 2u);
    BOOST_TEST(again.get(again->adopt_rows(2)) == 2u);
    BOOST_TEST(again.get(again->adopt_rows(2)) == 1u);
    BOOST_TEST(again.get(again->adopt_rows(2)) == 0u);
    for (int i = 0; i < 5; ++i)
        BOOST_TEST(find("dog" + std::to_string(i)).turns.size() == 1u);
    // This one has not looked yet, and finds nothing left.
    BOOST_TEST(adopt() == 0u);
}

BOOST_AUTO_TEST_CASE(they_are_found_behind_many_turns_of_its_own) {
    run("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 120000) "
        "INSERT INTO conversation_history(session_id, user_id, role, content, job_id, item) "
        "SELECT 's', 'bob', 'user', 'x', 'j', 0 FROM n");
    older_turn("s1", "j", "user", "my dog is called Rex");
    BOOST_TEST(adopt() == 0u);  // that would take long: the next time it goes on
    BOOST_TEST(number(path, "SELECT value FROM engram_state WHERE name = 'looked_at_turns'") >= 90'000);
    BOOST_TEST(adopt() == 1u);
    BOOST_TEST(find("Rex").turns.size() == 1u);
}

BOOST_AUTO_TEST_CASE(what_was_erased_or_has_nothing_to_find_is_left_alone) {
    fill(db, of, 4);
    older_turn("s1", "j1", "user", "");
    older_turn("s1", "j2", "system", "my dog");
    older_turn("s1", "j3", "user", "my dog");
    run("UPDATE conversation_history SET summary_id = 0 WHERE job_id = 'j3'");
    BOOST_TEST(adopt() == 0u);
    BOOST_TEST(find("dog").turns.empty());
    auto raw = look_at(path);
    auto const version = raw.query_integer("PRAGMA data_version");
    BOOST_TEST(adopt() == 0u);
    BOOST_TEST(raw.query_integer("PRAGMA data_version") == version);
}

BOOST_AUTO_TEST_CASE(what_was_written_into_a_database_of_version_4_is_found_and_its_sessions_are_counted) {
    auto const old = folder.file("old.db");
    {
        opened_store of_then(options_for(old));
        fill(of_then, of, 4);
        look_at(old).execute(
            "DROP INDEX engram_memory_foreign; DROP INDEX engram_history_foreign; "
            "DROP INDEX engram_memory_profile; DROP INDEX engram_memory_confirmed; PRAGMA user_version = 4; "
            "INSERT INTO conversation_history(session_id, user_id, role, content) VALUES "
            "('theirs', 'ada', 'user', 'my dog'), ('theirs', 'ada', 'assistant', 'woof'), "
            "('s1', 'ada', 'user', 'my cat'), ('x', 'ada', 'system', 'be nice'), (NULL, NULL, 'user', 'x'), "
            "('s1', 'ada', 'user', ''), (x'73', x'6164', x'75736572', 'my cow'); "
            "INSERT INTO long_term_memory(user_id, memory_type, content) VALUES ('ada', 'fact', 'has a "
            "dog'), (x'6164', NULL, 'has a cow')");
    }
    word_index const second(2);
    opened_store now(options_for(old), &second);
    BOOST_TEST(number(old, "PRAGMA user_version") == store::schema_version);
    BOOST_TEST(now.get(now->find("ada", {"woof", 10, {}, {}}, {}, at())).turns.size() == 2u);
    BOOST_TEST(number(old, "SELECT window_turns FROM engram_session WHERE session_id = 'theirs'") == 2);
    BOOST_TEST(number(old, "SELECT window_turns FROM engram_session WHERE session_id = 's1'") == 6);
    auto const cow = now.get(now->find("ad", {"cow", 10, {}, {}}, {}, at()));
    BOOST_TEST(cow.turns.size() == 1u);
    BOOST_REQUIRE(cow.memories.size() == 1u);
    BOOST_TEST(cow.memories[0].first.what.type == "fact");
    BOOST_TEST(number(old, "SELECT window_turns FROM engram_session WHERE user_id = 'ad'") == 1);
    // What there is nothing to find in is looked at once, and was counted before.
    BOOST_TEST(now.get(now->adopt_rows(100)) == 3u);
    BOOST_TEST(now.get(now->adopt_rows(100)) == 0u);
    BOOST_TEST(number(old, "SELECT window_turns FROM engram_session WHERE session_id = 's1'") == 6);
    BOOST_TEST(number(old, "SELECT count(DISTINCT item) FROM conversation_history WHERE user_id = 'ada'") ==
               4);
}

BOOST_AUTO_TEST_SUITE_END()

// The turns of an exchange are one text of the search, and what is deleted of one of them is gone from it.
#include "sqlite/raw_files.hpp"
#include "store_fixture.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>

using namespace engram;
using namespace engram::store::test;
using namespace std::chrono_literals;
using engram::store::conversation;
using engram::store::role;
using strings = std::vector<std::string>;

namespace {

// The same as the one that the store was filled with, but for the version: everything is indexed anew.
class next_index final : public word_index {
public:
    next_index() : word_index(2) {}
    [[nodiscard]] std::shared_ptr<store::ranker> ranker_for(std::string query,
                                                            base::wall_time) const override {
        return last_search = std::make_shared<word_ranker>(query);
    }
    mutable std::shared_ptr<word_ranker> last_search;
};

struct fixture {
    temporary_folder folder;
    std::string path = folder.file("engram.db");
    watched_index index;
    opened_store db{options_for(path), &index};
    conversation of{"ada", "s1"};
    int jobs = 0;

    void say(conversation const& where, std::vector<store::new_turn> turns,
             std::vector<store::new_memory> notes = {}) {
        auto what = exchange_of(where, job("j" + std::to_string(jobs++)), std::move(notes));
        what.turns = std::move(turns);
        what.seen = db.get(db->load_context(query_of(where))).seen;
        BOOST_REQUIRE(db.get(db->commit_exchange(what)).committed);
    }
    void say(std::string const& question, std::string const& answer,
             std::vector<store::new_memory> notes = {}) {
        say(of, {{role::user, question}, {role::assistant, answer}}, std::move(notes));
    }
    std::vector<store::found_turn> find(std::string const& query, std::size_t limit = 10,
                                        std::size_t window = 0) {
        auto asked = query_of(of);
        asked.memory_limit = 0;
        asked.history_turns = window;
        asked.find.limit = limit;
        asked.find.text = query;
        return db.get(db->load_context(asked)).found_turns;
    }
    strings found(std::string const& query, std::size_t limit = 10, std::size_t window = 0) {
        strings texts;
        for (auto const& one : find(query, limit, window))
            texts.push_back(one.what.content);
        return texts;
    }
    template <class Index>
    static strings entries(opened_store& in, Index const& of_index) {
        in.get(in->find("ada", {"-", 1, {}, {}}, {}, at()));
        return of_index.last_search->seen;
    }
    strings items() {
        auto raw = look_at(path);
        auto statement = raw.prepare("SELECT id || ':' || coalesce(item, '-') FROM conversation_history");
        strings all;
        for (auto rows = statement.query(); rows.next();)
            all.emplace_back(rows.bytes(0));
        return all;
    }
    // Rows that were written past the store count as those that its schema found.
    void take_over() {
        look_at(path).execute("UPDATE engram_state SET value = 1000000 WHERE name LIKE 'taken_over_%'");
    }
    void embed(std::vector<store::unembedded> const& texts) {
        std::vector<store::embedded> vectors;
        for (auto const& one : texts)
            vectors.push_back({one, "v"});
        db.get(db->store_vectors("m", vectors));
    }
    // Returns how many texts got one.
    std::size_t embed_all() {
        std::size_t all = 0;
        for (int rounds = 0; rounds < 100; ++rounds) {
            auto const some = db.get(db->find_unembedded("m", 10));
            embed(some);
            all += some.size();
            if (some.empty()) break;
        }
        return all;
    }
    // What the index holds is what it would hold if it were made anew.
    void check_exact() {
        auto before = entries(db, index);
        next_index const anew;
        opened_store other(options_for(path), &anew);
        auto after = entries(other, anew);
        std::ranges::sort(before);  // memories come behind all turns then
        std::ranges::sort(after);
        BOOST_TEST(after == before, boost::test_tools::per_element());
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(store_exchange_items, fixture)

BOOST_AUTO_TEST_CASE(an_exchange_has_one_row_one_item_and_one_slot) {
    say("my dog is called Rex", "a dog of that name");
    BOOST_TEST(number(path, "SELECT count(*) FROM engram_recall") == 1);
    BOOST_TEST(number(path, "SELECT next_item FROM engram_user") == 1);
    BOOST_TEST(items() == (strings{"1:0", "2:0"}), boost::test_tools::per_element());
    say("the dog again", "ah");
    auto const all = find("dog", 2);
    BOOST_REQUIRE(all.size() == 4u);
    BOOST_TEST(found("dog", 1) == (strings{"my dog is called Rex", "a dog of that name"}),
               boost::test_tools::per_element());
    BOOST_TEST(all[0].exchange == 1);
    BOOST_TEST(all[1].exchange == 1);
    BOOST_TEST(all[2].exchange == 3);
    BOOST_TEST(all[0].score == all[1].score);
    // People are shown no more than they ask for.
    BOOST_TEST(db.get(db->find("ada", {"dog", 3, {}, {}}, {}, at())).turns.size() == 3u);
}

BOOST_AUTO_TEST_CASE(what_stands_in_the_window_of_an_exchange_is_not_found_and_the_rest_is) {
    say("my dog is called Rex", "a dog of that name");
    say("x", "y");
    BOOST_TEST(found("dog", 10, 4).empty());
    // An answer that is loaded without its message stands in no prompt.
    BOOST_TEST(found("dog", 10, 3).size() == 2u);
    BOOST_TEST(found("dog", 10, 2).size() == 2u);
}

BOOST_AUTO_TEST_CASE(exchanges_of_any_number_of_turns) {
    say(of, {{role::user, "lone dog"}});
    say(of, {{role::user, "dog one"}, {role::assistant, "dog two"}, {role::user, "dog three"}});
    say(of, {{role::assistant, "..."}});
    std::vector<store::new_turn> many;
    for (int i = 0; i < 70; ++i)
        many.push_back({i % 2 == 0 ? role::user : role::assistant, "cat " + std::to_string(i)});
    say(of, std::move(many));
    BOOST_TEST(number(path, "SELECT next_item FROM engram_user") == 2 + 3);
    BOOST_TEST(found("three", 1) == (strings{"dog one", "dog two", "dog three"}),
               boost::test_tools::per_element());
    BOOST_TEST(found("cat 33", 1).size() == 32u);
    BOOST_TEST(found("cat", 10).size() == 70u);
    check_exact();
}

BOOST_AUTO_TEST_CASE(the_words_of_a_deleted_memory_go_out_of_the_entry_and_the_rest_is_found) {
    say("what do I drink?", "You drink qqtea of the hills, and you have a dog");
    say("a cat", "a cat, too");
    auto const id = db.get(db->add_memory("ada", {"fact", "drink qqtea of the hills"}, at())).now.what.id;
    BOOST_TEST(stands_in_files(path, "qqtea"));
    auto const gone = db.get(db->delete_memory("ada", id, at()));
    BOOST_TEST(!stands_in_files(path, "qqtea"));
    BOOST_TEST(gone->counts.turns == 1u);
    BOOST_TEST(gone->counts.index_entries == 2u);
    BOOST_TEST(found("qqtea hills").empty());
    BOOST_TEST(found("dog") == (strings{"what do I drink?", "You , and you have a dog"}),
               boost::test_tools::per_element());
    check_exact();
}

BOOST_AUTO_TEST_CASE(an_exchange_of_which_nothing_is_left_to_find_leaves_the_index) {
    say("...", "drinks qqtea of the hills");
    auto const id = db.get(db->add_memory("ada", {"fact", "drinks qqtea of the hills"}, at())).now.what.id;
    db.get(db->delete_memory("ada", id, at()));
    BOOST_TEST(number(path, "SELECT count(*) FROM engram_recall") == 0);
    BOOST_TEST(items() == (strings{"1:-", "2:-"}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(every_deletion_leaves_what_a_new_index_would_hold) {
    for (int i = 0; i < 90; ++i) {
        auto const n = std::to_string(i);
        say({"ada", "s" + std::to_string(i % 3)},
            {{role::user, "question " + n}, {role::assistant, i % 4 == 0 ? "" : "answer " + n}},
            i % 5 == 0 ? std::vector<store::new_memory>{{"fact", "fact " + n}}
                       : std::vector<store::new_memory>{});
        if (i % 7 == 0)
            say({"ada", "s4"}, {{role::user, "do I?"}, {role::assistant, "you like the word qq" + n + " ."}});
    }
    for (int i = 0; i < 90; i += 7) {
        auto const content = "like the word qq" + std::to_string(i) + " .";
        auto const id = db.get(db->add_memory("ada", {"fact", content}, at())).now.what.id;
        db.get(db->delete_memory("ada", id, at()));
    }
    for (int i = 0; i < 90; i += 10)
        db.get(db->delete_memory(
            "ada",
            number(path, "SELECT id FROM long_term_memory WHERE content = 'fact " + std::to_string(i) + "'"),
            at()));
    db.get(db->delete_session({"ada", "s1"}, false, at()));
    BOOST_TEST(found("question", 200).size() > 50u);
    check_exact();
}

BOOST_AUTO_TEST_CASE(a_summary_that_deletes_half_of_an_exchange_leaves_the_other_half_findable) {
    for (int i = 0; i < 11; ++i)
        say(of, {{role::assistant, "beforehand " + std::to_string(i)},
                 {role::user, "hello " + std::to_string(i)}});
    auto const task = db.get(db->claim_summary({of, 20, 6, "me", 60s, at()}));
    BOOST_REQUIRE(task.has_value());
    BOOST_TEST(task->turns.size() % 2 == 1u);
    BOOST_TEST(db.get(db->commit_summary(*task, "they talked", true, at())));
    auto const half = task->turns.back().content;
    BOOST_TEST(half.starts_with("beforehand"));
    auto const number_of_it = half.substr(half.find(' ') + 1);
    BOOST_TEST(found(number_of_it) == (strings{"hello " + number_of_it}), boost::test_tools::per_element());
    check_exact();
}

BOOST_AUTO_TEST_CASE(a_text_that_changes_while_it_gets_its_vector_is_asked_for_again_and_no_other) {
    say("a cat", "fine");
    say("what do I drink?", "you drink qqtea of the hills, I think");
    say("a dog", "fine");
    auto const id = db.get(db->add_memory("ada", {"fact", "drink qqtea of the hills"}, at())).now.what.id;
    auto const some = db.get(db->find_unembedded("m", 10));
    BOOST_REQUIRE(some.size() == 4u);
    BOOST_TEST(some[1].text == "what do I drink?");
    BOOST_TEST(some[1].answer == "you drink qqtea of the hills, I think");
    db.get(db->delete_memory("ada", id, at()));
    std::vector<store::embedded> vectors;
    for (auto const& one : some)
        vectors.push_back({one, "v"});
    db.get(db->store_vectors("m", vectors));
    auto const again = db.get(db->find_unembedded("m", 10));
    BOOST_REQUIRE(again.size() == 1u);
    BOOST_TEST(again[0].answer == "you , I think");
    db.get(db->store_vectors("m", {{again[0], "v"}}));
    BOOST_TEST(db.get(db->find_unembedded("m", 10)).empty());
    BOOST_TEST(number(path, "SELECT count(*) FROM engram_vector") == 3);
}

BOOST_AUTO_TEST_CASE(a_text_that_changes_before_all_that_get_their_vectors_gets_one_too) {
    say("what do I drink?", "you drink qqtea of the hills, I think");
    auto const id = db.get(db->add_memory("ada", {"fact", "drink qqtea of the hills"}, at())).now.what.id;
    BOOST_TEST(embed_all() == 2u);
    say("a cat", "fine");
    say("a dog", "fine");
    auto const some = db.get(db->find_unembedded("m", 10));
    BOOST_REQUIRE(some.size() == 2u);
    db.get(db->delete_memory("ada", id, at()));
    embed(some);
    auto const again = db.get(db->find_unembedded("m", 10));
    BOOST_REQUIRE(again.size() == 1u);
    BOOST_TEST(again[0].answer == "you , I think");
    embed(again);
    BOOST_TEST(embed_all() == 0u);
    BOOST_TEST(number(path, "SELECT count(*) FROM engram_vector") == 3);
}

BOOST_AUTO_TEST_CASE(a_text_that_changes_between_those_that_get_their_vectors_gets_one_too) {
    say("what do I drink?", "you drink qqtea of the hills, I think");
    say("what do I own?", "you own qqcats of the dales, I think");
    auto const tea = db.get(db->add_memory("ada", {"fact", "drink qqtea of the hills"}, at())).now.what.id;
    auto const cats = db.get(db->add_memory("ada", {"fact", "own qqcats of the dales"}, at())).now.what.id;
    BOOST_TEST(embed_all() == 4u);
    db.get(db->delete_memory("ada", tea, at()));
    say("a dog", "fine");
    auto const some = db.get(db->find_unembedded("m", 10));
    db.get(db->delete_memory("ada", cats, at()));
    embed(some);
    BOOST_TEST(embed_all() + some.size() == 3u);
    BOOST_TEST(number(path, "SELECT count(*) FROM engram_vector") == 3);
    BOOST_TEST(number(path, "SELECT count(*) FROM engram_user WHERE embedded_items < next_item") == 0);
}

BOOST_AUTO_TEST_CASE(what_has_its_vector_is_passed_over_in_pieces) {
    look_at(path).execute(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 9000) "
        "INSERT INTO conversation_history(user_id, session_id, role, content, job_id) "
        "SELECT 'ada', 's', 'user', 'text' || i, 'j' || i FROM n");
    next_index const anew;
    opened_store other(options_for(path), &anew);
    look_at(path).execute(
        "INSERT INTO engram_vector_model(model, name) VALUES (1, 'm');"
        "UPDATE engram_user SET vector_model = 1, embedded_items = 5;"
        "INSERT INTO engram_vector(place, model, vector) "
        "SELECT (user_key << 36) | item, 1, x'01' FROM engram_user, conversation_history WHERE item <> 5");
    auto const some = other.get(other->find_unembedded("m", 10));
    BOOST_REQUIRE(some.size() == 1u);
    other.get(other->store_vectors("m", {{some[0], "v"}}));
    auto const come_to = [&] { return number(path, "SELECT embedded_items FROM engram_user"); };
    for (std::int64_t before = come_to(); before < 9000; before = come_to()) {
        BOOST_TEST(other.get(other->find_unembedded("m", 10)).empty());
        BOOST_TEST(come_to() > before);
        BOOST_TEST(come_to() - before <= 5'000);
        BOOST_REQUIRE(come_to() != before);
    }
}

BOOST_AUTO_TEST_CASE(what_was_erased_gets_no_place_in_a_new_index) {
    say("what do I drink?", "you drink qqtea");
    auto raw = look_at(path);
    raw.execute("UPDATE conversation_history SET content = '', summary_id = 0 WHERE id = 2");
    raw.execute(
        "INSERT INTO conversation_history(user_id, session_id, role, content, job_id) VALUES "
        "('ada', 's2', 'user', 'one', ''), ('ada', 's2', 'assistant', 'two', ''), "
        "('ada', 's2', 'user', ' ', ''), ('ada', 's2', 'assistant', 'four', '')");
    next_index const anew;
    opened_store other(options_for(path), &anew);
    // What answers an erased turn answers no earlier one.
    BOOST_TEST(items() == (strings{"1:0", "2:-", "3:1", "4:1", "5:-", "6:2"}),
               boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_vector_of_what_was_said_before_a_deletion_is_gone) {
    say("what do I drink?", "you drink qqtea of the hills, I think");
    auto const id = db.get(db->add_memory("ada", {"fact", "drink qqtea of the hills"}, at())).now.what.id;
    std::vector<store::embedded> vectors;
    for (auto const& one : db.get(db->find_unembedded("m", 10)))
        vectors.push_back({one, "v"});
    db.get(db->store_vectors("m", vectors));
    auto const gone = db.get(db->delete_memory("ada", id, at()));
    BOOST_TEST(gone->counts.vectors == 2u);
    BOOST_TEST(number(path, "SELECT count(*) FROM engram_vector") == 0);
    BOOST_TEST(db.get(db->find_unembedded("m", 10)).size() == 1u);
}

BOOST_AUTO_TEST_CASE(histories_of_other_software_become_exchanges_when_the_index_is_made) {
    auto const add = [&](std::string const& session, std::string const& role, std::string const& text,
                         std::string const& job = "NULL") {
        look_at(path).execute(
            "INSERT INTO conversation_history(user_id, session_id, role, content, job_id) "
            "VALUES ('ada', " +
            session + ", '" + role + "', '" + text + "', " + job + ")");
    };
    add("'a'", "assistant", "greets");    // 1 alone: nobody asked
    add("'a'", "user", "one");            // 2 with 4 and 6
    add("'b'", "user", "other");          // 3 with 5
    add("'a'", "assistant", "two");       // 4
    add("'b'", "assistant", "answered");  // 5
    add("'a'", "assistant", "three");     // 6
    add("'a'", "user", "four");           // 7 alone
    add("'a'", "user", "five");           // 8 with 10: what is no turn does not count
    add("'a'", "system", "six");          // 9 not said at all
    add("'a'", "assistant", "seven");     // 10
    add("'c'", "user", "p", "'j1'");      // 11 with 12
    add("'c'", "assistant", "q", "'j1'");
    add("'c'", "user", "r", "'j2'");       // 13 alone
    add("'c'", "assistant", "s", "'j3'");  // 14 alone
    add("'c'", "assistant", "t");          // 15 alone
    add("NULL", "user", "u");              // 16 alone: of no session
    add("NULL", "assistant", "v");
    take_over();
    next_index const anew;
    opened_store other(options_for(path), &anew);
    BOOST_TEST(items() == (strings{"1:0", "2:1", "3:2", "4:1", "5:2", "6:1", "7:3", "8:4", "9:-", "10:4",
                                   "11:5", "12:5", "13:6", "14:7", "15:8", "16:9", "17:10"}),
               boost::test_tools::per_element());
    auto const seen = other.get(other->find("ada", {"two", 10, {}, {}}, {}, at())).turns;
    BOOST_REQUIRE(seen.size() == 3u);
    BOOST_TEST(seen[2].first.what.content == "three");
    BOOST_TEST(seen[0].first.what.id == 2);
}

BOOST_AUTO_TEST_CASE(no_exchange_is_torn_where_a_slice_of_the_reindexing_ends) {
    auto raw = look_at(path);
    raw.execute(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5500) "
        "INSERT INTO conversation_history(user_id, session_id, role, content, job_id) "
        "SELECT 'ada', 's', CASE i % 3 WHEN 2 THEN 'user' ELSE 'assistant' END, 'text' || i, "
        "CASE WHEN i < 3500 THEN NULL ELSE 'j' || ((i + 1) / 3) END FROM n");
    take_over();
    next_index const anew;
    opened_store other(options_for(path), &anew);
    // A user's turn and the two answers behind it.
    BOOST_TEST(
        number(path,
               "SELECT count(*) FROM conversation_history a JOIN conversation_history b ON b.id = a.id + 1 "
               "WHERE (b.id % 3 <> 2) <> (a.item = b.item)") == 0);
    BOOST_TEST(other.get(other->find("ada", {"text2001", 10, {}, {}}, {}, at())).turns.size() == 3u);
    BOOST_TEST(other.get(other->find("ada", {"text5001", 10, {}, {}}, {}, at())).turns.size() == 3u);
}

BOOST_AUTO_TEST_SUITE_END()

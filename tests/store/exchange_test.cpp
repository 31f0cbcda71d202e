// Committing an exchange: what is written, once, and what a repeat gets.
#include "store_fixture.hpp"

#include <boost/test/unit_test.hpp>

using namespace engram;
using namespace engram::store::test;
using engram::store::conversation;

namespace {

struct fixture {
    temporary_folder folder;
    std::string path = folder.file("engram.db");
    opened_store db{options_for(path)};
    conversation of{"ada", "s1"};

    std::int64_t count(std::string const& what) { return number(path, "SELECT count(*) FROM " + what); }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(store_exchange, fixture)

BOOST_AUTO_TEST_CASE(an_exchange_is_there_whole_and_is_read_back) {
    auto what = exchange_of(of, job("j1"), {{"fact", "likes tea"}, {"preference", "short answers"}});
    auto const done = db.get(db->commit_exchange(what));
    BOOST_TEST(done.committed);
    BOOST_TEST(done.outcome.ok);
    BOOST_TEST(done.outcome.same_body);
    BOOST_TEST(done.outcome.reply == "reply j1 1 2");
    BOOST_TEST(done.window_turns == 2u);

    auto const seen = db.get(db->load_context(query_of(of)));
    BOOST_TEST(!seen.recorded.has_value());
    BOOST_REQUIRE(seen.turns.size() == 2u);
    BOOST_TEST((seen.turns[0].role == store::role::user));
    BOOST_TEST(seen.turns[0].content == "question j1");
    BOOST_TEST((seen.turns[1].role == store::role::assistant));
    BOOST_TEST(seen.turns[1].content == "answer j1");
    auto const memories = by_age(seen.memories);
    BOOST_REQUIRE(memories.size() == 2u);
    BOOST_TEST(memories[0].type == "fact");
    BOOST_TEST(memories[0].content == "likes tea");
    BOOST_TEST(memories[0].session_id == "s1");
    BOOST_TEST(memories[0].created_at == "2024-01-01 00:00:00.000");
    BOOST_TEST(memories[1].content == "short answers");
}

BOOST_AUTO_TEST_CASE(the_ids_that_the_reply_names_are_those_of_the_memories) {
    store::exchange what = exchange_of(of, job("j1"), {{"fact", "a"}, {"fact", "b"}});
    std::vector<store::saved_memory> told;
    what.compose_reply = [&told](std::vector<store::saved_memory> const& saved) {
        told = saved;
        return std::string("r");
    };
    db.get(db->commit_exchange(what));
    auto const seen = by_age(db.get(db->load_context(query_of(of))).memories);
    BOOST_REQUIRE(told.size() == 2u);
    for (std::size_t i = 0; i < 2; ++i) {
        BOOST_TEST(told[i].id == seen[i].id);
        BOOST_TEST(told[i].content == seen[i].content);
        BOOST_TEST(told[i].action == "added");
    }
}

BOOST_AUTO_TEST_CASE(a_second_commit_of_a_job_changes_nothing_and_gets_the_first_reply) {
    db.get(db->commit_exchange(exchange_of(of, job("j1"), {{"fact", "a"}})));
    auto second = exchange_of(of, job("j1", "another ticket"), {{"fact", "b"}});
    second.turns[1].content = "something else";
    auto const again = db.get(db->commit_exchange(second));
    BOOST_TEST(!again.committed);
    BOOST_TEST(again.outcome.ok);
    BOOST_TEST(again.outcome.same_body);
    BOOST_TEST(again.outcome.reply == "reply j1 1");
    BOOST_TEST(again.window_turns == 2u);
    BOOST_TEST(count("conversation_history") == 2);
    BOOST_TEST(count("long_term_memory") == 1);
    BOOST_TEST(number(path, "SELECT window_turns FROM engram_session") == 2);
}

BOOST_AUTO_TEST_CASE(a_repeat_is_found_before_anything_is_loaded) {
    db.get(db->commit_exchange(exchange_of(of, job("j1"), {{"fact", "a"}})));
    auto query = query_of(of);
    query.job = job("j1", "t2");
    auto const seen = db.get(db->load_context(query));
    BOOST_REQUIRE(seen.recorded.has_value());
    BOOST_TEST(seen.recorded->ok);
    BOOST_TEST(seen.recorded->reply == "reply j1 1");
    BOOST_TEST(seen.memories.empty());
    BOOST_TEST(seen.turns.empty());
}

BOOST_AUTO_TEST_CASE(the_same_id_with_other_bytes_is_told_apart) {
    db.get(db->commit_exchange(exchange_of(of, job("j1", "t1", "body one"))));
    auto query = query_of(of);
    query.job = job("j1", "t2", "body two");
    auto const seen = db.get(db->load_context(query));
    BOOST_REQUIRE(seen.recorded.has_value());
    BOOST_TEST(seen.recorded->ok);
    BOOST_TEST(!seen.recorded->same_body);
    auto const committed = db.get(db->commit_exchange(exchange_of(of, job("j1", "t2", "body two"))));
    BOOST_TEST(!committed.committed);
    BOOST_TEST(!committed.outcome.same_body);
}

BOOST_AUTO_TEST_CASE(the_same_session_id_of_another_user_is_another_conversation) {
    conversation const other{"bob", "s1"};
    db.get(db->commit_exchange(exchange_of(of, job("j1"), {{"fact", "ada's"}})));
    db.get(db->commit_exchange(exchange_of(other, job("j2"), {{"fact", "bob's"}})));
    auto const seen = db.get(db->load_context(query_of(other)));
    BOOST_REQUIRE(seen.turns.size() == 2u);
    BOOST_TEST(seen.turns[0].content == "question j2");
    BOOST_REQUIRE(seen.memories.size() == 1u);
    BOOST_TEST(seen.memories[0].content == "bob's");
}

BOOST_AUTO_TEST_CASE(text_of_any_kind_comes_back_as_it_was) {
    std::string const texts[] = {"", std::string("a\0b", 3), "\xF0\x9F\x8D\xB5 \"';--",
                                 std::string(1 << 20, 'x'), "[MEMORY: fact|x]\n\r\t"};
    int n = 0;
    for (auto const& text : texts) {
        conversation const own{"ada", "session " + std::to_string(n)};
        auto what = exchange_of(own, job("j" + std::to_string(n++)));
        what.turns[0].content = text;
        what.turns[1].content = text;
        what.compose_reply = [text](auto const&) { return text; };
        BOOST_TEST((db.get(db->commit_exchange(what)).outcome.reply == text));
        auto const seen = db.get(db->load_context(query_of(own)));
        BOOST_REQUIRE(seen.turns.size() == 2u);
        BOOST_TEST((seen.turns[0].content == text));
        BOOST_TEST((seen.turns[1].content == text));
        auto const again = db.get(db->commit_exchange(what));
        BOOST_TEST((again.outcome.reply == text));
    }
}

BOOST_AUTO_TEST_CASE(an_exchange_of_any_number_of_turns_is_kept_in_its_order) {
    using store::role;
    auto what = exchange_of(of, job("j1"), {{"fact", "likes tea"}});
    what.turns = {
        {role::user, "one"}, {role::assistant, "two"}, {role::user, "three"}, {role::assistant, "four"}};
    BOOST_TEST(db.get(db->commit_exchange(what)).window_turns == 4u);
    auto const seen = db.get(db->load_context(query_of(of)));
    BOOST_REQUIRE(seen.turns.size() == what.turns.size());
    for (std::size_t i = 0; i < seen.turns.size(); ++i) {
        BOOST_TEST((seen.turns[i].role == what.turns[i].role));
        BOOST_TEST(seen.turns[i].content == what.turns[i].content);
    }
    // It was learnt from the question and the answer to it.
    auto const sources = db.get(db->read_history("ada", seen.memories.at(0).id))->sources;
    BOOST_REQUIRE(sources.size() == 1u);
    BOOST_REQUIRE(sources[0].turns.size() == 2u);
    BOOST_TEST(sources[0].turns[0].what.content == "one");
    BOOST_TEST(sources[0].turns[1].what.content == "four");
}

BOOST_AUTO_TEST_CASE(bytes_that_are_not_utf8_are_read_as_utf8) {
    auto what = exchange_of(of, job("j1"), {{"fact", "\xFF tea"}});
    what.turns[0].content = "caf\xE9";
    db.get(db->commit_exchange(what));
    auto const seen = db.get(db->load_context(query_of(of)));
    BOOST_TEST(seen.turns[0].content == "caf\xEF\xBF\xBD");
    BOOST_TEST(seen.memories[0].content == "\xEF\xBF\xBD tea");
}

BOOST_AUTO_TEST_CASE(identifiers_with_a_zero_byte_or_nothing_in_them_are_kept_apart) {
    conversation const with_zero{std::string("a\0b", 3), "s"};
    conversation const without{"a", "s"};
    conversation const empty{"", ""};
    db.get(db->commit_exchange(exchange_of(with_zero, job("j1"))));
    BOOST_TEST(db.get(db->load_context(query_of(without))).turns.empty());
    BOOST_TEST(db.get(db->load_context(query_of(empty))).turns.empty());
    BOOST_TEST(db.get(db->load_context(query_of(with_zero))).turns.size() == 2u);
    db.get(db->commit_exchange(exchange_of(empty, store::job_key{})));
    BOOST_TEST(db.get(db->load_context(query_of(empty, "x"))).turns.size() == 2u);
}

BOOST_AUTO_TEST_CASE(an_id_is_never_used_again) {
    db.get(db->commit_exchange(exchange_of(of, job("j1"), {{"fact", "a"}, {"fact", "b"}})));
    look_at(path).execute("DELETE FROM long_term_memory; DELETE FROM conversation_history");
    auto const done = db.get(db->commit_exchange(exchange_of(of, job("j2"), {{"fact", "c"}})));
    BOOST_TEST(done.outcome.reply == "reply j2 3");
    BOOST_TEST(number(path, "SELECT min(id) FROM conversation_history") == 3);
}

BOOST_AUTO_TEST_CASE(what_was_committed_is_there_after_a_restart) {
    temporary_folder elsewhere;
    auto const file = elsewhere.file("engram.db");
    {
        opened_store first(options_for(file));
        first.get(first->commit_exchange(exchange_of(of, job("j1"), {{"fact", "a"}})));
    }
    opened_store second(options_for(file));
    BOOST_TEST(second.get(second->load_context(query_of(of))).memories.size() == 1u);
    BOOST_TEST(!second.get(second->commit_exchange(exchange_of(of, job("j1")))).committed);
}

BOOST_AUTO_TEST_SUITE_END()

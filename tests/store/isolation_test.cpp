// One user gives the ids of another user: nothing is shown and nothing changes, whatever is called.
#include "store_fixture.hpp"

#include <boost/test/unit_test.hpp>

using namespace engram;
using namespace engram::store::test;
using namespace std::chrono_literals;
using engram::store::conversation;

namespace {

// Ada has everything one can have; every text of hers has "secret" in it. Eve has two memories and a session
// of her own, so that she is no stranger.
struct fixture {
    temporary_folder folder;
    std::string path = folder.file("engram.db");
    watched_index index;
    opened_store db{options_for(path), &index};
    conversation of{"ada", "secret s"};
    std::string before;

    fixture() {
        for (int i = 0; i < 14; ++i)
            say(of, "ada" + std::to_string(i), {{"fact", "secret " + std::to_string(i)}});
        say(of, "ada change",
            {{.type = {}, .content = "secret change", .what = store::new_memory::kind::update, .label = 1}});
        auto const task = db.get(db->claim_summary({of, 20, 6, "me", 60s, at()}));
        db.get(db->commit_summary(*task, "secret summary", false, at()));
        say({"eve", "s"}, "eve", {{"fact", "eve's"}, {"fact", "eve's other"}});
        before = dump_of(path, "ada");
        BOOST_REQUIRE(before.size() > 5000u);
    }
    ~fixture() { BOOST_TEST(dump_of(path, "ada") == before); }

    void say(conversation const& where, std::string const& id, std::vector<store::new_memory> notes) {
        auto what = exchange_of(where, job(id, "t" + id, "body " + id), std::move(notes));
        if (where.user_id == "ada") what.turns[0].content = what.turns[1].content = "secret text";
        if (where.user_id == "ada") what.compose_reply = [](auto const&) { return "secret reply"; };
        db.get(db->commit_exchange(what));
    }
    std::vector<std::int64_t> adas_memories() {
        std::vector<std::int64_t> ids;
        for (auto const& one : db.get(db->list_memories("ada", "", true, {{}, 500}, at())).items)
            ids.push_back(one.what.id);
        return ids;
    }
    static bool has_secret(std::string const& text) { return text.find("secret") != std::string::npos; }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(store_isolation, fixture)

BOOST_AUTO_TEST_CASE(memories_by_id_are_as_if_they_did_not_exist) {
    auto const ids = adas_memories();
    BOOST_REQUIRE(ids.size() == 16u);
    for (auto const id : ids) {
        BOOST_TEST(!db.get(db->read_history("eve", id)).has_value());
        BOOST_TEST(
            !db.get(db->change_memory("eve", {.id = id, .content = "x", .type = "y", .pinned = true}, at()))
                 .has_value());
        BOOST_TEST(!db.get(db->restore_memory("eve", id, at())).has_value());
        BOOST_TEST(!db.get(db->delete_memory("eve", id, at())).has_value());
    }
}

BOOST_AUTO_TEST_CASE(labels_are_of_the_one_who_uses_them) {
    std::vector<store::new_memory> notes;
    for (std::int64_t label = 3; label < 20; ++label) {
        notes.push_back(
            {.type = {}, .content = "x", .what = store::new_memory::kind::update, .label = label});
        notes.push_back({.type = {}, .content = {}, .what = store::new_memory::kind::forget, .label = label});
    }
    auto const done = db.get(db->commit_exchange(exchange_of({"eve", "s"}, job("notes"), notes)));
    BOOST_TEST(done.unknown_labels == notes.size());
    // A fact of hers with the same words is a memory of her own.
    BOOST_TEST(db.get(db->add_memory("eve", {"fact", "secret 3"}, at())).action == "added");
}

BOOST_AUTO_TEST_CASE(sessions_of_the_same_name_are_others) {
    BOOST_TEST(!db.get(db->read_session({"eve", of.session_id}, {})).has_value());
    BOOST_TEST(!db.get(db->delete_session({"eve", of.session_id}, true, at())).has_value());
    BOOST_TEST(!db.get(db->claim_summary({{"eve", of.session_id}, 1, 0, "me", 60s, at(1000)})).has_value());
    auto const seen = db.get(db->load_context(query_of({"eve", of.session_id})));
    BOOST_TEST(seen.turns.empty());
    BOOST_TEST(seen.memories.size() == 2u);
    say({"eve", of.session_id}, "own", {});
    BOOST_TEST(db.get(db->delete_session({"eve", of.session_id}, true, at()))->counts.turns == 2u);
}

BOOST_AUTO_TEST_CASE(lists_searches_and_exports_with_any_cursor_show_nothing) {
    auto last_turn = number(path, "SELECT max(id) FROM conversation_history WHERE user_id = 'ada'");
    auto const last = std::to_string(last_turn), earlier = std::to_string(last_turn - 3);
    std::vector<std::string> const cursors{"",   last, "m" + last, "t0:secret s", "t" + earlier + ":secret s",
                                           "u0", "1",  "m999"};
    for (auto const& from : cursors) {
        store::page_request const which{from, 100};
        for (auto const& one : db.get(db->list_memories("eve", "", true, which, at())).items)
            BOOST_TEST(!has_secret(one.what.content));
        for (auto const& one : db.get(db->list_sessions("eve", which)).items)
            BOOST_TEST(!has_secret(one.session_id));
        BOOST_TEST(!db.get(db->read_session({"eve", of.session_id}, which)).has_value());
        for (auto const& one : db.get(db->export_user("eve", which)).items) {
            BOOST_TEST((!one.memory || !has_secret(one.memory->what.content)));
            BOOST_TEST((!one.turn || !has_secret(one.turn->what.content)));
            BOOST_TEST((!one.session || !has_secret(one.session->session_id)));
        }
    }
    auto const found = db.get(db->find("eve", {"secret", 100, "v", "m"}, {}, at()));
    BOOST_TEST(found.memories.empty());
    BOOST_TEST(found.turns.empty());
    BOOST_TEST(index.last_search->seen.size() == 3u);
    BOOST_TEST(db.get(db->count("eve")).memories == 2u);
}

BOOST_AUTO_TEST_CASE(the_id_of_anothers_job_gives_no_word_of_its_reply) {
    auto query = query_of({"eve", "s"});
    query.job = job("ada3", "t", "eve's body");
    auto const seen = db.get(db->load_context(query));
    BOOST_REQUIRE(seen.recorded.has_value());
    BOOST_TEST(!seen.recorded->same_body);
    BOOST_TEST(!has_secret(seen.recorded->reply));
    auto const done = db.get(db->commit_exchange(exchange_of({"eve", "s"}, query.job)));
    BOOST_TEST(!done.committed);
    BOOST_TEST(!has_secret(done.outcome.reply));
    auto failed = failure_of(query.job, "conflict");
    failed.user_id = "eve";
    BOOST_TEST(db.get(db->record_failure(failed)).reply == "conflict");
}

BOOST_AUTO_TEST_CASE(tasks_made_up_for_another_user_do_nothing) {
    store::summary_task task{{"eve", "s"}, "me", {}, {}, {}};
    for (std::int64_t id = 1; id < 30; ++id) {
        task.turns = {{id, store::role::user, "x"}};
        for (auto const& session : {of.session_id, std::string("s")}) {
            task.of = {"eve", session};
            BOOST_TEST(!db.get(db->commit_summary(task, "mine now", true, at())));
        }
    }
    task.of = {"eve", of.session_id};
    db.get(db->renew_summary(task, at(9000)));
    db.get(db->release_summary(task, at(9000)));
    store::consolidation_task tidying{"eve", {}, {}};
    auto const ids = adas_memories();
    for (auto const id : ids) {
        auto const done =
            db.get(db->commit_consolidation(tidying, {{{id}, 0, "fact", "x"}, {{id}, ids[0], {}, {}}}, at()));
        BOOST_TEST(done.value_or(9) == 0u);
    }
}

BOOST_AUTO_TEST_CASE(forgetting_one_leaves_the_other) {
    BOOST_TEST(db.get(db->forget_user("eve", store::finished_jobs::remove, at())).counts.memories == 2u);
    db.get(db->forget_user("Ada", store::finished_jobs::remove, at()));
    db.get(db->forget_user("ada ", store::finished_jobs::remove, at()));
    db.get(db->forget_user("", store::finished_jobs::remove, at()));
    auto const id = number(path, "SELECT max(id) FROM long_term_memory WHERE memory_type = 'fact'");
    BOOST_TEST(db.get(db->read_history("ada", id)).has_value());
}

BOOST_AUTO_TEST_SUITE_END()

// What a note does to what is remembered: new, known, changed, forgotten, too many, too old.
#include "store_fixture.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <thread>

using namespace engram;
using namespace engram::store::test;
using namespace std::chrono_literals;
using engram::store::conversation;
using store::new_memory;

namespace {

using kind = new_memory::kind;

struct fixture {
    temporary_folder folder;
    std::string path = folder.file("engram.db");
    opened_store db{options_for(path)};
    conversation of{"ada", "s1"};
    int jobs = 0;
    std::vector<store::saved_memory> saved;

    store::commit_outcome note(std::vector<new_memory> notes, std::int64_t second = 0) {
        auto what = exchange_of(of, job("j" + std::to_string(jobs++)), std::move(notes));
        what.at = at(second);
        what.compose_reply = [this](auto const& all) {
            saved = all;
            return std::string("r");
        };
        return db.get(db->commit_exchange(what));
    }
    static new_memory update(std::int64_t label, std::string const& content, std::string const& type = "") {
        return {.type = type, .content = content, .what = kind::update, .label = label};
    }
    static new_memory forget(std::int64_t label) {
        return {.type = {}, .content = {}, .what = kind::forget, .label = label};
    }

    std::vector<store::memory_record> list(bool past = false, std::int64_t second = 0) {
        auto all = db.get(db->list_memories(of.user_id, "", past, {{}, 100}, at(second))).items;
        std::ranges::reverse(all);
        return all;
    }
    std::string contents(bool past = false, std::int64_t second = 0) {
        std::string all;
        for (auto const& one : list(past, second))
            all += one.what.content + "|";
        return all;
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(store_memory_notes, fixture)

BOOST_AUTO_TEST_CASE(new_memories_get_the_users_next_labels) {
    note({{"fact", "has a dog"}, {"preference", "short answers"}});
    db.get(db->commit_exchange(exchange_of({"bob", "s1"}, job("bob"), {{"fact", "is bob"}})));
    note({{"fact", "lives in Ghent"}});
    auto const all = list();
    BOOST_REQUIRE(all.size() == 3u);
    BOOST_TEST(all[0].what.label == 1);
    BOOST_TEST(all[1].what.label == 2);
    BOOST_TEST(all[2].what.label == 3);
    BOOST_TEST(all[2].what.id == 4);
    BOOST_TEST(all[0].valid_from == "2024-01-01 00:00:00.000");
    BOOST_TEST(all[0].valid_to.empty());
    BOOST_TEST(all[0].job_id == "j0");
    BOOST_TEST(saved.at(0).action == "added");
    auto const seen = db.get(db->load_context(query_of(of)));
    BOOST_TEST(by_age(seen.memories).at(2).label == 3);
}

BOOST_AUTO_TEST_CASE(the_same_fact_ten_times_is_one_memory_seen_ten_times_with_ten_sources) {
    for (int i = 0; i < 10; ++i)
        note({{"fact", i % 2 == 0 ? "Likes green tea" : "green tea: likes!"}}, i);
    BOOST_TEST(saved.at(0).action == "confirmed");
    BOOST_TEST(saved.at(0).content == "Likes green tea");
    auto const all = list(true);
    BOOST_REQUIRE(all.size() == 1u);
    BOOST_TEST(all[0].times_seen == 10);
    BOOST_TEST(all[0].last_seen == "2024-01-01 00:00:09.000");
    BOOST_TEST(all[0].what.created_at == "2024-01-01 00:00:00.000");
    auto const history = db.get(db->read_history("ada", all[0].what.id));
    BOOST_REQUIRE(history.has_value());
    BOOST_REQUIRE(history->sources.size() == 10u);
    BOOST_TEST(history->sources[3].job_id == "j3");
    BOOST_REQUIRE(history->sources[3].turns.size() == 2u);
    BOOST_TEST(history->sources[3].turns[0].what.content == "question j3");
    BOOST_TEST(history->sources[3].turns[1].what.content == "answer j3");
}

BOOST_AUTO_TEST_CASE(the_same_words_under_another_type_are_another_memory) {
    note({{"fact", "green tea"}, {"preference", "green tea"}});
    BOOST_TEST(list().size() == 2u);
}

BOOST_AUTO_TEST_CASE(a_fact_twice_in_one_answer_is_kept_once) {
    note({{"fact", "has a dog"}, {"fact", "has a dog"}});
    auto const all = list();
    BOOST_REQUIRE(all.size() == 1u);
    BOOST_TEST(db.get(db->read_history("ada", all[0].what.id))->sources.size() == 1u);
}

BOOST_AUTO_TEST_CASE(an_update_keeps_the_past_and_the_label) {
    note({{"fact", "lives in Ghent"}}, 1);
    note({update(1, "lives in Bruges")}, 2);
    BOOST_TEST(saved.at(0).action == "updated");
    BOOST_TEST(contents() == "lives in Bruges|");
    auto const all = list(true);
    BOOST_REQUIRE(all.size() == 2u);
    BOOST_TEST(all[0].valid_from == "2024-01-01 00:00:01.000");
    BOOST_TEST(all[0].valid_to == "2024-01-01 00:00:02.000");
    BOOST_TEST(all[0].superseded_by == all[1].what.id);
    BOOST_TEST(all[1].valid_from == "2024-01-01 00:00:02.000");
    BOOST_TEST(all[1].valid_to.empty());
    BOOST_TEST(all[1].what.label == 1);
    BOOST_TEST(all[1].what.type == "fact");
    auto const history = db.get(db->read_history("ada", all[0].what.id));
    BOOST_TEST(history->versions.size() == 2u);
    BOOST_TEST(history->sources.size() == 2u);
}

BOOST_AUTO_TEST_CASE(an_update_that_changes_nothing_confirms) {
    note({{"fact", "lives in Ghent"}});
    note({update(1, "lives in Ghent", "fact")}, 5);
    BOOST_TEST(saved.at(0).action == "confirmed");
    BOOST_REQUIRE(list(true).size() == 1u);
    BOOST_TEST(list()[0].times_seen == 2);
}

BOOST_AUTO_TEST_CASE(an_update_to_what_is_known_elsewhere_leaves_one_of_both) {
    note({{"fact", "lives in Ghent"}, {"fact", "lives in Bruges"}});
    note({update(1, "in Bruges lives")}, 1);
    BOOST_TEST(contents() == "lives in Bruges|");
    BOOST_TEST(saved.at(0).id == 2);
    auto const all = list(true);
    BOOST_TEST(all[0].superseded_by == 2);
    BOOST_TEST(all[1].times_seen == 2);
}

BOOST_AUTO_TEST_CASE(what_is_forgotten_by_a_note_is_past_and_can_be_told_again) {
    note({{"fact", "has a dog"}});
    note({forget(1)}, 3);
    BOOST_TEST(saved.at(0).action == "forgotten");
    BOOST_TEST(contents().empty());
    auto const past = list(true).at(0);
    BOOST_TEST(past.valid_to == "2024-01-01 00:00:03.000");
    BOOST_TEST(past.superseded_by == 0);
    note({{"fact", "has a dog"}}, 4);
    BOOST_TEST(saved.at(0).action == "added");
    BOOST_TEST(list().at(0).what.label == 2);
}

BOOST_AUTO_TEST_CASE(unknown_foreign_and_past_labels_change_nothing_and_are_counted) {
    db.get(db->commit_exchange(exchange_of({"bob", "s1"}, job("bob"), {{"fact", "a"}, {"fact", "b"}})));
    auto const before = dump_of(path, "bob");
    note({{"fact", "has a dog"}});
    auto const done = note({update(2, "of bob"), forget(2), update(77, "x"), forget(0), forget(-1)});
    BOOST_TEST(done.committed);
    BOOST_TEST(done.unknown_labels == 5u);
    BOOST_TEST(saved.empty());
    note({forget(1)});
    BOOST_TEST(note({update(1, "again")}).unknown_labels == 1u);
    BOOST_TEST(contents(true) == "has a dog|");
    BOOST_TEST(dump_of(path, "bob") == before);
}

BOOST_AUTO_TEST_CASE(a_summary_is_not_the_models_to_change) {
    fill(db, of, 20);
    auto const task = db.get(db->claim_summary({of, 20, 6, "me", 60s, at()}));
    BOOST_REQUIRE(db.get(db->commit_summary(*task, "they talked", false, at())));
    auto const label = list().at(0).what.label;
    BOOST_TEST(note({update(label, "they did not"), forget(label)}).unknown_labels == 2u);
    BOOST_TEST(contents(true) == "they talked|");
}

BOOST_AUTO_TEST_CASE(a_change_is_undone_and_done_again) {
    note({{"fact", "lives in Ghent"}});
    note({update(1, "lives in Bruges")}, 1);
    auto const back = db.get(db->restore_memory("ada", 1, at(2)));
    BOOST_REQUIRE(back.has_value());
    BOOST_TEST(back->valid_to.empty());
    BOOST_TEST(back->superseded_by == 0);
    BOOST_TEST(contents() == "lives in Ghent|");
    BOOST_TEST(list(true).at(1).superseded_by == 1);
    BOOST_TEST(db.get(db->restore_memory("ada", 2, at(3))).has_value());
    BOOST_TEST(contents() == "lives in Bruges|");
    BOOST_TEST(db.get(db->restore_memory("ada", 2, at(4))).has_value());  // it is current: nothing to do
    BOOST_TEST(contents() == "lives in Bruges|");
    note({forget(1)}, 5);
    BOOST_TEST(db.get(db->restore_memory("ada", 1, at(6))).has_value());
    BOOST_TEST(contents() == "lives in Ghent|");
    BOOST_TEST(number(path, "SELECT count(*) FROM long_term_memory WHERE valid_to IS NULL") == 1);
    BOOST_TEST(number(path, "SELECT count(*) FROM long_term_memory WHERE item IS NOT NULL") == 1);
}

BOOST_AUTO_TEST_CASE(beyond_the_limit_of_a_type_the_one_seen_least_lately_ends_and_never_a_pinned_one) {
    auto const limited = [](std::string const& content, bool pinned = false) {
        return new_memory{.type = "fact", .content = content, .most_of_type = 3, .pinned = pinned};
    };
    note({limited("pinned one", true)}, 0);
    note({limited("a"), limited("b")}, 1);
    note({limited("a")}, 2);
    note({{"preference", "of another type"}}, 2);
    note({limited("c")}, 3);
    BOOST_TEST(contents() == "pinned one|a|of another type|c|");
    note({limited("d"), limited("e"), limited("f")}, 4);
    BOOST_TEST(contents() == "pinned one|of another type|e|f|");
    BOOST_TEST(list(true).size() == 8u);
}

BOOST_AUTO_TEST_CASE(a_lifetime_ends_and_is_renewed_by_a_confirmation) {
    new_memory const mood{.type = "mood", .content = "is tired", .lifetime = 100s};
    note({mood}, 0);
    BOOST_TEST(list(false, 99).at(0).expires_at == "2024-01-01 00:01:40.000");
    BOOST_TEST(contents(false, 100).empty());
    note({mood}, 60);
    BOOST_TEST(contents(false, 159) == "is tired|");
    BOOST_TEST(contents(false, 160).empty());
    auto query = query_of(of);
    query.now = at(159);
    BOOST_TEST(db.get(db->load_context(query)).memories.size() == 1u);
    query.now = at(160);
    BOOST_TEST(db.get(db->load_context(query)).memories.empty());
}

BOOST_AUTO_TEST_CASE(what_is_told_again_after_its_time_is_remembered_again) {
    note({{.type = "mood", .content = "is tired", .lifetime = 100s}}, 0);
    note({{.type = "mood", .content = "is tired"}}, 200);
    BOOST_TEST(contents(false, 200) == "is tired|");
}

BOOST_AUTO_TEST_CASE(a_correction_by_hand_keeps_the_past_too) {
    auto const made = db.get(db->add_memory("ada", {"fact", "lives in Ghent"}, at()));
    BOOST_TEST(made.action == "added");
    BOOST_TEST(db.get(db->add_memory("ada", {"fact", "lives in Ghent"}, at())).action == "confirmed");
    auto const id = made.now.what.id;
    auto const pinned =
        db.get(db->change_memory("ada", {.id = id, .content = {}, .type = {}, .pinned = true}, at(1)));
    BOOST_REQUIRE(pinned.has_value());
    BOOST_TEST(pinned->action == "updated");
    BOOST_TEST(pinned->superseded == 0);
    BOOST_TEST(pinned->now.pinned);
    auto const changed = db.get(
        db->change_memory("ada", {.id = id, .content = "lives in Bruges", .type = {}, .pinned = {}}, at(2)));
    BOOST_REQUIRE(changed.has_value());
    BOOST_TEST(changed->superseded == id);
    BOOST_TEST(changed->now.pinned);
    BOOST_TEST(changed->now.what.label == made.now.what.label);
    // Only what is current can be changed.
    BOOST_TEST(!db.get(db->change_memory("ada", {.id = id, .content = "x", .type = {}, .pinned = {}}, at(3)))
                    .has_value());
    BOOST_TEST(!db.get(db->change_memory("ada", {.id = 99, .content = "x", .type = {}, .pinned = {}}, at(3)))
                    .has_value());
    auto const loose = db.get(db->change_memory(
        "ada", {.id = changed->now.what.id, .content = {}, .type = "preference", .pinned = false}, at(4)));
    BOOST_TEST(loose->now.what.type == "preference");
    BOOST_TEST(loose->now.what.content == "lives in Bruges");
    BOOST_TEST(!loose->now.pinned);
}

BOOST_AUTO_TEST_CASE(two_stores_that_learn_the_same_at_once_keep_it_once) {
    auto const learn = [&](std::string const& who) {
        opened_store mine(options_for(path));
        for (int i = 0; i < 200; ++i) {
            auto const id = who + std::to_string(i);
            mine.get(mine->commit_exchange(exchange_of({"ada", who}, job(id), {{"fact", "likes tea"}})));
        }
    };
    std::thread first(learn, "one"), second(learn, "two");
    first.join();
    second.join();
    BOOST_TEST(number(path, "SELECT count(*) FROM long_term_memory") == 1);
    BOOST_TEST(number(path, "SELECT times_seen FROM long_term_memory") == 400);
    BOOST_TEST(number(path, "SELECT count(*) FROM engram_memory_source") == 400);
}

BOOST_AUTO_TEST_SUITE_END()

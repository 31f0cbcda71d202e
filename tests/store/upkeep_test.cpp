// What is done now and then: what is over goes, what is scattered is brought together, what is new gets
// vectors.
#include "store_fixture.hpp"

#include <boost/test/unit_test.hpp>

#include <set>

using namespace engram;
using namespace engram::store::test;
using namespace std::chrono_literals;

namespace {

struct fixture {
    temporary_folder folder;
    std::string path = folder.file("engram.db");
    watched_index index;
    opened_store db{options_for(path), &index};
    int jobs = 0;

    void say(std::string const& user, std::vector<store::new_memory> notes,
             std::string const& text = "hello") {
        auto what = exchange_of({user, "s"}, job(user + std::to_string(jobs++)), std::move(notes));
        what.turns[0].content = text;
        db.get(db->commit_exchange(what));
    }
    // Nobody is due for having waited long, unless `before` says so.
    std::optional<store::consolidation_task> claim(std::size_t least, std::int64_t second = 0,
                                                   base::wall_time before = {}) {
        return db.get(db->claim_consolidation(least, before, at(second), at(second + 60)));
    }
    std::optional<std::size_t> commit(store::consolidation_task const& task,
                                      std::vector<store::consolidation_step> steps, std::int64_t second = 1) {
        return db.get(db->commit_consolidation(task, std::move(steps), at(second)));
    }
    std::string current(std::string const& user) {
        std::string all;
        for (auto const& one : db.get(db->list_memories(user, "", false, {{}, 100}, at())).items)
            all += one.what.content + "|";
        return all;
    }
    // Gives vectors until none is wanted; the texts in the order in which they came.
    std::vector<std::string> embed(std::string const& model, std::size_t limit) {
        std::vector<std::string> texts;
        for (int rounds = 0; rounds < 1000; ++rounds) {
            auto const some = db.get(db->find_unembedded(model, limit));
            BOOST_TEST(some.size() <= limit);
            std::vector<store::embedded> vectors;
            for (auto const& one : some) {
                vectors.push_back({one, "v"});
                texts.push_back(one.text);
            }
            if (some.empty() && number(path, unfinished) == 0) return texts;
            db.get(db->store_vectors(model, vectors));
        }
        BOOST_ERROR("there is no end to the texts");
        return texts;
    }
    static constexpr char const* unfinished =
        "SELECT count(*) FROM engram_user WHERE embedded_items < next_item";
    std::int64_t vectors() { return number(path, "SELECT count(*) FROM engram_vector"); }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(store_upkeep, fixture)

BOOST_AUTO_TEST_CASE(memories_whose_time_is_over_go_for_good_and_no_more_than_asked_for) {
    for (int i = 0; i < 5; ++i)
        say("ada", {{.type = "mood",
                     .content = "mood " + std::to_string(i),
                     .lifetime = 10s + std::chrono::seconds(i)}});
    say("ada", {{"fact", "stays"}});
    BOOST_TEST(db.get(db->expire_memories(at(9), 100)) == 0u);
    BOOST_TEST(db.get(db->expire_memories(at(13), 3)) == 3u);
    BOOST_TEST(current("ada") == "stays|mood 4|mood 3|");
    BOOST_TEST(db.get(db->expire_memories(at(13), 3)) == 1u);
    BOOST_TEST(db.get(db->expire_memories(at(100), 3)) == 1u);
    BOOST_TEST(db.get(db->expire_memories(at(100), 3)) == 0u);
    BOOST_TEST(current("ada") == "stays|");
    BOOST_TEST(number(path, "SELECT count(*) FROM engram_memory_source") == 1);
    BOOST_TEST(db.get(db->find("ada", {"mood stays", 10, {}, {}}, {}, at())).memories.size() == 1u);
    BOOST_TEST(index.last_search->seen.size() == 7u);
}

BOOST_AUTO_TEST_CASE(who_has_the_most_that_is_new_is_taken_first_and_by_one_alone) {
    say("ada", {{"fact", "a"}, {"fact", "b"}});
    say("bob", {{"fact", "a"}, {"fact", "b"}, {"fact", "c"}});
    say("eve", {});
    opened_store other(options_for(path));
    auto const first = claim(2);
    auto const second = other.get(other->claim_consolidation(2, {}, at(), at(60)));
    BOOST_REQUIRE(first.has_value());
    BOOST_REQUIRE(second.has_value());
    BOOST_TEST(first->user_id == "bob");
    BOOST_TEST(second->user_id == "ada");
    BOOST_REQUIRE(first->memories.size() == 3u);
    BOOST_TEST(first->memories[0].what.content == "a");
    BOOST_TEST(!claim(2, 59).has_value());
    BOOST_TEST(claim(2, 60)->user_id == "bob");
}

BOOST_AUTO_TEST_CASE(a_claim_of_a_clock_that_was_a_year_ahead_does_not_hold) {
    constexpr std::int64_t a_year = 365 * 24 * 3'600;
    say("ada", {{"fact", "a"}, {"fact", "b"}});
    BOOST_TEST(claim(2, a_year).has_value());
    BOOST_TEST(claim(2, 0).has_value());
    BOOST_TEST(!claim(2, 1).has_value());
}

BOOST_AUTO_TEST_CASE(a_consolidation_by_a_clock_that_was_a_year_ahead_is_long_ago) {
    constexpr std::int64_t a_year = 365 * 24 * 3'600;
    say("ada", {{"fact", "a"}, {"fact", "b"}});
    auto const task = claim(2, a_year);
    BOOST_REQUIRE(task.has_value());
    BOOST_TEST(commit(*task, {}, a_year).value_or(9) == 0u);
    say("ada", {{"fact", "c"}});
    BOOST_TEST(!claim(2, a_year, at(a_year - 1)).has_value());
    BOOST_TEST(claim(2, 0, at(-1)).has_value());
}

BOOST_AUTO_TEST_CASE(the_newest_outcome_is_the_latest_by_its_time) {
    BOOST_TEST(!db.get(db->newest_outcome()).has_value());
    auto const say_at = [&](std::string const& id, std::int64_t second) {
        auto what = exchange_of({"ada", "s"}, job(id), {});
        what.at = at(second);
        db.get(db->commit_exchange(what));
    };
    say_at("late", 100);
    say_at("early", 10);
    BOOST_TEST(bool(db.get(db->newest_outcome()) == at(100)));
}

BOOST_AUTO_TEST_CASE(the_newest_outcome_is_known_when_no_outcome_is_kept_any_more) {
    auto what = exchange_of({"ada", "s"}, job("only"), {});
    what.at = at(100) + 7ms;
    db.get(db->commit_exchange(what));
    BOOST_TEST(db.get(db->expire_outcomes(at(1'000), 10)) == 1u);
    BOOST_TEST(bool(db.get(db->newest_outcome()) == what.at));
    // Of turns that were summarized the summary stays.
    look_at(path).execute(
        "DELETE FROM conversation_history; INSERT INTO long_term_memory(user_id, memory_type, content, "
        "created_at) VALUES ('ada', 'summary', 's', '2024-01-01 00:03:20.000')");
    BOOST_TEST(bool(db.get(db->newest_outcome()) == at(200)));
    look_at(path).execute("UPDATE long_term_memory SET created_at = 1704067200");
    BOOST_TEST(!db.get(db->newest_outcome()).has_value());
}

BOOST_AUTO_TEST_CASE(a_few_new_ones_are_enough_once_it_is_long_ago) {
    say("ada", {{"fact", "a"}});
    BOOST_TEST(!claim(2).has_value());
    auto const task = claim(2, 0, at(1));
    BOOST_REQUIRE(task.has_value());
    BOOST_TEST(commit(*task, {}).value_or(9) == 0u);
    BOOST_TEST(!claim(1, 1000, at(1000)).has_value());
    say("ada", {{"fact", "b"}});
    BOOST_TEST(!claim(2, 1000, at(1)).has_value());
    BOOST_TEST(claim(2, 1000, at(1000)).has_value());
}

BOOST_AUTO_TEST_CASE(a_step_ends_what_it_replaces_and_names_what_took_its_place) {
    say("ada", {{"fact", "has a dog"},
                {"fact", "dog is called Rex"},
                {"fact", "owns a dog"},
                {"fact", "likes tea"}});
    auto const task = claim(1);
    BOOST_TEST(commit(*task, {{{1, 2}, 0, "fact", "has a dog called Rex"}, {{3}, 4, {}, {}}}).value_or(9) ==
               3u);
    BOOST_TEST(current("ada") == "has a dog called Rex|likes tea|");
    BOOST_TEST(number(path, "SELECT superseded_by FROM long_term_memory WHERE id = 1") == 5);
    BOOST_TEST(number(path, "SELECT superseded_by FROM long_term_memory WHERE id = 3") == 4);
    // What came of them goes with them.
    BOOST_TEST(db.get(db->delete_memory("ada", 5, at()))->counts.memories == 3u);
}

BOOST_AUTO_TEST_CASE(a_step_about_what_has_changed_is_left_out_and_the_others_are_done) {
    say("ada", {{"fact", "a"}, {"fact", "b"}, {"fact", "c"}, {"fact", "d"}, {"fact", "e"}});
    auto const task = claim(1);
    say("ada", {{.type = {}, .content = "changed", .what = store::new_memory::kind::update, .label = 1},
                {.type = {}, .content = {}, .what = store::new_memory::kind::forget, .label = 3}});
    db.get(db->change_memory("ada", {.id = 4, .content = {}, .type = {}, .pinned = true}, at()));
    BOOST_TEST(commit(*task, {{{1, 2}, 0, "fact", "a and b"},  // 1 has another version
                              {{2}, 3, {}, {}},                // 3 is forgotten
                              {{4, 5}, 0, "fact", "d and e"},  // 4 was pinned meanwhile
                              {{2, 2}, 2, {}, {}},             // itself
                              {{99}, 0, "fact", "of nothing"},
                              {{5}, 2, {}, {}}})
                   .value_or(9) == 1u);
    BOOST_TEST(current("ada") == "changed|d|b|");
}

BOOST_AUTO_TEST_CASE(every_text_gets_a_vector_once_in_pieces_of_any_size) {
    for (int i = 0; i < 50; ++i)
        say("ada",
            i % 10 == 0 ? std::vector<store::new_memory>{{"fact", "fact " + std::to_string(i)}}
                        : std::vector<store::new_memory>{},
            "text " + std::to_string(i));
    for (int i = 0; i < 20; ++i)
        say("user" + std::to_string(i), {}, "...");
    auto const texts = embed("m1", 7);
    BOOST_TEST(texts.size() == 55u + 20u);
    BOOST_TEST(vectors() == 75);
    BOOST_TEST(embed("m1", 7).empty());
    say("ada", {}, "one more");
    BOOST_TEST(embed("m1", 100).size() == 1u);
    // Another model begins anew, and takes the place of the old one.
    BOOST_TEST(embed("m2", 11).size() == 76u);
    BOOST_TEST(vectors() == 76);
    BOOST_TEST(number(path, "SELECT count(DISTINCT model) FROM engram_vector") == 1);
}

BOOST_AUTO_TEST_CASE(gaps_are_stepped_over) {
    for (int i = 0; i < 40; ++i) {
        auto what = exchange_of({"ada", "s" + std::to_string(i % 4)}, job("g" + std::to_string(i)));
        db.get(db->commit_exchange(what));
    }
    db.get(db->delete_session({"ada", "s1"}, true, at()));
    db.get(db->delete_session({"ada", "s3"}, true, at()));
    BOOST_TEST(embed("m1", 3).size() == 20u);
}

BOOST_AUTO_TEST_CASE(what_is_erased_between_gets_no_vector) {
    say("ada", {{"fact", "has a dog"}}, "hello");
    auto const some = db.get(db->find_unembedded("m1", 10));
    BOOST_REQUIRE(some.size() == 2u);
    db.get(db->delete_session({"ada", "s"}, false, at()));
    std::vector<store::embedded> given;
    for (auto const& one : some)
        given.push_back({one, "v"});
    db.get(db->store_vectors("m1", given));
    BOOST_TEST(vectors() == 1);
    db.get(db->forget_user("ada", store::finished_jobs::remove, at()));
    db.get(db->store_vectors("m1", given));
    BOOST_TEST(vectors() == 0);
    db.get(db->store_vectors("m1", {{{-5, "x"}, "v"}, {{0, "x"}, "v"}, {{INT64_MAX, "x"}, "v"}}));
    BOOST_TEST(vectors() == 0);
}

BOOST_AUTO_TEST_CASE(a_text_that_gets_no_vector_is_not_asked_for_again) {
    say("ada", {}, "hello");
    auto const some = db.get(db->find_unembedded("m1", 10));
    db.get(db->store_vectors("m1", {{some.at(0), ""}}));
    BOOST_TEST(vectors() == 0);
    BOOST_TEST(db.get(db->find_unembedded("m1", 10)).empty());
}

BOOST_AUTO_TEST_SUITE_END()

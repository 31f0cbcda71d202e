// How a turn has what belongs to its message found, and what it does with it.
#include "embedding/vector_bytes.hpp"
#include "workers/chat/chat_turn.hpp"
#include "workers/scripted_embedder.hpp"
#include "workers/turn_fixture.hpp"

#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

namespace {

using namespace engram;
using std::chrono::milliseconds;
using test::error_of;
using test::job;

embedding::error broken(embedding::error_kind kind) {
    return {kind, "no", 500};
}

// What a turn is made with; built before it.
struct sources {
    test::scripted_embedder embedder;
};

struct by_words : sources, test::turn_fixture {
    by_words() : test::turn_fixture({}) {}
};

struct by_meaning : sources, test::turn_fixture {
    by_meaning() : test::turn_fixture({&embedder, milliseconds(80)}) {}

    // The query of the one load that there was.
    store::context_query query() {
        BOOST_REQUIRE_EQUAL(store.queries.size(), 1u);
        return store.queries[0];
    }
};

// Besides the one that says what time it is.
std::size_t blocks_before_message(claude::request const& request) {
    return request.messages.back().content.size() - 2;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(chat_turn_recall)

BOOST_FIXTURE_TEST_CASE(the_store_is_asked_for_what_belongs_to_the_message, by_words) {
    answer_well();
    BOOST_REQUIRE_EQUAL(store.queries.size(), 1u);
    auto const& query = store.queries[0];
    BOOST_TEST(query.find.limit == 10u);
    BOOST_TEST(query.memory_limit == 500u);
    BOOST_TEST(bool(query.now == clock.wall()));
    BOOST_TEST(query.find.vector.empty());
    BOOST_TEST(query.find.vector_model.empty());
    BOOST_TEST(query.find.text == "hello");
}

BOOST_FIXTURE_TEST_CASE(what_was_found_is_put_before_the_message_in_one_call, by_words) {
    store.context.found_memories = {{{1, "fact", "Has a beagle", "2026-03-01", "", 12}, 1, ""}};
    for (int i = 0; i < 9; ++i)
        store.context.found_turns.push_back(
            {{i, store::role::user, "My beagle barks"}, "earlier", "2026-03-01", 1, ""});
    answer_well();
    BOOST_REQUIRE_EQUAL(claude.asked.size(), 1u);
    auto const& last = claude.asked[0].messages.back().content;
    BOOST_REQUIRE_EQUAL(last.size(), 3u);  // the first says what time it is
    BOOST_TEST(last[1].text().starts_with("<recalled>\n- #12 (fact, 2026-03-01) Has a beagle\n"));
    BOOST_TEST(last[2].text() == "hello");
    BOOST_TEST(store.exchanges[0].turns[0].content == "hello");  // and not what was found for it
}

BOOST_FIXTURE_TEST_CASE(nothing_found_adds_nothing, by_words) {
    answer_well();
    BOOST_TEST(claude.asked.size() == 1u);
    BOOST_TEST(blocks_before_message(claude.asked[0]) == 0u);
}

BOOST_FIXTURE_TEST_CASE(each_load_searches, by_words) {
    store.unavailable = 1;
    store.stale = {store::commit_outcome::staleness::deletion};
    answer_well();
    BOOST_REQUIRE_EQUAL(store.queries.size(), 2u);
    for (auto const& query : store.queries)
        BOOST_TEST(query.find.text == "hello");
}

BOOST_FIXTURE_TEST_CASE(nothing_is_searched_for_when_nothing_may_be_recalled, by_meaning) {
    workers::chat_options off;
    off.recall_limit = 0;
    turn.set_options(off);
    answer_well();
    BOOST_TEST(query().find.limit == 0u);
    BOOST_TEST(query().find.vector.empty());
    BOOST_TEST(embedder.asked.empty());
}

BOOST_FIXTURE_TEST_CASE(the_vector_of_the_message_goes_to_the_store, by_meaning) {
    embedder.answer = std::vector<embedding::vector>{{0.6F, 0.8F}};
    answer_well();
    BOOST_REQUIRE_EQUAL(embedder.asked.size(), 1u);
    BOOST_TEST(embedder.asked[0].texts == std::vector<std::string>{"hello"},
               boost::test_tools::per_element());
    BOOST_TEST(bool(embedder.asked[0].why == embedding::purpose::query));
    BOOST_TEST(query().find.vector == embedding::to_bytes(std::vector<float>{0.6F, 0.8F}));
    BOOST_TEST(query().find.vector_model == "scripted:2");
    BOOST_TEST(query().find.text == "hello");
}

BOOST_FIXTURE_TEST_CASE(a_vector_is_made_once_though_the_turn_begins_anew, by_meaning) {
    store.stale = {store::commit_outcome::staleness::deletion};
    answer_well();
    BOOST_TEST(embedder.asked.size() == 1u);
    BOOST_REQUIRE_EQUAL(store.queries.size(), 2u);
    BOOST_TEST(!store.queries[1].find.vector.empty());
    BOOST_TEST(store.queries[1].find.vector == store.queries[0].find.vector);
}

BOOST_FIXTURE_TEST_CASE(a_failure_leaves_the_search_by_words, by_meaning) {
    for (auto const kind : {embedding::error_kind::unavailable, embedding::error_kind::rejected,
                            embedding::error_kind::resting, embedding::error_kind::deadline}) {
        embedder.answer = broken(kind);
        store.queries.clear();
        store.finished.clear();
        answer_well();
        BOOST_TEST(query().find.vector.empty());
        BOOST_TEST(query().find.vector_model.empty());
        BOOST_TEST(query().find.text == "hello");
        BOOST_TEST(query().find.limit == 10u);
    }
    BOOST_TEST(claude.asked.size() == 4u);
}

BOOST_FIXTURE_TEST_CASE(a_wrong_number_of_vectors_is_none, by_meaning) {
    for (std::size_t n : {0, 2}) {
        embedder.answer = std::vector<embedding::vector>(n, {1.0F, 0.0F});
        store.queries.clear();
        store.finished.clear();
        answer_well();
        BOOST_TEST(query().find.vector.empty());
    }
}

BOOST_FIXTURE_TEST_CASE(a_late_vector_costs_its_timeout_and_no_more, by_meaning) {
    embedder.late = &clock;
    auto const begun = clock.steady();
    answer_well();
    BOOST_REQUIRE_EQUAL(embedder.asked.size(), 1u);
    BOOST_TEST(bool(embedder.asked[0].until == begun + milliseconds(80)));
    BOOST_TEST(bool(clock.steady() == begun + milliseconds(80)));
    BOOST_TEST(query().find.vector.empty());
    BOOST_TEST(query().find.text == "hello");
    BOOST_TEST(claude.asked.size() == 1u);
}

BOOST_FIXTURE_TEST_CASE(a_vector_is_not_waited_for_beyond_the_deadline_of_the_job, by_meaning) {
    embedder.late = &clock;
    auto const begun = clock.steady();
    auto const outcome =
        answer(R"({"id":"1","user_id":"u","session_id":"s","message":"hello","deadline_ms":30})");
    BOOST_TEST(error_of(outcome) == "deadline_exceeded");
    BOOST_TEST(bool(embedder.asked.at(0).until == begun + milliseconds(30)));
    BOOST_TEST(claude.asked.empty());
}

BOOST_FIXTURE_TEST_CASE(a_message_has_one_call_to_claude_whatever_is_recalled, by_meaning) {
    for (std::size_t n : {0, 1, 10, 500}) {
        store.context.found_turns.assign(
            n, {{1, store::role::assistant, "x [MEMORY: fact|y]"}, "earlier", "2026-03-01", 1, ""});
        store.context.found_memories.assign(n, {{1, "fact", "Has a beagle", "", "", 12}, 1, ""});
        store.finished.clear();
        claude.asked.clear();
        claude.will_say("Ok.\n[MEMORY: fact|Has a beagle]\n[MEMORY: update #12|z]\n[MEMORY: forget #13]");
        answer_well();
        BOOST_TEST(claude.asked.size() == 1u);
    }
}

BOOST_AUTO_TEST_SUITE_END()

// Texts that get vectors.
#include "embedding/vector_bytes.hpp"
#include "upkeep_fixture.hpp"

#include <boost/test/unit_test.hpp>

using namespace engram;
using namespace engram::test;
using namespace std::chrono_literals;

BOOST_FIXTURE_TEST_SUITE(upkeep_of_vectors, upkeep_fixture)

BOOST_AUTO_TEST_CASE(texts_without_a_vector_get_one) {
    add_texts(2);
    store.texts[2] = "an odd text";
    start();
    BOOST_REQUIRE_EQUAL(store.vectors.size(), 2U);
    BOOST_TEST(store.vectors[1] == embedding::to_bytes(embedding::vector{1, 0}));
    BOOST_TEST(store.vectors[2] == embedding::to_bytes(embedding::vector{0, 1}));
    BOOST_TEST(upkeep.status().embedded == 2U);
    BOOST_TEST(embedder.for_documents);
    BOOST_TEST(embedder.bounded);
    for (auto const& model : store.models)
        BOOST_TEST(model == "model@2");
}

BOOST_AUTO_TEST_CASE(batch_follows_batch_until_there_is_no_text_left) {
    add_texts(10);
    start();
    BOOST_TEST(store.vectors.size() == 10U);
    BOOST_REQUIRE_EQUAL(embedder.asked.size(), 3U);
    BOOST_TEST(embedder.asked[0].size() == 4U);
    BOOST_TEST(embedder.asked[2].size() == 2U);
}

BOOST_AUTO_TEST_CASE(new_texts_are_looked_for_every_five_seconds_and_when_woken) {
    start();
    BOOST_TEST(store.limits.size() == 1U);
    add_texts(1);
    upkeep.wake();
    settle();
    BOOST_TEST(store.vectors.size() == 1U);
}

BOOST_AUTO_TEST_CASE(without_an_embedder_no_text_is_looked_for) {
    workers::upkeep bare{options, store, nullptr, clock, io.get_executor()};
    add_texts(1);
    bare.start();
    settle();
    bare.wake();
    settle();
    BOOST_TEST(store.limits.empty());
    BOOST_TEST(store.expiry_times.size() == 1U);
    asio::co_spawn(io, bare.stop(), [](std::exception_ptr) {});
    settle();
}

BOOST_AUTO_TEST_CASE(after_a_failure_it_pauses_longer_each_time_and_is_not_woken) {
    add_texts(1);
    embedder.trouble = embedding::error_kind::unavailable;
    start();
    std::size_t tries = 1;
    for (std::chrono::milliseconds const pause : {5s, 10s, 20s, 40s, 80s, 160s, 320s, 600s, 600s}) {
        BOOST_TEST(embedder.asked.size() == tries);
        pass(pause * 3 / 4 - 1s);  // a pause is shortened by up to a quarter
        BOOST_TEST(embedder.asked.size() == tries);
        pass(pause / 4 + 1s);
        ++tries;
    }
    embedder.trouble.reset();
    pass(600s);
    BOOST_TEST(store.vectors.size() == 1U);
    embedder.trouble = embedding::error_kind::unavailable;
    store.texts[2] = "another";
    pass(5s);
    auto const before = embedder.asked.size();
    pass(5s);
    BOOST_TEST(embedder.asked.size() == before + 1);
}

BOOST_AUTO_TEST_CASE(a_failing_endpoint_gets_smaller_batches_until_it_answers) {
    add_texts(4);
    embedder.trouble = embedding::error_kind::unavailable;
    start();
    pass(5s);
    pass(10s);
    BOOST_REQUIRE_EQUAL(embedder.asked.size(), 3U);
    BOOST_TEST(embedder.asked[1].size() == 2U);
    BOOST_TEST(embedder.asked[2].size() == 1U);
    embedder.trouble.reset();
    pass(20s);
    BOOST_TEST(store.vectors.size() == 4U);
    BOOST_REQUIRE_EQUAL(embedder.asked.size(), 6U);
    BOOST_TEST(embedder.asked[3].size() == 1U);
    BOOST_TEST(embedder.asked[4].size() == 2U);
}

BOOST_AUTO_TEST_CASE(too_few_vectors_are_not_stored) {
    add_texts(2);
    embedder.one_short = true;
    start();
    BOOST_TEST(store.stores == 0);
    BOOST_TEST(upkeep.status().failed_embeddings == 1U);
}

BOOST_AUTO_TEST_CASE(a_store_that_fails_is_asked_again_after_a_pause) {
    add_texts(1);
    store.fails = true;
    start();
    BOOST_TEST(upkeep.status().failed_embeddings == 1U);
    store.fails = false;
    pass(5s);
    BOOST_TEST(store.vectors.size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_text_that_is_refused_does_not_keep_the_others_waiting) {
    add_texts(9);
    store.texts[3] = "poison";
    store.texts[7] = "poison, too";
    start();
    BOOST_TEST(store.vectors.size() == 9U);
    BOOST_TEST(store.vectors[3].empty());
    BOOST_TEST(store.vectors[7].empty());
    BOOST_TEST(upkeep.status().not_embeddable == 2U);
    BOOST_TEST(upkeep.status().embedded == 7U);
    BOOST_TEST(upkeep.status().failed_embeddings == 0U);
}

BOOST_AUTO_TEST_CASE(an_endpoint_that_refuses_everything_gives_up_no_text) {
    add_texts(3);
    embedder.trouble = embedding::error_kind::rejected;
    start();
    BOOST_TEST(store.stores == 0);
    BOOST_TEST(upkeep.status().failed_embeddings == 1U);
    BOOST_TEST(embedder.asked.size() == 3U);  // all, one, and something that anybody takes
    pass(3s);                                 // a pause of 5 s is shortened by up to a quarter
    BOOST_TEST(embedder.asked.size() == 3U);
    embedder.trouble.reset();
    pass(2s);
    BOOST_TEST(store.vectors.size() == 3U);
}

BOOST_AUTO_TEST_CASE(a_store_that_keeps_no_vectors_is_not_paid_for_at_full_speed) {
    add_texts(1);
    store.forgetful = true;
    start();
    BOOST_TEST(embedder.asked.size() == 1U);
    pass(3s);  // a pause of 5 s is shortened by up to a quarter
    BOOST_TEST(embedder.asked.size() == 1U);
    store.forgetful = false;
    pass(2s);
    BOOST_TEST(store.vectors.size() == 1U);
}

BOOST_AUTO_TEST_CASE(it_stops_while_texts_are_looked_for) {
    store.hold_find = true;
    start();
    BOOST_TEST(store.limits.size() == 1U);
    BOOST_TEST(stops());
}

BOOST_AUTO_TEST_CASE(it_stops_while_texts_are_embedded) {
    add_texts(1);
    embedder.hold = true;
    start();
    BOOST_TEST(embedder.asked.size() == 1U);
    BOOST_TEST(stops());
    BOOST_TEST(store.vectors.empty());
}

BOOST_AUTO_TEST_CASE(it_stops_while_vectors_are_stored) {
    add_texts(1);
    store.hold_store = true;
    start();
    BOOST_TEST(store.stores == 1);
    BOOST_TEST(stops());
}

BOOST_AUTO_TEST_CASE(it_stops_in_a_pause_after_a_failure) {
    add_texts(1);
    embedder.trouble = embedding::error_kind::unavailable;
    start();
    BOOST_TEST(stops());
}

BOOST_AUTO_TEST_SUITE_END()

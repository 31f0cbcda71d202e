#include "workers/background/upkeep.hpp"

#include "embedding/vector_bytes.hpp"
#include "workers/bare_upkeep.hpp"
#include "workers/set_clock.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <chrono>
#include <deque>
#include <map>
#include <stdexcept>

namespace {

namespace asio = boost::asio;
using namespace engram;
using namespace std::chrono_literals;

store::error const damaged{store::error_kind::internal, "damaged"};

// Outcomes and memories to expire, and texts of which some have vectors by now.
class scripted_upkeep : public test::bare_upkeep {
public:
    explicit scripted_upkeep(asio::any_io_executor executor) : released(std::move(executor)) {}

    answer<std::size_t> expire_outcomes(base::wall_time before, std::size_t limit) override {
        outcome_times.push_back(before);
        outcome_limits.push_back(limit);
        auto const removed = std::min(limit, outcomes);
        outcomes -= removed;
        co_return removed;
    }

    answer<std::size_t> expire_memories(base::wall_time now, std::size_t limit) override {
        expiry_times.push_back(now);
        while (hold_expiry)
            co_await released.wait();
        if (throws) throw std::runtime_error("a bug");
        if (fails) co_return damaged;
        auto const removed = std::min(limit, to_expire);
        to_expire -= removed;
        co_return removed;
    }

    answer<std::vector<store::unembedded>> find_unembedded(std::string model, std::size_t limit) override {
        limits.push_back(limit);
        models.push_back(std::move(model));
        while (hold_find)
            co_await released.wait();
        if (fails) co_return damaged;
        std::vector<store::unembedded> found;
        for (auto const& [place, text] : texts)
            if (found.size() < limit && !vectors.contains(place))
                found.push_back({place, text, answers[place]});
        co_return found;
    }

    answer<void> store_vectors(std::string model, std::vector<store::embedded> made) override {
        ++stores;
        models.push_back(std::move(model));
        while (hold_store)
            co_await released.wait();
        if (fails) co_return damaged;
        if (!forgetful)
            for (auto& [of, bytes] : made)
                vectors[of.place] = std::move(bytes);
        co_return store::result<void>();
    }

    answer<std::size_t> adopt_rows(std::size_t limit) override {
        ++adoptions;
        if (fails) co_return damaged;
        auto const adopted = std::min(limit, foreign);
        foreign -= adopted;
        co_return adopted;
    }

    std::size_t foreign = 0;
    int adoptions = 0;
    std::size_t outcomes = 0;  // that are old enough
    std::vector<base::wall_time> outcome_times;
    std::vector<std::size_t> outcome_limits;
    std::size_t to_expire = 0;
    std::vector<base::wall_time> expiry_times;
    std::map<std::int64_t, std::string> texts, answers;
    std::map<std::int64_t, std::string> vectors;
    std::vector<std::size_t> limits;
    std::vector<std::string> models;
    int stores = 0;
    bool fails = false, throws = false, forgetful = false;
    bool hold_expiry = false, hold_find = false, hold_store = false;
    base::event released;
};

// One made of the text's length; texts with "poison" in them are refused.
class scripted_embedder : public embedding::embedder {
public:
    explicit scripted_embedder(asio::any_io_executor executor) : released(std::move(executor)) {}

    asio::awaitable<base::result<std::vector<embedding::vector>, embedding::error>> embed(
        std::vector<std::string> texts, embedding::purpose why, base::steady_time until) override {
        asked.push_back(texts);
        for_documents = for_documents && why == embedding::purpose::document;
        bounded = bounded && until < base::steady_time::max();
        while (hold)
            co_await released.wait();
        if (trouble) co_return embedding::error{*trouble, "no", 0};
        std::vector<embedding::vector> made;
        for (auto const& text : texts) {
            if (text.find("poison") != text.npos)
                co_return embedding::error{embedding::error_kind::rejected, "too long", 400};
            made.push_back(text.size() % 2 == 0 ? embedding::vector{1, 0} : embedding::vector{0, 1});
        }
        if (one_short) made.pop_back();
        co_return made;
    }

    std::string model_id() const override { return "model@2"; }

    std::vector<std::vector<std::string>> asked;
    std::optional<embedding::error_kind> trouble;
    bool for_documents = true, bounded = true, one_short = false, hold = false;
    base::event released;
};

struct fixture {
    asio::io_context io;
    scripted_upkeep store{io.get_executor()};
    scripted_embedder embedder{io.get_executor()};
    test::set_clock clock;
    workers::upkeep_options options{.dedupe = 72h, .embedding_batch = 4, .embedding_timeout = 30s};
    workers::upkeep upkeep{options, store, &embedder, clock, io.get_executor()};

    ~fixture() { BOOST_TEST(stops()); }

    // Lets everything that can happen now happen.
    void settle() {
        io.restart();
        while (io.poll() > 0)
            continue;
    }

    void start() {
        upkeep.start();
        settle();
    }

    // A wake-up makes the loops look at the clock; it also ends the rest of one that waits for texts.
    void pass(std::chrono::milliseconds time) {
        clock.advance(time);
        upkeep.wake();
        settle();
    }

    bool stops() {
        bool stopped = false;
        asio::co_spawn(io, upkeep.stop(), [&](std::exception_ptr) { stopped = true; });
        settle();
        return stopped;
    }

    void add_texts(int count) {
        for (int i = 0; i < count; ++i)
            store.texts[i + 1] = "text " + std::to_string(i);
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(upkeep_loops, fixture)

BOOST_AUTO_TEST_CASE(memories_expire_every_minute) {
    store.to_expire = 7;
    start();
    BOOST_TEST(store.expiry_times.size() == 1U);
    BOOST_TEST(bool(store.expiry_times[0] == clock.wall()));
    BOOST_TEST(upkeep.status().expired_memories == 7U);
    pass(59s);
    BOOST_TEST(store.expiry_times.size() == 1U);
    pass(1s);
    BOOST_TEST(store.expiry_times.size() == 2U);
}

BOOST_AUTO_TEST_CASE(after_a_full_batch_the_next_one_follows_at_once) {
    store.to_expire = 1'200;
    start();
    BOOST_TEST(store.expiry_times.size() == 3U);
    BOOST_TEST(upkeep.status().expired_memories == 1'200U);
}

BOOST_AUTO_TEST_CASE(outcomes_expire_every_ten_minutes_after_the_time_for_repeats) {
    store.outcomes = 5;
    start();
    BOOST_REQUIRE_EQUAL(store.outcome_times.size(), 1U);
    BOOST_TEST(bool(store.outcome_times[0] == clock.wall() - 72h));
    BOOST_TEST(store.outcome_limits[0] == 1'000U);
    BOOST_TEST(upkeep.status().expired_outcomes == 5U);
    pass(599s);
    BOOST_TEST(store.outcome_times.size() == 1U);
    pass(1s);
    BOOST_TEST(store.outcome_times.size() == 2U);
}

BOOST_AUTO_TEST_CASE(full_batches_of_outcomes_leave_room_for_jobs) {
    store.outcomes = 2'500;
    start();
    BOOST_TEST(store.outcome_times.size() == 1U);
    pass(50ms);
    BOOST_TEST(store.outcome_times.size() == 2U);
    pass(50ms);
    BOOST_TEST(store.outcome_times.size() == 3U);
    pass(50ms);
    BOOST_TEST(store.outcome_times.size() == 3U);
}

BOOST_AUTO_TEST_CASE(rows_of_other_software_are_looked_for_every_twenty_seconds_and_adopted_in_pieces) {
    store.foreign = 100;
    start();
    BOOST_TEST(store.foreign == 36U);
    pass(50ms);
    BOOST_TEST(store.foreign == 0U);
    pass(50ms);
    BOOST_TEST(store.adoptions == 3);
    pass(19s);
    BOOST_TEST(store.adoptions == 3);
    pass(1s);
    BOOST_TEST(store.adoptions == 4);
    store.fails = true;
    pass(20s);
    pass(20s);
    BOOST_TEST(store.adoptions == 6);
}

BOOST_AUTO_TEST_CASE(of_an_answer_what_the_user_saw_is_embedded_with_the_question) {
    store.texts[1] = "hello";
    store.answers[1] = "Hi.\n[MEMORY: fact|Is polite]";
    store.texts[2] = "";
    store.answers[2] = "Alone.";
    store.texts[3] = "A memory [MEMORY: fact|x]";
    start();
    BOOST_REQUIRE(embedder.asked.size() == 1U);
    std::vector<std::string> const expected{"hello\nHi.", "Alone.", "A memory [MEMORY: fact|x]"};
    BOOST_TEST(embedder.asked[0] == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_failure_or_a_bug_ends_no_loop) {
    store.fails = true;
    start();
    store.fails = false;
    store.throws = true;
    pass(1min);
    store.throws = false;
    store.to_expire = 3;
    pass(1min);
    BOOST_TEST(store.expiry_times.size() == 3U);
    BOOST_TEST(upkeep.status().expired_memories == 3U);
}

BOOST_AUTO_TEST_CASE(a_changed_time_for_repeats_holds_from_the_next_batch_on) {
    start();
    options.dedupe = 1h;
    upkeep.set_options(options);
    pass(10min);
    BOOST_TEST(bool(store.outcome_times.back() == clock.wall() - 1h));
}

BOOST_AUTO_TEST_CASE(it_stops_before_it_was_started) {
    BOOST_TEST(stops());
}

BOOST_AUTO_TEST_CASE(it_stops_while_memories_are_removed) {
    store.hold_expiry = true;
    start();
    BOOST_TEST(stops());
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(upkeep_of_vectors, fixture)

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

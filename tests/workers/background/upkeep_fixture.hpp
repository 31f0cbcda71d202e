// What the tests of upkeep share: a store and an endpoint for embeddings that a test scripts.
#pragma once

#include "workers/background/upkeep.hpp"
#include "workers/bare_upkeep.hpp"
#include "workers/set_clock.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <chrono>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

namespace engram::test {

namespace asio = boost::asio;
using namespace std::chrono_literals;

inline store::error const damaged{store::error_kind::internal, "damaged"};

// Outcomes and memories to expire, and texts of which some have vectors by now.
class scripted_upkeep : public bare_upkeep {
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

    answer<std::optional<base::wall_time>> newest_outcome() override {
        ++newest_asked;
        if (fails) co_return damaged;
        co_return newest;
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

    std::optional<base::wall_time> newest;
    int newest_asked = 0;
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

struct upkeep_fixture {
    asio::io_context io;
    scripted_upkeep store{io.get_executor()};
    scripted_embedder embedder{io.get_executor()};
    set_clock clock;
    workers::upkeep_options options{.dedupe = 72h, .embedding_batch = 4, .embedding_timeout = 30s};
    workers::upkeep upkeep{options, store, &embedder, clock, io.get_executor()};

    ~upkeep_fixture() { BOOST_TEST(stops()); }

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

}  // namespace engram::test

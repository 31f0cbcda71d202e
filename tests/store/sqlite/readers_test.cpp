// Nobody waits for what somebody else has asked: not for people's lists, nor for what stands behind them.
#include "store_fixture.hpp"

#include <boost/test/unit_test.hpp>

#include <future>
#include <latch>
#include <optional>

using namespace engram;
using namespace engram::store::test;
using namespace std::chrono_literals;
namespace asio = boost::asio;
using engram::store::conversation;

namespace {

// A search for the word "wait" stands still on its store thread until `go`; so does one for "wait too".
struct fixture {
    temporary_folder folder;
    std::string path = folder.file("engram.db");
    std::latch first_entered{1}, first_may_go{1}, second_entered{1}, second_may_go{1};
    watched_index index;
    std::optional<opened_store> db;
    conversation of{"ada", "s1"};
    int answered = 0;

    fixture() {
        index.on_search = [this](std::string const& query) {
            if (query == "wait") {
                first_entered.count_down();
                first_may_go.wait();
            }
            if (query == "wait too") {
                second_entered.count_down();
                second_may_go.wait();
            }
        };
        auto with = options_for(path);
        with.readers = 1;
        db.emplace(with, &index);
        fill(*db, of, 2);
    }

    store::context_query load(std::string const& text) {
        auto query = query_of(of);
        query.find = {text, text.empty() ? 0U : 1U, {}, {}};
        return query;
    }
    template <class T>
    void start(asio::awaitable<store::result<T>> call) {
        asio::co_spawn(db->loop(), std::move(call), [this](std::exception_ptr, store::result<T> outcome) {
            BOOST_TEST(outcome.has_value());
            ++answered;
        });
        db->loop().restart();
        db->loop().poll();
    }
    // Whether as many as these get their answer. The time is only for a test that fails.
    bool answers(int expected) {
        auto const until = std::chrono::steady_clock::now() + 20s;
        while (answered < expected && std::chrono::steady_clock::now() < until) {
            db->loop().restart();
            db->loop().run_one_for(20s);
        }
        return answered == expected;
    }
    void finish() {
        db->loop().restart();
        db->loop().run();
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(store_readers, fixture)

BOOST_AUTO_TEST_CASE(a_list_that_takes_long_keeps_no_turn_waiting) {
    start((*db)->find("ada", {"wait", 1, {}, {}}, {}, at()));
    first_entered.wait();
    start((*db)->count({}));
    start((*db)->load_context(load("")));
    BOOST_TEST(answers(1));
    first_may_go.count_down();
    finish();
    BOOST_TEST(answered == 3);
}

BOOST_AUTO_TEST_CASE(of_one_batch_the_first_is_answered_though_the_second_has_not_ended) {
    // While the reader stands still three more come: they are its next batch.
    start((*db)->load_context(load("wait")));
    first_entered.wait();
    start((*db)->load_context(load("")));
    start((*db)->load_context(load("wait too")));
    start((*db)->load_context(load("")));
    BOOST_TEST(answered == 0);
    first_may_go.count_down();
    second_entered.wait();
    BOOST_TEST(answers(2));
    second_may_go.count_down();
    finish();
    BOOST_TEST(answered == 4);
}

BOOST_AUTO_TEST_SUITE_END()

// Texts are analysed before the write lock is taken, once, and as the caller read them.
#include "store_fixture.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <future>
#include <memory>

using namespace engram;
using namespace engram::store::test;
using namespace std::chrono_literals;
using engram::store::conversation;
using engram::store::role;
using engram::store::text_kind;

namespace {

struct fixture {
    temporary_folder folder;
    std::string path = folder.file("engram.db");
    watched_index index;
    opened_store db{options_for(path), &index};
    conversation of{"ada", "s1"};
    std::vector<std::string> analysed;
    int locked = 0;

    fixture() {
        index.on_entry = [this](std::string_view text, text_kind) {
            analysed.emplace_back(text);
            try {
                store::connection other(path, store::connection::access::read_write, 0ms);
                other.execute("BEGIN IMMEDIATE; ROLLBACK");
            } catch (store::sqlite_error const&) {
                ++locked;
            }
        };
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(store_text_analysis, fixture)

BOOST_AUTO_TEST_CASE(others_may_write_while_texts_are_analysed) {
    for (int i = 0; i < 10; ++i)
        db.get(db->commit_exchange(
            exchange_of(of, job("j" + std::to_string(i)), {{"fact", "memory " + std::to_string(i)}})));
    BOOST_TEST(analysed.size() == 30u);
    auto const added = db.get(db->add_memory("ada", {"fact", "added"}, at()));
    store::memory_change change{.id = added.now.what.id, .content = "changed", .type = {}, .pinned = {}};
    BOOST_REQUIRE(db.get(db->change_memory("ada", change, at())).has_value());
    auto const task = db.get(db->claim_summary({of, 20, 6, "me", 60s, at()}));
    BOOST_REQUIRE(task.has_value());
    BOOST_TEST(db.get(db->commit_summary(*task, "they talked", false, at())));
    auto claimed = db.get(db->claim_consolidation(1, {}, at(), at(60)));
    BOOST_REQUIRE(claimed.has_value());
    auto const& known = claimed->memories;
    store::consolidation_step const merge{{known[0].what.id, known[1].what.id}, 0, "fact", "merged"};
    BOOST_TEST(db.get(db->commit_consolidation(*claimed, {merge}, at())).value() == 2u);
    BOOST_TEST(analysed.size() == 34u);
    BOOST_TEST(locked == 0);
}

BOOST_AUTO_TEST_CASE(a_transaction_that_is_repeated_analyses_nothing_again) {
    int tried = 0;
    auto what = exchange_of(of, job("good"), {{"fact", "likes tea"}});
    what.compose_reply = [&tried](auto const&) {
        ++tried;
        return std::string("reply");
    };
    auto bad = exchange_of(of, job("bad"));
    bad.compose_reply = [](auto const&) -> std::string { throw std::runtime_error("no reply"); };
    // One batch: both are there before the loop gives the writer time to look.
    auto held = std::make_shared<std::promise<void>>();
    auto entered = std::make_shared<std::promise<void>>();
    auto gate = exchange_of(of, job("gate"));
    gate.compose_reply = [opened = held->get_future().share(), entered](auto const&) {
        entered->set_value();
        opened.wait();
        return std::string("gate");
    };
    std::vector<std::future<store::result<store::commit_outcome>>> answers;
    auto const start = [&](store::exchange one) {
        answers.push_back(
            boost::asio::co_spawn(db.loop(), db->commit_exchange(std::move(one)), boost::asio::use_future));
        db.loop().restart();
        db.loop().poll();
    };
    start(std::move(gate));
    entered->get_future().wait();
    start(std::move(what));
    start(std::move(bad));
    held->set_value();
    db.loop().restart();
    db.loop().run();
    BOOST_TEST(answers[1].get().has_value());
    BOOST_TEST(answers[2].get().has_error());
    BOOST_TEST(tried == 2);
    for (auto const& text : {"question good", "answer good", "likes tea", "question bad", "answer bad"})
        BOOST_TEST(std::ranges::count(analysed, text) == 1, text);
    // It is in the index once, with its right place.
    auto const found = db.get(db->find("ada", {"good tea", 10, {}, {}}, {}, at()));
    BOOST_TEST(found.turns.size() == 2u);
    BOOST_TEST(found.memories.size() == 1u);
}

BOOST_AUTO_TEST_CASE(an_answer_is_made_findable_by_what_the_caller_read_in_it) {
    std::vector<std::pair<std::string, text_kind>> seen;
    index.on_entry = [&seen](std::string_view text, text_kind kind) { seen.emplace_back(text, kind); };
    auto what = exchange_of(of, job("j1"));
    what.turns = {{role::user, "hello"}, {role::assistant, "Hi. [MEMORY: fact|secret]", "Hi."}};
    db.get(db->commit_exchange(what));
    BOOST_REQUIRE(seen.size() == 2u);
    BOOST_TEST((seen[0] == std::pair(std::string("hello"), text_kind::user_turn)));
    BOOST_TEST((seen[1] == std::pair(std::string("Hi."), text_kind::assistant_said)));
    BOOST_TEST(db.get(db->find("ada", {"secret", 10, {}, {}}, {}, at())).turns.empty());
    // What is kept is the answer as it was written.
    BOOST_TEST(db.get(db->load_context(query_of(of))).turns.at(1).content == what.turns[1].content);
    // Whoever did not read it leaves that to the index.
    what = exchange_of(of, job("j2"));
    db.get(db->commit_exchange(what));
    BOOST_TEST((seen.at(3) == std::pair(std::string("answer j2"), text_kind::assistant_turn)));
}

BOOST_AUTO_TEST_CASE(a_text_that_cannot_be_analysed_fails_alone_and_before_the_transaction) {
    index.on_entry = [](std::string_view text, text_kind) {
        if (text == "answer bad") throw std::runtime_error("no entry");
    };
    auto const why = db.fail(db->commit_exchange(exchange_of(of, job("bad"))));
    BOOST_TEST((why.kind == store::error_kind::internal));
    BOOST_TEST(db.get(db->commit_exchange(exchange_of(of, job("good")))).committed);
    BOOST_TEST(number(path, "SELECT count(*) FROM conversation_history") == 2);
}

BOOST_AUTO_TEST_SUITE_END()

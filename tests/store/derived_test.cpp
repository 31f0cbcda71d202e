// What was written by somebody who had read a text goes with it.
#include "sqlite/raw_files.hpp"
#include "store_fixture.hpp"

#include <boost/test/unit_test.hpp>

using namespace engram;
using namespace engram::store::test;
using namespace std::chrono_literals;

namespace {

struct fixture {
    temporary_folder folder;
    std::string path = folder.file("engram.db");
    opened_store db{options_for(path)};
    store::conversation of{"ada", "s1"};
    int jobs = 0;

    std::int64_t tell() {
        auto what = exchange_of(of, job("told"), {{"fact", "has a factqq"}});
        what.turns[0].content = "questionqq";
        BOOST_REQUIRE(db.get(db->commit_exchange(what)).committed);
        return number(path, "SELECT id FROM long_term_memory WHERE content = 'has a factqq'");
    }
    void summarize(std::string const& text, bool delete_turns) {
        for (int n = 0; n < 10; ++n)
            db.get(db->commit_exchange(exchange_of(of, job("fill" + std::to_string(jobs++)))));
        auto const task = db.get(db->claim_summary({of, 20, 6, "me", 60s, at()}));
        BOOST_REQUIRE(task.has_value());
        BOOST_REQUIRE(db.get(db->commit_summary(*task, text, delete_turns, at())));
    }
    std::int64_t summaries() {
        return number(path, "SELECT count(*) FROM long_term_memory WHERE memory_type = 'summary'");
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(store_derived, fixture)

BOOST_AUTO_TEST_CASE(summaries_that_were_written_knowing_one_that_goes_go_too) {
    summarize("before it was told", false);
    auto const id = tell();
    summarize("of itqq", false);
    summarize("knowing of itqq", false);
    BOOST_TEST(summaries() == 3);
    auto const gone = db.get(db->delete_memory(of.user_id, id, at()));
    BOOST_TEST(gone->counts.summaries == 2u);
    BOOST_TEST(summaries() == 1);
    BOOST_TEST(!stands_in_files(path, "itqq"));
    BOOST_TEST(stands_in_files(path, "before it was told"));
    BOOST_TEST(db.get(db->find_due_sessions(20, at(100), 10)).size() == 1u);
}

BOOST_AUTO_TEST_CASE(where_summarized_turns_are_deleted_any_summary_of_the_session_may_tell_of_it) {
    auto const id = tell();
    summarize("of itqq", true);
    db.get(db->commit_exchange(exchange_of({"ada", "s2"}, job("other"))));
    auto const gone = db.get(db->delete_memory(of.user_id, id, at()));
    BOOST_TEST(gone->counts.summaries == 1u);
    BOOST_TEST(summaries() == 0);
    BOOST_TEST(!stands_in_files(path, "itqq"));
}

BOOST_AUTO_TEST_CASE(a_changed_memory_lives_no_longer_than_it_was_to) {
    store::new_memory const first{.type = "mood", .content = "is tired", .lifetime = 100s};
    auto const told = db.get(db->add_memory("ada", first, at()));
    auto what = exchange_of(of, job("change"));
    what.memories = {{.type = {},
                      .content = "is wide awake",
                      .what = store::new_memory::kind::update,
                      .label = told.now.what.label}};
    BOOST_REQUIRE(db.get(db->commit_exchange(what)).committed);
    auto const list = db.get(db->list_memories("ada", {}, false, {}, at()));
    BOOST_REQUIRE(list.items.size() == 1u);
    BOOST_TEST(list.items[0].what.content == "is wide awake");
    BOOST_TEST(list.items[0].expires_at == told.now.expires_at);
    BOOST_TEST(!told.now.expires_at.empty());
}

BOOST_AUTO_TEST_SUITE_END()

// What is deleted is gone from every file of the database, and nothing that was under way brings it back.
#include "sqlite/raw_files.hpp"
#include "store_fixture.hpp"

#include <boost/test/unit_test.hpp>

#include <array>

using namespace engram;
using namespace engram::store::test;
using namespace std::chrono_literals;
using engram::store::conversation;
using staleness = engram::store::commit_outcome::staleness;

namespace {

struct fixture {
    temporary_folder folder;
    std::string path = folder.file("engram.db");
    opened_store db{options_for(path)};
    conversation of{"adaqq", "s1"};
    int jobs = 0;

    // The reply is JSON that repeats what was answered.
    store::exchange make(conversation const& where, std::string const& question, std::string const& answer,
                         std::vector<store::new_memory> notes = {}) {
        auto what = exchange_of(where, job("job" + where.user_id + std::to_string(jobs++)), std::move(notes));
        what.turns[0].content = question;
        what.turns[1].content = answer;
        what.compose_reply = [answer](auto const&) { return R"({"status":"ok","reply":")" + answer + "\"}"; };
        return what;
    }
    void say(conversation const& where, std::string const& question, std::string const& answer,
             std::vector<store::new_memory> notes = {}) {
        BOOST_REQUIRE(db.get(db->commit_exchange(make(where, question, answer, std::move(notes)))).committed);
    }
    void summarize(std::string const& text) {
        auto const task = db.get(db->claim_summary({of, 20, 6, "me", 60s, at()}));
        BOOST_REQUIRE(task.has_value());
        BOOST_REQUIRE(db.get(db->commit_summary(*task, text, false, at())));
    }
    void embed() {
        std::vector<store::embedded> vectors;
        for (auto const& one : db.get(db->find_unembedded("m", 1000)))
            vectors.push_back({one, "vec"});
        db.get(db->store_vectors("m", vectors));
    }
    std::int64_t memory(std::string const& content) {
        return number(path, "SELECT id FROM long_term_memory WHERE content = '" + content + "'");
    }
    store::context context(conversation const& where, std::string const& job_id = "none") {
        auto query = query_of(where, job_id);
        return db.get(db->load_context(query));
    }
    std::int64_t window() {
        return number(path, "SELECT window_turns FROM engram_session WHERE user_id = 'adaqq'");
    }

    // A fact of two versions in a session whose turns are summarized, each text with a word of its own.
    std::int64_t tell_much() {
        say(of, "questionqq", "answerqq", {{"fact", "factqq one"}});
        auto const id = memory("factqq one");
        say(of, "changeqq", "changedqq",
            {{.type = {}, .content = "factqqtwo", .what = store::new_memory::kind::update, .label = 1}});
        fill(db, of, 16);
        summarize("summaryqq of all");
        embed();
        return id;
    }
};

constexpr std::array told{"questionqq", "answerqq", "factqq", "changeqq", "changedqq", "summaryqq"};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(store_erasing, fixture)

BOOST_AUTO_TEST_CASE(a_deleted_memory_leaves_no_word_in_any_file) {
    say({"bob", "s1"}, "keepqq", "fine", {{"fact", "keepqq fact"}});
    auto const id = tell_much();
    auto const bob = dump_of(path, "bob");
    for (std::string const word : told)
        BOOST_TEST(stands_in_files(path, word), word);
    BOOST_TEST(window() == 6);

    auto const gone = db.get(db->delete_memory(of.user_id, id, at()));
    BOOST_REQUIRE(gone.has_value());
    for (std::string const word : told)
        BOOST_TEST(!stands_in_files(path, word), word);
    BOOST_TEST(gone->counts.memories == 3u);  // two versions and the summary
    BOOST_TEST(gone->counts.turns == 4u);
    BOOST_TEST(gone->counts.summaries == 1u);
    BOOST_TEST(gone->counts.index_entries == 4u);
    BOOST_TEST(gone->counts.vectors == 4u);
    BOOST_TEST(gone->counts.replies == 2u);
    BOOST_TEST(gone->job_ids.size() == 2u);
    BOOST_TEST(gone->reply_keys.at(0).starts_with("reply:job"));
    BOOST_TEST(stands_in_files(path, "keepqq"));
    BOOST_TEST(dump_of(path, "bob") == bob);
    db.get(db->settle_erasure(gone->pending, store::erasure_state::done, at()));
    BOOST_TEST(!db.get(db->delete_memory(of.user_id, id, at())).has_value());
}

BOOST_AUTO_TEST_CASE(what_else_a_removed_summary_stood_for_is_in_the_window_again_and_due) {
    auto const id = tell_much();
    BOOST_TEST(db.get(db->find_due_sessions(16, at(100), 10)).empty());
    db.get(db->delete_memory(of.user_id, id, at()));
    BOOST_TEST(window() == 16);
    BOOST_TEST(context(of).turns.size() == 16u);
    BOOST_TEST(context(of).turns.front().content == "question f-adaqq-s1-0");
    BOOST_TEST(db.get(db->find_due_sessions(16, at(100), 10)).size() == 1u);
    // The blank turns keep their place in the history.
    auto const history = db.get(db->read_session(of, {{}, 100}));
    BOOST_REQUIRE(history->items.size() == 20u);
    BOOST_TEST(history->items[0].what.content.empty());
    BOOST_TEST(history->items[4].what.content == "question f-adaqq-s1-0");
    auto const task = db.get(db->claim_summary({of, 16, 6, "me", 60s, at(100)}));
    BOOST_REQUIRE(task.has_value());
    BOOST_TEST(task->turns.size() == 10u);
    BOOST_TEST(task->earlier_summaries.empty());
}

BOOST_AUTO_TEST_CASE(a_summary_that_was_corrected_goes_with_all_its_versions) {
    auto const id = tell_much();
    auto const old = memory("summaryqq of all");
    BOOST_REQUIRE(
        db.get(db->change_memory(of.user_id, {.id = old, .content = "correctedqq", .type = {}, .pinned = {}},
                                 at()))
            .has_value());
    db.get(db->delete_memory(of.user_id, id, at()));
    BOOST_TEST(!stands_in_files(path, "correctedqq"));
    BOOST_TEST(!stands_in_files(path, "summaryqq"));
}

BOOST_AUTO_TEST_CASE(a_corrected_summary_is_the_only_one_that_the_next_one_is_told_of) {
    fill(db, of, 20);
    summarize("wrong");
    auto const old = memory("wrong");
    db.get(db->change_memory(of.user_id, {.id = old, .content = "right", .type = {}, .pinned = {}}, at()));
    fill(db, of, 20, "more");
    auto const task = db.get(db->claim_summary({of, 20, 6, "me", 60s, at(100)}));
    BOOST_REQUIRE(task.has_value());
    BOOST_REQUIRE(task->earlier_summaries.size() == 1u);
    BOOST_TEST(task->earlier_summaries[0] == "right");
}

BOOST_AUTO_TEST_CASE(the_same_words_go_from_other_answers_and_replies_in_whatever_escape) {
    std::string const fact = "likes \"Z\xC3\xA4her Kaffee\" qqmarker\tin the\\morning";
    std::string const in_json = "likes \\\"Z\xC3\xA4her Kaffee\\\" qqmarker\\tin the\\\\morning";
    db.get(db->add_memory(of.user_id, {"fact", fact}, at()));
    auto what = make({of.user_id, "s2"}, "what do I like?", "You " + fact + ", I think.");
    what.compose_reply = [in_json](auto const&) {
        return R"({"status":"ok","reply":"You )" + in_json + R"(, I think.","attempts":1})";
    };
    db.get(db->commit_exchange(what));
    auto const gone = db.get(db->delete_memory(of.user_id, memory(fact), at()));
    BOOST_REQUIRE(gone.has_value());
    BOOST_TEST(!stands_in_files(path, "qqmarker"));
    BOOST_TEST(gone->counts.turns == 1u);
    BOOST_TEST(gone->counts.replies == 1u);
    BOOST_TEST(context({of.user_id, "s2"}).turns.at(1).content == "You , I think.");
    auto const reply = context({of.user_id, "s2"}, what.job.job_id).recorded->reply;
    BOOST_TEST(reply.find("\"attempts\":1") != std::string::npos, reply);
    BOOST_TEST(reply.find("\"reply\":\"\"") != std::string::npos, reply);
}

BOOST_AUTO_TEST_CASE(errors_of_its_jobs_and_those_that_quote_it_lose_their_message) {
    std::string const fact = "owns the \"qqboat\" of the town";
    auto const fail = [&](std::string const& ticket, std::string const& job_id, std::string const& user,
                          std::string const& reply) {
        auto what = failure_of(job(job_id, ticket), reply);
        what.user_id = user;
        db.get(db->record_failure(what));
    };
    auto const now_says = [&](std::string const& ticket, std::string const& reply) {
        return number(path, "SELECT count(*) FROM engram_failed_delivery WHERE ticket = '" + ticket +
                                "' AND reply = '" + reply + "'") == 1;
    };
    auto const error = [](std::string const& message) {
        return R"({"id":"x","error":{"type":"claude_rejected","message":")" + message + R"("},"attempts":1})";
    };
    auto const quote = error(R"(no: owns the \"qqboat\" of the town)");
    fail("t1", "jobadaqq0", of.user_id, error("not this: askedqq"));
    fail("t2", "another", of.user_id, quote);
    fail("t3", "jobadaqq0", of.user_id, "askedqq");
    fail("t4", "beside", of.user_id, error("keepqq"));
    fail("t5", "jobadaqq0", "bob", quote);
    say(of, "askedqq", "answerqq", {{"fact", fact}});
    db.get(db->delete_memory(of.user_id, memory(fact), at()));
    BOOST_TEST(!stands_in_files(path, "askedqq"));
    BOOST_TEST(now_says("t1", error("")));
    BOOST_TEST(now_says("t2", error("")));
    BOOST_TEST(now_says("t3", ""));
    BOOST_TEST(now_says("t4", error("keepqq")));
    BOOST_TEST(now_says("t5", quote));
}

BOOST_AUTO_TEST_CASE(errors_of_the_jobs_of_a_deleted_session_lose_their_message) {
    auto failed = failure_of(job("jobadaqq0", "t1"), R"({"error":{"message":"not this: askedqq"}})");
    failed.user_id = of.user_id;
    db.get(db->record_failure(failed));
    say(of, "askedqq", "answerqq");
    db.get(db->delete_session(of, false, at()));
    BOOST_TEST(!stands_in_files(path, "askedqq"));
}

BOOST_AUTO_TEST_CASE(a_deleted_session_goes_with_its_summaries_and_keeps_its_facts_unless_asked) {
    tell_much();
    say({of.user_id, "s2"}, "otherqq", "fine");
    auto const gone = db.get(db->delete_session(of, false, at()));
    BOOST_REQUIRE(gone.has_value());
    for (std::string const word : {"questionqq", "answerqq", "changeqq", "summaryqq"})
        BOOST_TEST(!stands_in_files(path, word), word);
    BOOST_TEST(gone->counts.sessions == 1u);
    BOOST_TEST(gone->counts.turns == 20u);
    BOOST_TEST(gone->counts.summaries == 1u);
    BOOST_TEST(gone->counts.memories == 1u);
    BOOST_TEST(gone->counts.replies == 10u);
    BOOST_TEST(!db.get(db->read_session(of, {})).has_value());
    BOOST_TEST(context(of).memories.size() == 1u);
    BOOST_TEST(context({of.user_id, "s2"}).turns.size() == 2u);
    db.get(db->settle_erasure(gone->pending, store::erasure_state::done, at()));
    BOOST_TEST(!db.get(db->delete_session(of, true, at())).has_value());
}

BOOST_AUTO_TEST_CASE(a_session_deleted_with_what_was_learnt_there_leaves_nothing_of_it) {
    tell_much();
    say({of.user_id, "s2"}, "otherqq", "fine", {{"fact", "elsewhereqq"}});
    auto const gone = db.get(db->delete_session(of, true, at()));
    BOOST_REQUIRE(gone.has_value());
    for (std::string const word : told)
        BOOST_TEST(!stands_in_files(path, word), word);
    BOOST_TEST(gone->counts.memories == 3u);
    BOOST_REQUIRE(context(of).memories.size() == 1u);
    BOOST_TEST(context(of).memories[0].content == "elsewhereqq");
}

BOOST_AUTO_TEST_CASE(a_forgotten_user_leaves_no_word_and_no_name) {
    say({"bob", "s1"}, "keepqq", "fine", {{"fact", "keepqq fact"}});
    tell_much();
    auto const bob = dump_of(path, "bob");
    auto failed = failure_of(job("bad", "ticket"), R"({"user_id":"adaqq"})");
    failed.user_id = of.user_id;
    db.get(db->record_failure(failed));
    auto const gone = db.get(db->forget_user(of.user_id, store::finished_jobs::remove, at(7)));
    for (std::string const word : told)
        BOOST_TEST(!stands_in_files(path, word), word);
    BOOST_TEST(!stands_in_files(path, "adaqq"));
    BOOST_TEST(!stands_in_files(path, "question f"));
    BOOST_TEST(gone.counts.memories == 3u);
    BOOST_TEST(gone.counts.turns == 20u);
    BOOST_TEST(gone.counts.sessions == 1u);
    BOOST_TEST(gone.counts.replies == 10u);
    BOOST_TEST(gone.counts.index_entries == 12u);
    BOOST_TEST(gone.counts.vectors == 12u);
    BOOST_TEST(gone.reply_keys.size() == 10u);
    BOOST_TEST(dump_of(path, "bob") == bob);
    BOOST_TEST((context(of).forgotten_at == at(7)));
    // Again, and somebody who was never here.
    for (std::string const user : {"adaqq", "nobodyqq"}) {
        auto const none = db.get(db->forget_user(user, store::finished_jobs::remove, at(9))).counts;
        BOOST_TEST(none.memories + none.turns + none.sessions + none.replies + none.index_entries == 0u);
        BOOST_TEST((context({user, "s1"}).forgotten_at == at(9)));
    }
    BOOST_TEST(!stands_in_files(path, "nobodyqq"));
    // He may come back, as a stranger.
    auto what = make(of, "hello", "hi", {{"fact", "is back"}});
    what.seen = context(of).seen;
    BOOST_TEST(db.get(db->commit_exchange(what)).committed);
    BOOST_TEST(context(of).memories.size() == 1u);
}

BOOST_AUTO_TEST_CASE(the_replies_of_a_forgotten_user_are_named_until_his_jobs_are_to_be_removed) {
    using store::finished_jobs;
    tell_much();
    auto const first = db.get(db->forget_user(of.user_id, finished_jobs::keep, at()));
    BOOST_TEST(first.reply_keys.size() == 10u);
    BOOST_TEST(first.counts.replies == 10u);
    for (std::string const word : told)
        BOOST_TEST(!stands_in_files(path, word), word);
    auto late = make(of, "lateqq", "late answerqq");
    late.seen = context(of).seen;
    BOOST_REQUIRE(db.get(db->commit_exchange(late)).committed);
    auto const again = db.get(db->forget_user(of.user_id, finished_jobs::keep, at()));
    BOOST_TEST(again.reply_keys.size() == 11u);
    BOOST_TEST(again.counts.replies == 1u);
    BOOST_TEST(!stands_in_files(path, "answerqq"));
    auto const last = db.get(db->forget_user(of.user_id, finished_jobs::remove, at()));
    BOOST_TEST(last.job_ids.size() == 11u);
    BOOST_TEST(last.counts.replies == 0u);
    BOOST_TEST(!stands_in_files(path, "adaqq"));
    BOOST_TEST(db.get(db->forget_user(of.user_id, finished_jobs::remove, at())).reply_keys.empty());
}

BOOST_AUTO_TEST_CASE(labels_begin_anew_after_a_forgetting_and_places_in_the_index_do_not) {
    tell_much();
    embed();
    auto const places = number(path, "SELECT next_item FROM engram_user");
    db.get(db->forget_user(of.user_id, store::finished_jobs::remove, at()));
    auto what = make(of, "hello", "hi", {{"fact", "is back"}});
    what.seen = context(of).seen;
    db.get(db->commit_exchange(what));
    BOOST_TEST(context(of).memories.at(0).label == 1);
    BOOST_TEST(number(path, "SELECT min(item) FROM conversation_history") == places);
}

BOOST_AUTO_TEST_CASE(what_was_under_way_when_something_was_deleted_is_refused) {
    auto const id = tell_much();
    fill(db, of, 20, "more");
    auto late = make(of, "late", "answerqq again");
    late.seen = context(of).seen;
    auto const summary = db.get(db->claim_summary({of, 20, 6, "me", 60s, at(100)}));
    auto const tidying = db.get(db->claim_consolidation(1, at(), at(), at(60)));
    BOOST_REQUIRE(summary.has_value());
    BOOST_REQUIRE(tidying.has_value());
    db.get(db->delete_memory(of.user_id, id, at()));
    auto const before = dump_of(path, of.user_id);
    auto const refused = db.get(db->commit_exchange(late));
    BOOST_TEST(!refused.committed);
    BOOST_TEST((refused.stale == staleness::deletion));
    BOOST_TEST(!db.get(db->commit_summary(*summary, "answerqq", false, at())));
    BOOST_TEST(!db.get(db->commit_consolidation(*tidying, {{{}, 0, "fact", "factqq"}}, at())).has_value());
    BOOST_TEST(dump_of(path, of.user_id) == before);
    // What reads anew may write.
    late.seen = context(of).seen;
    BOOST_TEST(db.get(db->commit_exchange(late)).committed);
}

BOOST_AUTO_TEST_CASE(what_was_under_way_when_a_user_was_forgotten_is_refused) {
    tell_much();
    auto late = make(of, "late", "answerqq again");
    late.seen = context(of).seen;
    auto failed = failure_of(job("late2", "t2"), "adaqq failed");
    failed.user_id = of.user_id;
    failed.seen = late.seen;
    db.get(db->forget_user(of.user_id, store::finished_jobs::remove, at()));
    BOOST_TEST((db.get(db->commit_exchange(late)).stale == staleness::forget));
    BOOST_TEST(db.get(db->record_failure(failed)).reply == "adaqq failed");
    BOOST_TEST(!stands_in_files(path, "adaqq"));
    BOOST_TEST(number(path, "SELECT count(*) FROM engram_failed_delivery") == 0);
    // Of a deletion alone a failure is recorded.
    failed.seen = context(of).seen;
    auto const other = db.get(db->add_memory(of.user_id, {"fact", "x"}, at())).now.what.id;
    db.get(db->delete_memory(of.user_id, other, at()));
    db.get(db->record_failure(failed));
    BOOST_TEST(number(path, "SELECT count(*) FROM engram_failed_delivery") == 1);
}

BOOST_AUTO_TEST_CASE(a_repeat_of_an_erased_job_gets_its_blank_outcome_and_brings_nothing_back) {
    auto const what = make(of, "questionqq", "answerqq", {{"fact", "factqq"}});
    db.get(db->commit_exchange(what));
    db.get(db->delete_memory(of.user_id, memory("factqq"), at()));
    auto query = query_of(of);
    query.job = what.job;
    auto const recorded = db.get(db->load_context(query)).recorded;
    BOOST_REQUIRE(recorded.has_value());
    BOOST_TEST(recorded->ok);
    BOOST_TEST(recorded->reply == R"({"status":"ok","reply":"","memories":[]})");
    auto const again = db.get(db->commit_exchange(what));
    BOOST_TEST(!again.committed);
    BOOST_TEST(again.outcome.reply == recorded->reply);
    BOOST_TEST(!stands_in_files(path, "qq one"));
    BOOST_TEST(!stands_in_files(path, "answerqq"));
    BOOST_TEST(context(of).memories.empty());
}

BOOST_AUTO_TEST_SUITE_END()

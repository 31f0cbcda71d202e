// What time the model is told, and how much of its notes is looked at.
#include "workers/chat/chat_turn.hpp"
#include "workers/turn_fixture.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <boost/test/unit_test.hpp>

#include <chrono>
#include <string>
#include <vector>

namespace {

namespace json = boost::json;
using namespace engram;

struct fixture : test::turn_fixture {
    fixture() : test::turn_fixture({}, {}) {}

    static std::string in_zone(std::string const& zone) {
        return R"({"id":"1","user_id":"u","session_id":"s","message":"hello","timezone":)" + zone + "}";
    }

    // The blocks of the last message that the model was sent.
    std::vector<std::string> last_blocks() {
        std::vector<std::string> texts;
        for (auto const& block : claude.asked.back().messages.back().content)
            texts.emplace_back(block.text());
        return texts;
    }

    json::object answered(std::string body = test::job) {
        return json::parse(answer_well(std::move(body)).reply).as_object();
    }

    std::vector<store::new_memory> const& notes() {
        BOOST_REQUIRE_EQUAL(store.exchanges.size(), 1u);
        return store.exchanges.back().memories;
    }
};

std::string notes_of(int number) {
    std::string text = "Ok.";
    for (int i = 0; i < number; ++i)
        text += "\n[MEMORY: fact|Owns item " + std::to_string(i) + "]";
    return text;
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(chat_turn_time_and_limits, fixture)

BOOST_AUTO_TEST_CASE(the_model_is_told_the_time_in_a_block_of_its_own_before_the_message) {
    answer_well();
    auto const blocks = last_blocks();
    BOOST_REQUIRE_EQUAL(blocks.size(), 2u);
    BOOST_TEST(blocks[0] == "Now: Friday, 2027-01-15, 08:00 (UTC)");
    BOOST_TEST(blocks[1] == "hello");
    BOOST_TEST(store.exchanges.back().turns[0].content == "hello");
}

BOOST_AUTO_TEST_CASE(what_was_found_stands_between_the_time_and_the_message) {
    store.context.turns = {{1, store::role::user, "a"}, {2, store::role::assistant, "b"}};
    store.context.found_turns = {{{5, store::role::user, "I sail"}, "earlier", "2026-03-01 10:00:00", 1, ""}};
    answer_well();
    auto const blocks = last_blocks();
    BOOST_REQUIRE_EQUAL(blocks.size(), 3u);
    BOOST_TEST(blocks[0].starts_with("Now: "));
    BOOST_TEST(blocks[1].starts_with("<recalled>"));
    auto const& messages = claude.asked.back().messages;
    BOOST_TEST(messages[1].content.back().cache_breakpoint);
    for (auto const& block : messages[2].content)
        BOOST_TEST(!block.cache_breakpoint);
}

BOOST_AUTO_TEST_CASE(the_time_is_that_of_the_jobs_zone) {
    answer_well(in_zone(R"("Asia/Kolkata")"));
    BOOST_TEST(last_blocks()[0] == "Now: Friday, 2027-01-15, 13:30 (Asia/Kolkata, UTC+05:30)");
}

BOOST_AUTO_TEST_CASE(without_one_it_is_that_of_the_configured_zone) {
    workers::chat_options options;
    options.timezone = "America/New_York";
    turn.set_options(options);
    answer_well(in_zone("null"));
    BOOST_TEST(last_blocks()[0] == "Now: Friday, 2027-01-15, 03:00 (America/New_York, UTC-05:00)");
}

BOOST_AUTO_TEST_CASE(the_time_goes_on) {
    answer_well();
    store.finished.clear();
    clock.advance(std::chrono::minutes(17 * 60));
    answer_well();
    BOOST_TEST(last_blocks()[0] == "Now: Saturday, 2027-01-16, 01:00 (UTC)");
}

BOOST_AUTO_TEST_CASE(an_unknown_zone_is_an_invalid_job_and_the_model_is_not_asked) {
    for (auto const* zone : {R"("Mars/Olympus")", R"("../../etc/passwd")", R"("/etc/localtime")"}) {
        store.failed.clear();
        auto const outcome = answer(in_zone(zone));
        BOOST_TEST(test::error_of(outcome) == "invalid_job");
        BOOST_TEST(outcome->dead->message.find("timezone must be the IANA name") == 0u);
    }
    BOOST_TEST(claude.asked.empty());
    BOOST_TEST(store.exchanges.empty());
}

BOOST_AUTO_TEST_CASE(a_configured_zone_that_has_gone_since_becomes_utc) {
    workers::chat_options options;
    options.timezone = "Mars/Olympus";
    turn.set_options(options);
    answer_well();
    BOOST_TEST(last_blocks()[0] == "Now: Friday, 2027-01-15, 08:00 (UTC)");
}

BOOST_AUTO_TEST_CASE(of_a_cut_answer_whole_notes_count_and_the_reply_says_so) {
    claude.will_say("Ok.\n[MEMORY: fact|Has a dog]\n[MEMORY: fact|The dog is call", "max_tokens");
    auto const reply = answered();
    BOOST_TEST(reply.at("reply").as_string() == "Ok.");
    BOOST_TEST(reply.at("notes").as_string() == "cut");
    BOOST_REQUIRE_EQUAL(notes().size(), 1u);
    BOOST_TEST(notes()[0].content == "Has a dog");
    BOOST_TEST(turn.counts().cut == 1u);
}

BOOST_AUTO_TEST_CASE(an_answer_that_is_not_cut_says_nothing_of_it) {
    claude.will_say("Ok.\n[MEMORY: fact|Has a dog]");
    BOOST_TEST(!answered().contains("notes"));
    BOOST_TEST(turn.counts().cut == 0u);
}

BOOST_AUTO_TEST_CASE(of_thousands_of_notes_only_the_first_reach_the_store) {
    claude.will_say(notes_of(5'000));
    BOOST_TEST(answered().at("reply").as_string() == "Ok.");
    BOOST_TEST(notes().size() == 20u);
    BOOST_TEST(notes().back().content == "Owns item 19");
    BOOST_TEST(turn.counts().too_many == 4'980u);
    BOOST_TEST(turn.counts().too_long == 0u);
}

BOOST_AUTO_TEST_CASE(a_note_that_is_too_long_does_not_reach_the_store) {
    claude.will_say("Ok.\n[MEMORY: fact|" + std::string(100'000, 'x') + "]\n[MEMORY: fact|" +
                    std::string(2'000, 'y') + "]\n[MEMORY: fact|" + std::string(2'001, 'z') + "]");
    BOOST_TEST(answered().at("reply").as_string() == "Ok.");
    BOOST_REQUIRE_EQUAL(notes().size(), 1u);
    BOOST_TEST(notes()[0].content == std::string(2'000, 'y'));
    BOOST_TEST(turn.counts().too_long == 2u);
}

BOOST_AUTO_TEST_SUITE_END()

// What becomes of the model's notes.
#include "workers/chat/chat_turn.hpp"
#include "workers/turn_fixture.hpp"

#include <boost/asio/post.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <boost/test/unit_test.hpp>

#include <chrono>
#include <cstdio>
#include <memory>
#include <string>
#include <unistd.h>
#include <utility>
#include <vector>

namespace {

namespace json = boost::json;
using namespace engram;
using note_kind = store::new_memory::kind;
using std::chrono::hours;

std::string saying(std::string const& message) {
    return json::serialize(
        json::value{{"id", "1"}, {"user_id", "u"}, {"session_id", "s"}, {"message", message}});
}

workers::chat_options with_categories() {
    workers::chat_options options;
    auto made = workers::categories::make(
        {{"project", "what the user builds", 3, hours(48)}, {"fact", "", 50, hours(0)}});
    BOOST_REQUIRE(made);
    options.types = std::move(*made);
    return options;
}

store::found_turn said_earlier(std::string text) {
    return {{5, store::role::user, std::move(text)}, "earlier", "2026-03-01 10:00:00", 1, ""};
}

store::found_turn answered_earlier(std::string text) {
    return {{6, store::role::assistant, std::move(text)}, "earlier", "2026-03-01 10:00:00", 1, ""};
}

// What this process writes to standard error while it lives.
class captured_errors {
public:
    captured_errors() : saved_(dup(STDERR_FILENO)), file_(std::tmpfile(), std::fclose) {
        BOOST_REQUIRE(saved_ >= 0 && file_);
        dup2(fileno(file_.get()), STDERR_FILENO);
    }
    ~captured_errors() {
        dup2(saved_, STDERR_FILENO);
        close(saved_);
    }
    captured_errors(captured_errors const&) = delete;
    captured_errors& operator=(captured_errors const&) = delete;

    [[nodiscard]] std::string text() const {
        std::rewind(file_.get());
        std::string all(65'536, '\0');
        all.resize(std::fread(all.data(), 1, all.size(), file_.get()));
        return all;
    }

private:
    int saved_;
    std::unique_ptr<std::FILE, int (*)(std::FILE*)> file_;
};

struct fixture : test::turn_fixture {
    fixture() : test::turn_fixture({}, with_categories()) {}

    // What the model's answer to `message` gave the store to note.
    std::vector<store::new_memory> notes_of(std::string text, std::string const& message = "hello") {
        claude.will_say(std::move(text));
        answer_well(saying(message));
        BOOST_REQUIRE_EQUAL(store.exchanges.size(), 1u);
        return store.exchanges.back().memories;
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(chat_turn_notes, fixture)

BOOST_AUTO_TEST_CASE(a_note_has_the_limits_of_its_category) {
    auto const notes = notes_of(
        "Ok.\n[MEMORY: project|Builds a boat]\n[MEMORY: preference|Likes tea]\n[MEMORY: hobby|Plays chess]");
    BOOST_REQUIRE_EQUAL(notes.size(), 3u);
    BOOST_TEST(notes[0].type == "project");
    BOOST_TEST(notes[0].most_of_type == 3u);
    BOOST_TEST(bool(notes[0].lifetime == hours(48)));
    BOOST_TEST(notes[1].type == "preference");
    BOOST_TEST(notes[1].most_of_type == 0u);
    BOOST_TEST(bool(notes[1].lifetime == hours(0)));
    // Of a type that is not known: a fact in every respect.
    BOOST_TEST(notes[2].type == "fact");
    BOOST_TEST(notes[2].most_of_type == 50u);
}

BOOST_AUTO_TEST_CASE(new_categories_hold_from_the_next_turn_on) {
    turn.set_options({});
    auto const notes = notes_of("Ok.\n[MEMORY: project|Builds a boat]");
    BOOST_REQUIRE_EQUAL(notes.size(), 1u);
    BOOST_TEST(notes[0].type == "fact");
    BOOST_TEST(notes[0].most_of_type == 0u);
}

BOOST_AUTO_TEST_CASE(changes_reach_the_store_in_the_order_in_which_they_were_noted) {
    store.context.memories = {{1, "fact", "Lives in Paris", "", "", 12}};
    store.context.found_memories = {{{2, "fact", "Has a dog", "", "", 7}, 1, ""}};
    auto const notes = notes_of(
        "Ok.\n[MEMORY: update #12|Lives in Rome]\n[MEMORY: fact|Has a cat]\n[MEMORY: forget #7]", "hello");
    BOOST_REQUIRE_EQUAL(notes.size(), 3u);
    BOOST_TEST(bool(notes[0].what == note_kind::update));
    BOOST_TEST(notes[0].label == 12);
    BOOST_TEST(notes[0].content == "Lives in Rome");
    BOOST_TEST(notes[0].type.empty());  // as it was
    BOOST_TEST(bool(notes[1].what == note_kind::add));
    BOOST_TEST(notes[1].label == 0);
    BOOST_TEST(bool(notes[2].what == note_kind::forget));
    BOOST_TEST(notes[2].label == 7);
    BOOST_TEST(notes[2].content.empty());
}

BOOST_AUTO_TEST_CASE(what_replaces_a_memory_has_the_limits_of_that_ones_category) {
    store.context.memories = {{1, "project", "Builds a boat", "", "", 12},
                              {5, "project", "Unlabelled", "", "", 0},
                              {2, "hobby", "Sails", "", "", 13}};
    store.context.found_memories = {{{3, "project", "Builds a shed", "", "", 4}, 1, ""}};
    auto const notes = notes_of(
        "Ok.\n[MEMORY: update #12|Builds a ship]\n[MEMORY: update #4|Builds a barn]\n"
        "[MEMORY: update #13|Rows]\n[MEMORY: update #99|Flies]\n[MEMORY: preference|Likes tea]");
    BOOST_REQUIRE_EQUAL(notes.size(), 4u);  // #99 was not shown
    for (std::size_t const i : {0, 1}) {
        BOOST_TEST(notes[i].most_of_type == 3u);
        BOOST_TEST(bool(notes[i].lifetime == hours(48)));
        BOOST_TEST(notes[i].type.empty());
    }
    for (std::size_t const i : {2, 3}) {
        BOOST_TEST(notes[i].most_of_type == 0u);
        BOOST_TEST(bool(notes[i].lifetime == hours(0)));
    }
}

BOOST_AUTO_TEST_CASE(the_reply_says_what_became_of_each_note_and_is_clean) {
    store.context.memories = {{1, "fact", "Lives in Paris", "", "", 12}, {2, "fact", "Has a dog", "", "", 7}};
    claude.will_say("Done.\n[MEMORY: update #12|Lives in Rome]\n[MEMORY: forget #7]");
    auto const reply = json::parse(answer_well().reply).as_object();
    BOOST_TEST(reply.at("reply").as_string() == "Done.");
    auto const& memories = reply.at("memories").as_array();
    BOOST_REQUIRE_EQUAL(memories.size(), 2u);
    BOOST_TEST(memories[0].at("action").as_string() == "updated");
    BOOST_TEST(memories[1].at("action").as_string() == "forgotten");
}

BOOST_AUTO_TEST_CASE(labels_that_the_user_does_not_have_are_logged_and_nothing_worse) {
    store.unknown_labels = 2;
    claude.will_say("Done.\n[MEMORY: update #98|Lives in Rome]\n[MEMORY: forget #99]");
    captured_errors const log;
    auto const outcome = answer_well();
    auto const written = log.text();
    BOOST_TEST(json::parse(outcome.reply).at("reply").as_string() == "Done.");
    BOOST_TEST(written.find("the model named memories that this user does not have") != std::string::npos);
    BOOST_TEST(written.find("notes=2") != std::string::npos, written);
    BOOST_TEST(written.find("Rome") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_note_was_told_if_the_message_speaks_of_it) {
    std::string const note = "[MEMORY: preference|The user loves green tea from Japan]";
    auto const told = notes_of("Ok.\n" + note, "I just love green tea, you know");
    BOOST_REQUIRE_EQUAL(told.size(), 1u);
    BOOST_TEST(told[0].told);
}

BOOST_AUTO_TEST_CASE(a_note_was_not_told_if_the_message_is_about_something_else) {
    auto const notes = notes_of("Ok.\n[MEMORY: preference|The user loves green tea from Japan]",
                                "What is the capital of Norway?");
    BOOST_REQUIRE_EQUAL(notes.size(), 1u);
    BOOST_TEST(!notes[0].told);
}

BOOST_AUTO_TEST_CASE(a_note_that_only_repeats_an_answer_that_was_recalled_is_not_kept) {
    store.context.found_turns = {answered_earlier("You adopted a beagle named Biscuit in March")};
    std::string const text =
        "Oslo.\n[MEMORY: fact|Adopted a beagle named Biscuit in March]\n[MEMORY: fact|Travels to Norway]";
    auto const notes = notes_of(text, "What is the capital of Norway?");
    BOOST_REQUIRE_EQUAL(notes.size(), 1u);
    BOOST_TEST(notes[0].content == "Travels to Norway");
    BOOST_TEST(store.exchanges[0].turns[1].content == text);  // as written, whatever became of its notes
}

BOOST_AUTO_TEST_CASE(what_the_user_said_before_is_kept_in_the_window_or_recalled) {
    std::string const fact = "adopted a beagle named Biscuit in March";
    auto const remembered = [&] {
        store.exchanges.clear();
        store.finished.clear();
        return notes_of("Ok.\n[MEMORY: fact|The user " + fact + "]", "Remember that, please!").size();
    };
    auto const answered = answered_earlier("The user " + fact);
    store.context.found_turns = {answered};
    BOOST_TEST(remembered() == 0u);
    store.context.found_turns = {said_earlier("I " + fact), answered};
    BOOST_TEST(remembered() == 1u);
    store.context.found_turns = {answered};
    store.context.turns = {{7, store::role::user, "I " + fact}, {8, store::role::assistant, "Nice."}};
    BOOST_TEST(remembered() == 1u);
    store.context.turns = {{7, store::role::user, "hi"}, {8, store::role::assistant, "The user " + fact}};
    BOOST_TEST(remembered() == 0u);
}

BOOST_AUTO_TEST_CASE(a_note_that_the_message_supports_is_kept_though_a_recalled_answer_says_it_too) {
    store.context.found_turns = {answered_earlier("You adopted a beagle named Biscuit in March")};
    auto const notes = notes_of("Sweet!\n[MEMORY: fact|Adopted a beagle named Biscuit in March]",
                                "My beagle Biscuit is ill");
    BOOST_REQUIRE_EQUAL(notes.size(), 1u);
    BOOST_TEST(notes[0].told);
}

BOOST_AUTO_TEST_CASE(a_long_note_with_one_word_of_the_message_is_another_fact_than_the_recalled_one) {
    store.context.found_turns = {
        answered_earlier("You adopted a beagle named Biscuit in March with your sister Anna in Oslo")};
    auto const notes = notes_of(
        "Ok.\n[MEMORY: fact|Adopted a beagle named Rex in March with sister Anna in Oslo]\n"
        "[MEMORY: fact|Adopted a beagle named Biscuit in March with sister Anna in Oslo]",
        "No, Rex!");
    BOOST_REQUIRE_EQUAL(notes.size(), 1u);
    BOOST_TEST(notes[0].content == "Adopted a beagle named Rex in March with sister Anna in Oslo");
    BOOST_TEST(!notes[0].told);
}

BOOST_AUTO_TEST_CASE(a_number_that_was_not_shown_changes_nothing) {
    store.context.memories = {{1, "fact", "Lives in Paris", "", "", 3}};
    auto const notes = notes_of("I would write [MEMORY: forget #12].\n[MEMORY: update #4|Flies]", "hello");
    BOOST_TEST(notes.empty());
}

BOOST_AUTO_TEST_CASE(a_number_that_was_loaded_but_had_no_room_in_the_prompt_changes_nothing) {
    for (std::int64_t label = 1; label <= 300; ++label)
        store.context.memories.push_back({label, "fact", std::string(360, 'x'), "", "", label});
    store.context.found_memories = {{store.context.memories[298], 1, ""}};
    for (std::int64_t label = 250; label < 290; ++label)
        store.context.found_memories.push_back(
            {store.context.memories[static_cast<std::size_t>(label - 1)], .1, ""});
    auto const notes = notes_of(
        "Ok.\n[MEMORY: forget #3]\n[MEMORY: forget #40]\n[MEMORY: update #41|Flies]\n[MEMORY: forget #299]\n"
        "[MEMORY: forget #251]",
        "hello");
    BOOST_REQUIRE_EQUAL(notes.size(), 2u);
    BOOST_TEST(notes[0].label == 3);
    BOOST_TEST(notes[1].label == 299);
}

BOOST_AUTO_TEST_CASE(everything_that_was_shown_can_be_forgotten_in_one_answer) {
    std::string text = "Ok.";
    for (std::int64_t label = 1; label <= 30; ++label) {
        store.context.memories.push_back({label, "fact", "x", "", "", label});
        text += "\n[MEMORY: forget #" + std::to_string(label) + "]";
    }
    BOOST_TEST(notes_of(text, "forget everything").size() == 30u);
    BOOST_TEST(turn.counts().too_many == 0u);
}

// The context is as the store gives it; what the prompt leaves out is neither an answer to repeat nor the
// user's word.
BOOST_AUTO_TEST_CASE(what_the_prompt_leaves_out_of_a_long_answer_is_not_repeated) {
    std::string const fill(20'000, 'x');
    store.context.found_turns = {
        answered_earlier("I said " + fill + " you adopted a beagle named Biscuit in March " + fill + " so.")};
    BOOST_TEST(notes_of("Ok.\n[MEMORY: fact|Adopted a beagle named Biscuit in March]", "hello").size() == 1u);
}

BOOST_AUTO_TEST_CASE(a_change_is_no_echo) {
    store.context.memories = {{1, "fact", "Adopted a cat", "", "", 3}, {2, "fact", "Sails", "", "", 4}};
    store.context.found_turns = {answered_earlier("You adopted a beagle named Biscuit in March")};
    auto const notes = notes_of(
        "Ok.\n[MEMORY: update #3|Adopted a beagle named Biscuit in March]\n[MEMORY: forget #4]", "hello");
    BOOST_TEST(notes.size() == 2u);
}

// Nothing else in this turn waits, so what is posted when the answer comes runs either while its notes are
// judged or after the turn.
BOOST_AUTO_TEST_CASE(others_go_on_while_a_long_message_is_compared_with_its_notes) {
    auto options = with_categories();
    options.max_notes = 60;
    turn.set_options(std::move(options));
    std::string text = "Ok.";
    for (int i = 0; i < 60; ++i)
        text += "\n[MEMORY: fact|Adopted beagle number" + std::to_string(i) + "]";
    for (std::size_t const bytes : {5u, 250'000u}) {
        bool before_the_end = false;
        store.exchanges.clear();
        store.finished.clear();
        claude.after_ask = [&] { boost::asio::post(io, [&] { before_the_end = store.exchanges.empty(); }); };
        auto const notes = notes_of(text, std::string(bytes, '.'));
        BOOST_TEST(notes.size() == 60u);
        BOOST_TEST(before_the_end == (bytes > 5));
    }
}

BOOST_AUTO_TEST_CASE(what_was_given_is_not_read_for_an_answer_without_notes) {
    std::string message = "[MEMORY: fact|";
    for (int i = 0; i < 20'000; ++i)
        message += "word" + std::to_string(i) + " ";
    for (bool const has_note : {false, true}) {
        bool before_the_end = false;
        store.exchanges.clear();
        store.finished.clear();
        claude.after_ask = [&] { boost::asio::post(io, [&] { before_the_end = store.exchanges.empty(); }); };
        notes_of(has_note ? "Ok.\n[MEMORY: forget #1]" : "Ok.", message + "]");
        BOOST_TEST(before_the_end == has_note);
    }
}

BOOST_AUTO_TEST_SUITE_END()

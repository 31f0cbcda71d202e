#include "workers/chat/notes.hpp"

#include <boost/test/unit_test.hpp>

#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace engram;
using kind = workers::memory_tag::kind;
using workers::kept_notes;
using workers::memory_tag;
using workers::note_review;
using workers::shown_memory;

constexpr std::size_t part = 10'000;  // bytes of a text in one step, at most

memory_tag fact(std::string content) {
    return {"fact", std::move(content)};
}

struct fixture {
    std::vector<shown_memory> shown;
    std::string message;
    std::string recalled;  // answers
    std::string said;
    workers::categories types;

    kept_notes judge(std::vector<memory_tag> tags) const {
        note_review review(std::move(tags), shown, message, recalled, said);
        while (review.read_on()) {
        }
        return std::move(review).finish(types);
    }

    // How much of the texts is read for them.
    std::size_t bytes_for(std::vector<memory_tag> tags) const {
        note_review review(std::move(tags), shown, message, recalled, said);
        while (review.read_on()) {
        }
        return review.bytes_read();
    }
};

std::string many(std::string const& words, std::size_t bytes) {
    std::string text;
    while (text.size() < bytes)
        text += words;
    return text;
}

std::vector<memory_tag> many_facts(int n) {
    std::vector<memory_tag> tags;
    for (int i = 0; i < n; ++i)
        tags.push_back(fact("Adopted beagle number" + std::to_string(i)));
    return tags;
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(notes, fixture)

BOOST_AUTO_TEST_CASE(each_text_is_read_once_however_many_notes_there_are) {
    message = many("nothing to do with them. ", 250'000);
    recalled = many("something else again. ", 100'000);
    for (int const n : {1, 5, 60})
        BOOST_TEST(bytes_for(many_facts(n)) == message.size() + recalled.size());
}

BOOST_AUTO_TEST_CASE(no_step_reads_more_than_a_part_of_each_text) {
    message = many("nothing to do with them. ", 250'000);
    recalled = many("something else again. ", 100'000);
    note_review review(many_facts(60), shown, message, recalled, said);
    std::size_t before = 0;
    for (bool more = true; more; before = review.bytes_read()) {
        more = review.read_on();
        BOOST_TEST(review.bytes_read() - before <= 2 * part);
    }
    BOOST_TEST(before == message.size() + recalled.size());
}

BOOST_AUTO_TEST_CASE(short_texts_are_read_in_one_step) {
    message = "hello";
    recalled = "Nice to meet you";
    note_review review(many_facts(60), shown, message, recalled, said);
    BOOST_TEST(!review.read_on());
    BOOST_TEST(review.bytes_read() == message.size() + recalled.size());
}

BOOST_AUTO_TEST_CASE(no_more_is_read_than_the_notes_need) {
    message = "I adopted a beagle. " + many("nothing to do with it. ", 250'000);
    recalled = many("something else again. ", 100'000);
    shown = {{3, "fact"}};
    BOOST_TEST(bytes_for({}) == 0u);
    BOOST_TEST(bytes_for({{"", "", kind::forget, 3}}) == 0u);
    BOOST_TEST(bytes_for({fact("Adopted a beagle")}) <= part);  // nothing of what was recalled either
    BOOST_TEST(bytes_for({{"", "Adopted a cat", kind::update, 3}}) == message.size());
}

BOOST_AUTO_TEST_CASE(what_the_end_of_a_long_message_says_was_told) {
    message = many("nothing to do with it. ", 250'000) + "I adopted a beagle.";
    recalled = "The user adopted a beagle named Biscuit";
    auto const kept = judge({fact("Adopted a beagle named Biscuit"), fact("Plays chess")});
    BOOST_REQUIRE_EQUAL(kept.notes.size(), 2u);
    BOOST_TEST(kept.notes[0].told);
    BOOST_TEST(!kept.notes[1].told);
}

BOOST_AUTO_TEST_CASE(echoes_are_found_in_long_recalled_texts) {
    message = many("nothing to do with it. ", 100'000);
    recalled = many("something else again. ", 100'000) + "I adopted a beagle named Biscuit";
    auto const kept = judge({fact("Adopted a beagle named Biscuit"), fact("Plays chess")});
    BOOST_REQUIRE_EQUAL(kept.notes.size(), 1u);
    BOOST_TEST(kept.notes[0].content == "Plays chess");
    BOOST_TEST(kept.echoes == 1u);
}

BOOST_AUTO_TEST_CASE(what_the_user_said_before_is_no_echo_though_an_answer_repeats_it) {
    message = "Remember that, please!";
    recalled = "You adopted a beagle named Biscuit, and labradors were bred to work for fishermen";
    said = many("nothing to do with it. ", 100'000) + "We adopted a beagle!";
    auto const kept =
        judge({fact("Adopted a beagle named Biscuit"), fact("Labradors were bred for fishermen's work")});
    BOOST_REQUIRE_EQUAL(kept.notes.size(), 1u);
    BOOST_TEST(kept.notes[0].content == "Adopted a beagle named Biscuit");
    BOOST_TEST(!kept.notes[0].told);
    BOOST_TEST(kept.echoes == 1u);
}

BOOST_AUTO_TEST_CASE(what_the_user_said_before_is_read_only_for_what_repeats_an_answer) {
    message = "hello";
    recalled = "Labradors fetch";
    said = many("nothing to do with it. ", 100'000);
    auto const least = message.size() + recalled.size();
    BOOST_TEST(bytes_for({fact("Adopted a beagle")}) == least);
    BOOST_TEST(bytes_for({fact("Labradors fetch")}) == least + said.size());
}

BOOST_AUTO_TEST_CASE(without_recalled_texts_nothing_is_an_echo) {
    auto const kept = judge({fact("The"), fact("Adopted a beagle")});
    BOOST_REQUIRE_EQUAL(kept.notes.size(), 2u);
    BOOST_TEST(kept.notes[0].told);  // it has no word that could be missing
    BOOST_TEST(!kept.notes[1].told);
}

BOOST_AUTO_TEST_CASE(changes_of_memories_stay_in_their_order) {
    shown = {{3, "fact"}, {4, "hobby"}};
    auto const kept = judge({{"", "Rows", kind::update, 4}, {"", "", kind::forget, 3}});
    BOOST_REQUIRE_EQUAL(kept.notes.size(), 2u);
    BOOST_TEST(bool(kept.notes[0].what == store::new_memory::kind::update));
    BOOST_TEST(kept.notes[0].label == 4);
    BOOST_TEST(bool(kept.notes[1].what == store::new_memory::kind::forget));
    BOOST_TEST(kept.notes[1].label == 3);
}

BOOST_AUTO_TEST_CASE(what_a_prompt_shows_is_its_list_and_what_was_found) {
    store::context context;
    context.memories = {{1, "fact", "Lives in Paris", "", "", 12}};
    context.found_memories = {{{2, "hobby", "Sails", "", "", 7}, 1, ""}};
    auto const seen = workers::find_shown(context);
    BOOST_REQUIRE_EQUAL(seen.size(), 2u);
    BOOST_TEST(seen[0].label == 12);
    BOOST_TEST(seen[0].type == "fact");
    BOOST_TEST(seen[1].label == 7);
    BOOST_TEST(seen[1].type == "hobby");
}

// The rules as they are stated, on sets of words.
BOOST_AUTO_TEST_CASE(texts_read_in_parts_are_judged_as_texts_read_as_a_whole) {
    std::mt19937 random(7);
    auto const some_words = [&](std::size_t n, unsigned vocabulary) {
        std::set<std::string> words;
        for (std::size_t i = 0; i < n; ++i)
            words.insert("xq" + std::string(1, char('a' + random() % vocabulary)));
        return words;
    };
    auto const text_of = [](std::set<std::string> const& words, std::size_t filling) {
        std::string text;
        for (auto const& word : words)
            text += word + many(" vw", filling) + ' ';
        return text;
    };
    auto const share = [](std::set<std::string> const& note, std::set<std::string> const& text) {
        std::size_t shared = 0;
        for (auto const& word : note)
            shared += text.count(word);
        return double(shared) / double(note.size());
    };
    std::size_t echoes = 0, told = 0;
    for (int i = 0; i < 300; ++i) {
        std::size_t const filling = i % 3 == 0 ? part / 2 : 0;
        auto const told_words = some_words(random() % 4, 12), found = some_words(1 + random() % 20, 12);
        auto const note = some_words(1 + random() % 6, 12);
        auto both = told_words;
        both.insert(found.begin(), found.end());
        bool const is_told = share(note, told_words) >= .3;
        auto const earlier = some_words(random() % 8, 12);
        bool const is_echo = !is_told && share(note, found) >= .8 &&
                             share(note, both) <= share(note, found) && share(note, earlier) < .5;
        message = text_of(told_words, filling);
        recalled = text_of(found, filling);
        said = text_of(earlier, filling);
        auto const kept = judge({fact(text_of(note, 0))});
        BOOST_TEST(kept.echoes == std::size_t(is_echo));
        BOOST_REQUIRE_EQUAL(kept.notes.size(), is_echo ? 0u : 1u);
        if (!is_echo) BOOST_TEST(kept.notes[0].told == is_told);
        echoes += kept.echoes;
        told += is_told ? 1 : 0;
    }
    BOOST_TEST(echoes > 20u);
    BOOST_TEST(told > 20u);
}

BOOST_AUTO_TEST_SUITE_END()

// The rules of notes, without a database.
#include "store/memory_rules.hpp"

#include "word_index.hpp"

#include <boost/test/unit_test.hpp>

#include <string>
#include <utility>
#include <vector>

using namespace engram::store;
using engram::store::test::words;

namespace {

memory const tea{1, "preference", "likes tea", "", "", 7, false};

std::int64_t find(text_index const* texts, std::string_view content,
                  std::vector<std::pair<std::int64_t, std::string>> const& newest_first) {
    auto const fingerprint = words().fingerprint(content);
    duplicate_search search(texts, content, fingerprint);
    for (auto const& [id, text] : newest_first) {
        auto const other = words().fingerprint(text);
        if (search.see(id, text, other)) break;
    }
    return search.found();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(memory_rules)

BOOST_AUTO_TEST_CASE(what_is_new_is_added_and_what_is_known_confirmed_if_it_was_told) {
    new_memory note{"fact", "likes tea"};
    BOOST_TEST(action_of(decide_addition(note, false)) == "added");
    BOOST_TEST(action_of(decide_addition(note, true)) == "confirmed");
    note.told = false;
    BOOST_TEST(action_of(decide_addition(note, false)) == "added");
    BOOST_TEST(action_of(decide_addition(note, true)) == "known");
}

BOOST_AUTO_TEST_CASE(a_change_replaces_merges_or_says_what_was_known) {
    auto const note = as_version(tea, {.type = {}, .content = "likes green tea"});
    BOOST_TEST((decide_change(tea, note, false) == note_step::replace));
    BOOST_TEST((decide_change(tea, note, true) == note_step::merge));
    BOOST_TEST(action_of(note_step::replace) == "updated");
    BOOST_TEST(action_of(note_step::merge) == "updated");
    auto const same = as_version(tea, {.type = {}, .content = "likes tea"});
    BOOST_TEST((decide_change(tea, same, false) == note_step::confirm));
    BOOST_TEST((decide_change(tea, same, true) == note_step::confirm));
    auto const retyped = as_version(tea, {"fact", "likes tea"});
    BOOST_TEST((decide_change(tea, retyped, false) == note_step::replace));
}

BOOST_AUTO_TEST_CASE(a_version_keeps_what_the_note_does_not_say) {
    auto pinned = tea;
    pinned.pinned = true;
    auto const note = as_version(pinned, {.type = {}, .content = "likes green tea"});
    BOOST_TEST(note.type == "preference");
    BOOST_TEST(note.pinned);
    BOOST_TEST(as_version(tea, {.type = "fact", .content = "x", .pinned = true}).pinned);
    BOOST_TEST(as_version(tea, {.type = "fact", .content = "x"}).type == "fact");
    BOOST_TEST(keeps_expiry(tea, note));
    BOOST_TEST(!keeps_expiry(tea, {"fact", "x"}));
    BOOST_TEST(
        !keeps_expiry(tea, {.type = "preference", .content = "x", .lifetime = std::chrono::seconds(1)}));
}

BOOST_AUTO_TEST_CASE(a_summary_is_not_the_models_to_change) {
    BOOST_TEST(may_be_noted(tea));
    BOOST_TEST(!may_be_noted({2, "summary", "they talked", "", "s", 8, false}));
}

BOOST_AUTO_TEST_CASE(the_same_text_comes_before_the_oldest_that_is_alike) {
    std::vector<std::pair<std::int64_t, std::string>> const known{
        {5, "tea she likes"}, {4, "has a dog"}, {3, "she likes tea"}, {2, "likes she tea"}};
    BOOST_TEST(find(&words(), "she likes tea", known) == 3);
    BOOST_TEST(find(&words(), "Likes tea, she", known) == 2);
    BOOST_TEST(find(&words(), "has a cat", known) == 0);
    BOOST_TEST(find(nullptr, "Likes tea, she", known) == 0);
    BOOST_TEST(find(nullptr, "has a dog", known) == 4);
}

BOOST_AUTO_TEST_CASE(a_memory_without_a_fingerprint_is_compared_by_its_text) {
    auto const fingerprint = words().fingerprint("likes tea");
    duplicate_search search(&words(), "likes tea", fingerprint);
    BOOST_TEST(!search.see(1, "tea likes", std::nullopt));
    BOOST_TEST(search.found() == 0);
    BOOST_TEST(search.see(1, "likes tea", std::nullopt));
    BOOST_TEST(search.found() == 1);
}

BOOST_AUTO_TEST_SUITE_END()

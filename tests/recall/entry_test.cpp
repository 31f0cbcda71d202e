#include "recall/entry.hpp"

#include "recall/entry_view.hpp"

#include <boost/test/unit_test.hpp>

#include <span>
#include <string>
#include <vector>

namespace {

using namespace engram::recall;

part_view view(std::string const& entry) {
    auto const found = entry_view::of(entry);
    BOOST_REQUIRE(found.has_value());
    BOOST_REQUIRE(found->parts().size() == 1U);
    return found->parts()[0];
}

bool has(std::string const& entry, std::uint8_t flag) {
    return (view(entry).flags & flag) != 0;
}

BOOST_AUTO_TEST_SUITE(entries)

BOOST_AUTO_TEST_CASE(an_entry_holds_the_stems_in_order_and_no_text) {
    auto const entry = make_entry("The dogs went running, dogs!", voice::assistant);
    auto const found = view(entry);
    BOOST_TEST((found.by() == voice::assistant));
    BOOST_REQUIRE(found.size() == 4U);
    BOOST_TEST(found[0] == hash_of("dog"));
    BOOST_TEST(found[1] == hash_of("go"));
    BOOST_TEST(found[2] == hash_of("run"));
    BOOST_TEST(found[3] == hash_of("dog"));
    BOOST_TEST(entry.size() == 4 + 4 * 4U);
    BOOST_TEST(entry.find("dog") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(the_speaker_is_no_word_of_the_text) {
    auto const entry = make_entry("Mary Ann: hello", voice::user);
    BOOST_TEST(has(entry, entry_flags::speaker));
    auto const found = view(entry);
    BOOST_TEST(found.speaker == hash_of("mary"));
    BOOST_TEST(found.size() == 1U);
}

BOOST_AUTO_TEST_CASE(flags_tell_what_kind_of_text_it_is) {
    BOOST_TEST(has(make_entry("I'm here", voice::user), entry_flags::first_person));
    BOOST_TEST(!has(make_entry("you are", voice::user), entry_flags::first_person));
    BOOST_TEST(has(make_entry("are you? ", voice::user), entry_flags::question));
    BOOST_TEST(has(make_entry("it was Monday", voice::user), entry_flags::time_word));
    BOOST_TEST(has(make_entry("in 1987", voice::user), entry_flags::time_word));
    BOOST_TEST(!has(make_entry("in 87", voice::user), entry_flags::time_word));
    BOOST_TEST((view(make_entry("x", voice::memory)).by() == voice::memory));
}

BOOST_AUTO_TEST_CASE(neighbours_of_one_voice_become_one_part_where_there_are_too_many) {
    std::vector<part> said{{"a dog?", voice::user}};
    for (int i = 0; i < 9; ++i)
        said.push_back({i < 8 ? "a cat" : "I saw a goat on Monday", voice::assistant});
    auto const entry = make_entry(said);
    auto const found = entry_view::of(entry);
    BOOST_REQUIRE(found.has_value());
    BOOST_REQUIRE(found->parts().size() == 2U);
    BOOST_TEST((found->parts()[0].by() == voice::user));
    auto const& answers = found->parts()[1];
    BOOST_TEST((answers.by() == voice::assistant));
    BOOST_TEST(answers[0] == hash_of("cat"));
    BOOST_TEST((answers.flags & entry_flags::first_person) != 0);
    BOOST_TEST((answers.flags & entry_flags::time_word) != 0);
    // As many as fit stay as they are.
    auto const few = make_entry(std::span(said).first(8));
    BOOST_TEST(entry_view::of(few).value().parts().size() == 8U);
}

BOOST_AUTO_TEST_CASE(what_is_beyond_the_last_part_goes_into_it) {
    std::vector<part> said;
    for (int i = 0; i < 32; ++i)
        said.push_back({i < 31 ? "a dog" : "a goat", i % 2 == 0 ? voice::user : voice::assistant});
    auto const entry = make_entry(said);
    auto const found = entry_view::of(entry);
    BOOST_REQUIRE(found.has_value());
    BOOST_REQUIRE(found->parts().size() == most_parts);
    auto const& last = found->parts().back();
    BOOST_REQUIRE(last.size() == 32 - 7U);
    BOOST_TEST(last[last.size() - 1] == hash_of("goat"));
}

BOOST_AUTO_TEST_CASE(a_text_without_words_has_an_entry_too) {
    BOOST_TEST(view(make_entry("", voice::user)).size() == 0U);
    BOOST_TEST(view(make_entry("the \xFF?!", voice::user)).size() == 0U);
}

BOOST_AUTO_TEST_CASE(a_long_text_keeps_its_first_stems) {
    std::string text;
    for (int i = 0; i < 5'000; ++i)
        text += "word" + std::to_string(i) + ' ';
    auto const entry = make_entry(text, voice::user);
    auto const found = view(entry);
    BOOST_TEST(found.size() == 2'000U);
    BOOST_TEST(found[1'999] == hash_of("word1999"));
}

BOOST_AUTO_TEST_CASE(one_word_of_100_kb_is_one_stem) {
    BOOST_TEST(view(make_entry(std::string(100'000, 'y'), voice::user)).size() == 1U);
    std::string marks = "e";
    for (int i = 0; i < 50'000; ++i)
        marks += "\xCC\x81";
    BOOST_TEST(view(make_entry(marks, voice::user))[0] == hash_of("e"));
}

BOOST_AUTO_TEST_CASE(anything_else_is_no_entry) {
    auto const entry = make_entry("Ada: some words", voice::user);
    BOOST_TEST(!entry_view::of(""));
    BOOST_TEST(!entry_view::of("\2"));
    for (std::size_t size = 0; size < entry.size(); ++size)
        BOOST_TEST(!entry_view::of(entry.substr(0, size)));
    for (std::size_t more = 1; more < 3; ++more)
        BOOST_TEST(!entry_view::of(entry + std::string(more, '\0')));
    auto changed = entry;
    changed[0] = static_cast<char>(entry_version + 1);
    BOOST_TEST(!entry_view::of(changed));
    changed = entry;
    changed[1] = static_cast<char>(0x80);
    BOOST_TEST(!entry_view::of(changed));
    changed[1] = 3;  // no such voice
    BOOST_TEST(!entry_view::of(changed));
    // 2,001 stems.
    BOOST_TEST(!entry_view::of(std::string("\2\0\xD1\7", 4) + std::string(4 * 2'001, 'x')));
    BOOST_TEST(!entry_view::of(std::string("\2", 1) + std::string(9 * 3, '\0')));
}

BOOST_AUTO_TEST_CASE(an_exchange_is_one_entry_of_two_parts) {
    part const said[] = {{"Where is Ada?", voice::user}, {"At home, I think", voice::assistant}};
    auto const entry = make_entry(said);
    auto const all = entry_view::of(entry);
    BOOST_REQUIRE(all.has_value());
    BOOST_REQUIRE(all->parts().size() == 2U);
    auto const &message = all->parts()[0], &answer = all->parts()[1];
    BOOST_TEST((message.by() == voice::user && answer.by() == voice::assistant));
    BOOST_TEST((message.flags & entry_flags::question) != 0);
    BOOST_TEST((answer.flags & entry_flags::first_person) != 0);
    BOOST_REQUIRE((message.size() == 1 && answer.size() == 2));
    BOOST_TEST(message[0] == hash_of("ada"));
    BOOST_TEST(answer[1] == hash_of("think"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace

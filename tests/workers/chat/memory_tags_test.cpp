#include "workers/chat/memory_tags.hpp"

#include "base/utf8.hpp"
#include "workers/chat/given_notes.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <iterator>
#include <string>
#include <vector>

namespace {

using engram::workers::extract_memory_tags;
using engram::workers::extraction;

std::vector<std::string> const types = {"fact", "preference", "summary"};

extraction extract(std::string_view text) {
    return extract_memory_tags(text, types);
}

std::vector<std::string> memories(extraction const& e) {
    std::vector<std::string> list;
    for (auto const& tag : e.tags)
        list.push_back(tag.type + '|' + tag.content);
    return list;
}

std::vector<std::string> memories(std::string_view text) {
    return memories(extract(text));
}

std::string reply(std::string_view text) {
    return extract(text).reply;
}

using list = std::vector<std::string>;

#define CHECK_MEMORIES(text, ...)                                                                    \
    do {                                                                                             \
        auto const found = memories(text);                                                           \
        list const expected = __VA_ARGS__;                                                           \
        BOOST_CHECK_EQUAL_COLLECTIONS(found.begin(), found.end(), expected.begin(), expected.end()); \
    } while (false)

BOOST_AUTO_TEST_SUITE(memory_tags)

BOOST_AUTO_TEST_CASE(text_without_a_tag_comes_back_byte_for_byte) {
    for (std::string const text : {"", " ", "\n\n", "  two  blanks  ", "a[0] = b[1];\n\n\n\n  x\r\n\ty\r",
                                   "[]", "[", "[ ", "[[[", "]", "[x] [mem] [memory ] [MEMORY.]",
                                   "\xF0\x9F\x98\x80 [\xC3\xA4] .", "MEMORY: fact|x]", "a  .\n\n\n"}) {
        auto const found = extract(text);
        BOOST_CHECK_EQUAL(found.reply, text);
        BOOST_CHECK(found.tags.empty());
        BOOST_CHECK_EQUAL(found.malformed, 0U);
    }
    auto const nul = std::string("a\0[b\0]", 6);
    BOOST_CHECK_EQUAL(reply(nul), nul);
}

BOOST_AUTO_TEST_CASE(what_is_open_at_the_end_of_a_cut_answer_is_unfinished) {
    for (std::string const rest :
         {"[MEMORY: fact|Uses a[i] and b", "[MEMORY: fact|Uses [", "[MEMORY: fact|Uses a[i]",
          "[MEMORY: fact|Needs:\n- a [x]\n- b", "[MEMORY: fact|Us", "[MEMORY: fact|", "[MEMORY:", "[MEM",
          "[m", "[MEMORY: forget #1", "[MEMORY: update #12|Has [a] dog and"}) {
        for (std::string const before : {"Ok.\n", "Ok. ", "Ok.\n[MEMORY: fact|Likes x[0] a lot]\n"}) {
            auto const found = extract_memory_tags(before + rest, types, true);
            list const expected(before.size() > 5 ? 1 : 0, "fact|Likes x[0] a lot");
            BOOST_TEST_CONTEXT(before + rest) {
                BOOST_CHECK_EQUAL(found.reply, "Ok.");
                BOOST_CHECK(memories(found) == expected);
                BOOST_CHECK_EQUAL(found.malformed, 1U);
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(whole_tags_of_a_cut_answer_count) {
    for (std::string const text : {"Ok.\n[MEMORY: fact|Uses a[i]]", "Ok.\n[MEMORY: fact|Uses a[i]]\n",
                                   "[MEMORY: fact|Uses a[i]] Ok."}) {
        auto const found = extract_memory_tags(text, types, true);
        BOOST_TEST(found.reply == "Ok.");
        BOOST_TEST(memories(found) == list({"fact|Uses a[i]"}), boost::test_tools::per_element());
        BOOST_TEST(found.malformed == 0u);
    }
}

BOOST_AUTO_TEST_CASE(the_word_is_read_in_any_case) {
    CHECK_MEMORIES("[MEMORY: fact|a][memory: fact|b][MeMoRy: FACT|c]", {"fact|a", "fact|b", "fact|c"});
}

BOOST_AUTO_TEST_CASE(blanks_around_the_parts_are_ignored_and_line_breaks_are_not_blanks) {
    CHECK_MEMORIES("[ \tMEMORY \t: \tfact \t| \tlikes  tea \t]", {"fact|likes  tea"});
    BOOST_CHECK_EQUAL(reply("[\nMEMORY: fact|a]"), "[\nMEMORY: fact|a]");
    BOOST_CHECK_EQUAL(reply("[MEMORY\n: fact|a]"), "[MEMORY\n: fact|a]");
}

BOOST_AUTO_TEST_CASE(a_note_goes_on_within_its_brackets_for_a_few_lines) {
    for (std::string const end : {"\n", "\r\n", "\r"}) {
        auto const found = extract("x" + end + "[MEMORY: fact|a [b" + end + "c] d]" + end + "y");
        list const expected = {"fact|a [b c] d"};
        BOOST_CHECK(memories(found) == expected);
        BOOST_CHECK_EQUAL(found.reply, "x" + end + "y");
        auto const open = extract("[MEMORY: fact|a [b" + end + "c] d");
        BOOST_CHECK(open.tags.empty());
        BOOST_CHECK_EQUAL(open.malformed, 1U);
        BOOST_CHECK_EQUAL(open.reply, "c] d");
    }
}

BOOST_AUTO_TEST_CASE(brackets_that_do_not_balance_end_the_tag_at_the_last_one_of_the_line) {
    CHECK_MEMORIES("[MEMORY: fact|a [b] c", {"fact|a [b"});
    CHECK_MEMORIES("[MEMORY: fact|[[[ a ] b ] c\n] d", {"fact|[[[ a ] b"});
    CHECK_MEMORIES("[MEMORY: fact|a [MEMORY: fact|b]", {"fact|a [MEMORY: fact|b"});
}

BOOST_AUTO_TEST_CASE(a_tag_inside_a_content_is_content) {
    CHECK_MEMORIES("[MEMORY: fact|a[b[c[d[e]]]] f] g]", {"fact|a[b[c[d[e]]]] f"});
    auto const found = extract("[MEMORY: fact|a [MEMORY: preference|b] c] [MEMORY: fact|d]");
    list const expected = {"fact|a [MEMORY: preference|b] c", "fact|d"};
    BOOST_CHECK(memories(found) == expected);
    BOOST_CHECK_EQUAL(found.reply, "");
}

BOOST_AUTO_TEST_CASE(an_unknown_type_is_kept_as_a_fact) {
    auto const found = extract(
        "[MEMORY: Hobby|a][MEMORY: |b][MEMORY: fact\x01x|c][MEMORY: fact fact|d][MEMORY: preference|e]");
    list const expected = {"fact|a", "fact|b", "fact|c", "fact|d", "preference|e"};
    BOOST_CHECK(memories(found) == expected);
    BOOST_CHECK_EQUAL(found.retyped, 4U);
    BOOST_CHECK_EQUAL(found.malformed, 0U);
}

BOOST_AUTO_TEST_CASE(only_the_types_that_are_given_are_known) {
    auto const found = extract_memory_tags("[MEMORY: Task|a][MEMORY: preference|b]", {"fact", "task"});
    list const expected = {"task|a", "fact|b"};
    BOOST_CHECK(memories(found) == expected);
    BOOST_CHECK_EQUAL(found.retyped, 1U);
}

BOOST_AUTO_TEST_CASE(a_note_without_bar_or_content_is_text_in_a_line_and_counted_where_notes_count) {
    for (std::string const tag : {"[MEMORY:]", "[MEMORY: fact]", "[MEMORY: fact|]", "[MEMORY: fact| \t]",
                                  "[MEMORY:|]", "[MEMORY: fact|\x01\x7F]", "[MEMORY: fact|\xC2\xA0]"}) {
        auto const found = extract("a " + tag + " b");
        BOOST_CHECK_EQUAL(found.reply, "a " + tag + " b");
        BOOST_CHECK(found.tags.empty());
        BOOST_CHECK_EQUAL(found.malformed, 0U);
        for (std::string const before : {"a\n", "a "}) {
            auto const taken = extract(before + tag);
            BOOST_CHECK_EQUAL(taken.reply, "a");
            BOOST_CHECK(taken.tags.empty());
            BOOST_CHECK_EQUAL(taken.malformed, 1U);
        }
    }
}

BOOST_AUTO_TEST_CASE(control_characters_in_a_content_become_blanks) {
    using namespace std::string_literals;
    CHECK_MEMORIES(
        "[MEMORY: fact|\0a\0b\tc\x1B[0m\x7F"
        "d\0]"s,
        {"fact|a b c [0m d"});
    CHECK_MEMORIES(
        "[MEMORY: fact|a\xC2\x85"
        "b\xC2\x9B"
        "c\xE2\x80\xA8"
        "d\xE2\x80\xA9"
        "e]",
        {"fact|a b c d e"});
    CHECK_MEMORIES("[MEMORY: fact|\xC3\xA4\xC2\xA0\xE2\x80\xA7\xF0\x9F\x98\x80]",
                   {"fact|\xC3\xA4\xC2\xA0\xE2\x80\xA7\xF0\x9F\x98\x80"});
}

BOOST_AUTO_TEST_CASE(every_place_where_an_answer_can_be_cut_leaves_no_half_tag) {
    std::string const whole = "Hello Ada.\n\n[ MEMORY : fact|Her name is A]";
    auto const tag = whole.find('[');
    for (std::size_t cut = tag + 3; cut < whole.size(); ++cut) {
        auto const found = extract_memory_tags(whole.substr(0, cut), types, true);
        BOOST_TEST_CONTEXT(whole.substr(0, cut)) {
            BOOST_CHECK_EQUAL(found.reply, "Hello Ada.");
            BOOST_CHECK_EQUAL(found.tags.size() + found.malformed, 1U);
        }
    }
}

BOOST_AUTO_TEST_CASE(a_half_tag_is_one_at_the_very_end_only) {
    for (std::string const half :
         {"[mem", "[ \tMEM", "[MEMO", "[memor", "[MEMORY", "[MEMORY \t", "[MEMORY:"}) {
        BOOST_TEST_CONTEXT(half) {
            BOOST_CHECK_EQUAL(reply("a " + half), "a");
            BOOST_CHECK_EQUAL(extract("a " + half).malformed, 1U);
            if (half != "[MEMORY:") BOOST_CHECK_EQUAL(reply("a " + half + "."), "a " + half + ".");
        }
    }
    for (std::string const text : {"a [M", "a [ \tm", "a[me"}) {
        BOOST_CHECK_EQUAL(reply(text), text);
        BOOST_CHECK_EQUAL(extract(text).malformed, 0U);
        BOOST_CHECK_EQUAL(extract_memory_tags(text, types, true).reply, "a");
    }
    BOOST_CHECK_EQUAL(reply("a [mem "), "a [mem ");
    BOOST_CHECK_EQUAL(reply("a [mem\n"), "a [mem\n");
    BOOST_CHECK_EQUAL(reply("a [ "), "a [ ");
    BOOST_CHECK_EQUAL(reply("[MEM[MEM"), "");
}

BOOST_AUTO_TEST_CASE(halves_that_meet_where_a_note_was_do_not_make_a_note) {
    std::string const inner = "[MEMORY: fact|x]";
    for (std::string const around : {"[|MEMORY: fact|y]", "[MEM|ORY: fact|y]", "[MEMORY|: fact|y]",
                                     "[ | memory : fact|y]", "[MEMORY | : fact|y]"}) {
        auto const bar = around.find('|');
        auto const text = "a " + around.substr(0, bar) + inner + around.substr(bar + 1) + " b";
        BOOST_TEST_CONTEXT(text) {
            auto const found = extract(text);
            BOOST_CHECK_EQUAL(found.reply, text);
            BOOST_CHECK(found.tags.empty());
        }
    }
    for (std::string const half : {"[MEM", "[MEMORY ", "[MEM[MEM", "[mem [MEMORY"}) {
        auto const found = extract("a " + half + inner);
        BOOST_TEST_CONTEXT(half) {
            BOOST_CHECK_EQUAL(found.reply, "a");
            BOOST_CHECK_EQUAL(found.tags.size(), 1U);
            BOOST_CHECK_GE(found.malformed, 1U);
        }
    }
}

BOOST_AUTO_TEST_CASE(what_only_a_removal_makes_a_note_is_taken_out_as_malformed) {
    auto const found = extract("x [MEMORY: fact|a\n[MEMORY: fact|y]\nb]");
    list const expected = {"fact|y"};
    BOOST_CHECK(memories(found) == expected);
    BOOST_CHECK_EQUAL(found.reply, "x");
    BOOST_CHECK_EQUAL(found.malformed, 1U);
}

BOOST_AUTO_TEST_CASE(a_line_that_held_only_tags_vanishes) {
    BOOST_CHECK_EQUAL(reply("a\n[MEMORY: fact|x]\nb"), "a\nb");
    BOOST_CHECK_EQUAL(reply("a\n \t[MEMORY: fact|x] [MEMORY: fact|y]\t\nb"), "a\nb");
    BOOST_CHECK_EQUAL(reply("a\r\n[MEMORY: fact|x]\r\nb\r\n"), "a\r\nb\r\n");
    BOOST_CHECK_EQUAL(reply("a\r[MEMORY: fact|x]\rb"), "a\rb");
    BOOST_CHECK_EQUAL(reply("a\r[MEMORY: fact|x]\nb"), "a\rb");
}

BOOST_AUTO_TEST_CASE(blank_lines_that_meet_are_as_many_as_the_larger_side_had) {
    std::string const tag = "[MEMORY: fact|x]\n";
    for (std::size_t before = 0; before < 4; ++before) {
        for (std::size_t after = 0; after < 4; ++after) {
            auto const text =
                "a\n" + std::string(before, '\n') + tag + tag + std::string(after, '\n') + "b\n\n\n\nc\n\n";
            BOOST_CHECK_EQUAL(reply(text),
                              "a\n" + std::string(std::max(before, after), '\n') + "b\n\n\n\nc\n\n");
        }
    }
    BOOST_CHECK_EQUAL(reply("a\n\n" + tag + "\n\n" + tag + "\nb"), "a\n\n\nb");
    BOOST_CHECK_EQUAL(reply("a\n  \n\t\n" + tag + "\nb"), "a\n  \n\t\nb");
}

BOOST_AUTO_TEST_CASE(blank_lines_left_at_the_ends_are_dropped) {
    BOOST_CHECK_EQUAL(reply("[MEMORY: fact|x]"), "");
    BOOST_CHECK_EQUAL(reply("\n \n[MEMORY: fact|x]\n\n"), "");
    BOOST_CHECK_EQUAL(reply("[MEMORY: fact|x]\n\na"), "a");
    BOOST_CHECK_EQUAL(reply("a\n\n\n[MEMORY: fact|x]\n\n"), "a");
    BOOST_CHECK_EQUAL(reply("a\r\n\r\n[MEMORY: fact|x]\r\n"), "a");
    BOOST_CHECK_EQUAL(reply("a [MEMORY: fact|x]\n\n"), "a\n\n");
    BOOST_CHECK_EQUAL(reply("\n\na [MEMORY: fact|x]"), "\n\na");
}

BOOST_AUTO_TEST_CASE(blanks_at_a_cut_inside_a_line_become_one) {
    BOOST_CHECK_EQUAL(reply("a [MEMORY: fact|x] b  c"), "a b  c");
    BOOST_CHECK_EQUAL(reply("a  [MEMORY: fact|x]\tb"), "a b");
    BOOST_CHECK_EQUAL(reply("a[MEMORY: fact|x]\t b"), "a\tb");
    BOOST_CHECK_EQUAL(reply("a[MEMORY: fact|x]b"), "ab");
    BOOST_CHECK_EQUAL(reply("a [MEMORY: fact|x] [MEMORY: fact|y][MEMORY: fact|z] b"), "a b");
    BOOST_CHECK_EQUAL(reply("a [MEMORY: fact|x]."), "a.");
    BOOST_CHECK_EQUAL(reply("a [MEMORY: fact|x] !"), "a !");
    BOOST_CHECK_EQUAL(reply("  [MEMORY: fact|x]  a"), "  a");
    BOOST_CHECK_EQUAL(reply("a  [MEMORY: fact|x]  \nb  \n"), "a\nb  \n");
}

BOOST_AUTO_TEST_CASE(a_list_marker_left_alone_vanishes_with_its_tag) {
    BOOST_CHECK_EQUAL(reply("a\n- [MEMORY: fact|x]\n  * [MEMORY: fact|y]\nb"), "a\nb");
    BOOST_CHECK_EQUAL(reply("a\n- [MEMORY: fact|x] b"), "a\n- b");
    BOOST_CHECK_EQUAL(reply("a\n[MEMORY: fact|x] -\nb"), "a\n-\nb");
    BOOST_CHECK_EQUAL(reply("a\n1. [MEMORY: fact|x]\n 2) [MEMORY: fact|y]\nb"), "a\nb");
    BOOST_CHECK_EQUAL(reply("The answer:\n42. [MEMORY: fact|x]"), "The answer:\n42.");
}

BOOST_AUTO_TEST_CASE(text_that_is_not_utf8_does_no_harm) {
    CHECK_MEMORIES("\xFF[MEMORY: fact|a\xC2]\xE2\x80", {"fact|a\xC2"});
    BOOST_CHECK_EQUAL(reply("\xFF[MEMORY: fact|a]\xFE"), "\xFF\xFE");
}

// An earlier message of the session says which notes are text, but not where the others count.
BOOST_AUTO_TEST_CASE(a_note_in_an_earlier_message_does_not_change_where_notes_count) {
    engram::store::context context;
    for (std::string const said :
         {"What is [MEMORY: forget #1]?", "And [MEMORY: forget everything]?", "Fine."})
        context.turns.push_back({0, engram::store::role::user, said});
    auto const given = engram::workers::given_notes::find(context, "I have a dog");
    BOOST_REQUIRE(given);
    while (given->read_on()) {
    }
    auto const found = extract_memory_tags(
        "Nice [MEMORY: fact|Has a dog] dog.\n[MEMORY: forget #1]\n[MEMORY: forget #2]\nBye.", types, false,
        given.get());
    BOOST_CHECK_EQUAL(found.reply, "Nice dog.\n[MEMORY: forget #1]\nBye.");
    BOOST_CHECK_EQUAL(found.tags.size(), 2U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace

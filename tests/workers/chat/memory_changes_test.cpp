// The tags by which the model changes what is known: update and forget.
#include "workers/chat/memory_tags.hpp"

#include <boost/test/unit_test.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace {

using engram::workers::memory_tag;
using kind = memory_tag::kind;

engram::workers::extraction extract(std::string_view text) {
    return engram::workers::extract_memory_tags(text, {"fact", "preference", "summary"});
}

// The one tag in `text`, which must leave no reply.
memory_tag only_tag(std::string const& text) {
    auto const found = extract(text);
    BOOST_TEST_CONTEXT(text) {
        BOOST_REQUIRE_EQUAL(found.tags.size(), 1U);
        BOOST_CHECK_EQUAL(found.malformed, 0U);
        BOOST_CHECK_EQUAL(found.reply, "");
    }
    return found.tags[0];
}

BOOST_AUTO_TEST_SUITE(memory_changes)

BOOST_AUTO_TEST_CASE(an_update_has_the_label_of_what_it_replaces_and_no_type) {
    for (std::string const tag :
         {"[MEMORY: update #12|Lives in Rome]", "[MEMORY: update 12|Lives in Rome]",
          "[MEMORY: update#12|Lives in Rome]", "[memory: UPDATE #12|Lives in Rome]",
          "[ \tMeMoRy \t: \tUpDaTe \t #12 \t| \tLives in Rome \t]", "[MEMORY:update\t12|Lives in Rome]",
          "[MEMORY: update #012|Lives in Rome]", "［MEMORY：update　＃１２｜Lives in Rome］"}) {
        auto const found = only_tag(tag);
        BOOST_TEST_CONTEXT(tag) {
            BOOST_CHECK(found.what == kind::update);
            BOOST_CHECK_EQUAL(found.label, 12);
            BOOST_CHECK_EQUAL(found.content, "Lives in Rome");
            BOOST_CHECK_EQUAL(found.type, "");
            BOOST_CHECK_EQUAL(extract(tag).retyped, 0U);
        }
    }
}

BOOST_AUTO_TEST_CASE(the_content_of_an_update_is_read_as_that_of_a_note) {
    BOOST_CHECK_EQUAL(only_tag("[MEMORY: update #1|a|b [c] [MEMORY: forget #2]\x01]").content,
                      "a|b [c] [MEMORY: forget #2]");
}

BOOST_AUTO_TEST_CASE(an_update_without_content_is_malformed) {
    for (std::string const tag : {"[MEMORY: update #12]", "[MEMORY: update #12|]", "[MEMORY: update #12| \t]",
                                  "[MEMORY: update #12|\xC2\xA0]", "[MEMORY: update #12"}) {
        auto const found = extract("a " + tag);
        BOOST_TEST_CONTEXT(tag) {
            BOOST_CHECK(found.tags.empty());
            BOOST_CHECK_EQUAL(found.malformed, 1U);
            BOOST_CHECK_EQUAL(found.reply, "a");
        }
    }
}

BOOST_AUTO_TEST_CASE(an_update_of_nothing_is_a_fact) {
    for (std::string const type :
         {"update", "update12", "update #0", "update 0", "update #-1", "update -1", "update #+1",
          "update # 12", "update ##12", "update #12a", "update #1.5", "update #1 #2", "update #0x1F",
          "update twelve", "update #", "update #9223372036854775808", "update #99999999999999999999999999",
          "updates #12", "update:12"}) {
        auto const tag = "[MEMORY: " + type + "|Lives in Rome]";
        auto const found = only_tag(tag);
        BOOST_TEST_CONTEXT(tag) {
            BOOST_CHECK(found.what == kind::add);
            BOOST_CHECK_EQUAL(found.label, 0);
            BOOST_CHECK_EQUAL(found.type, "fact");
            BOOST_CHECK_EQUAL(found.content, "Lives in Rome");
            BOOST_CHECK_EQUAL(extract(tag).retyped, 1U);
        }
    }
}

BOOST_AUTO_TEST_CASE(the_largest_number_is_read) {
    BOOST_CHECK_EQUAL(only_tag("[MEMORY: forget #9223372036854775807]").label, INT64_MAX);
}

BOOST_AUTO_TEST_CASE(a_forget_has_a_label_and_no_content) {
    for (std::string const tag :
         {"[MEMORY: forget #12]", "[MEMORY: forget 12]", "[MEMORY:forget#12]", "[memory: FORGET #12]",
          "[MEMORY: forget ＃１２]", "[ \tMeMoRy \t: \tForGet \t #12 \t]", "[MEMORY: forget #12|]",
          "[MEMORY: forget #12| ]", "[MEMORY: forget #12|The user asked for it]",
          "[MEMORY: forget #12|[MEMORY: fact|x]]"}) {
        auto const found = only_tag(tag);
        BOOST_TEST_CONTEXT(tag) {
            BOOST_CHECK(found.what == kind::forget);
            BOOST_CHECK_EQUAL(found.label, 12);
            BOOST_CHECK_EQUAL(found.content, "");
            BOOST_CHECK_EQUAL(found.type, "");
            BOOST_CHECK_EQUAL(extract(tag).retyped, 0U);
        }
    }
}

BOOST_AUTO_TEST_CASE(a_wish_to_forget_without_a_number_is_malformed_and_never_a_note) {
    for (std::string const type :
         {"forget", "FORGET", "forget #0", "forget 0", "forget #-1", "forget # 12", "forget #12, #13",
          "forget #12 #13", "forget #", "forget it", "forget\tall", "forget #9223372036854775808"}) {
        for (std::string const rest : {"]", "|]", "|The user's address]"}) {
            auto const tag = "[MEMORY: " + type + rest;
            auto const found = extract("a " + tag);
            BOOST_TEST_CONTEXT(tag) {
                BOOST_CHECK(found.tags.empty());
                BOOST_CHECK_EQUAL(found.malformed, 1U);
                BOOST_CHECK_EQUAL(found.reply, "a");
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(a_type_that_only_begins_like_a_wish_is_a_type) {
    for (std::string const type : {"forget12", "forgetful", "forget_me", "forgets #12"})
        BOOST_CHECK_EQUAL(only_tag("[MEMORY: " + type + "|Loses keys]").type, "fact");
    auto const known = engram::workers::extract_memory_tags("[MEMORY: Forgetful|x]", {"forgetful"});
    BOOST_REQUIRE_EQUAL(known.tags.size(), 1U);
    BOOST_CHECK_EQUAL(known.tags[0].type, "forgetful");
}

BOOST_AUTO_TEST_CASE(notes_and_changes_keep_their_order) {
    auto const found = extract(
        "Ok.\n[MEMORY: forget #3]\n[MEMORY: fact|a]\n[MEMORY: update #4|b]\n[MEMORY: forget]\n[MEMORY: "
        "forget #5]");
    BOOST_CHECK_EQUAL(found.reply, "Ok.");
    BOOST_CHECK_EQUAL(found.malformed, 1U);
    BOOST_REQUIRE_EQUAL(found.tags.size(), 4U);
    BOOST_CHECK_EQUAL(found.tags[0].label, 3);
    BOOST_CHECK_EQUAL(found.tags[1].content, "a");
    BOOST_CHECK_EQUAL(found.tags[2].label, 4);
    BOOST_CHECK_EQUAL(found.tags[3].label, 5);
}

BOOST_AUTO_TEST_CASE(every_place_where_a_change_can_be_cut_changes_nothing) {
    for (std::string const tag : {"[MEMORY: forget #12]", "[MEMORY: update #12|Lives in Rome]"}) {
        for (std::size_t cut = 3; cut < tag.size(); ++cut) {
            auto const found =
                engram::workers::extract_memory_tags("Ok.\n" + tag.substr(0, cut), {"fact"}, true);
            BOOST_TEST_CONTEXT(tag.substr(0, cut)) {
                BOOST_CHECK_EQUAL(found.reply, "Ok.");
                BOOST_CHECK(found.tags.empty());
                BOOST_CHECK_EQUAL(found.malformed, 1U);
            }
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace

#include "workers/categories.hpp"

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <string>
#include <vector>

namespace {

using engram::workers::categories;
using engram::workers::category;
using names = std::vector<std::string>;

categories made_of(std::vector<category> configured) {
    auto made = categories::make(std::move(configured));
    BOOST_REQUIRE_MESSAGE(made.has_value(), (made.has_error() ? made.error() : ""));
    return *made;
}

std::string fault_of(std::vector<category> configured) {
    auto const made = categories::make(std::move(configured));
    return made ? "" : made.error();
}

names offered_by(categories const& all) {
    names list;
    for (auto const& one : all.offered())
        list.push_back(one.name);
    return list;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(memory_categories)

BOOST_AUTO_TEST_CASE(fact_preference_and_summary_are_built_in_and_a_summary_is_not_offered) {
    categories const all;
    BOOST_TEST(all.names() == (names{"fact", "preference", "summary"}), boost::test_tools::per_element());
    BOOST_TEST(offered_by(all) == (names{"fact", "preference"}), boost::test_tools::per_element());
    BOOST_REQUIRE(all.find("summary"));
    BOOST_REQUIRE(all.find("fact"));
    BOOST_TEST(!all.find("fact")->description.empty());
    BOOST_TEST(all.find("fact")->max_per_user == 0u);
    BOOST_TEST(!all.find("recipe"));
    BOOST_TEST(!all.find(""));
    BOOST_TEST(!all.find("Fact"));
}

BOOST_AUTO_TEST_CASE(configured_ones_come_behind_those_built_in_in_their_order) {
    auto const all = made_of({{"task", "what is to be done", 5, std::chrono::hours(1)}, {"recipe", "food"}});
    BOOST_TEST(all.names() == (names{"fact", "preference", "summary", "task", "recipe"}),
               boost::test_tools::per_element());
    BOOST_TEST(offered_by(all) == (names{"fact", "preference", "task", "recipe"}),
               boost::test_tools::per_element());
    BOOST_REQUIRE(all.find("task"));
    BOOST_TEST(all.find("task")->max_per_user == 5u);
    BOOST_TEST(all.find("task")->ttl.count() == 3600);
}

BOOST_AUTO_TEST_CASE(a_configured_fact_takes_the_place_of_the_built_in_one) {
    auto const all = made_of({{"recipe", "food"}, {"fact", "nothing but numbers", 7}});
    BOOST_TEST(offered_by(all) == (names{"fact", "preference", "recipe"}), boost::test_tools::per_element());
    BOOST_TEST(all.find("fact")->description == "nothing but numbers");
    BOOST_TEST(all.find("fact")->max_per_user == 7u);
}

BOOST_AUTO_TEST_CASE(a_configured_preference_without_a_description_keeps_the_built_in_one) {
    auto const all = made_of({{"preference", "", 3}});
    BOOST_TEST(all.find("preference")->description == categories().find("preference")->description);
    BOOST_TEST(all.find("preference")->max_per_user == 3u);
}

BOOST_AUTO_TEST_CASE(names_that_are_no_names_are_refused) {
    for (auto const* name : {"", "Task", "1st", "_a", "to-do", "a b", "t\xC3\xA4g", "a|b"})
        BOOST_TEST(fault_of({{name, "x"}}).starts_with("the name of a memory category must be"), name);
    BOOST_TEST(!fault_of({{std::string(33, 'a'), "x"}}).empty());
    BOOST_TEST(fault_of({{std::string(32, 'a'), "x"}}).empty());
    for (auto const* name : {"summary", "update", "forget"})
        BOOST_TEST(fault_of({{name, "x"}}).find("must have another name") != std::string::npos, name);
}

BOOST_AUTO_TEST_CASE(the_same_name_twice_is_refused) {
    BOOST_TEST(fault_of({{"task", "x"}, {"task", "y"}}) == "the memory category task is there twice");
    BOOST_TEST(fault_of({{"fact", "x"}, {"fact", "y"}}) == "the memory category fact is there twice");
}

BOOST_AUTO_TEST_CASE(a_new_category_needs_a_description_of_one_line) {
    BOOST_TEST(fault_of({{"task", " "}}).find("needs a description") != std::string::npos);
    BOOST_TEST(fault_of({{"task", "a\nb"}}).find("one line") != std::string::npos);
    BOOST_TEST(fault_of({{"fact", "a\xE2\x80\xA8z"}}).find("one line") != std::string::npos);
    BOOST_TEST(fault_of({{"task", "a\xFFz"}}).find("UTF-8") != std::string::npos);
    BOOST_TEST(fault_of({{"task", std::string(1'001, 'x')}}).find("1000 bytes") != std::string::npos);
    BOOST_TEST(fault_of({{"task", std::string(1'000, 'x')}}).empty());
}

BOOST_AUTO_TEST_CASE(a_lifetime_is_not_negative_and_no_eternity) {
    BOOST_TEST(fault_of({{"task", "x", 0, std::chrono::seconds(-1)}}).find("lifetime") != std::string::npos);
    BOOST_TEST(fault_of({{"task", "x", 0, std::chrono::seconds::max()}}).find("lifetime") !=
               std::string::npos);
    BOOST_TEST(fault_of({{"task", "x", 0, std::chrono::hours(24 * 365 * 100)}}).empty());
}

BOOST_AUTO_TEST_SUITE_END()

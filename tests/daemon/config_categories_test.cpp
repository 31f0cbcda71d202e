// [[memory.category]]: how kinds of memories are written, what is refused, what a reload does.
#include "config_folder.hpp"
#include "daemon/config_toml.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>

namespace {

using namespace engram;
using namespace engram::daemon;
using namespace std::chrono_literals;
using engram::test::contains;

constexpr char const* deal = "[[memory.category]]\nname = \"deal\"\ndescription = \"open deals\"\n";

std::vector<std::string> names_of(config const& values) {
    return values.chat.types.names();
}

std::vector<std::string> list(std::initializer_list<char const*> names) {
    return {names.begin(), names.end()};
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(config_categories, engram::test::config_folder)

BOOST_AUTO_TEST_CASE(without_any_the_kinds_are_those_built_in) {
    BOOST_TEST(load().categories.empty());
    BOOST_TEST(names_of(load()) == list({"fact", "preference", "summary"}));
    sources.settings = {"memory.category=[]"};
    BOOST_TEST(names_of(load()) == list({"fact", "preference", "summary"}));
}

BOOST_AUTO_TEST_CASE(they_come_as_tables_behind_the_built_in_ones) {
    write_file("[memory]\nlimit = 5\n" + std::string(deal) +
               "max_per_user = 7\nttl = \"90d\"\n\n[[memory.category]]\nname = \"pet\"\n"
               "description = \"animals\"\nttl = 0\n");
    auto const values = load();
    BOOST_TEST(values.chat.memory_limit == 5u);
    BOOST_REQUIRE(values.categories.size() == 2u);
    BOOST_TEST(values.categories[0].name == "deal");
    BOOST_TEST(values.categories[0].max_per_user == 7u);
    BOOST_TEST((values.categories[1].ttl == 0s));
    BOOST_TEST(names_of(values) == list({"fact", "preference", "summary", "deal", "pet"}));
    auto const* made = values.chat.types.find("deal");
    BOOST_REQUIRE(made);
    BOOST_TEST(made->description == "open deals");
    BOOST_TEST(made->max_per_user == 7u);
    BOOST_TEST((made->ttl == 24h * 90));
}

BOOST_AUTO_TEST_CASE(a_built_in_one_can_be_limited_and_keeps_its_description) {
    sources.settings = {"memory.category=[{name = \"fact\", max_per_user = 3}]"};
    auto const values = load();
    BOOST_TEST(names_of(values).size() == 3u);
    BOOST_TEST(values.chat.types.find("fact")->max_per_user == 3u);
    BOOST_TEST(!values.chat.types.find("fact")->description.empty());
}

BOOST_AUTO_TEST_CASE(the_environment_or_set_replaces_the_whole_list_of_the_file) {
    write_file(deal);
    sources.environment = {"ENGRAMD_MEMORY_CATEGORY=[{name = 'pet', description = 'animals'}]"};
    BOOST_TEST(names_of(load()) == list({"fact", "preference", "summary", "pet"}));
    sources.settings = {"memory.category=[{name = 'car', description = 'cars', ttl = '45s'}]"};
    auto const loaded = load_config(sources);
    BOOST_REQUIRE(loaded.has_value());
    BOOST_TEST(names_of(loaded->values) == list({"fact", "preference", "summary", "car"}));
    auto const shown = describe(*loaded, "not set", "not set");
    BOOST_TEST(contains(shown,
                        "\ncategory = [{name = \"car\", description = \"cars\", max_per_user = 0, ttl = "
                        "\"45s\"}]  # --set\n"));
}

BOOST_AUTO_TEST_CASE(a_time_to_live_is_a_number_with_a_unit) {
    BOOST_TEST((read_ttl("90d") == 24h * 90));
    BOOST_TEST((read_ttl("12h") == 12h));
    BOOST_TEST((read_ttl("30m") == 30min));
    BOOST_TEST((read_ttl("45s") == 45s));
    BOOST_TEST((read_ttl("0d") == 0s));
    for (auto const* bad : {"", "d", "90", "1.5d", "-1d", "+1d", " 1d", "1d ", "1 d", "1D", "1w", "1dd",
                            "1h30m", "9999999999999d", "99999999999999999999d"})
        BOOST_TEST(!read_ttl(bad).has_value(), bad);
    // The longest that is read does not overflow.
    BOOST_TEST(read_ttl("999999999999d")->count() == 999'999'999'999 * 86'400);
}

BOOST_AUTO_TEST_CASE(a_time_to_live_is_shown_in_the_longest_unit_that_fits) {
    auto const shown = [](std::chrono::seconds ttl) {
        auto const text = to_toml(category_list{{"a", "b", 0, ttl}});
        return text.substr(text.find("ttl"));
    };
    BOOST_TEST(shown(0s) == "ttl = 0}]");
    BOOST_TEST(shown(24h * 2) == "ttl = \"2d\"}]");
    BOOST_TEST(shown(36h) == "ttl = \"36h\"}]");
    BOOST_TEST(shown(90min) == "ttl = \"90m\"}]");
    BOOST_TEST(shown(86'399s) == "ttl = \"86399s\"}]");
}

BOOST_AUTO_TEST_CASE(a_table_of_a_wrong_form_is_refused_with_its_place) {
    auto const refused = [&](std::string const& line) {
        write_file("\n" + std::string(deal) + line + "\n");
        auto const text = problems();
        BOOST_TEST(contains(text, "given.toml:2: memory.category: must be a list of tables; it "));
        return text;
    };
    BOOST_TEST(contains(refused("colour = 1"), "has no key colour"));
    BOOST_TEST(contains(refused("max_per_user = -1"), "needs max_per_user as an integer from 0 to 1000000"));
    BOOST_TEST(contains(refused("max_per_user = 1000001"), "needs max_per_user as an integer"));
    BOOST_TEST(contains(refused("max_per_user = \"3\""), "needs max_per_user as an integer"));
    for (auto const* ttl : {"ttl = 90", "ttl = \"90\"", "ttl = true", "ttl = \"\"", "ttl = 0.0"})
        BOOST_TEST(contains(refused(ttl), "needs ttl as \"90d\", \"12h\", \"30m\" or \"45s\", or 0"), ttl);
    BOOST_TEST(contains(refused("[[memory.category]]\ndescription = \"x\""), "needs a name in each entry"));
    BOOST_TEST(contains(refused("[[memory.category]]\nname = 1"), "needs name as text"));
    write_file("[memory]\ncategory = [\"deal\"]\n");
    BOOST_TEST(problems() == "given.toml:2: memory.category: must be a list of tables\n");
    write_file("[memory]\ncategory = [{name = \"a\", description = \"b\"}, 1]\n");
    BOOST_TEST(
        contains(problems(), "given.toml:2: memory.category: must be a list of tables; it has an entry"));
    sources = {.file = {}, .default_file = "/nonexistent", .environment = {}, .settings = {}};
    sources.settings = {"memory.category=deal"};
    BOOST_TEST(problems() == "--set memory.category: must be a list of tables\n");
    sources.settings = {"claude.price=[{name = 'a', description = 'b'}]", "redis.sentinels=[{name = 'a'}]"};
    BOOST_TEST(contains(problems(), "--set claude.price: has no key"));
    BOOST_TEST(contains(problems(), "--set redis.sentinels: has an entry of a wrong type\n"));
}

BOOST_AUTO_TEST_CASE(a_category_that_cannot_be_is_refused_with_its_place_and_the_reason) {
    auto const refused = [&](std::string const& entry) {
        write_file("[memory]\nlimit = 1\n" + entry);
        auto const text = problems();
        BOOST_TEST(text.starts_with("given.toml:3: memory.category: the "));
        BOOST_TEST(std::ranges::count(text, '\n') == 1);
        return text;
    };
    BOOST_TEST(contains(refused(std::string(deal) + deal), "the memory category deal is there twice"));
    BOOST_TEST(
        contains(refused("[[memory.category]]\nname = \"Deal\"\ndescription = \"x\"\n"), "lower-case"));
    BOOST_TEST(contains(refused("[[memory.category]]\nname = \"deal\"\n"), "needs a description"));
    BOOST_TEST(contains(refused("[[memory.category]]\nname = \"summary\"\n"), "must have another name"));
    BOOST_TEST(
        contains(refused("[[memory.category]]\nname = \"deal\"\ndescription = \"a\\nb\"\n"), "one line"));
    BOOST_TEST(contains(refused(deal + std::string("ttl = \"36501d\"\n")), "at most 100 years"));
    sources = {.file = {}, .default_file = "/nonexistent", .environment = {}, .settings = {}};
    sources.environment = {"ENGRAMD_MEMORY_CATEGORY=[{name='update', description='x'}]"};
    BOOST_TEST(
        contains(problems(), "ENGRAMD_MEMORY_CATEGORY in the environment: the memory category update "));
}

BOOST_AUTO_TEST_CASE(a_reload_takes_over_the_kinds_and_what_is_made_of_them) {
    auto const before = load();
    write_file(deal);
    auto const after = load();
    auto const plan = plan_reload(before, after);
    BOOST_REQUIRE(plan.applied.size() == 1u);
    BOOST_TEST(plan.applied[0] == "memory.category");
    BOOST_TEST(plan.need_restart.empty());
    BOOST_TEST(names_of(plan.next) == list({"fact", "preference", "summary", "deal"}));
    BOOST_TEST(names_of(plan_reload(after, before).next) == list({"fact", "preference", "summary"}));
    // Also where something else was changed.
    auto other = after;
    other.chat.memory_limit = 3;
    BOOST_TEST(names_of(plan_reload(after, other).next) == names_of(after));
}

BOOST_AUTO_TEST_SUITE_END()

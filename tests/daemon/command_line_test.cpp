#include "daemon/command_line.hpp"

#include <boost/test/unit_test.hpp>

#include <sysexits.h>

namespace {

using namespace engram::daemon;

auto parse(std::vector<char const*> arguments) {
    arguments.insert(arguments.begin(), "engramd");
    return parse_command_line(static_cast<int>(arguments.size()), arguments.data());
}

command_line accepted(std::vector<char const*> arguments) {
    auto parsed = parse(std::move(arguments));
    BOOST_REQUIRE(std::holds_alternative<command_line>(parsed));
    return std::get<command_line>(parsed);
}

early_exit ended(std::vector<char const*> arguments) {
    auto parsed = parse(std::move(arguments));
    BOOST_REQUIRE(std::holds_alternative<early_exit>(parsed));
    return std::get<early_exit>(parsed);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(command_lines)

BOOST_AUTO_TEST_CASE(no_arguments_are_enough) {
    auto const given = accepted({});
    BOOST_TEST(!given.config_file.has_value());
    BOOST_TEST(given.settings.empty());
    BOOST_TEST(!given.check_config);
}

BOOST_AUTO_TEST_CASE(settings_keep_their_order_and_their_bytes) {
    auto const given = accepted({"--set", "a=1", "--config", "/x y.toml", "--set=b=[\"x\",\"y\"]", "--set",
                                 "c=\"q\" 'r'", "--set", "d=", "--set", "[weird]", "--check-config"});
    auto const expected = std::vector<std::string>{"a=1", "b=[\"x\",\"y\"]", "c=\"q\" 'r'", "d=", "[weird]"};
    BOOST_TEST(given.settings == expected);
    BOOST_TEST(given.config_file.value() == "/x y.toml");
    BOOST_TEST(given.check_config);
}

BOOST_AUTO_TEST_CASE(a_check_can_be_of_a_unit_and_quiet) {
    BOOST_TEST(!accepted({"--check-config"}).check);
    BOOST_TEST(accepted({"--check-config", "--quiet"}).quiet);
    auto const given = accepted({"--check", "--unit", "engramd@2", "--quiet", "--set", "a=1"});
    BOOST_TEST((given.check && given.quiet));
    BOOST_TEST(given.unit == "engramd@2");
    BOOST_TEST(given.settings.size() == 1u);
}

BOOST_AUTO_TEST_CASE(version_and_help_end_with_status_0) {
    BOOST_TEST(ended({"--version"}).status == 0);
    BOOST_TEST(ended({"--version"}).output.find("engramd ") == 0u);
    BOOST_TEST(ended({"--help"}).status == 0);
    BOOST_TEST(ended({"--help"}).output.find("--check-config") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(arguments_without_sense_are_a_usage_error_in_one_line) {
    for (auto const& arguments : std::vector<std::vector<char const*>>{{"--unknown"},
                                                                       {"extra"},
                                                                       {"--set"},
                                                                       {"--set", "a=1", "b=2"},
                                                                       {"--config"},
                                                                       {"--config", ""},
                                                                       {"--check", "--check-config"},
                                                                       {"--unit", "engramd"},
                                                                       {"--check", "--unit", ""},
                                                                       {"--quiet"},
                                                                       {"--config", "a", "--config", "b"}}) {
        auto const end = ended(arguments);
        BOOST_TEST(end.status == EX_USAGE);
        BOOST_TEST(end.output.find("engramd: ") == 0u);
        BOOST_TEST(end.output.find('\n') == end.output.size() - 1);
    }
}

BOOST_AUTO_TEST_SUITE_END()

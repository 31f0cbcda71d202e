// What a unit gives to the daemon, read from its text.
#include "daemon/check_unit.hpp"

#include "daemon/unit_text.hpp"

#include <boost/test/unit_test.hpp>

#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace {

using namespace engram::daemon;
using words = std::vector<std::string>;

BOOST_AUTO_TEST_SUITE(units)

BOOST_AUTO_TEST_CASE(words_are_split_at_blanks_outside_of_quotes) {
    BOOST_TEST((split_words("  a  b\t'c d' e\"f g\"h \\\" ") == words{"a", "b", "c d", "ef gh", "\""}));
    BOOST_TEST((split_words("a='' \"\"") == words{"a=", ""}));
    BOOST_TEST(split_words("   ").empty());
}

BOOST_AUTO_TEST_CASE(lines_go_on_behind_a_backslash_and_comments_are_none) {
    auto const all =
        read_assignments("# x=1\n[Unit]\n a = b \n;c=d\ne=f \\\n# between\n  g\n[Service]\nh=\n");
    BOOST_REQUIRE(all.size() == 3u);
    BOOST_TEST((all[0].key == "a" && all[0].value == "b" && all[0].section == "Unit"));
    BOOST_TEST(all[1].value == "f  g");
    BOOST_TEST((all[2].key == "h" && all[2].value.empty() && all[2].section == "Service"));
}

BOOST_AUTO_TEST_CASE(specifiers_are_those_of_the_instance) {
    BOOST_TEST(expand_specifiers("%p %i %n %N 100%% %Q %", "engramd@2") ==
               "engramd 2 engramd@2.service engramd@2 100% %Q %");
    BOOST_TEST(expand_specifiers("[%i]", "engramd.service") == "[]");
}

BOOST_AUTO_TEST_CASE(a_later_part_overrides_an_earlier_one) {
    auto const unit = parse_unit(
        "[Service]\nUser=a\nGroup=g\nSupplementaryGroups=redis ssl\nExecStart=/usr/sbin/engramd --config "
        "/etc/x.toml --set 'a=b c'\n"
        "Environment=A=1 \"B=two words\"\nEnvironment=C=3\nEnvironmentFile=/etc/default/a\n"
        "LoadCredential=k:/etc/k\nLoadCredential=l\nLimitNOFILE=65536\nProtectSystem=strict\n"
        "StateDirectory=engramd\n"
        "# drop-in\n[Service]\nUser=b\nEnvironment=A=9\nEnvironmentFile=\nEnvironmentFile=-/etc/default/b\n"
        "LimitNOFILE=1024:2048\nReadWritePaths=-/srv/a /srv/b\n[Install]\nUser=c\n",
        "engramd");
    BOOST_TEST((unit.user == "b" && unit.group == "g" && unit.more_groups == words{"redis", "ssl"}));
    BOOST_TEST((unit.arguments == words{"--config", "/etc/x.toml", "--set", "a=b c"}));
    BOOST_TEST((unit.environment.at("A") == "9" && unit.environment.at("B") == "two words" &&
                unit.environment.at("C") == "3"));
    BOOST_TEST((unit.environment_files == words{"-/etc/default/b"}));
    BOOST_TEST((unit.credentials.at("k") == "/etc/k" && unit.credentials.at("l").empty()));
    BOOST_TEST(unit.file_limit.value() == 2048u);
    BOOST_TEST((unit.writable == words{"/srv/a", "/srv/b"}));
    BOOST_TEST((unit.states == words{"/var/lib/engramd"}));
    BOOST_TEST(!judge_walls(unit, "/srv/a/engram.db").has_value());
    BOOST_TEST(!judge_walls(unit, "/var/lib/engramd/engram.db").has_value());
    BOOST_REQUIRE(judge_walls(unit, "/srv/ab/engram.db").has_value());
    BOOST_TEST(judge_walls(unit, "/srv/ab/engram.db")->cure.find("ReadWritePaths=/srv/ab") !=
               std::string::npos);
}

BOOST_AUTO_TEST_CASE(variables_in_the_command_are_expanded_as_systemd_does) {
    auto const unit = parse_unit(
        "[Service]\nEnvironment=\"OPTS=--config '/srv/my file' --set a=b\" X=two\\ words\n"
        "ExecStart=/usr/sbin/engramd $OPTS ${OPTS} c=${X}! $NONE ${NONE} $$X a$X\n",
        "engramd");
    BOOST_TEST((arguments_of(unit, unit.environment) == words{"--config", "/srv/my file", "--set", "a=b",
                                                              "--config '/srv/my file' --set a=b",
                                                              "c=two words!", "", "$X", "a$X"}));
}

BOOST_AUTO_TEST_CASE(an_empty_list_of_paths_takes_back_those_before_it) {
    auto const unit = parse_unit(
        "[Service]\nProtectSystem=strict\nStateDirectory=engramd\nReadWritePaths=/srv/a\nReadWritePaths=\n"
        "ReadWritePaths=/srv/b\n",
        "engramd");
    BOOST_TEST(judge_walls(unit, "/srv/a/engram.db").has_value());
    BOOST_TEST(!judge_walls(unit, "/srv/b/engram.db").has_value());
    BOOST_TEST(!judge_walls(unit, "/var/lib/engramd/engram.db").has_value());
}

BOOST_AUTO_TEST_CASE(a_key_may_stand_in_the_unit_itself) {
    auto const unit = parse_unit(
        "[Service]\nSetCredential=anthropic_api_key:sk-1\\n\n"
        "LoadCredential=anthropic_api_key:/nowhere/key\n",
        "engramd");
    findings found;
    auto const keys = keys_of(unit, {{"ANTHROPIC_API_KEY", "sk-2"}}, found);
    BOOST_TEST((keys.is_known && found.empty()));
    BOOST_TEST(keys.keys.claude.value.reveal() == "sk-1");
    auto const none = parse_unit("[Service]\nSetCredential=anthropic_api_key:\\n\n", "engramd");
    BOOST_TEST(keys_of(none, {{"ANTHROPIC_API_KEY", "sk-2"}}, found).keys.claude.value.reveal() == "sk-2");
}

BOOST_AUTO_TEST_CASE(what_cannot_be_told_of_a_key_is_a_note) {
    for (auto const* const line :
         {"LoadCredential=anthropic_api_key", "LoadCredentialEncrypted=anthropic_api_key",
          "SetCredentialEncrypted=anthropic_api_key:AAAA", "LoadCredential=anthropic_api_key:/dev/null"}) {
        findings found;
        auto const unit = parse_unit(std::string("[Service]\n") + line + '\n', "engramd");
        BOOST_TEST(!keys_of(unit, {}, found).is_known);
        BOOST_REQUIRE(found.size() == 1u);
        BOOST_TEST((found[0].how == finding::grade::note));
    }
}

BOOST_AUTO_TEST_CASE(a_user_that_is_made_at_the_start_is_a_note) {
    findings found;
    auto const unit = parse_unit("[Service]\nDynamicUser=yes\nUser=engram-nobody-has\n", "engramd");
    BOOST_TEST(become_user(unit, found));
    BOOST_REQUIRE(found.size() == 1u);
    BOOST_TEST((found[0].how == finding::grade::note));
}

BOOST_AUTO_TEST_CASE(a_limit_may_be_none_and_what_is_no_limit_is_left) {
    auto const limit = [](std::string const& value) {
        return parse_unit("[Service]\nLimitNOFILE=" + value, "x").file_limit;
    };
    BOOST_TEST(limit("infinity").value() > 1'000'000u);
    BOOST_TEST(!limit("many").has_value());
    BOOST_TEST(!limit("").has_value());
}

BOOST_AUTO_TEST_CASE(files_of_variables_are_read_as_systemd_does) {
    variables all{{"A", "old"}};
    add_environment(all, "# a comment\nA=new\nB=\"two words\"\nC='x'\n\nD=\n");
    BOOST_TEST(
        (all.at("A") == "new" && all.at("B") == "two words" && all.at("C") == "x" && all.at("D").empty()));
}

BOOST_AUTO_TEST_CASE(a_file_of_variables_must_be_there_unless_it_says_otherwise) {
    findings found;
    unit_facts unit;
    unit.environment_files = {"-/nowhere/a"};
    BOOST_TEST(environment_of(unit, found).empty());
    BOOST_TEST(found.empty());
    unit.environment_files = {"/nowhere/b"};
    static_cast<void>(environment_of(unit, found));
    BOOST_TEST(found.size() == 1u);
}

BOOST_AUTO_TEST_CASE(the_units_that_are_installed_are_understood) {
    for (auto const* const name : {"engramd.service", "engramd@.service"}) {
        std::ifstream file(std::string(ENGRAM_SOURCE_DIR "/systemd/") + name);
        std::stringstream text;
        text << file.rdbuf();
        auto const unit = parse_unit(text.str(), name);
        BOOST_TEST(unit.user == "engramd");
        BOOST_TEST(unit.credentials.at("anthropic_api_key") == "/etc/engramd/anthropic_api_key");
        BOOST_TEST(unit.file_limit.value() == 65536u);
        BOOST_TEST(arguments_of(unit, unit.environment).empty());
        BOOST_TEST(!judge_walls(unit, "/var/lib/engramd/engram.db").has_value());
        BOOST_TEST(judge_walls(unit, "/srv/engram.db").has_value());
    }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace

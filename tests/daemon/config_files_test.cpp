// The files that ship say what the program does.
#include "daemon/config_keys.hpp"
#include "daemon/config_toml.hpp"
#include "reference.hpp"

#include <boost/test/unit_test.hpp>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <unistd.h>

namespace {

using namespace engram::daemon;

std::string read(std::string const& name) {
    std::ifstream file(std::string(ENGRAM_SOURCE_DIR) + "/" + name, std::ios::binary);
    BOOST_REQUIRE_MESSAGE(file, name << " cannot be read");
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

/// The configuration that `text` makes, as --check-config shows it, without origins.
std::string described(std::string const& text) {
    char name[] = "/tmp/engram-config-XXXXXX";
    int const file = ::mkstemp(name);
    BOOST_REQUIRE(file >= 0);
    BOOST_REQUIRE(::write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size()));
    ::close(file);
    auto loaded = load_config({.file = name, .default_file = {}, .environment = {}, .settings = {}});
    ::unlink(name);
    if (!loaded) BOOST_FAIL(loaded.error().problems.front());
    loaded->origins.clear();
    loaded->file.clear();
    return describe(*loaded, "not set", "not set");
}

/// `text` with the commented keys (`#key = …`; prose has a blank after the sign) turned into keys.
std::string uncommented(std::string const& text) {
    std::istringstream lines(text);
    std::string out;
    for (std::string line; std::getline(lines, line);) {
        if (line.size() > 1 && line[0] == '#' && line[1] != ' ') line.erase(0, 1);
        out += line + "\n";
    }
    return out;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(config_files)

BOOST_AUTO_TEST_CASE(the_shipped_file_is_what_the_table_says) {
    BOOST_TEST((read("etc/engramd.toml") == render_commented_file()),
               "etc/engramd.toml is stale; write it with: config_reference file > etc/engramd.toml");
}

BOOST_AUTO_TEST_CASE(the_shipped_file_parses_and_changes_nothing) {
    BOOST_TEST(described(read("etc/engramd.toml")) == described(""));
}

BOOST_AUTO_TEST_CASE(the_shipped_file_shows_every_key_at_its_default) {
    auto const text = uncommented(read("etc/engramd.toml"));
    for (auto const& key : config_keys()) {
        auto const line = "\n" + std::string(key.name.substr(key.name.find('.') + 1)) + " = " +
                          to_toml(value_of(key, config()));
        BOOST_TEST(text.find(line + "\n") != std::string::npos, std::string(key.name));
    }
    BOOST_TEST(described(text) == described(""));
}

BOOST_AUTO_TEST_CASE(an_example_stands_at_the_end_of_its_section_and_can_be_used_as_it_is) {
    auto const keys = config_keys();
    std::size_t examples = 0;
    for (std::size_t i = 0; i < keys.size(); ++i) {
        if (keys[i].example.empty()) continue;
        ++examples;
        auto const section = std::string(keys[i].name.substr(0, keys[i].name.find('.')));
        // Tables swallow the keys after them.
        BOOST_TEST((i + 1 == keys.size() || !keys[i + 1].name.starts_with(section + ".")));
        auto const used = described("[" + section + "]\n" + std::string(keys[i].example));
        BOOST_TEST(used != described(""));
    }
    BOOST_TEST(examples == 1u);
}

BOOST_AUTO_TEST_CASE(the_shipped_file_has_three_kinds_of_memories_to_uncomment) {
    auto const text = read("etc/engramd.toml");
    auto const begin = text.find("# [[memory.category]]\n");
    BOOST_REQUIRE(begin != std::string::npos);
    std::istringstream lines(text.substr(begin));
    std::string file = "[memory]\nlimit = 20\n";
    for (std::string line; std::getline(lines, line) && line.starts_with('#');)
        file += line.substr(1) + "\n";
    auto const shown = described(file);
    for (auto const* name : {"crm_contact", "project_status", "billing_tier"})
        BOOST_TEST(shown.find("{name = \"" + std::string(name) + "\", description = \"") !=
                   std::string::npos);
    BOOST_TEST(shown.find("ttl = \"90d\"") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(the_manual_has_the_table) {
    BOOST_TEST((read("docs/configuration.md").find("\n" + render_table() + "\n") != std::string::npos),
               "the table in docs/configuration.md is stale; write it with: config_reference table");
}

BOOST_AUTO_TEST_CASE(what_check_config_prints_is_a_file_that_gives_the_same) {
    auto loaded = load_config(
        {.file = {},
         .default_file = "/nonexistent",
         .environment = {},
         .settings = {"redis.url=unix:///run/r.sock?db=3",
                      "queue.reply_prefixes=a:,b:", "claude.price=[{model='m', input=1, output=2.25}]",
                      "memory.category=[{name='deal', description='open \"deals\"', ttl='36h'}]",
                      "log.level=debug", "store.path=/x/\"quoted\" \\ name.db"}});
    BOOST_REQUIRE(loaded.has_value());
    loaded->origins.clear();
    auto const text = describe(*loaded, "not set", "not set");
    BOOST_TEST(described(text) == text);
}

BOOST_AUTO_TEST_SUITE_END()

// What engramctl takes from the daemon's configuration.
#include "ctl/config_file.hpp"

#include <boost/test/unit_test.hpp>

#include <fstream>
#include <sysexits.h>
#include <unistd.h>

using namespace engram::ctl;

BOOST_AUTO_TEST_SUITE(ctl_config_file)

BOOST_AUTO_TEST_CASE(what_it_says_and_nothing_else) {
    auto const found = parse_daemon_settings(
        "log = 5\n"
        "[claude]\nmodel = 17\nunknown = true\n"
        "[redis]\nurl = \"redis://u:p@h:1/2\"\nprefix = \"{e}\"\nservice = \"main\"\nca_file = \"/ca\"\n"
        "sentinels = [\"a:1\", \"b\"]\nconnect_timeout_ms = 7\n"
        "[store]\npath = \"/x.db\"\n",
        "f");
    BOOST_REQUIRE(found.has_value());
    BOOST_TEST(found->url.value_or("") == "redis://u:p@h:1/2");
    BOOST_TEST(found->prefix.value_or("") == "{e}");
    BOOST_TEST(found->service.value_or("") == "main");
    BOOST_TEST(found->ca_file.value_or("") == "/ca");
    BOOST_TEST(found->store_path.value_or("") == "/x.db");
    BOOST_TEST(
        found->sentinels.value_or(std::vector<std::string>()) == (std::vector<std::string>{"a:1", "b"}),
        boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(what_it_does_not_say_is_left_open) {
    for (auto const* text :
         {"", "#[redis]\n#url = \"x\"\n", "[redis]\n[store]\n", "redis.prefix = \"p\"\n"}) {
        auto const found = parse_daemon_settings(text, "f");
        BOOST_REQUIRE(found.has_value());
        BOOST_TEST(
            (!found->url && !found->service && !found->ca_file && !found->sentinels && !found->store_path));
    }
}

BOOST_AUTO_TEST_CASE(a_mistake_names_file_and_line) {
    for (auto const* text :
         {"\n\nthis is no toml", "\n\nredis = 5", "[redis]\n\nurl = 5", "[store]\n\npath = []",
          "[redis]\n\nsentinels = \"a:1\"", "[redis]\n\nsentinels = [1]"}) {
        auto const found = parse_daemon_settings(text, "/etc/e.toml");
        BOOST_REQUIRE(found.has_error());
        BOOST_TEST(found.error().line.starts_with("/etc/e.toml:3: "), found.error().line);
        BOOST_TEST(found.error().status == EX_CONFIG);
    }
}

BOOST_AUTO_TEST_CASE(a_file_that_is_not_there_is_none) {
    auto const none = read_daemon_settings("/nonexistent/engramd.toml");
    BOOST_REQUIRE(none.has_value());
    BOOST_TEST(!none->has_value());
}

BOOST_AUTO_TEST_CASE(a_file_that_cannot_be_read_says_why) {
    auto const folder = read_daemon_settings("/etc");
    BOOST_REQUIRE(folder.has_error());
    BOOST_TEST(folder.error().line.starts_with("cannot read /etc (Is a directory)"), folder.error().line);
    BOOST_TEST(folder.error().status == EX_NOINPUT);
}

BOOST_AUTO_TEST_SUITE_END()

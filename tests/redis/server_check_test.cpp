// What is said about a server's settings.
#include "redis/server_check.hpp"

#include <boost/test/unit_test.hpp>

#include <string>

namespace {

using engram::redis::server_risks;

std::string const good =
    "# Server\r\nredis_version:7.0.15\r\n# Memory\r\nmaxmemory_policy:noeviction\r\n# Persistence\r\n"
    "aof_enabled:1\r\n# Cluster\r\ncluster_enabled:0\r\n";

std::string with(std::string text, std::string const& old, std::string const& fresh) {
    return text.replace(text.find(old), old.size(), fresh);
}

std::string only_risk(std::string const& info, std::string const& prefix = "engram") {
    auto const risks = server_risks(info, prefix);
    BOOST_REQUIRE(risks.size() == 1u);
    return risks[0];
}

bool holds(std::string const& text, std::string const& part) {
    return text.find(part) != std::string::npos;
}

BOOST_AUTO_TEST_SUITE(server_check)

BOOST_AUTO_TEST_CASE(a_server_that_is_set_up_well_is_no_risk) {
    BOOST_TEST(server_risks(good, "engram").empty());
    BOOST_TEST(server_risks("", "engram").empty());
    BOOST_TEST(server_risks("maxmemory_policy", "engram").empty());
}

BOOST_AUTO_TEST_CASE(each_risk_names_the_setting_that_ends_it) {
    BOOST_TEST(holds(only_risk(with(good, "noeviction", "allkeys-lru")), "set maxmemory-policy noeviction"));
    BOOST_TEST(holds(only_risk(with(good, "aof_enabled:1", "aof_enabled:0")), "set appendonly yes"));
    BOOST_TEST(holds(only_risk(with(good, "7.0.15", "6.0.16")), "6.2 or later"));
    BOOST_TEST(holds(only_risk(with(good, "7.0.15", "5")), "6.2 or later"));
    BOOST_TEST(server_risks(with(good, "7.0.15", "6.2.0"), "engram").empty());
    BOOST_TEST(server_risks(with(good, "7.0.15", "10.0.1"), "engram").empty());
}

BOOST_AUTO_TEST_CASE(a_cluster_wants_a_prefix_with_a_hash_tag) {
    auto const cluster = with(good, "cluster_enabled:0", "cluster_enabled:1");
    BOOST_TEST(holds(only_risk(cluster), "set it to {engram}"));
    BOOST_TEST(holds(only_risk(cluster, "a{}b"), "no hash tag"));
    BOOST_TEST(holds(only_risk(cluster, "}a{"), "no hash tag"));
    BOOST_TEST(server_risks(cluster, "{engram}").empty());
    BOOST_TEST(server_risks(cluster, "chat{a}").empty());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace

#include "redis/url.hpp"

#include <boost/test/unit_test.hpp>

#include <string>
#include <string_view>

namespace {

using namespace engram;
using namespace engram::redis;

redis::server_address read(std::string_view url) {
    auto address = redis::parse_url(url);
    BOOST_REQUIRE_MESSAGE(address.has_value(), url);
    return std::move(*address);
}

std::string error_of(std::string_view url) {
    auto const address = redis::parse_url(url);
    return address ? std::string() : address.error();
}

BOOST_AUTO_TEST_SUITE(redis_urls)

BOOST_AUTO_TEST_CASE(host_port_and_database_have_defaults) {
    auto const address = read("redis://cache.example");
    BOOST_TEST((address.kind == redis::server_address::kind::tcp));
    BOOST_TEST(address.host == "cache.example");
    BOOST_TEST(address.port == 6379);
    BOOST_TEST(address.db == 0);
    BOOST_TEST(address.user.empty());
    BOOST_TEST(address.password.empty());
    BOOST_TEST(read("redis://").host == "127.0.0.1");
    BOOST_TEST(read("redis://:7000").port == 7000);
    BOOST_TEST(read("redis://h/").db == 0);
}

BOOST_AUTO_TEST_CASE(every_part_is_read) {
    auto const address = read("rediss://ada:secret@cache.example:6380/3");
    BOOST_TEST((address.kind == redis::server_address::kind::tls));
    BOOST_TEST(address.user == "ada");
    BOOST_TEST(address.password.reveal() == "secret");
    BOOST_TEST(address.host == "cache.example");
    BOOST_TEST(address.port == 6380);
    BOOST_TEST(address.db == 3);
}

BOOST_AUTO_TEST_CASE(a_password_needs_no_user) {
    auto const address = read("redis://:secret@h");
    BOOST_TEST(address.user.empty());
    BOOST_TEST(address.password.reveal() == "secret");
}

BOOST_AUTO_TEST_CASE(user_and_password_may_be_percent_encoded) {
    auto const address = read("redis://a%40b:p%3A%2f%25%00x@h");
    BOOST_TEST(address.user == "a@b");
    BOOST_TEST(address.password.reveal() == std::string_view("p:/%\0x", 6));
}

BOOST_AUTO_TEST_CASE(a_password_may_hold_what_nobody_encoded) {
    auto const address = read("redis://u:p@ss:w/rd@h:1/2");
    BOOST_TEST(address.password.reveal() == "p@ss:w/rd");
    BOOST_TEST(address.host == "h");
    BOOST_TEST(address.db == 2);
}

BOOST_AUTO_TEST_CASE(addresses_of_version_six_stand_in_brackets) {
    BOOST_TEST(read("redis://[::1]").host == "::1");
    BOOST_TEST(read("redis://[::1]").port == 6379);
    auto const address = read("redis://[fe80::2]:7001/1");
    BOOST_TEST(address.host == "fe80::2");
    BOOST_TEST(address.port == 7001);
    BOOST_TEST(address.to_text() == "redis://[fe80::2]:7001/1");
}

BOOST_AUTO_TEST_CASE(a_unix_socket_is_a_path) {
    auto const address = read("unix:///run/redis/redis.sock");
    BOOST_TEST((address.kind == redis::server_address::kind::local));
    BOOST_TEST(address.host == "/run/redis/redis.sock");
    auto const full = read("unix://ada:s%2Fecret@/run/a%20b.sock?db=4");
    BOOST_TEST(full.user == "ada");
    BOOST_TEST(full.password.reveal() == "s/ecret");
    BOOST_TEST(full.host == "/run/a b.sock");
    BOOST_TEST(full.db == 4);
}

BOOST_AUTO_TEST_CASE(what_is_logged_holds_no_password) {
    for (auto const* url : {"redis://ada:hunter2@h:1/2", "rediss://:hunter2@h", "unix://ada:hunter2@/p?db=1"})
        BOOST_TEST(read(url).to_text().find("hunter2") == std::string::npos);
    BOOST_TEST(read("redis://ada:hunter2@h:1/2").to_text() == "redis://ada@h:1/2");
    BOOST_TEST(read("unix:///p?db=1").to_text() == "unix:///p?db=1");
}

BOOST_AUTO_TEST_CASE(what_cannot_be_read_is_an_error) {
    for (auto const* url : {"",
                            "h",
                            "h:6379",
                            "http://h",
                            "redis:/h",
                            "REDIS://h",
                            "redis://h:0",
                            "redis://h:65536",
                            "redis://h:x",
                            "redis://h:-1",
                            "redis://h:63 79",
                            "redis://::1",
                            "redis://[::1",
                            "redis://[::1]x",
                            "redis://h/one",
                            "redis://h/-1",
                            "redis://h/1/2",
                            "redis://h/99999999999",
                            "redis://user@h",
                            "redis://u:%zz@h",
                            "redis://u:p%4@h",
                            "redis://h?db=1",
                            "redis://h#x",
                            "redis://a b",
                            "unix://",
                            "unix://run/redis.sock",
                            "unix:///p?db=",
                            "unix:///p?db=x",
                            "unix:///p?x=1",
                            "unix:///p%g0",
                            "unix://ada@/p"})
        BOOST_TEST(error_of(url) != "", url);
}

BOOST_AUTO_TEST_CASE(no_error_repeats_the_password) {
    for (auto const* url : {"http://u:hunter2@h", "redis://u:hunter2%zz@h", "redis://u:hunter2@h:x",
                            "redis://u:hunter2@h/x", "redis://u:hunter2@[::1", "unix://u:hunter2@h/p",
                            "unix://u:hunter2%zz@/p", "unix://u:hunter2@/p?db=x"}) {
        BOOST_TEST(error_of(url) != "", url);
        BOOST_TEST(error_of(url).find("hunter2") == std::string::npos, url);
    }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace

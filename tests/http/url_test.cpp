#include "http/url.hpp"

#include <boost/test/unit_test.hpp>

#include <stdexcept>
#include <tuple>

using engram::http::parse_base_url;

BOOST_AUTO_TEST_SUITE(url)

BOOST_AUTO_TEST_CASE(the_public_address_is_read) {
    auto const url = parse_base_url("https://api.anthropic.com");
    BOOST_TEST(url.tls);
    BOOST_TEST(url.host == "api.anthropic.com");
    BOOST_TEST(url.port == 443);
    BOOST_TEST(url.path == "");
    BOOST_TEST(url.authority() == "api.anthropic.com");
}

BOOST_AUTO_TEST_CASE(a_local_address_with_port_and_path_is_read) {
    auto const url = parse_base_url("HTTP://LocalHost:11434/anthropic/");
    BOOST_TEST(!url.tls);
    BOOST_TEST(url.host == "localhost");
    BOOST_TEST(url.port == 11434);
    BOOST_TEST(url.path == "/anthropic");
    BOOST_TEST(url.authority() == "localhost:11434");
    BOOST_TEST(url.is_local());
}

BOOST_AUTO_TEST_CASE(an_ipv6_address_loses_its_brackets_and_gets_them_back) {
    auto const url = parse_base_url("http://[::1]:8080");
    BOOST_TEST(url.host == "::1");
    BOOST_TEST(url.port == 8080);
    BOOST_TEST(url.authority() == "[::1]:8080");
}

BOOST_AUTO_TEST_CASE(only_loopback_names_and_addresses_are_local) {
    for (std::string const host : {"localhost", "a.localhost", "127.0.0.1", "127.1.2.3", "[::1]", "[0:0::1]"})
        BOOST_TEST(parse_base_url("http://" + host + "/x").is_local(), host);
    for (std::string const host :
         {"127.example.com", "127.0.0.1.example.com", "127.0.0", "128.0.0.1", "127.0.0.256",
          "localhost.example.com", "notlocalhost", "[::2]", "[::]", "[::ffff:128.0.0.1]"})
        BOOST_TEST(!parse_base_url("http://" + host + "/x").is_local(), host);
}

BOOST_AUTO_TEST_CASE(what_is_not_an_address_is_refused) {
    for (auto const* bad : {"",
                            "api.anthropic.com",
                            "ftp://x",
                            "https://",
                            "https:///x",
                            "https://:443",
                            "https://x:",
                            "https://x:0",
                            "https://x:65536",
                            "https://x:80a",
                            "https://x:-1",
                            "https://a b",
                            "https://a\r\nb",
                            "https://[::1",
                            "https://[::1]x",
                            "https://[]",
                            "https://[zz]",
                            "https://x/?a=b",
                            "https://x/#f",
                            "https://x?a",
                            "https://x/a b",
                            "https://x/a\r\nevil: 1",
                            "https://\xc3\xa4.de"})
        BOOST_CHECK_THROW(std::ignore = parse_base_url(bad), std::invalid_argument);
}

BOOST_AUTO_TEST_CASE(a_refusal_calls_the_address_by_its_name) {
    try {
        std::ignore = parse_base_url("ftp://x", "the address of the oracle");
        BOOST_FAIL("accepted");
    } catch (std::invalid_argument const& e) {
        BOOST_TEST(e.what() ==
                   std::string("the address of the oracle, 'ftp://x', must begin with https:// or http://"));
    }
}

BOOST_AUTO_TEST_CASE(a_password_is_refused_without_being_repeated) {
    try {
        std::ignore = parse_base_url("https://user:hunter2@host");
        BOOST_FAIL("accepted");
    } catch (std::invalid_argument const& e) {
        BOOST_TEST(std::string(e.what()).find("hunter2") == std::string::npos);
    }
}

BOOST_AUTO_TEST_SUITE_END()

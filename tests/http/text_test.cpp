#include "http/text.hpp"

#include "base/utf8.hpp"

#include <boost/test/unit_test.hpp>

#include <stdexcept>

using namespace engram::http;

BOOST_AUTO_TEST_SUITE(text)

BOOST_AUTO_TEST_CASE(header_values_are_checked_and_not_repeated) {
    check_header_value("sk-ant-1234", "the API key");
    std::string const nul("sk\0x", 4);
    for (std::string_view const bad :
         {std::string_view(nul), std::string_view("sk\r\nevil: 1"), std::string_view("sk\n"),
          std::string_view("sk\t"), std::string_view("sk\x7f"), std::string_view("sk\xc3\xa4")})
        try {
            check_header_value(bad, "the API key");
            BOOST_ERROR("accepted");
        } catch (std::invalid_argument const& e) {
            BOOST_TEST(std::string(e.what()).find("sk") == std::string::npos);
        }
}

BOOST_AUTO_TEST_CASE(a_quote_never_cuts_a_character_in_two) {
    std::string text;
    for (int i = 0; i < 1000; ++i)
        text += "\xE2\x82\xAC";
    BOOST_TEST(engram::base::is_utf8(quote(text)));
    BOOST_TEST(quote("short") == "short");
    BOOST_TEST(quote("") == "");
}

BOOST_AUTO_TEST_CASE(a_key_that_a_server_repeats_is_taken_out) {
    engram::base::secret const key("sk-ant-12345678");
    BOOST_TEST(without_key("bad key sk-ant-12345678, sk-ant-12345678!", key) == "bad key [key], [key]!");
    BOOST_TEST(without_key("nothing here", key) == "nothing here");
    BOOST_TEST(without_key("a b", engram::base::secret()) == "a b");
}

BOOST_AUTO_TEST_SUITE_END()

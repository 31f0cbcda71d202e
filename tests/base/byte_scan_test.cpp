#include "base/byte_scan.hpp"

#include <boost/test/unit_test.hpp>

#include <string>

namespace {

using engram::base::find_byte;

constexpr auto is_quote = [](unsigned char c) { return c == '"'; };
constexpr auto is_high = [](unsigned char c) { return c >= 0x80; };

BOOST_AUTO_TEST_SUITE(byte_scan)

BOOST_AUTO_TEST_CASE(the_first_byte_that_matters_is_found_wherever_it_stands) {
    for (std::size_t size = 0; size <= 100; ++size) {
        std::string const plain(size, 'a');
        BOOST_TEST(find_byte(plain, 0, is_quote) == size);
        for (std::size_t at = 0; at < size; ++at) {
            auto text = plain;
            text[at] = '"';
            text.back() = '"';
            for (std::size_t from = 0; from <= size; ++from) {
                auto const expected = from <= at ? at : from < size ? size - 1 : size;
                BOOST_REQUIRE(find_byte(text, from, is_quote) == expected);
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(bytes_are_unsigned) {
    std::string const text = std::string(40, 'a') + "\xFF";
    BOOST_TEST(find_byte(text, 0, is_high) == 40u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace

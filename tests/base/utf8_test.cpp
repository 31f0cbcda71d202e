#include "base/utf8.hpp"

#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <string>

namespace {

using engram::base::is_blank;
using engram::base::is_utf8;
using engram::base::to_utf8;

std::string encode(std::uint32_t c) {
    auto const tail = [c](int shift) { return char(0x80 | ((c >> shift) & 0x3F)); };
    if (c < 0x80) return {char(c)};
    if (c < 0x800) return {char(0xC0 | (c >> 6)), tail(0)};
    if (c < 0x10000) return {char(0xE0 | (c >> 12)), tail(6), tail(0)};
    return {char(0xF0 | (c >> 18)), tail(12), tail(6), tail(0)};
}

std::string const replacement = "\xEF\xBF\xBD";

BOOST_AUTO_TEST_SUITE(utf8)

BOOST_AUTO_TEST_CASE(every_code_point_but_a_surrogate_is_valid) {
    for (std::uint32_t c = 0; c <= 0x10FFFF; ++c) {
        bool const surrogate = c >= 0xD800 && c <= 0xDFFF;
        if (is_utf8(encode(c)) == surrogate) BOOST_ERROR("U+" << std::hex << c);
    }
    BOOST_CHECK(!is_utf8(encode(0x110000)));
}

// All strings of three bytes: as many are valid as there are ways to make three bytes of whole characters.
BOOST_AUTO_TEST_CASE(nothing_else_of_up_to_three_bytes_is_valid) {
    std::uint64_t one = 0, two = 0, three = 0;
    std::string text(3, '\0');
    for (std::uint32_t bits = 0; bits < 0x1000000; ++bits) {
        text[0] = char(bits >> 16);
        text[1] = char(bits >> 8);
        text[2] = char(bits);
        if (bits < 0x100) one += is_utf8(std::string_view(text).substr(2));
        if (bits < 0x10000) two += is_utf8(std::string_view(text).substr(1));
        three += is_utf8(text);
    }
    constexpr std::uint64_t ascii = 0x80, pairs = 0x800 - 0x80, triples = 0x10000 - 0x800 - 0x800;
    BOOST_CHECK_EQUAL(one, ascii);
    BOOST_CHECK_EQUAL(two, ascii * ascii + pairs);
    BOOST_CHECK_EQUAL(three, ascii * ascii * ascii + 2 * ascii * pairs + triples);
}

BOOST_AUTO_TEST_CASE(four_byte_forms_that_are_overlong_too_large_or_broken_are_invalid) {
    for (std::string const text :
         {"\xF0\x8F\xBF\xBF", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF\xBF\xBF\xBF",
          "\xF8\x88\x80\x80\x80", "\xF0\x90\x80", "\xF0\x90\x80\x7F", "\xF0\x90\xC0\x80", "\xF0\xC0\x80\x80"})
        BOOST_CHECK(!is_utf8(text));
}

BOOST_AUTO_TEST_CASE(a_bad_byte_is_found_wherever_it_stands) {
    for (std::size_t size = 1; size < 40; ++size) {
        for (std::size_t at = 0; at < size; ++at) {
            std::string text(size, 'a');
            BOOST_REQUIRE(is_utf8(text));
            text[at] = '\x80';
            BOOST_REQUIRE(!is_utf8(text));
            BOOST_REQUIRE_EQUAL(to_utf8(text),
                                std::string(at, 'a') + replacement + std::string(size - at - 1, 'a'));
        }
    }
    BOOST_CHECK(is_utf8(""));
    BOOST_CHECK(is_utf8(std::string("\0", 1)));
}

BOOST_AUTO_TEST_CASE(repaired_text_is_valid_and_valid_text_is_not_touched) {
    BOOST_CHECK_EQUAL(to_utf8("Zo\xC3\xAB \xF0\x9F\x98\x80"), "Zo\xC3\xAB \xF0\x9F\x98\x80");
    BOOST_CHECK_EQUAL(to_utf8("\xC3"), replacement);
    BOOST_CHECK_EQUAL(to_utf8("\xED\xA0\x80"), replacement + replacement + replacement);
    BOOST_CHECK_EQUAL(to_utf8("\xC3\xC3\xAB"), replacement + "\xC3\xAB");
    std::string text(2, '\0');
    for (std::uint32_t bits = 0; bits < 0x10000; ++bits) {
        text[0] = char(bits >> 8);
        text[1] = char(bits);
        if (!is_utf8(to_utf8(text))) BOOST_ERROR(bits);
    }
}

BOOST_AUTO_TEST_CASE(blank_is_what_has_no_visible_character) {
    for (std::string const text :
         {"", " ", " \t\r\n\v\f", "\xC2\xA0", "\xE1\x9A\x80", "\xE2\x80\x80\xE2\x80\x8A\xE2\x80\x8B",
          "\xE2\x80\xA8\xE2\x80\xA9", "\xE2\x80\xAF", "\xE2\x81\x9F", "\xE3\x80\x80", "\xEF\xBB\xBF"})
        BOOST_CHECK(is_blank(text));
    for (std::string const text : {"a", " . ", "\xC2", "\xC2\xA1", "\xE2\x80", "\xE2\x80\x8C", "\xE2\x80\xA7",
                                   "\xE3\x80", "\xE3\x80\x81", "\xEF\xBB", "\xFF", "\x01"})
        BOOST_CHECK(!is_blank(text));
    BOOST_CHECK(!is_blank(std::string("\0", 1)));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace

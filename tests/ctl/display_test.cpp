#include "ctl/display.hpp"

#include "base/utf8.hpp"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <limits>
#include <string>

namespace {

using namespace engram::ctl;

bool is_calm(std::string const& text) {
    return engram::base::is_utf8(text) && std::none_of(text.begin(), text.end(), [](char c) {
               return static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
           });
}

BOOST_AUTO_TEST_SUITE(display)

BOOST_AUTO_TEST_CASE(ordinary_text_is_shown_as_it_is) {
    for (std::string const text : {"", "hello", R"({"a":"b\n"})", "é € 😀 日本", "back\\slash"})
        BOOST_TEST(safe_text(text) == text);
}

BOOST_AUTO_TEST_CASE(what_a_terminal_obeys_is_spelled_out) {
    BOOST_TEST(safe_text("\x1b[31mred\a") == R"(\u001b[31mred\u0007)");
    BOOST_TEST(safe_text("a\nb\r\tc\x7f") == R"(a\nb\r\tc\u007f)");
    BOOST_TEST(safe_text(std::string("a\0b", 3)) == R"(a\u0000b)");
    BOOST_TEST(safe_text("\xC2\x9B"
                         "31m") == R"(\u009b31m)");
    BOOST_TEST(safe_text("\xC2\xA0") == "\xC2\xA0");
    BOOST_TEST(safe_text("abc\u202E\u2066\u200F\u2028\uFEFF") == R"(abc\u202e\u2066\u200f\u2028\ufeff)");
}

BOOST_AUTO_TEST_CASE(bytes_that_are_no_utf8_are_spelled_out) {
    BOOST_TEST(safe_text("\xff\xfe") == R"(\xff\xfe)");
    BOOST_TEST(safe_text("a\xC3") == R"(a\xc3)");
    BOOST_TEST(safe_text("\xC3(") == R"(\xc3()");
    BOOST_TEST(safe_text("\xED\xA0\x80") == R"(\xed\xa0\x80)");
    BOOST_TEST(safe_text("\xF0\x9F\x98") == R"(\xf0\x9f\x98)");
    BOOST_TEST(safe_text("\x80"
                         "x\x9b") == R"(\x80x\x9b)");
}

BOOST_AUTO_TEST_CASE(any_two_bytes_are_shown_in_one_calm_line) {
    for (int a = 0; a < 256; ++a)
        for (int b = 0; b < 256; ++b) {
            std::string const bytes{char(a), char(b)};
            if (!is_calm(safe_text(bytes))) BOOST_ERROR(a << ' ' << b);
        }
}

BOOST_AUTO_TEST_CASE(a_text_is_cut_between_characters_and_says_so) {
    BOOST_TEST(cut_text("hello", 5) == "hello");
    BOOST_TEST(cut_text("hello!", 5) == "hell…");
    BOOST_TEST(cut_text("ééééé", 5) == "ééééé");
    BOOST_TEST(cut_text("éééééé", 5) == "éééé…");
    BOOST_TEST(cut_text("", 5) == "");
}

BOOST_AUTO_TEST_CASE(columns_are_aligned_by_characters_and_lines_end_without_blanks) {
    BOOST_TEST(table({{"A", "B"}, {"éé", "c"}, {"longer", ""}}) == "A       B\néé      c\nlonger\n");
    BOOST_TEST(table({}) == "");
}

BOOST_AUTO_TEST_CASE(a_moment_outside_of_the_calendar_is_none) {
    BOOST_TEST(utc_text(0) == "1970-01-01 00:00:00.000Z");
    BOOST_TEST(utc_text(1'767'225'600'123) == "2026-01-01 00:00:00.123Z");
    BOOST_TEST(utc_text(7'258'118'399'999) == "2199-12-31 23:59:59.999Z");
    for (auto const ms : {std::int64_t(-1), std::int64_t(7'258'118'400'000),
                          std::numeric_limits<std::int64_t>::max(), std::numeric_limits<std::int64_t>::min()})
        BOOST_TEST(utc_text(ms) == "-");
}

BOOST_AUTO_TEST_CASE(a_whole_number_is_digits_and_nothing_else) {
    BOOST_TEST(whole_number("0", -1) == 0);
    BOOST_TEST(whole_number("9223372036854775807", -1) == std::numeric_limits<std::int64_t>::max());
    for (auto const text : {"", "-1", "+1", " 1", "1 ", "1.5", "1e3", "9223372036854775808", "x"})
        BOOST_TEST(whole_number(text, -7) == -7, text);
}

BOOST_AUTO_TEST_CASE(one_is_not_many) {
    BOOST_TEST(count_of(0, "job") == "0 jobs");
    BOOST_TEST(count_of(1, "job") == "1 job");
    BOOST_TEST(count_of(2, "job") == "2 jobs");
}

BOOST_AUTO_TEST_CASE(a_json_line_is_calm_and_reads_back_the_same) {
    std::string const odd = "\x1b[0m\n\x7f\xC2\x9B\u202E \"quoted\" \\ é";
    boost::json::object document;
    document[odd] = json_text(odd);
    auto const line = json_line(document);
    BOOST_TEST(is_calm(line));
    BOOST_TEST((line.find("\xC2\x9B") == std::string::npos));
    BOOST_TEST((boost::json::parse(line) == boost::json::value(document)));
}

BOOST_AUTO_TEST_CASE(json_text_replaces_what_is_no_utf8) {
    BOOST_TEST((json_text("a\xff") == boost::json::value("a\uFFFD")));
}

BOOST_AUTO_TEST_CASE(base64_is_that_of_the_rfc) {
    char const* const cases[][2] = {{"", ""},
                                    {"f", "Zg=="},
                                    {"fo", "Zm8="},
                                    {"foo", "Zm9v"},
                                    {"foob", "Zm9vYg=="},
                                    {"fooba", "Zm9vYmE="},
                                    {"\xff\xfe", "//4="}};
    for (auto const& [bytes, text] : cases)
        BOOST_TEST(base64(bytes) == text);
}

BOOST_AUTO_TEST_CASE(lines_keep_their_breaks_and_nothing_that_a_terminal_obeys) {
    BOOST_TEST(safe_lines("a\n\tb\x1b]0;owned\x07\n") == "a\n\tb\\u001b]0;owned\\u0007\n");
    BOOST_TEST(safe_lines("").empty());
    BOOST_TEST(safe_lines("\n\n") == "\n\n");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace

#include "base/json_text.hpp"

#include <boost/json.hpp>
#include <boost/test/unit_test.hpp>

#include <charconv>
#include <limits>
#include <string>

namespace {

using namespace engram::base;
using namespace std::string_literals;

std::string escaped(std::string_view text) {
    std::string out;
    append_json_escaped(out, text);
    return out;
}

std::string number(double value) {
    std::string out;
    append_json_number(out, value);
    return out;
}

BOOST_AUTO_TEST_SUITE(json_text)

BOOST_AUTO_TEST_CASE(control_characters_have_their_short_form_or_four_lower_case_digits) {
    BOOST_TEST(escaped("a\"b\\c") == R"(a\"b\\c)");
    BOOST_TEST(escaped("\b\f\n\r\t") == R"(\b\f\n\r\t)");
    BOOST_TEST(escaped("\0\x01\x1F\x7F"s) == R"(\u0000\u0001\u001f\u007f)");
    BOOST_TEST(escaped("/ é \u2028 \U0001F600") == "/ é \u2028 \U0001F600");
    BOOST_TEST(escaped("") == "");
}

BOOST_AUTO_TEST_CASE(every_character_reads_back_as_it_was) {
    for (unsigned code = 0; code < 0x80; ++code) {
        std::string const text = std::string("<") + char(code) + ">";
        std::string json;
        append_json_string(json, text);
        BOOST_TEST(boost::json::parse(json).as_string() == text);
    }
}

BOOST_AUTO_TEST_CASE(bytes_that_are_not_utf8_are_replaced) {
    BOOST_TEST(escaped("a\xFF\"\xC3") == "a\xEF\xBF\xBD\\\"\xEF\xBF\xBD");
}

BOOST_AUTO_TEST_CASE(it_appends) {
    std::string out = "x";
    append_json_string(out, "y");
    BOOST_TEST(out == "x\"y\"");
}

BOOST_AUTO_TEST_CASE(numbers_are_short_and_read_back_exactly) {
    BOOST_TEST(number(0.1) == "0.1");
    BOOST_TEST(number(3) == "3");
    BOOST_TEST(number(-2.5e-7) == "-0.00000025");
    for (double const value :
         {std::numeric_limits<double>::max(), std::numeric_limits<double>::denorm_min(), 0.1 + 0.2}) {
        auto const text = number(value);
        double read = 0;
        std::from_chars(text.data(), text.data() + text.size(), read);
        BOOST_TEST(read == value);
    }
    BOOST_TEST(number(std::numeric_limits<double>::infinity()) == "null");
    BOOST_TEST(number(std::numeric_limits<double>::quiet_NaN()) == "null");
}

BOOST_AUTO_TEST_CASE(an_object_is_written_member_by_member) {
    std::string out;
    json_object_writer all(out);
    all.text("text", "a\nb");
    all.number("number", -7);
    all.boolean("flag", true);
    all.raw("raw", "[1,2]");
    all.key("inside");
    json_object_writer inside(out);
    inside.end();
    all.number("last", std::numeric_limits<std::int64_t>::min());
    all.end();
    BOOST_TEST(out == R"({"text":"a\nb","number":-7,"flag":true,"raw":[1,2],"inside":{},)"
                      R"("last":-9223372036854775808})");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace

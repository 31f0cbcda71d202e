#include "base/log_sink.hpp"

#include <boost/json.hpp>
#include <boost/test/unit_test.hpp>

#include <limits>
#include <string>

namespace {

using namespace engram::base;
using namespace std::string_literals;

std::string text_of(std::string_view sentence, log_fields fields) {
    auto const packed = pack_record(sentence, fields);
    return format_text(unpack_record(packed));
}

boost::json::object json_of(std::string_view sentence, log_fields fields) {
    auto const packed = pack_record(sentence, fields);
    return boost::json::parse(format_json(unpack_record(packed), "2026-11-23 10:00:00.000", "info"))
        .as_object();
}

BOOST_AUTO_TEST_SUITE(log_lines)

BOOST_AUTO_TEST_CASE(a_record_survives_its_way_to_the_writer) {
    auto const packed =
        pack_record("job answered", {{"job", "a b"}, {"ms", 12}, {"ok", true}, {"share", 0.5}, {"none", ""}});
    auto const record = unpack_record(packed);
    BOOST_CHECK_EQUAL(record.sentence, "job answered");
    BOOST_REQUIRE_EQUAL(record.fields.size(), 5U);
    BOOST_CHECK_EQUAL(record.fields[0].key, "job");
    BOOST_CHECK_EQUAL(record.fields[0].value, "a b");
    BOOST_CHECK(record.fields[0].is_string);
    BOOST_CHECK_EQUAL(record.fields[1].value, "12");
    BOOST_CHECK(!record.fields[1].is_string);
    BOOST_CHECK_EQUAL(record.fields[2].value, "true");
    BOOST_CHECK_EQUAL(record.fields[3].value, "0.5");
    BOOST_CHECK_EQUAL(record.fields[4].value, "");
}

BOOST_AUTO_TEST_CASE(a_value_cannot_add_a_field) {
    auto const packed = pack_record("x", {{"job",
                                           "a\x1F"
                                           "level\x1Fserror"},
                                          {"ms", 1}});
    auto const record = unpack_record(packed);
    BOOST_REQUIRE_EQUAL(record.fields.size(), 2U);
    BOOST_CHECK_EQUAL(record.fields[0].value, "a level serror");
    BOOST_CHECK_EQUAL(record.fields[1].key, "ms");
}

BOOST_AUTO_TEST_CASE(text_quotes_what_could_be_misread) {
    BOOST_CHECK_EQUAL(text_of("started", {}), "started");
    BOOST_CHECK_EQUAL(
        text_of("x", {{"a", "plain"}, {"b", -3}, {"c", ""}, {"d", "two words"}, {"e", "k=v"}, {"f", "\"\\"}}),
        R"(x a=plain b=-3 c="" d="two words" e="k=v" f="\"\\")");
}

BOOST_AUTO_TEST_CASE(a_text_line_stays_one_line_without_terminal_commands) {
    auto const line = text_of("a\nb", {{"job", "x\ny\x1B[2J\r\0z\x7F"s}});
    BOOST_CHECK_EQUAL(line, R"(a\nb job="x\ny\u001b[2J\r\u0000z\u007f")");
}

BOOST_AUTO_TEST_CASE(a_text_line_is_utf8_whatever_a_peer_said) {
    BOOST_CHECK_EQUAL(text_of("a\x9B", {{"job", "x\x9B"}, {"error", "b c\x9B"}}),
                      "a\xEF\xBF\xBD job=x\xEF\xBF\xBD error=\"b c\xEF\xBF\xBD\"");
}

BOOST_AUTO_TEST_CASE(json_holds_the_values_with_their_types) {
    auto const line = json_of("job \"answered\"",
                              {{"job", "x\ny\x1B\\\"\0z"s}, {"ms", 12}, {"ok", false}, {"share", 0.25}});
    BOOST_CHECK_EQUAL(line.at("time").as_string(), "2026-11-23 10:00:00.000");
    BOOST_CHECK_EQUAL(line.at("level").as_string(), "info");
    BOOST_CHECK_EQUAL(line.at("msg").as_string(), "job \"answered\"");
    BOOST_CHECK(std::string_view(line.at("job").as_string()) == "x\ny\x1B\\\"\0z"s);
    BOOST_CHECK_EQUAL(line.at("ms").as_int64(), 12);
    BOOST_CHECK_EQUAL(line.at("ok").as_bool(), false);
    BOOST_CHECK_EQUAL(line.at("share").as_double(), 0.25);
}

BOOST_AUTO_TEST_CASE(json_is_valid_whatever_a_peer_said) {
    auto const line = json_of("x", {{"error", "bad \xFF\xC3 byte"},
                                    {"nan", std::numeric_limits<double>::quiet_NaN()},
                                    {"inf", -std::numeric_limits<double>::infinity()}});
    BOOST_CHECK_EQUAL(line.at("error").as_string(), "bad \xEF\xBF\xBD\xEF\xBF\xBD byte");
    BOOST_CHECK_EQUAL(line.at("nan").as_string(), "nan");
    BOOST_CHECK_EQUAL(line.at("inf").as_string(), "-inf");
}

BOOST_AUTO_TEST_CASE(large_numbers_keep_every_digit) {
    auto const line = json_of("x", {{"max", std::numeric_limits<std::int64_t>::max()},
                                    {"min", std::numeric_limits<std::int64_t>::min()}});
    BOOST_CHECK_EQUAL(line.at("max").as_int64(), std::numeric_limits<std::int64_t>::max());
    BOOST_CHECK_EQUAL(line.at("min").as_int64(), std::numeric_limits<std::int64_t>::min());
}

BOOST_AUTO_TEST_CASE(garbage_in_place_of_a_record_does_no_harm) {
    for (std::string const packed : {"", "\x1F", "\x1F\x1F", "a\x1F",
                                     "a\x1F"
                                     "b",
                                     "a\x1F"
                                     "b\x1F",
                                     "\x1F\x1F\x1F\x1F\x1F"})
        BOOST_CHECK_EQUAL(format_text(unpack_record(packed)).find('\x1F'), std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace

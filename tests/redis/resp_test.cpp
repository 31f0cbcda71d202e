#include "redis/resp.hpp"

#include <boost/test/unit_test.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace engram;
using namespace engram::redis;
using namespace std::string_view_literals;

std::vector<redis::value> read_all(std::vector<std::string_view> const& pieces) {
    resp_reader reader;
    std::vector<redis::value> values;
    for (auto const piece : pieces) {
        reader.feed(piece);
        for (;;) {
            auto value = reader.next();
            BOOST_REQUIRE(value.has_value());
            if (!*value) break;
            values.push_back(std::move(**value));
        }
    }
    return values;
}

// The protocol error that `bytes` ends in; empty if there is none.
std::string error_of(std::string_view bytes) {
    resp_reader reader;
    reader.feed(bytes);
    for (;;) {
        auto value = reader.next();
        if (!value) return value.error().empty() ? "an error without a text" : value.error();
        if (!*value) return {};
    }
}

BOOST_AUTO_TEST_SUITE(resp)

BOOST_AUTO_TEST_CASE(a_command_is_an_array_of_counted_strings) {
    std::string out = "before";
    append_command(out, {"SET", "k", "a\r\nb"});
    BOOST_TEST(out == "before*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$4\r\na\r\nb\r\n");
}

BOOST_AUTO_TEST_CASE(arguments_may_hold_any_byte_and_be_empty) {
    std::string out;
    append_command(out, {"X", "", "\0\xff\n"sv});
    BOOST_TEST(out == "*3\r\n$1\r\nX\r\n$0\r\n\r\n$3\r\n\0\xff\n\r\n"sv);
}

BOOST_AUTO_TEST_CASE(each_kind_of_value_is_read) {
    auto const values =
        read_all({"+OK\r\n-ERR no\r\n:-42\r\n$3\r\na\0b\r\n$-1\r\n*-1\r\n*0\r\n$0\r\n\r\n"sv});
    BOOST_REQUIRE(values.size() == 8u);
    BOOST_TEST((values[0].kind == value_kind::status && values[0].text == "OK"));
    BOOST_TEST((values[1].kind == value_kind::error && values[1].text == "ERR no"));
    BOOST_TEST((values[2].kind == value_kind::integer && values[2].integer == -42));
    BOOST_TEST((values[3].kind == value_kind::string && values[3].text == "a\0b"sv));
    BOOST_TEST(values[4].is_nil());
    BOOST_TEST(values[5].is_nil());
    BOOST_TEST((values[6].is_array() && values[6].items.empty()));
    BOOST_TEST((values[7].is_text() && values[7].text.empty()));
}

BOOST_AUTO_TEST_CASE(values_come_out_whole_wherever_the_bytes_are_split) {
    auto const bytes = "*3\r\n:1\r\n*2\r\n$2\r\n\r\n\r\n$-1\r\n-E x\r\n:7\r\n"sv;
    for (std::size_t at = 0; at <= bytes.size(); ++at) {
        auto const values = read_all({bytes.substr(0, at), bytes.substr(at)});
        BOOST_REQUIRE_MESSAGE(values.size() == 2u, "split at " << at);
        BOOST_REQUIRE(values[0].items.size() == 3u);
        BOOST_TEST(values[0].items[0].integer == 1);
        BOOST_REQUIRE(values[0].items[1].items.size() == 2u);
        BOOST_TEST(values[0].items[1].items[0].text == "\r\n");
        BOOST_TEST(values[0].items[1].items[1].is_nil());
        BOOST_TEST((values[0].items[2].kind == value_kind::error));
        BOOST_TEST(values[1].integer == 7);
    }
}

BOOST_AUTO_TEST_CASE(values_come_out_whole_when_fed_byte_by_byte) {
    auto const bytes = "*2\r\n*1\r\n$5\r\nhello\r\n:12\r\n+OK\r\n"sv;
    std::vector<std::string_view> pieces;
    for (std::size_t i = 0; i < bytes.size(); ++i)
        pieces.push_back(bytes.substr(i, 1));
    auto const values = read_all(pieces);
    BOOST_REQUIRE(values.size() == 2u);
    BOOST_TEST(values[0].items.at(0).items.at(0).text == "hello");
    BOOST_TEST(values[1].text == "OK");
}

BOOST_AUTO_TEST_CASE(a_string_of_a_megabyte_arrives_in_pieces) {
    std::string const big(1024 * 1024, '\n');
    std::string const bytes = "$" + std::to_string(big.size()) + "\r\n" + big + "\r\n:1\r\n";
    std::vector<std::string_view> pieces;
    for (std::size_t at = 0; at < bytes.size(); at += 4099)
        pieces.push_back(std::string_view(bytes).substr(at, 4099));
    auto const values = read_all(pieces);
    BOOST_REQUIRE(values.size() == 2u);
    BOOST_TEST((values[0].text == big));
}

BOOST_AUTO_TEST_CASE(garbage_is_an_error) {
    BOOST_TEST(error_of("HTTP/1.1 400 Bad Request\r\n") != "");
    BOOST_TEST(error_of(":12x\r\n") != "");
    BOOST_TEST(error_of("$-7\r\n") != "");
    BOOST_TEST(error_of("*-7\r\n") != "");
    BOOST_TEST(error_of("\0\0\0"sv) != "");
    BOOST_TEST(error_of("+OK\r\n\xff") != "");
}

BOOST_AUTO_TEST_CASE(an_error_stays_an_error_however_much_is_fed_after_it) {
    resp_reader reader;
    reader.feed("?");
    BOOST_TEST(!reader.next().has_value());
    reader.feed("+OK\r\n");
    BOOST_TEST(!reader.next().has_value());
}

BOOST_AUTO_TEST_CASE(a_length_that_nobody_can_mean_is_an_error_and_takes_no_memory) {
    BOOST_TEST(error_of("*2147483647\r\n") != "");
    BOOST_TEST(error_of("*2\r\n:1\r\n*1000000000\r\n") != "");
    BOOST_TEST(error_of("*99999999999999999999\r\n") != "");
    BOOST_TEST(error_of("$99999999999999999999\r\n") != "");
}

BOOST_AUTO_TEST_CASE(deep_nesting_is_an_error_and_not_a_crash) {
    std::string bytes;
    for (int i = 0; i < 100'000; ++i)
        bytes += "*1\r\n";
    BOOST_TEST(error_of(bytes) != "");
}

BOOST_AUTO_TEST_CASE(five_levels_are_read_since_the_queue_needs_four) {
    auto const values = read_all({"*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n:9\r\n"});
    BOOST_REQUIRE(values.size() == 1u);
    auto const* value = &values[0];
    for (int level = 0; level < 5; ++level)
        value = &value->items.at(0);
    BOOST_TEST(value->integer == 9);
}

BOOST_AUTO_TEST_CASE(a_reader_dropped_in_the_middle_of_a_value_leaks_nothing) {
    resp_reader reader;
    reader.feed("*3\r\n$5\r\nhello\r\n*2\r\n:1\r\n");
    auto const value = reader.next();
    BOOST_REQUIRE(value.has_value());
    BOOST_TEST(!value->has_value());
    reader = resp_reader();
    reader.feed(":5\r\n");
    auto const next = reader.next();
    BOOST_REQUIRE((next.has_value() && next->has_value()));
    BOOST_TEST((*next)->integer == 5);
}

BOOST_AUTO_TEST_CASE(a_number_may_come_as_an_integer_or_as_text) {
    redis::value value;
    BOOST_TEST(value.as_integer() == 0);
    value.kind = value_kind::string;
    value.text = "1700000000000";
    BOOST_TEST(value.as_integer() == 1700000000000);
    value.text = "not a number";
    BOOST_TEST(value.as_integer() == 0);
    value.kind = value_kind::integer;
    value.integer = -3;
    BOOST_TEST(value.as_integer() == -3);
}

BOOST_AUTO_TEST_CASE(an_error_code_is_the_beginning_of_a_refusal_only) {
    redis::error const refused{redis::error_kind::refused, "WRONGTYPE Operation against a key"};
    BOOST_TEST(refused.has_code("WRONGTYPE"));
    BOOST_TEST(!refused.has_code("NOSCRIPT"));
    redis::error const lost{redis::error_kind::disconnected, "WRONGTYPE"};
    BOOST_TEST(!lost.has_code("WRONGTYPE"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace

#include "queue/job.hpp"

#include <boost/test/unit_test.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace engram::queue;

struct fixture {
    std::vector<std::string> others{"web:"};
    job_limits limits{"engram", &others, 262'144};

    job good(std::string_view bytes) const {
        auto read = parse_job(bytes, limits);
        BOOST_REQUIRE_MESSAGE(read.has_value(), "refused: " << read.error().message << "\n"
                                                            << bytes.substr(0, 300));
        return std::move(*read);
    }

    job_error bad(std::string_view bytes) const {
        auto read = parse_job(bytes, limits);
        BOOST_REQUIRE_MESSAGE(!read.has_value(), "accepted: " << bytes.substr(0, 300));
        BOOST_TEST(!read.error().message.empty());
        return read.error();
    }

    // A job that is fine but for these fields.
    static std::string with(std::string_view fields) {
        return R"({"user_id":"u","message":"hi","id":"7",)" + std::string(fields) + "}";
    }
};

std::string text(std::size_t bytes) {
    return std::string(bytes, 'x');
}

BOOST_FIXTURE_TEST_SUITE(jobs, fixture)

BOOST_AUTO_TEST_CASE(user_and_message_are_enough) {
    auto const job = good(R"({"user_id":"u","message":"hi"})");
    BOOST_TEST(job.user_id == "u");
    BOOST_TEST(job.message == "hi");
    BOOST_TEST(job.id.empty());
    BOOST_TEST(job.session_id.empty());
    BOOST_TEST(job.reply_to.empty());
    BOOST_TEST(!job.stream);
    BOOST_TEST(!job.deadline.has_value());
    BOOST_TEST(job.metadata == "{}");
}

BOOST_AUTO_TEST_CASE(every_field_is_read) {
    auto const job = good(
        R"({"user_id":"u","message":"hi","session_id":"s","id":"a.B_9:-","reply_to":"engram:reply:x","stream":true,)"
        R"("deadline_ms":1500,"metadata":{"k":1},"timezone":"Asia/Tokyo"})");
    BOOST_TEST(job.timezone == "Asia/Tokyo");
    BOOST_TEST(job.session_id == "s");
    BOOST_TEST(job.id == "a.B_9:-");
    BOOST_TEST(job.reply_to == "engram:reply:x");
    BOOST_TEST(job.stream);
    BOOST_TEST(job.deadline->count() == 1500);
    BOOST_TEST(job.metadata == R"({"k":1})");
}

BOOST_AUTO_TEST_CASE(an_optional_field_that_is_null_counts_as_absent) {
    auto const job = good(
        R"({"user_id":"u","message":"hi","session_id":null,"id":null,"reply_to":null,"stream":null,"deadline_ms":null,"metadata":null,"timezone":null})");
    BOOST_TEST(job.timezone.empty());
    BOOST_TEST(job.session_id.empty());
    BOOST_TEST(job.id.empty());
    BOOST_TEST(!job.stream);
    BOOST_TEST(!job.deadline.has_value());
    BOOST_TEST(job.metadata == "{}");
}

BOOST_AUTO_TEST_CASE(a_required_field_that_is_null_or_absent_is_missed) {
    BOOST_TEST(bad(R"({"message":"hi"})").message == "user_id is required");
    BOOST_TEST(bad(R"({"user_id":null,"message":"hi"})").message == "user_id is required");
    BOOST_TEST(bad(R"({"user_id":"u"})").message == "message is required");
    BOOST_TEST(bad(R"({"user_id":"u","message":null})").message == "message is required");
    BOOST_TEST(bad("{}").readable);
}

BOOST_AUTO_TEST_CASE(unknown_fields_are_ignored) {
    BOOST_TEST(good(with(R"("":0,"User_Id":4,"x":[{"user_id":5}])")).user_id == "u");
}

BOOST_AUTO_TEST_CASE(each_field_has_its_type) {
    for (auto const* name : {"user_id", "session_id", "message", "id", "reply_to", "timezone"})
        for (auto const* value : {"1", "true", "false", "[]", "{}", "1.5", "[\"u\"]"})
            BOOST_TEST(bad(with("\"" + std::string(name) + "\":" + value)).message.find(name) == 0u);
    for (auto const* value : {"1", "0", "\"true\"", "[]", "{}"})
        BOOST_TEST(bad(with("\"stream\":" + std::string(value))).message.find("stream") == 0u);
    for (auto const* value : {"1", "\"{}\"", "[]", "true"})
        BOOST_TEST(bad(with("\"metadata\":" + std::string(value))).message.find("metadata") == 0u);
}

BOOST_AUTO_TEST_CASE(user_session_and_time_zone_hold_1_to_128_bytes) {
    for (std::string const name : {"user_id", "session_id", "timezone"}) {
        auto const field = [&](std::string const& value) {
            return with("\"" + name + "\":\"" + value + "\"");
        };
        good(field("x"));
        good(field(text(128)));
        bad(field(""));
        bad(field(text(129)));
        std::string wide;
        for (int i = 0; i < 64; ++i)
            wide += "ü";  // two bytes each
        good(field(wide));
        bad(field(wide + "x"));
    }
}

BOOST_AUTO_TEST_CASE(names_are_taken_as_they_are) {
    auto const job = good(R"({"user_id":" \u0000\"\ud83d\ude00","session_id":"a\nb","message":"hi"})");
    BOOST_TEST(job.user_id == std::string(" \0\"\xF0\x9F\x98\x80", 7));
    BOOST_TEST(job.session_id == "a\nb");
}

BOOST_AUTO_TEST_CASE(an_id_has_few_characters_and_at_most_128) {
    auto const field = [](std::string const& value) {
        return R"({"user_id":"u","message":"m","id":")" + value + "\"}";
    };
    for (auto const* id : {"0", "a.b_c:d-E", "-", ":", "."})
        BOOST_TEST(good(field(id)).id == id);
    good(field(text(128)));
    bad(field(text(129)));
    for (auto const* id : {"", " ", "a b", "a/b", "ü", "a\\n", "{", "*", "a\\u0000"}) {
        auto const error = bad(field(id));
        BOOST_TEST(error.message.starts_with("id must be"));
        BOOST_TEST(error.partial.id.empty());
        BOOST_TEST(error.partial.user_id == "u");
    }
}

BOOST_AUTO_TEST_CASE(a_message_must_not_be_blank_in_any_alphabet) {
    for (auto const* blank : {"", " ", "\\n\\t\\r ", "\\u00a0", "\\u2003\\u3000", "\\u200b", "\\ufeff",
                              "\\u2028 \\u2029", "\\u1680\\u202f\\u205f"})
        BOOST_TEST(bad(R"({"user_id":"u","message":")" + std::string(blank) + "\"}").message ==
                   "message must not be blank");
    BOOST_TEST(good(R"({"user_id":"u","message":" . "})").message == " . ");
    BOOST_TEST(good(R"({"user_id":"u","message":"\u0000"})").message == std::string(1, '\0'));
}

BOOST_AUTO_TEST_CASE(a_reply_address_has_an_allowed_beginning) {
    auto const field = [](std::string const& key) { return with("\"reply_to\":\"" + key + "\""); };
    BOOST_TEST(good(field("engram:reply:1")).reply_to == "engram:reply:1");
    BOOST_TEST(good(field("web:1")).reply_to == "web:1");
    good(field("engram:reply:" + text(1011)));
    bad(field("engram:reply:" + text(1012)));
    for (auto const* key : {"", "engram:reply:", "web:", "engram:jobs", "engram:replyx", "other",
                            "Engram:reply:1", " engram:reply:1", "engram:dead"}) {
        auto const error = bad(field(key));
        BOOST_TEST(error.message.starts_with("reply_to must begin with engram:reply:"));
        BOOST_TEST(error.partial.id == "7");
        BOOST_TEST(error.partial.reply_to.empty());
    }
}

BOOST_AUTO_TEST_CASE(without_other_prefixes_only_the_default_is_allowed) {
    limits.reply_prefixes = nullptr;
    limits.prefix = "{p}";
    bad(with(R"("reply_to":"web:1")"));
    bad(with(R"("reply_to":"engram:reply:1")"));
    BOOST_TEST(good(with(R"("reply_to":"{p}:reply:1")")).reply_to == "{p}:reply:1");
    BOOST_TEST(default_reply_key("{p}", "9") == "{p}:reply:9");
}

BOOST_AUTO_TEST_CASE(a_deadline_is_a_whole_number_of_milliseconds) {
    BOOST_TEST(good(with(R"("deadline_ms":1)")).deadline->count() == 1);
    BOOST_TEST(good(with(R"("deadline_ms":31536000000)")).deadline->count() == 31'536'000'000);
    for (auto const* value : {"0", "-1", "1.5", "1e3", "\"1\"", "true", "[1]", "31536000001",
                              "9223372036854775807", "18446744073709551615", "1e300"})
        BOOST_TEST(
            bad(with("\"deadline_ms\":" + std::string(value))).message.starts_with("deadline_ms must be"));
}

BOOST_AUTO_TEST_CASE(the_first_complaint_is_told_and_all_that_is_valid_is_kept) {
    auto const error =
        bad(R"({"message":" ","stream":"x","session_id":"s","id":"7","user_id":"u","metadata":{"a":1}})");
    BOOST_TEST(error.message == "message must not be blank");
    BOOST_TEST(error.readable);
    BOOST_TEST(error.partial.id == "7");
    BOOST_TEST(error.partial.user_id == "u");
    BOOST_TEST(error.partial.session_id == "s");
    BOOST_TEST(error.partial.metadata == R"({"a":1})");
}

BOOST_AUTO_TEST_CASE(what_is_not_one_json_object_is_not_readable) {
    for (auto const* bytes : {"",
                              " ",
                              "null",
                              "[]",
                              "\"x\"",
                              "1",
                              "{",
                              "}",
                              "{}x",
                              "{} {}",
                              "{\"a\":1,}",
                              "{'a':1}",
                              "{\"a\" 1}",
                              "nul",
                              "{\"user_id\":NaN}",
                              "// x\n{}",
                              "\xEF\xBB\xBF{}",
                              "{\"a\":01}",
                              "{\"a\":\"\t\"}",
                              "{\"a\":\"\\ud800\"}"})
        BOOST_TEST(!bad(bytes).readable, bytes);
    BOOST_TEST(!bad(std::string_view("{}\0", 3)).readable);
    BOOST_TEST(!bad(std::string_view("\0", 1)).readable);
}

BOOST_AUTO_TEST_CASE(text_that_is_not_utf8_is_not_readable) {
    for (auto const* message : {"\xff", "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82", "a\x80"})
        BOOST_TEST(!bad(R"({"user_id":"u","message":")" + std::string(message) + "\"}").readable);
}

BOOST_AUTO_TEST_CASE(deep_nesting_is_refused_and_not_a_crash) {
    for (auto const depth : {100, 1'000, 100'000}) {
        auto const opened = std::string(std::size_t(depth), '[');
        BOOST_TEST(!bad(with("\"x\":" + opened + std::string(std::size_t(depth), ']'))).readable);
        BOOST_TEST(!bad(opened).readable);
    }
}

BOOST_AUTO_TEST_CASE(the_last_of_equal_fields_counts) {
    BOOST_TEST(good(with(R"("message":"one","message":"two")")).message == "two");
    BOOST_TEST(good(with(R"("metadata":{"a":1},"metadata":{"b":2})")).metadata == R"({"b":2})");
    bad(with(R"("user_id":"a","user_id":5)"));
}

BOOST_AUTO_TEST_CASE(a_job_may_be_as_large_as_the_limit_and_no_larger) {
    std::string const frame = R"({"user_id":"u","message":"","id":"7"})";
    auto const sized = [&](std::size_t bytes) {
        return R"({"user_id":"u","message":")" + text(bytes - frame.size()) + R"(","id":"7"})";
    };
    BOOST_TEST(sized(262'144).size() == 262'144u);
    good(sized(262'144));
    auto const over = bad(sized(262'145));
    BOOST_TEST(over.message == "the job is 262145 bytes, at most 262144 are allowed");
    BOOST_TEST(over.partial.id == "7");  // so that the answer finds its way
    BOOST_TEST(over.readable);
    BOOST_TEST(bad(sized(4 * 262'144)).partial.id == "7");
    BOOST_TEST(!bad(sized(4 * 262'144 + 1)).readable);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace

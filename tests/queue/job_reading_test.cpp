#include "queue/job_reading.hpp"

#include "queue/pushed_json.hpp"
#include "queue/reply.hpp"

#include <boost/test/unit_test.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace engram::queue;
using namespace std::string_literals;

struct fixture {
    std::vector<std::string> others{"web:"};
    job_limits limits{"engram", &others, 262'144};

    job good(std::string_view bytes) const {
        auto read = read_any_job(bytes, limits);
        BOOST_REQUIRE_MESSAGE(read.has_value(), "refused: " << read.error().message << "\n"
                                                            << bytes.substr(0, 300));
        return std::move(*read);
    }

    job_error bad(std::string_view bytes) const {
        auto read = read_any_job(bytes, limits);
        BOOST_REQUIRE_MESSAGE(!read.has_value(), "accepted: " << bytes.substr(0, 300));
        BOOST_TEST(!read.error().message.empty());
        return read.error();
    }

    // A job that is fine but for what stands in its message, as JSON has it.
    static std::string saying(std::string const& message, std::string const& user = "u") {
        return R"({"user_id":")" + user + R"(","session_id":"s","id":"7","message":")" + message + "\"}";
    }

    // `depth` lists in each other, inside of the job's object.
    static std::string nested(std::size_t depth) {
        return R"({"user_id":"u","message":"hi","id":"7","metadata":{"x":)" + std::string(depth - 2, '[') +
               std::string(depth - 2, ']') + "}}";
    }
};

BOOST_FIXTURE_TEST_SUITE(job_reading, fixture)

BOOST_AUTO_TEST_CASE(what_is_a_job_is_read_as_ever) {
    BOOST_TEST(good(saying("hi")).message == "hi");
    BOOST_TEST(bad(R"({"id":"7","message":"hi"})").message == "user_id is required");
    BOOST_TEST(good(saying("\\ufffd")).message == "\xEF\xBF\xBD");  // somebody has said so
}

BOOST_AUTO_TEST_CASE(half_an_emoji_is_repaired_in_the_message_and_refused_in_a_name) {
    auto const lost = "\xEF\xBF\xBD"s;
    BOOST_TEST(good(saying("a\\ud83d b")).message == "a" + lost + " b");
    BOOST_TEST(good(saying("a\\uDE00 b")).message == "a" + lost + " b");
    BOOST_TEST(good(saying("a\\ud83d\\ud83d\\ude00")).message == "a" + lost + "\xF0\x9F\x98\x80");
    BOOST_TEST(good(saying("a\\ude00\\ud83d")).message == "a" + lost + lost);
    BOOST_TEST(good(saying("a\\ud83d\\n")).message == "a" + lost + "\n");
    for (std::string const name : {"user_id", "session_id", "reply_to"}) {
        auto const error =
            bad(R"({"user_id":"u","message":"hi","id":"7",")" + name + R"(":"engram:reply:\ud83d"})");
        BOOST_TEST(error.partial.id == "7");
        BOOST_TEST(error.message.starts_with("the job is not JSON in UTF-8: "));
    }
    BOOST_TEST(bad(R"({"user\u005fid":"u\ud83d","message":"hi","id":"7"})").partial.id == "7");
}

BOOST_AUTO_TEST_CASE(an_escaped_backslash_before_u_stays) {
    BOOST_TEST(good(saying("\\\\ud83d \\ud83d")).message == "\\ud83d \xEF\xBF\xBD");
    BOOST_TEST(good(saying("\\\\\\ud83d")).message == "\\\xEF\xBF\xBD");
    BOOST_TEST(good(saying("\\\\\\\\ud83d\\ude00")).message == "\\\\ud83d\xEF\xBF\xBD");
}

BOOST_AUTO_TEST_CASE(a_whole_pair_stays) {
    BOOST_TEST(good(saying("\\ud83d\\ude00 \\ud83d")).message == "\xF0\x9F\x98\x80 \xEF\xBF\xBD");
    BOOST_TEST(good(saying("\\ud83d \\uD83D\\uDE00")).message == "\xEF\xBF\xBD \xF0\x9F\x98\x80");
}

BOOST_AUTO_TEST_CASE(a_byte_that_is_no_utf8_is_repaired_in_texts_and_refused_in_a_name) {
    BOOST_TEST(good(saying("caf\xE9 na\xEFve")).message == "caf\xEF\xBF\xBD na\xEF\xBF\xBDve");
    BOOST_TEST(good(saying("\xE4\xBD\xA0 \xE4\xBD")).message == "\xE4\xBD\xA0 \xEF\xBF\xBD\xEF\xBF\xBD");
    auto const job =
        good("{\"user_id\":\"u\",\"message\":\"hi\",\"metadata\":{\"id\":\"\xE9\",\"user_id\":\"\\ud83d\"}}");
    BOOST_TEST(job.metadata == "{\"id\":\"\xEF\xBF\xBD\",\"user_id\":\"\\ufffd\"}");
    BOOST_TEST(bad(saying("hi", "Ren\xE9")).partial.id == "7");
    BOOST_TEST(bad(saying("hi", "Ren\xE9")).partial.user_id.empty());
}

BOOST_AUTO_TEST_CASE(two_users_with_bad_bytes_are_never_one) {
    for (std::string const user : {"\xE9", "\xE8", "\\ud83d", "\\ude00", "\xED\xA0\xBD", "a\xC3"}) {
        auto const error = bad(saying("hi", user));
        BOOST_TEST(error.partial.user_id.empty());
        BOOST_TEST(error.partial.id == "7");
    }
    BOOST_TEST(good("\xEF\xBB\xBF" + saying("hi", "\\ufffd")).user_id == "\xEF\xBF\xBD");
}

BOOST_AUTO_TEST_CASE(a_mark_in_front_and_a_nul_or_blanks_behind_are_nothing) {
    auto const job = saying("hi");
    for (auto const& bytes :
         {"\xEF\xBB\xBF" + job, job + "\0"s, job + "\0\0"s, job + "\0\n"s, job + "\xC2\xA0", job + "\v\f",
          job + "\xE3\x80\x80", "\xC2\xA0" + job, "\0"s + job, "\xEF\xBB\xBF \r\n" + job + "\r\n \0"s})
        BOOST_TEST(good(bytes).message == "hi");
    BOOST_TEST(bad(job + "x").partial.id == "7");
    BOOST_TEST(bad(job + "\0x"s).partial.id == "7");
    BOOST_TEST(bad(job + "\xE9").partial.id == "7");
}

BOOST_AUTO_TEST_CASE(nesting_of_33_and_of_64_is_read_and_of_65_is_answered) {
    for (std::size_t const depth : {32u, 33u, 64u}) {
        auto const job = good(nested(depth));
        BOOST_TEST(job.metadata.size() == 6 + 2 * (depth - 2));
        // What brings it back can be read, too.
        error_reply reply;
        reply.metadata = job.metadata;
        BOOST_TEST(parse_reply(to_json(reply)).has_value());
    }
    for (std::size_t const depth : {65u, 100u, 100'000u}) {
        auto const error = bad(nested(depth));
        BOOST_TEST(error.message.find("too deep") != std::string::npos, error.message);
        BOOST_TEST(error.partial.id == "7");
    }
}

BOOST_AUTO_TEST_CASE(a_message_of_which_nothing_is_left_is_blank) {
    for (auto const* message : {"\xFF", "\\ud800", " \xE9 \\udfff ", "\xED\xA0\x80"}) {
        auto const error = bad(saying(message));
        BOOST_TEST(error.message == "message must not be blank");
        BOOST_TEST(error.partial.id == "7");
        BOOST_TEST(error.partial.user_id == "u");
    }
    BOOST_TEST(good(saying("\xFF?")).message == "\xEF\xBF\xBD?");
}

BOOST_AUTO_TEST_CASE(what_cannot_be_repaired_is_answered_where_its_sender_waits) {
    std::string const begin = R"({"user_id":"u","session_id":"s","reply_to":"web:1","id":"7","message":"hi")";
    for (auto const& rest : {R"(,"metadata":{"a":NaN}})"s,
                             R"(,"metadata":{"a":Infinity}})"s,
                             R"(,"metadata":{"a":-inf}})"s,
                             R"(,})"s,
                             R"(,"x":1,,"y":2})"s,
                             R"(,"x":01})"s,
                             R"(,"x":+1})"s,
                             R"(,"x":.5})"s,
                             R"(,"x":undefined})"s,
                             R"(,"x":True})"s,
                             R"(,"x":'y'})"s,
                             R"(,"x":"\x"})"s,
                             R"(,"x":"\u12"})"s,
                             "\"x\":\"a\nb\"}"s,
                             "\"x\":\"a\x01\"}"s,
                             R"( "x":1})"s,
                             R"(,"x" 1})"s,
                             R"(,x:1})"s,
                             R"(,"x":[1,2},"y":3})"s,
                             R"(,"x":])"s,
                             R"(,"x":{)"s,
                             R"(,"x":"he said "no" to me"})"s,
                             R"(} {"id":"8"})"s,
                             R"(}x)"s,
                             R"( /* c */ })"s,
                             R"(, // c
            "x":1})"s,
                             ""s,
                             ","s,
                             R"(,")"s,
                             "\0}"s}) {
        auto const error = bad(begin + rest);
        BOOST_TEST_CONTEXT(begin + rest) {
            BOOST_TEST(error.partial.id == "7");
            BOOST_TEST(error.partial.reply_to == "web:1");
            BOOST_TEST(error.partial.user_id == "u");
            BOOST_TEST(error.partial.session_id == "s");
            BOOST_TEST(error.partial.metadata == "{}");
            BOOST_TEST(!error.readable);
        }
    }
}

BOOST_AUTO_TEST_CASE(other_ways_to_write_an_object_are_answered) {
    for (auto const& bytes :
         {R"({'user_id': 'u', 'id': '7', 'message': "it's", 'x': None, 'y': True})"s,
          R"({user_id: "u", id: "7", message: "hi"})"s, R"({/* "id":"no" */ "user_id":"u", "id":"7" # no
          })"s,
          R"("{\"user_id\":\"u\",\"id\":\"7\"}")"s, R"([{"user_id":"u","id":"7"}])"s,
          R"(job={"user_id":"u","id":"7"})"s, R"({"message":"he said "hi" to me","id":"7","user_id":"u"})"s,
          R"({"user_id":"u","id":"6","id":"\u0037"})"s,
          R"({"metadata":{"a":[1,{"b":2]},"id":"7","user_id":"u",})"s,
          "\xFF\xFE{\0\"\0i\0d\0\"\0:\0\"\0"
          "7\0\"\0,\0\"\0u\0s\0e\0r\0_\0i\0d\0\"\0:\0\"\0u\0\"\0}\0"s}) {
        auto const error = bad(bytes);
        BOOST_TEST_CONTEXT(bytes) {
            BOOST_TEST(error.partial.id == "7");
            BOOST_TEST(error.partial.user_id == "u");
        }
    }
}

BOOST_AUTO_TEST_CASE(the_place_of_the_fault_is_told_as_the_sender_counts) {
    BOOST_TEST(bad(R"({"id":NaN})").message == "the job is not JSON in UTF-8: syntax error at byte 7");
    BOOST_TEST(bad("\xEF\xBB\xBF  "
                   R"({"id":NaN})")
                   .message == "the job is not JSON in UTF-8: syntax error at byte 12");
    BOOST_TEST(bad("{\"a\":\"\xE9\\ud83d\xE9\",\"id\":NaN})").message ==
               "the job is not JSON in UTF-8: syntax error at byte 22");
    BOOST_TEST(bad(R"({"id":"7")").message == "the job is not JSON in UTF-8: incomplete JSON at byte 10");
    BOOST_TEST(bad("17").message == "the job must be a JSON object");
}

BOOST_AUTO_TEST_CASE(every_prefix_of_a_job_has_its_address_as_soon_as_it_stands_there) {
    std::string const front = R"({"x":[1,{"id":"no"},"}"],"message":"\"id\":\"no\" {","id":"7")";
    std::string const whole =
        front + R"(,"reply_to":"engram:reply:r","metadata":{"id":"no","reply_to":"web:no"}})";
    auto const reply_to = whole.find("engram:reply:r") + 15;
    for (std::size_t length = 0; length <= whole.size(); ++length) {
        auto const found = find_address(std::string_view(whole).substr(0, length), limits);
        BOOST_TEST(found.id == (length < front.size() ? "" : "7"), length);
        BOOST_TEST(found.reply_to == (length < reply_to ? "" : "engram:reply:r"), length);
    }
}

BOOST_AUTO_TEST_CASE(an_address_inside_of_metadata_or_of_a_text_is_none) {
    for (auto const& bytes : {R"({"metadata":{"id":"no","reply_to":"web:no"},"x":NaN})"s,
                              R"({"a":[{"id":"no"}],})"s,
                              R"({"message":"{\"id\":\"no\"}","x":NaN})"s,
                              R"({"message":"\",\"id\":\"no\"",})"s,
                              R"("say {\"id\":\"no\"}")"s,
                              R"(["{\"id\":\"no\"}"])"s,
                              R"({"message":"id":"no")"s,
                              R"({"id")"s,
                              R"({"id":)"s,
                              R"({"id":"no)"s,
                              R"({"id":7,})"s,
                              R"({"id":"7","id":7,})"s,
                              R"({"id":"a b",})"s,
                              R"({"id":"\ud83d",})"s,
                              R"({"reply_to":"engram:jobs",})"s,
                              R"({"reply_to":"web:",})"s,
                              R"(}{"x":1,})"s,
                              R"({"metadata":{"id":"no")"s,
                              "id: 7"s,
                              ""s}) {
        auto const found = find_address(bytes, limits);
        BOOST_TEST_CONTEXT(bytes) {
            BOOST_TEST(found.id == "");
            BOOST_TEST(found.reply_to == "");
        }
    }
}

BOOST_AUTO_TEST_CASE(a_job_over_the_limit_is_refused_for_its_size_whatever_else_is_wrong) {
    limits.max_bytes = 100;
    auto const long_one = "\xEF\xBB\xBF" + saying(std::string(100, 'x'));
    auto const over = "the job is " + std::to_string(long_one.size()) + " bytes, at most 100 are allowed";
    BOOST_TEST(bad(long_one).message == over);
    BOOST_TEST(bad(long_one).partial.id == "7");
    // Far over it nothing is parsed; what stands in its beginning is found.
    BOOST_TEST(bad(saying(std::string(1'000, 'x'))).partial.id == "7");
    BOOST_TEST(bad(R"({"message":")" + std::string(1'000, 'x') + R"(","id":"7"})").partial.id == "");
}

BOOST_AUTO_TEST_CASE(nothing_is_repaired_where_nothing_is_wrong) {
    for (auto const* bytes :
         {"{}", "17", R"({"a":"\ud83d\ude00 \\ud83d","user_id":"\ud83d"})", "{\"a\":\"\n\"}"})
        BOOST_TEST(repaired(bytes) == "");
}

BOOST_AUTO_TEST_CASE(long_and_odd_texts_take_no_long_time) {
    // Any step that looks back at what it has seen would take minutes here.
    std::size_t const size = 1'000'000;
    auto const repeat = [](std::string const& what, std::size_t bytes) {
        std::string text;
        while (text.size() < bytes)
            text += what;
        return text;
    };
    for (auto const* piece :
         {" ",  "\xFF", "{",       "[", "[{", "\"", "\\", "'",  "\"a\"",        "\"a\":",  "{\"a\":",
          "/*", "//",   "\\ud83d", "}", "]",  ",",  "{]", "[}", "\xEF\xBB\xBF", "\\u0061", "\"\\u0061\":"})
        for (std::string const front : {"", "{", "{\"a\":", "{\"a\":["})
            bad(front + repeat(piece, size));
    bad("{\"user_id\":\"u\",\"message\":\"" + repeat("\xE9", 250'000) + "\"}");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace

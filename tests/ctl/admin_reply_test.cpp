#include "ctl/admin_reply.hpp"

#include "base/utf8.hpp"

#include <boost/json/parse.hpp>
#include <boost/test/unit_test.hpp>

#include <string>
#include <sysexits.h>

namespace {

using namespace engram::ctl;
namespace json = boost::json;

json::object object_of(std::string const& text) {
    return json::parse(text).as_object();
}

complaint trouble_of(std::string_view reply) {
    auto const result = read_admin_reply(reply);
    BOOST_REQUIRE_MESSAGE(!result, reply);
    return result.error();
}

complaint error_of(std::string const& fields) {
    return trouble_of(R"({"id":"a","op":"stats","status":"error","error":{)" + fields + "}}");
}

BOOST_AUTO_TEST_SUITE(admin_replies)

BOOST_AUTO_TEST_CASE(a_request_names_operation_user_and_fields) {
    auto const request =
        admin_request_text("a1", "memory.list", "ada \"x\"", {{"past", true}, {"type", "fact"}});
    BOOST_TEST(
        (json::parse(request) ==
         json::parse(R"({"id":"a1","op":"memory.list","user_id":"ada \"x\"","past":true,"type":"fact"})")));
    BOOST_TEST((json::parse(admin_request_text("a1", "stats", std::nullopt, {})) ==
                json::parse(R"({"id":"a1","op":"stats"})")));
}

BOOST_AUTO_TEST_CASE(a_request_does_not_hide_what_is_no_utf8) {
    BOOST_TEST(!engram::base::is_utf8(admin_request_text("a", "stats", "\xff", {})));
    BOOST_TEST(!engram::base::is_utf8(admin_request_text("a", "memory.add", "u", {{"content", "a\xC3"}})));
}

BOOST_AUTO_TEST_CASE(a_good_reply_gives_its_result) {
    auto const result = read_admin_reply(R"({"id":"a","op":"stats","status":"ok","result":{"users":1}})");
    BOOST_REQUIRE(result.has_value());
    BOOST_TEST((*result == object_of(R"({"users":1})")));
}

BOOST_AUTO_TEST_CASE(each_error_has_its_exit_code) {
    BOOST_TEST(error_of(R"("type":"not_found","message":"no memory 7","retryable":false)").status ==
               EX_NOINPUT);
    BOOST_TEST(error_of(R"("type":"invalid_job","message":"limit","retryable":false)").status == EX_DATAERR);
    BOOST_TEST(error_of(R"("type":"internal","message":"disk","retryable":true)").status == EX_TEMPFAIL);
    BOOST_TEST(error_of(R"("type":"internal","message":"disk","retryable":false)").status == EX_SOFTWARE);
    BOOST_TEST(error_of(R"("type":"poisoned","message":7,"retryable":"yes")").status == EX_SOFTWARE);
    BOOST_TEST(error_of(R"("type":"not_found","message":"no memory 7")").line == "not_found: no memory 7");
    BOOST_TEST(error_of(R"("type":"internal")").line == "internal");
}

BOOST_AUTO_TEST_CASE(what_is_no_reply_makes_no_sense) {
    for (std::string_view const reply :
         {"", "{", "null", "[]", "\xff\xfe", "{}", R"({"status":"ok"})", R"({"status":"ok","result":[]})",
          R"({"status":"ok","result":null})", R"({"status":"fine","result":{}})",
          R"({"status":7,"result":{}})", R"({"status":"error"})", R"({"status":"error","error":"not_found"})",
          R"({"status":"error","error":{}})", R"({"status":"error","error":{"type":null}})",
          R"({"status":"ok","result":{}} {})"})
        BOOST_TEST(trouble_of(reply).status == EX_PROTOCOL, reply);
    auto const deep = R"({"status":"ok","result":{"a":)" + std::string(100'000, '[');
    BOOST_TEST(trouble_of(deep).status == EX_PROTOCOL);
}

BOOST_AUTO_TEST_CASE(an_error_from_outside_stays_one_calm_line) {
    auto const line =
        error_of(R"("type":"\u001b]0;x\u0007","message":"a\nb\u009b)" + std::string(10'000, 'x') + '"').line;
    for (char const c : line)
        BOOST_TEST(static_cast<unsigned char>(c) >= 0x20);
    BOOST_TEST(line.find("\xC2\x9B") == std::string::npos);
    BOOST_TEST(line.size() < 500);
}

BOOST_AUTO_TEST_CASE(a_list_ends_without_a_cursor) {
    for (auto const* const page : {R"({"cursor":null})", "{}"}) {
        auto const next = next_cursor(object_of(page), {"5"});
        BOOST_TEST((next && !*next), page);
    }
    auto const next = next_cursor(object_of(R"({"cursor":"6"})"), {"4", "5"});
    BOOST_TEST((next && *next == "6"));
}

BOOST_AUTO_TEST_CASE(a_cursor_that_leads_nowhere_is_an_error) {
    for (auto const* const page :
         {R"({"cursor":"5"})", R"({"cursor":"4"})", R"({"cursor":""})", R"({"cursor":7})"}) {
        auto const next = next_cursor(object_of(page), {"4", "5"});
        BOOST_TEST((!next && next.error().status == EX_PROTOCOL), page);
    }
}

BOOST_AUTO_TEST_CASE(an_id_is_a_number_and_a_label_is_none) {
    BOOST_TEST(memory_id("7").value() == 7);
    for (auto const* const given : {"", "0", "-7", "#7", "7a", " 7", "99999999999999999999"})
        BOOST_TEST(!memory_id(given), given);
    BOOST_TEST(not_a_memory_id("#7").find("label") != std::string::npos);
    BOOST_TEST(not_a_memory_id("x\x1b").find("label") == std::string::npos);
    BOOST_TEST(not_a_memory_id("x\x1b").find('\x1b') == std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace

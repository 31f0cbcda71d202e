#include "workers/admin/admin_request.hpp"

#include <boost/test/unit_test.hpp>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

using namespace engram;
using workers::admin_op;
using workers::admin_request;

std::vector<std::string> const other_prefixes{"web:"};
workers::categories const types = *workers::categories::make({{"recipe", "what the user cooks"}});
workers::admin_limits const limits{"engram", &other_prefixes, 20'000, &types};

admin_request read(std::string_view text) {
    auto request = workers::parse_admin_request(text, limits);
    BOOST_REQUIRE_MESSAGE(request.has_value(), (request.has_error() ? request.error().message : ""));
    return *request;
}

workers::admin_complaint refused(std::string_view text) {
    auto request = workers::parse_admin_request(text, limits);
    BOOST_REQUIRE_MESSAGE(request.has_error(), text);
    return request.error();
}

std::string complaint(std::string_view text) {
    return refused(text).message;
}

// A request of user u with these members more.
std::string of_u(std::string_view op, std::string_view more = "") {
    std::string text = R"({"user_id":"u","op":")" + std::string(op) + '"';
    if (!more.empty()) text += "," + std::string(more);
    return text + "}";
}

}  // namespace

BOOST_AUTO_TEST_SUITE(admin_requests)

BOOST_AUTO_TEST_CASE(every_operation_is_known_by_its_name) {
    std::vector<std::pair<admin_op, std::string>> const operations{
        {admin_op::memory_list, of_u("memory.list")},
        {admin_op::memory_search, of_u("memory.search", R"("query":"tea")")},
        {admin_op::memory_add, of_u("memory.add", R"("content":"likes tea")")},
        {admin_op::memory_update, of_u("memory.update", R"("memory_id":7,"pinned":true)")},
        {admin_op::memory_history, of_u("memory.history", R"("memory_id":7)")},
        {admin_op::memory_restore, of_u("memory.restore", R"("memory_id":7)")},
        {admin_op::memory_delete, of_u("memory.delete", R"("memory_id":7)")},
        {admin_op::session_list, of_u("session.list")},
        {admin_op::session_history, of_u("session.history", R"("session_id":"s")")},
        {admin_op::session_delete, of_u("session.delete", R"("session_id":"s")")},
        {admin_op::user_export, of_u("user.export")},
        {admin_op::user_forget, of_u("user.forget")},
        {admin_op::stats, of_u("stats")}};
    for (auto const& [op, text] : operations) {
        auto const request = read(text);
        BOOST_TEST(bool(request.op == op), text);
        BOOST_TEST(request.user_id == "u");
        BOOST_TEST(text.find('"' + std::string(workers::name_of(op)) + '"') != std::string::npos);
    }
}

BOOST_AUTO_TEST_CASE(what_is_not_given_has_its_default) {
    auto const list = read(of_u("memory.list", R"("type":null,"past":null,"limit":null,"cursor":null)"));
    BOOST_TEST(list.limit == 50u);
    BOOST_TEST(list.cursor.empty());
    BOOST_TEST(!list.type.has_value());
    BOOST_TEST(!list.past);
    BOOST_TEST(list.reply_to.empty());
    BOOST_TEST(read(of_u("memory.search", R"("query":"tea")")).limit == 10u);
    BOOST_TEST(!read(of_u("session.delete", R"("session_id":"s")")).memories);
    auto const update = read(of_u("memory.update", R"("memory_id":7,"content":"x")"));
    BOOST_TEST(!update.type.has_value());
    BOOST_TEST(!update.pinned.has_value());
}

BOOST_AUTO_TEST_CASE(what_is_given_is_taken) {
    auto const list = read(of_u("memory.list", R"("type":"recipe","past":true,"limit":500,"cursor":"90")"));
    BOOST_TEST(list.type.value() == "recipe");
    BOOST_TEST(list.past);
    BOOST_TEST(list.limit == 500u);
    BOOST_TEST(list.cursor == "90");
    auto const update =
        read(of_u("memory.update", R"("memory_id":7,"content":"x","type":"fact","pinned":false)"));
    BOOST_TEST(update.memory_id == 7);
    BOOST_TEST(update.content.value() == "x");
    BOOST_TEST(update.type.value() == "fact");
    BOOST_TEST(update.pinned.value() == false);
    BOOST_TEST(read(of_u("session.delete", R"("session_id":"s","memories":true)")).memories);
}

BOOST_AUTO_TEST_CASE(the_reply_goes_where_the_reply_of_a_job_would_go) {
    BOOST_TEST(read(of_u("stats", R"("id":"1")")).reply_to == "engram:reply:1");
    BOOST_TEST(read(of_u("stats", R"("id":"1","reply_to":"web:9")")).reply_to == "web:9");
    BOOST_TEST(read(of_u("stats", R"("reply_to":"engram:reply:x")")).reply_to == "engram:reply:x");
    auto const elsewhere = refused(of_u("stats", R"("id":"1","reply_to":"engram:jobs")"));
    BOOST_TEST(elsewhere.message.starts_with("reply_to must be a string that begins with engram:reply:"));
    BOOST_TEST(elsewhere.partial.reply_to == "engram:reply:1");
    BOOST_TEST(elsewhere.has_op);
    auto const nameless = refused(of_u("stats", R"("id":"a b")"));
    BOOST_TEST(nameless.message.starts_with("id must be a string of 1 to 128"));
    BOOST_TEST(nameless.partial.reply_to.empty());
}

BOOST_AUTO_TEST_CASE(what_is_no_request_is_not_readable) {
    auto const garbage = refused("not a request");
    BOOST_TEST(garbage.message.starts_with("the request is not JSON in UTF-8: "));
    BOOST_TEST(garbage.partial.reply_to.empty());
    BOOST_TEST(complaint("{\"op\":\"st\xFF\"}").starts_with("the request is not JSON in UTF-8: "));
    BOOST_TEST(complaint("[1]") == "the request must be a JSON object");
    BOOST_TEST(complaint(std::string(90'000, '{')) == "the request is far too large");
    auto const large = refused(of_u("stats", R"("id":"1","x":")" + std::string(20'000, 'x') + '"'));
    BOOST_TEST(large.message.ends_with("bytes, at most 20000 are allowed"));
    BOOST_TEST(large.partial.reply_to == "engram:reply:1");
}

BOOST_AUTO_TEST_CASE(what_is_harmless_is_repaired) {
    auto const whole = of_u("memory.add", R"("content":"tea \ud83d")");
    for (auto const& text :
         {whole, "\xEF\xBB\xBF" + whole, whole + std::string(1, '\0'), whole + "\xC2\xA0\n"})
        BOOST_TEST(*read(text).content == "tea \xEF\xBF\xBD");
    BOOST_TEST(*read(of_u("memory.add", "\"content\":\"caf\xE9\"")).content == "caf\xEF\xBF\xBD");
    BOOST_TEST(read(of_u("stats", "\"x\":" + std::string(40, '[') + std::string(40, ']'))).user_id == "u");
    // But nothing is kept of which nothing is left.
    BOOST_TEST(complaint(of_u("memory.add", "\"content\":\"\xE9 \"")) == "content must not be blank");
    BOOST_TEST(complaint(of_u("memory.search", R"("query":"\ud83d")")) == "query must not be blank");
}

BOOST_AUTO_TEST_CASE(what_cannot_be_repaired_is_answered_where_its_sender_waits) {
    for (std::string const broken : {R"(,"content":NaN})", R"(,})", R"(,"content":"a)", R"(} x)",
                                     R"(,"y":'z'})", R"(,"session_id":"\ud83d"})"}) {
        auto const there = refused(R"({"id":"1","op":"memory.add","user_id":"u")" + broken);
        BOOST_TEST(there.message.starts_with("the request is not JSON in UTF-8: "), broken);
        BOOST_TEST(there.message.find(" at byte ") != std::string::npos);
        BOOST_TEST(there.partial.id == "1");
        BOOST_TEST(there.partial.reply_to == "engram:reply:1");
        BOOST_TEST(there.has_op);
        BOOST_TEST((there.partial.op == admin_op::memory_add));
        auto const elsewhere = refused(R"({"reply_to":"web:1","id":"1","op":"memory.eat")" + broken);
        BOOST_TEST(elsewhere.partial.reply_to == "web:1");
        BOOST_TEST(!elsewhere.has_op);
    }
    auto const far_over =
        refused(of_u("memory.add", R"("id":"1","content":")" + std::string(90'000, 'x') + '"'));
    BOOST_TEST(far_over.message == "the request is far too large");
    BOOST_TEST(far_over.partial.id == "1");
}

BOOST_AUTO_TEST_CASE(an_unknown_operation_is_refused_with_the_known_ones) {
    auto const unknown = refused(of_u("memory.eat", R"("id":"1")"));
    BOOST_TEST(unknown.message.starts_with("op must be one of memory.list, memory.search, "));
    BOOST_TEST(unknown.message.ends_with(", user.forget, stats"));
    BOOST_TEST(!unknown.has_op);
    BOOST_TEST(unknown.partial.id == "1");
    BOOST_TEST(complaint(R"({"user_id":"u"})").starts_with("op is required: one of "));
    BOOST_TEST(complaint(R"({"op":7,"user_id":"u"})").starts_with("op must be one of "));
}

BOOST_AUTO_TEST_CASE(only_the_totals_need_no_user) {
    BOOST_TEST(read(R"({"op":"stats"})").user_id.empty());
    BOOST_TEST(complaint(R"({"op":"stats","user_id":""})") == "user_id must be a string of 1 to 128 bytes");
    for (auto const* op : {"memory.list", "memory.search", "memory.add", "memory.update", "memory.history",
                           "memory.restore", "memory.delete", "session.list", "session.history",
                           "session.delete", "user.export", "user.forget"}) {
        BOOST_TEST(complaint(R"({"op":")" + std::string(op) + "\"}") == "user_id is required", op);
        BOOST_TEST(complaint(R"({"user_id":7,"op":")" + std::string(op) + "\"}") ==
                       "user_id must be a string of 1 to 128 bytes",
                   op);
    }
    BOOST_TEST(complaint(R"({"op":"user.forget","user_id":")" + std::string(129, 'u') + "\"}") ==
               "user_id must be a string of 1 to 128 bytes");
}

BOOST_AUTO_TEST_CASE(each_field_is_checked) {
    std::vector<std::pair<std::string, std::string>> const wrong{
        {of_u("memory.list", R"("limit":0)"), "limit must be a whole number from 1 to 500"},
        {of_u("memory.list", R"("limit":501)"), "limit must be a whole number from 1 to 500"},
        {of_u("session.list", R"("limit":2.5)"), "limit must be a whole number from 1 to 500"},
        {of_u("user.export", R"("limit":"9")"), "limit must be a whole number from 1 to 500"},
        {of_u("memory.search", R"("query":"x","limit":501)"), "limit must be a whole number from 1 to 500"},
        {of_u("session.list", R"("cursor":"")"),
         "cursor must be a string that an earlier result had as its cursor"},
        {of_u("session.list", R"("cursor":7)"),
         "cursor must be a string that an earlier result had as its cursor"},
        {of_u("memory.list", R"("past":1)"), "past must be true or false"},
        {of_u("memory.list", R"("type":"x")"), "type must be one of fact, preference, summary, recipe"},
        {of_u("memory.search"), "query is required"},
        {of_u("memory.search", R"("query":null)"), "query is required"},
        {of_u("memory.search", R"("query":1)"), "query must be a string"},
        {of_u("memory.search", R"("query":" \u00a0")"), "query must not be blank"},
        {of_u("memory.search", R"("query":")" + std::string(8'001, 'x') + '"'),
         "query must be at most 8000 bytes"},
        {of_u("memory.add"), "content is required"},
        {of_u("memory.add", R"("content":["x"])"), "content must be a string"},
        {of_u("memory.add", R"("content":"\n\t \u0001")"), "content must not be blank"},
        {of_u("memory.add", R"("content":")" + std::string(8'001, 'x') + '"'),
         "content must be at most 8000 bytes"},
        {of_u("memory.add", R"("content":"x","type":"Fact")"),
         "type must be one of fact, preference, summary, recipe"},
        {of_u("memory.add", R"("content":"x","type":1)"),
         "type must be one of fact, preference, summary, recipe"},
        {of_u("memory.add", R"("content":"x","pinned":"yes")"), "pinned must be true or false"},
        {of_u("memory.update", R"("content":"x")"), "memory_id is required"},
        {of_u("memory.update", R"("memory_id":7)"), "content, type or pinned is required: what is to change"},
        {of_u("memory.update", R"("memory_id":7,"content":"")"), "content must not be blank"},
        {of_u("memory.history"), "memory_id is required"},
        {of_u("memory.restore"), "memory_id is required"},
        {of_u("memory.delete"), "memory_id is required"},
        {of_u("session.history"), "session_id is required"},
        {of_u("session.history", R"("session_id":"")"), "session_id must be a string of 1 to 128 bytes"},
        {of_u("session.delete"), "session_id is required"},
        {of_u("session.delete", R"("session_id":"s","memories":"no")"), "memories must be true or false"},
    };
    for (auto const& [text, message] : wrong)
        BOOST_TEST(complaint(text) == message, text.substr(0, 100));
}

BOOST_AUTO_TEST_CASE(a_cursor_is_one_that_a_result_of_the_same_operation_can_have_had) {
    std::string const session = R"("session_id":"s",)";
    auto const with = [&](std::string const& op, std::string const& cursor) {
        return of_u(op, session + R"("cursor":")" + cursor + '"');
    };
    std::vector<std::string> const numbers{"0", "7", "9223372036854775807"};
    std::vector<std::string> const places{"m7", "t0:s", "t9223372036854775807:a:b", "t5:", "u7"};
    std::vector<std::string> const nothing{
        "x",   "-1",   "+1", "1.5", " 7",  "7 ",  "1:2:3", "9223372036854775808", "\\u0000", "m",
        "m-1", "m7:s", "t",  "t5",  "t:s", "u7:", "s7"};
    std::string const why = "cursor must be a string that an earlier result had as its cursor";
    for (std::string const op : {"memory.list", "session.list", "session.history"}) {
        for (auto const& one : numbers)
            BOOST_TEST(read(with(op, one)).cursor == one);
        for (auto const* wrong : {&places, &nothing})
            for (auto const& one : *wrong)
                BOOST_TEST(complaint(with(op, one)) == why, op + " " + one);
    }
    for (auto const& one : places)
        BOOST_TEST(read(with("user.export", one)).cursor == one);
    for (auto const* wrong : {&numbers, &nothing})
        for (auto const& one : *wrong)
            BOOST_TEST(complaint(with("user.export", one)) == why, one);
}

BOOST_AUTO_TEST_CASE(a_memory_id_is_a_whole_number_or_its_digits) {
    BOOST_TEST(read(of_u("memory.delete", R"("memory_id":"7")")).memory_id == 7);
    BOOST_TEST(read(of_u("memory.delete", R"("memory_id":9223372036854775807)")).memory_id ==
               9223372036854775807);
    for (auto const* id : {"0", "-7", "7.5", "true", "\"\"", "\"0\"", "\"-7\"", "\"7 \"", "\" 7\"", "\"+7\"",
                           "\"#7\"", "\"7x\"", "9223372036854775808", "\"9223372036854775808\"", "[7]"})
        BOOST_TEST(complaint(of_u("memory.delete", "\"memory_id\":" + std::string(id))) ==
                       "memory_id must be a whole number greater than 0",
                   id);
}

BOOST_AUTO_TEST_CASE(content_becomes_one_line) {
    BOOST_TEST(
        read(of_u("memory.add", R"("content":" likes\r\ntea\tand\u2028milk\u0007 ")")).content.value() ==
        "likes tea and milk");
    BOOST_TEST(read(of_u("memory.add", R"("content":")" + std::string(8'000, 'x') + "\\n\""))
                   .content.value()
                   .size() == 8'000u);
}

BOOST_AUTO_TEST_CASE(fields_of_other_operations_and_unknown_ones_do_not_matter) {
    read(of_u("stats", R"("limit":0,"memory_id":"x","metadata":7,"message":9,"session_id":false,"odd":1)"));
    read(of_u("memory.list", R"("memory_id":"x","query":7,"session_id":7,"stream":"?","deadline_ms":-1)"));
}

BOOST_AUTO_TEST_SUITE_END()

#include "workers/admin/admin_fixture.hpp"

#include <cmath>

namespace {

using namespace engram;
using namespace engram::test;
using namespace std::chrono_literals;

}  // namespace

BOOST_FIXTURE_TEST_SUITE(admin, admin_fixture)

BOOST_AUTO_TEST_CASE(memories_are_listed_page_by_page) {
    CHECK_JSON(result("memory.list", R"("limit":1)"),
               R"({"memories":)" + objects({memory_7}) + R"(,"cursor":"1"})");
    auto const rest = result("memory.list", R"("limit":1,"cursor":"1","type":"fact","past":true)");
    CHECK_VALUE(rest.at("memories").at(0).at("id"), 8);
    BOOST_TEST(rest.at("cursor").is_null());
    CHECK_CALLS({"list_memories u - present - 1", "list_memories u fact past 1 1"});
}

BOOST_AUTO_TEST_CASE(a_memory_of_the_past_shows_its_end_and_its_successor) {
    curator.memories[0].valid_to = "2026-11-24 10:00:00.000";
    curator.memories[0].superseded_by = 8;
    curator.memories[0].expires_at = "2027-01-01 00:00:00.000";
    curator.memories[0].pinned = true;
    auto const memory = result("memory.list").at("memories").at(0);
    CHECK_VALUE(memory.at("valid_to"), "2026-11-24 10:00:00.000");
    CHECK_VALUE(memory.at("superseded_by"), 8);
    CHECK_VALUE(memory.at("expires_at"), "2027-01-01 00:00:00.000");
    CHECK_VALUE(memory.at("pinned"), true);
}

BOOST_AUTO_TEST_CASE(a_search_gives_scores_and_reasons) {
    curator.found.memories = {{curator.memories[0], {99, 0.93, "words: tea"}}};
    curator.found.turns = {{curator.turns[0], {98, 1.0 / 3, "session"}}};
    CHECK_JSON(result("memory.search", R"("query":"tea?","limit":5)"),
               R"({"memories":)" + objects({memory_7 + R"(,"score":0.93,"why":"words: tea")"}) +
                   R"(,"turns":)" + objects({turn_3 + R"(,"score":0.3333,"why":"session")"}) + "}");
    CHECK_CALLS({"find u 5"});
    BOOST_TEST(curator.searched.text == "tea?");
    BOOST_TEST(curator.known.empty());
    BOOST_TEST(bool(curator.searched_at == clock.wall()));
}

BOOST_AUTO_TEST_CASE(a_score_that_is_no_number_is_none) {
    curator.found.memories = {{curator.memories[0], {99, std::nan(""), ""}}};
    CHECK_VALUE(result("memory.search", R"("query":"tea")").at("memories").at(0).at("score"), 0);
}

BOOST_AUTO_TEST_CASE(a_memory_is_added_with_the_bounds_of_its_type) {
    CHECK_JSON(result("memory.add", R"("content":"likes tea")"),
               R"({"memory":{)" + memory_7 + R"(},"action":"added"})");
    CHECK_CALLS({"add_memory u"});
    BOOST_TEST(curator.added.type == "fact");
    BOOST_TEST(curator.added.content == "likes tea");
    BOOST_TEST(!curator.added.pinned);
    BOOST_TEST(curator.added.most_of_type == 9u);
    BOOST_TEST(curator.added.lifetime.count() == 60);
    result("memory.add", R"("content":"x","type":"recipe","pinned":true)");
    BOOST_TEST(curator.added.type == "recipe");
    BOOST_TEST(curator.added.pinned);
    BOOST_TEST(curator.added.most_of_type == 3u);
    BOOST_TEST(curator.added.lifetime.count() == 0);
}

BOOST_AUTO_TEST_CASE(an_update_says_what_it_took_the_place_of) {
    curator.changed = {curator.memories[0], "updated", 6};
    CHECK_JSON(result("memory.update", R"("memory_id":7,"content":"likes tea","type":"recipe")"),
               R"({"memory":{)" + memory_7 + R"(},"action":"updated","superseded":6})");
    CHECK_CALLS({"change_memory u 7"});
    BOOST_TEST(curator.change.content.value() == "likes tea");
    BOOST_TEST(curator.change.type.value() == "recipe");
    BOOST_TEST(!curator.change.pinned.has_value());
    BOOST_TEST(curator.change.most_of_type == 3u);
}

BOOST_AUTO_TEST_CASE(an_update_that_names_no_type_keeps_the_bounds_of_the_one_it_has) {
    curator.memories[1].what.type = "recipe";
    BOOST_TEST(result("memory.update", R"("memory_id":8,"pinned":false)").at("superseded").is_null());
    CHECK_CALLS({"read_history u 8", "change_memory u 8"});
    BOOST_TEST(!curator.change.type.has_value());
    BOOST_TEST(curator.change.pinned.value() == false);
    BOOST_TEST(curator.change.most_of_type == 3u);
    result("memory.update", R"("memory_id":7,"pinned":true)");
    BOOST_TEST(curator.change.most_of_type == 9u);
    BOOST_TEST(curator.change.lifetime.count() == 60);
    curator.memories[1].what.type = "dropped";
    result("memory.update", R"("memory_id":8,"content":"x")");
    BOOST_TEST(curator.change.most_of_type == 0u);
}

BOOST_AUTO_TEST_CASE(a_history_has_the_versions_and_where_they_came_from) {
    curator.memories.resize(1);
    curator.turns.resize(1);
    curator.sources = {{"s", "j", "2026-11-23 10:00:00.123", curator.turns}};
    CHECK_JSON(result("memory.history", R"("memory_id":7)"),
               R"({"memories":)" + objects({memory_7}) +
                   R"(,"sources":[{"session_id":"s","job_id":"j","at":"2026-11-23 10:00:00.123","turns":)" +
                   objects({turn_3}) + "}]}");
    CHECK_CALLS({"read_history u 7"});
}

BOOST_AUTO_TEST_CASE(a_version_of_the_past_is_restored) {
    CHECK_JSON(result("memory.restore", R"("memory_id":"7")"), R"({"memory":{)" + memory_7 + "}}");
    CHECK_CALLS({"restore_memory u 7"});
}

BOOST_AUTO_TEST_CASE(sessions_and_their_turns_are_listed) {
    CHECK_JSON(result("session.list"), R"({"sessions":)" + objects({session_s}) + R"(,"cursor":null})");
    CHECK_JSON(result("session.history", R"("session_id":"s","limit":1)"),
               R"({"turns":)" + objects({turn_3}) + R"(,"cursor":"1"})");
    auto const rest = result("session.history", R"("session_id":"s","cursor":"1")");
    CHECK_VALUE(rest.at("turns").at(0).at("role"), "assistant");
    CHECK_CALLS({"list_sessions u - 50", "read_session u s - 1", "read_session u s 1 50"});
}

BOOST_AUTO_TEST_CASE(an_export_is_made_of_lines_of_json) {
    auto const all = result("user.export", R"("limit":3)");
    BOOST_TEST(all.at("lines").as_array().size() == 3u);
    CHECK_VALUE(all.at("cursor"), "m3");
    CHECK_JSON(json::parse(all.at("lines").at(0).as_string()), R"({"kind":"memory",)" + memory_7 + "}");
    CHECK_JSON(json::parse(all.at("lines").at(2).as_string()), R"({"kind":"session",)" + session_s + "}");
    auto const rest = result("user.export", R"("cursor":"m3")");
    CHECK_JSON(json::parse(rest.at("lines").at(0).as_string()), R"({"kind":"turn",)" + turn_3 + "}");
    CHECK_CALLS({"export_user u - 3", "export_user u m3 50"});
}

BOOST_AUTO_TEST_CASE(totals_are_those_of_one_user_or_of_all) {
    curator.totals = {1, 10, 1, 40, 3, 123};
    CHECK_JSON(result("stats"),
               R"({"users":1,"memories":10,"past_memories":1,"turns":40,"sessions":3,"database_bytes":123})");
    answer(R"({"op":"stats","id":"1"})");
    CHECK_CALLS({"count u", "count -"});
}

BOOST_AUTO_TEST_CASE(a_deleted_memory_is_erased_from_replies_that_wait_in_redis_too) {
    CHECK_JSON(
        result("memory.delete", R"("memory_id":7)"),
        R"({"deleted":{"memories":2,"turns":2,"summaries":1,"index_entries":3,"vectors":1,"replies":1}})");
    CHECK_CALLS({"delete_memory u 7", "erase_replies u some"});
    BOOST_TEST(traces.erased[0].reply_keys == std::vector<std::string>{"engram:reply:j"},
               boost::test_tools::per_element());
    BOOST_TEST(traces.erased[0].job_ids == std::vector<std::string>{"j"}, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_session_is_deleted_with_or_without_what_was_learnt_there) {
    CHECK_JSON(
        result("session.delete", R"("session_id":"s")"),
        R"({"deleted":{"memories":2,"turns":2,"summaries":1,"index_entries":3,"vectors":1,"replies":1}})");
    result("session.delete", R"("session_id":"s","memories":true)");
    CHECK_CALLS({"delete_session u s turns", "erase_replies u some", "delete_session u s memories",
                 "erase_replies u some"});
}

BOOST_AUTO_TEST_CASE(replies_that_cannot_be_erased_are_told_of_and_may_be_tried_again) {
    journal.failing = 2;
    auto const failed = error("memory.delete", R"("memory_id":7)");
    CHECK_VALUE(failed.at("type"), "internal");
    CHECK_VALUE(failed.at("retryable"), true);
    BOOST_TEST(
        std::string(failed.at("message").as_string())
            .starts_with("the memory is deleted, but replies and dead letters that hold its text are"));
}

BOOST_AUTO_TEST_CASE(what_another_user_has_is_not_found_just_as_what_nobody_has) {
    for (std::string const op : {"memory.history", "memory.restore", "memory.delete", "memory.update",
                                 "session.history", "session.delete"}) {
        auto const fields = [&](std::string const& which) {
            return op.starts_with("memory.") ? R"("pinned":true,"memory_id":)" + which
                                             : R"("session_id":")" + which + '"';
        };
        auto const theirs = error(op, fields(op.starts_with("memory.") ? "7" : "s"), "v");
        auto const nobodys = error(op, fields("99"));
        CHECK_VALUE(theirs.at("type"), "not_found");
        CHECK_VALUE(theirs.at("retryable"), false);
        BOOST_TEST(json::serialize(theirs) == json::serialize(nobodys));
    }
    BOOST_TEST(traces.erased.empty());
}

BOOST_AUTO_TEST_CASE(every_operation_is_about_exactly_the_user_of_the_request) {
    std::vector<std::pair<std::string, std::string>> const operations{
        {"memory.list", ""},
        {"memory.search", R"("query":"u")"},
        {"memory.add", R"("content":"u")"},
        {"memory.update", R"("memory_id":7,"pinned":true,"content":"u")"},
        {"memory.history", R"("memory_id":7)"},
        {"memory.restore", R"("memory_id":7)"},
        {"memory.delete", R"("memory_id":7)"},
        {"session.list", ""},
        {"session.history", R"("session_id":"u")"},
        {"session.delete", R"("session_id":"u")"},
        {"user.export", ""},
        {"user.forget", ""},
        {"stats", ""}};
    for (auto const& [op, more] : operations) {
        journal.calls.clear();
        reply(op, more, "w x:*");
        BOOST_TEST(!journal.calls.empty(), op);
        for (auto const& call : journal.calls)
            BOOST_TEST(call.find(" w x:*") == call.find(' '), call);
    }
}

BOOST_AUTO_TEST_SUITE_END()

#include "workers/admin/admin.hpp"

#include "workers/scripted_memories.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <boost/test/unit_test.hpp>

#include <cmath>
#include <exception>
#include <string>
#include <tuple>
#include <utility>

namespace {

namespace asio = boost::asio;
namespace json = boost::json;
using namespace engram;
using namespace std::chrono_literals;

#define CHECK_VALUE(given, wanted)                                                                   \
    do {                                                                                             \
        json::value const is = (given);                                                              \
        json::value const ought = (wanted);                                                          \
        BOOST_CHECK_MESSAGE(is == ought, json::serialize(is) + " is not " + json::serialize(ought)); \
    } while (false)

#define CHECK_JSON(given, wanted) CHECK_VALUE(given, json::parse(wanted))

class stopped_clock : public base::clock {
public:
    [[nodiscard]] base::wall_time wall() const override { return base::wall_time(1'764'000'000'123ms); }
};

store::memory_record memory_of(std::int64_t id, std::string content) {
    store::memory_record memory;
    memory.what = {id, "fact", std::move(content), "2026-11-23 10:00:00.123", "s", 12};
    memory.updated_at = "2026-11-23 10:00:01.000";
    memory.last_seen = "2026-11-23 10:00:02.000";
    memory.valid_from = "2026-11-23 10:00:03.000";
    memory.job_id = "j";
    return memory;
}

store::turn_record turn_of(std::int64_t id, store::role role, std::string content) {
    return {{id, role, std::move(content)}, "s", "2026-11-23 10:00:00.123", false};
}

struct fixture {
    asio::io_context io;
    stopped_clock clock;
    test::journal journal;
    test::scripted_memories curator{journal};
    test::scripted_traces traces{journal};
    workers::admin_rules rules = make_rules();

    static workers::admin_rules make_rules() {
        workers::admin_rules rules;
        rules.prefix = "engram";
        rules.patience = 0ms;
        rules.types = *workers::categories::make({{"fact", "", 9, 60s}, {"recipe", "food", 3, 0s}});
        return rules;
    }

    fixture() {
        curator.memories = {memory_of(7, "likes \"tea\""), memory_of(8, "has a dog")};
        curator.turns = {turn_of(3, store::role::user, "Hi"), turn_of(4, store::role::assistant, "Ho")};
        curator.sessions = {{"s", "2026-11-23 10:00:00.123", 8}};
        curator.changed = {curator.memories[0], "added", 0};
        curator.erased = {{2, 2, 1, 3, 1, 1, 1}, {"engram:reply:j"}, {"j"}};
    }

    queue::admin_answer answer(std::string text) {
        workers::admin admin(rules, curator, traces, clock, io.get_executor());
        queue::admin_answer answer;
        asio::co_spawn(io, admin.answer(std::move(text)),
                       [&](std::exception_ptr failure, queue::admin_answer given) {
                           if (failure) std::rethrow_exception(failure);
                           answer = std::move(given);
                       });
        io.restart();
        io.run();
        return answer;
    }

    // The answer to a request of `user`, who waits at engram:reply:1.
    json::object reply(std::string_view op, std::string_view more = "", std::string const& user = "u") {
        std::string text = R"({"id":"1","user_id":")" + user + R"(","op":")" + std::string(op) + '"';
        if (!more.empty()) text += "," + std::string(more);
        auto const given = answer(text + "}");
        BOOST_TEST(given.id == "1");
        BOOST_TEST(given.reply_to == "engram:reply:1");
        BOOST_TEST(!given.dead.has_value());
        auto const value = json::parse(given.reply);
        CHECK_VALUE(value.at("id"), "1");
        CHECK_VALUE(value.at("op"), json::string_view(op));
        return value.as_object();
    }

    json::value result(std::string_view op, std::string_view more = "") {
        auto const given = reply(op, more);
        BOOST_REQUIRE_MESSAGE(given.at("status") == "ok", json::serialize(given));
        return given.at("result");
    }

    json::object error(std::string_view op, std::string_view more = "", std::string const& user = "u") {
        auto const given = reply(op, more, user);
        BOOST_REQUIRE_MESSAGE(given.at("status") == "error", json::serialize(given));
        return given.at("error").as_object();
    }

    void wait_for_job(std::string ticket, std::string body, queue::job_place place = queue::job_place::lane) {
        traces.waiting.push_back({place, std::move(ticket), "", std::move(body)});
    }
};

std::string const memory_7 =
    R"("id":7,"label":12,"type":"fact","content":"likes \"tea\"","created_at":"2026-11-23 10:00:00.123",)"
    R"("updated_at":"2026-11-23 10:00:01.000","last_seen":"2026-11-23 10:00:02.000","times_seen":1,)"
    R"("pinned":false,"valid_from":"2026-11-23 10:00:03.000","valid_to":null,"superseded_by":null,)"
    R"("expires_at":null,"session_id":"s","job_id":"j")";
std::string const turn_3 =
    R"("id":3,"session_id":"s","role":"user","content":"Hi","created_at":"2026-11-23 10:00:00.123",)"
    R"("summarized":false)";
std::string const session_s = R"("session_id":"s","turns":8,"updated_at":"2026-11-23 10:00:00.123")";

#define CHECK_CALLS(...)                                                               \
    do {                                                                               \
        std::vector<std::string> const expected_calls __VA_ARGS__;                     \
        BOOST_TEST(journal.calls == expected_calls, boost::test_tools::per_element()); \
    } while (false)

std::string objects(std::initializer_list<std::string> members) {
    std::string list;
    for (auto const& one : members)
        list += (list.empty() ? "{" : ",{") + one + "}";
    return "[" + list + "]";
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(admin, fixture)

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

BOOST_AUTO_TEST_CASE(replies_that_cannot_be_erased_are_told_of_and_not_to_be_tried_again) {
    journal.failing = 2;
    auto const failed = error("memory.delete", R"("memory_id":7)");
    CHECK_VALUE(failed.at("type"), "internal");
    CHECK_VALUE(failed.at("retryable"), false);
    BOOST_TEST(std::string(failed.at("message").as_string())
                   .starts_with("the memory is deleted, but replies that hold its text stay in Redis"));
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

BOOST_AUTO_TEST_CASE(a_bad_request_is_answered_where_it_asks_to_be) {
    auto const bad = error("memory.add");
    CHECK_VALUE(bad.at("type"), "invalid_job");
    CHECK_VALUE(bad.at("message"), "content is required");
    CHECK_VALUE(bad.at("retryable"), false);
    BOOST_TEST(journal.calls.empty());
    auto const unknown = answer(R"({"op":"memory.eat","id":"1"})");
    BOOST_TEST(unknown.reply_to == "engram:reply:1");
    BOOST_TEST(!unknown.dead.has_value());
    BOOST_TEST(json::parse(unknown.reply).as_object().contains("op") == false);
}

BOOST_AUTO_TEST_CASE(a_failed_request_that_nobody_waits_for_becomes_a_dead_letter) {
    auto const garbage = answer("not a request");
    BOOST_TEST(garbage.reply_to.empty());
    BOOST_REQUIRE(garbage.dead.has_value());
    BOOST_TEST(garbage.dead->reason == "invalid_job");
    BOOST_TEST(garbage.dead->message.starts_with("the request is not JSON"));
    auto const nameless = answer(R"({"op":"memory.delete","user_id":"u"})");
    BOOST_REQUIRE(nameless.dead.has_value());
    BOOST_TEST(nameless.dead->message == "memory_id is required");
    auto const gone = answer(R"({"op":"memory.delete","user_id":"u","memory_id":99})");
    BOOST_REQUIRE(gone.dead.has_value());
    BOOST_TEST(gone.dead->reason == "not_found");
}

BOOST_AUTO_TEST_CASE(a_request_that_nobody_waits_for_is_carried_out) {
    auto const done = answer(R"({"op":"memory.delete","user_id":"u","memory_id":7})");
    BOOST_TEST(done.reply_to.empty());
    BOOST_TEST(!done.dead.has_value());
    CHECK_CALLS({"delete_memory u 7", "erase_replies u some"});
}

BOOST_AUTO_TEST_CASE(a_store_that_cannot_be_used_is_waited_for_and_not_for_ever) {
    journal.failing = 1;
    rules.patience = 10s;
    CHECK_VALUE(result("memory.add", R"("content":"x")").at("action"), "added");
    CHECK_CALLS({"add_memory u", "add_memory u"});

    journal = {};
    journal.failing = 1;
    journal.lasting = true;
    rules.patience = 150ms;
    auto const failed = error("memory.add", R"("content":"x")");
    CHECK_VALUE(failed.at("type"), "internal");
    CHECK_VALUE(failed.at("message"), "the store cannot be used now: the disk is full");
    CHECK_VALUE(failed.at("retryable"), true);
    CHECK_CALLS({"add_memory u", "add_memory u"});
}

BOOST_AUTO_TEST_CASE(a_request_that_is_cancelled_while_it_waits_has_no_answer) {
    rules.patience = 10s;
    for (std::string const request :
         {R"({"op":"memory.add","user_id":"u","content":"x"})", R"({"op":"user.forget","user_id":"u"})"}) {
        journal = {};
        journal.failing = request.find("forget") == std::string::npos ? 1 : 2;  // of the store, of Redis
        workers::admin admin(rules, curator, traces, clock, io.get_executor());
        asio::cancellation_signal stop;
        bool thrown = false;
        asio::co_spawn(
            io, admin.answer(request),
            asio::bind_cancellation_slot(stop.slot(), [&](std::exception_ptr failure, queue::admin_answer) {
                thrown = failure != nullptr;
            }));
        io.restart();
        io.poll();
        BOOST_TEST(journal.calls.size() == journal.failing);
        stop.emit(asio::cancellation_type::terminal);
        io.run();
        BOOST_TEST(thrown);
        BOOST_TEST(journal.calls.size() == journal.failing);
    }
}

BOOST_AUTO_TEST_CASE(what_only_looks_does_not_wait) {
    journal.failing = 1;
    rules.patience = 10s;
    auto const failed = error("memory.list");
    CHECK_VALUE(failed.at("retryable"), true);
    CHECK_CALLS({"list_memories u - present - 50"});
}

BOOST_AUTO_TEST_CASE(a_damaged_store_is_not_waited_for) {
    rules.patience = 10s;
    curator.failure = store::error_kind::internal;
    for (auto const& [op, more] : {std::pair{"memory.add", R"("content":"x")"}, std::pair{"user.forget", ""},
                                   std::pair{"memory.search", R"("query":"x")"}, std::pair{"stats", ""}}) {
        journal = {};
        journal.failing = 1;
        auto const failed = error(op, more);
        CHECK_VALUE(failed.at("type"), "internal");
        CHECK_VALUE(failed.at("message"), "the store failed: the disk is full");
        CHECK_VALUE(failed.at("retryable"), false);
        BOOST_TEST(journal.calls.size() == 1u);
    }
}

BOOST_AUTO_TEST_CASE(a_page_that_would_be_too_long_ends_earlier) {
    rules.max_reply_bytes = 20'000;
    curator.memories.clear();
    for (int id = 1; id <= 20; ++id)
        curator.memories.push_back(memory_of(id, std::string(3'000, 'x')));
    for (std::string const op : {"memory.list", "user.export"}) {
        std::size_t seen = 0;
        std::string cursor;
        for (int pages = 0; pages < 20; ++pages) {
            auto const given = answer(R"({"id":"1","user_id":"u","op":")" + op + '"' + cursor + "}");
            BOOST_TEST(given.reply.size() <= rules.max_reply_bytes);
            auto const page = json::parse(given.reply).at("result");
            auto const count = page.at(op == "memory.list" ? "memories" : "lines").as_array().size();
            BOOST_REQUIRE(count > 0u);
            seen += count;
            if (page.at("cursor").is_null()) break;
            cursor = R"(,"cursor":)" + json::serialize(page.at("cursor"));
        }
        BOOST_TEST(seen == (op == "memory.list" ? 20u : 23u));
    }
}

BOOST_AUTO_TEST_CASE(one_item_longer_than_a_page_is_shown_all_the_same) {
    rules.max_reply_bytes = 2'000;
    curator.turns[0].what.content = std::string(9'000, 'x');
    auto const page = result("session.history", R"("session_id":"s")");
    BOOST_TEST(page.at("turns").as_array().size() == 1u);
    CHECK_VALUE(page.at("cursor"), "1");
}

BOOST_AUTO_TEST_CASE(what_has_no_pages_is_cut_and_says_so) {
    rules.max_reply_bytes = 30'000;
    curator.memories.clear();
    for (int id = 1; id <= 6; ++id) {
        auto const memory = memory_of(id, std::string(3'000, 'x'));
        auto const turn = turn_of(id, store::role::user, std::string(3'000, 'x'));
        curator.memories.push_back(memory);
        curator.found.memories.push_back({memory, {}});
        curator.found.turns.push_back({turn, {}});
        curator.sources.push_back({"s", "j", "", {turn}});
    }
    for (auto const& [op, fields, list] : {std::tuple{"memory.search", R"("query":"x")", "turns"},
                                           std::tuple{"memory.history", R"("memory_id":3)", "sources"}}) {
        auto const cut = reply(op, fields);
        BOOST_TEST(json::serialize(cut).size() <= rules.max_reply_bytes);
        auto const& found = cut.at("result");
        CHECK_VALUE(found.at("truncated"), true);
        BOOST_TEST(found.at("memories").as_array().size() == 6u);
        BOOST_TEST(found.at(list).as_array().size() == 1u);
        rules.max_reply_bytes = 100'000;
        BOOST_TEST(result(op, fields).at(list).as_array().size() == 6u);
        BOOST_TEST(!result(op, fields).as_object().contains("truncated"));
        rules.max_reply_bytes = 30'000;
    }
}

BOOST_AUTO_TEST_CASE(text_that_is_not_utf_8_does_not_break_the_reply) {
    curator.memories[0].what.content = "a\xFFz";
    CHECK_VALUE(result("memory.list").at("memories").at(0).at("content"), "a\xEF\xBF\xBDz");
    auto const line = result("user.export").at("lines").at(0);
    CHECK_VALUE(json::parse(line.as_string()).at("content"), "a\xEF\xBF\xBDz");
}

BOOST_AUTO_TEST_CASE(a_user_is_forgotten_step_by_step) {
    wait_for_job("t1", R"({"id":"a","user_id":"u","session_id":"s","message":"hi","metadata":{"n": 1}})");
    wait_for_job("t2", R"({"user_id":"u","message":"hi","reply_to":"engram:reply:web"})");
    traces.replies = 4;
    traces.dead_letters = 2;
    CHECK_JSON(
        result("user.forget"),
        R"({"deleted":{"memories":2,"turns":2,"summaries":1,"index_entries":3,"vectors":1,"replies":1,)"
        R"("sessions":1},"redis":{"cancelled_jobs":2,"replies":4,"dead_letters":2},)"
        R"("at":"2025-11-24 16:00:00.123"})");
    CHECK_CALLS({"forget_user u keep", "find_jobs u", "cancel t1", "cancel t2", "find_jobs u",
                 "forget_user u keep", "erase_replies u all", "erase_dead_letters u",
                 "forget_user u remove"});
    BOOST_TEST(traces.erased[0].reply_keys == std::vector<std::string>{"engram:reply:j"},
               boost::test_tools::per_element());
    BOOST_TEST(traces.erased[0].job_ids == std::vector<std::string>{"j"}, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(who_waits_for_a_cancelled_job_is_told) {
    wait_for_job("t1", R"({"id":"a","user_id":"u","session_id":"s","message":"hi","metadata":{"n": 1}})");
    wait_for_job("t2", R"({"user_id":"u","message":"hi","reply_to":"engram:reply:web"})");
    wait_for_job("", R"({"user_id":"u","message":"hi"})", queue::job_place::list);
    wait_for_job("t4", R"({"id":"b","user_id":"u","message":""})");
    wait_for_job("", R"({"id":"c","user_id":"u","op":"memory.list"})", queue::job_place::admin);
    CHECK_VALUE(result("user.forget").at("redis").at("cancelled_jobs"), 4);
    BOOST_REQUIRE_EQUAL(traces.told.size(), 4u);
    auto const why =
        R"("error":{"type":"cancelled","message":"everything about this user was erased","retryable":false})";
    CHECK_JSON(json::parse(traces.told["engram:reply:a"]),
               R"({"id":"a","status":"error","user_id":"u","session_id":"s",)" + std::string(why) +
                   R"(,"attempts":1,"metadata":{"n":1}})");
    BOOST_TEST(traces.told["engram:reply:a"].find(R"({"n": 1})") != std::string::npos);
    CHECK_JSON(json::parse(traces.told["engram:reply:web"]), R"({"id":"t2","status":"error","user_id":"u",)" +
                                                                 std::string(why) +
                                                                 R"(,"attempts":1,"metadata":{}})");
    BOOST_TEST(traces.told.contains("engram:reply:b"));
    CHECK_JSON(json::parse(traces.told["engram:reply:c"]),
               R"({"id":"c","op":"memory.list","status":"error",)" + std::string(why) + "}");
}

BOOST_AUTO_TEST_CASE(forgetting_goes_on_until_no_job_is_found) {
    for (int i = 0; i < 1'000; ++i)
        wait_for_job("t" + std::to_string(i), R"({"user_id":"u","message":")" + std::to_string(i) + "\"}");
    CHECK_VALUE(result("user.forget").at("redis").at("cancelled_jobs"), 1'000);
    BOOST_TEST(traces.waiting.empty());
}

BOOST_AUTO_TEST_CASE(jobs_that_cannot_be_cancelled_end_the_request_with_an_error) {
    wait_for_job("t1", R"({"user_id":"u","message":"hi"})");
    traces.stubborn = true;
    auto const failed = error("user.forget");
    CHECK_VALUE(failed.at("type"), "internal");
    CHECK_VALUE(failed.at("retryable"), true);
    CHECK_CALLS({"forget_user u keep", "find_jobs u", "cancel t1"});
}

BOOST_AUTO_TEST_CASE(what_came_back_meanwhile_is_forgotten_too_and_counted) {
    // Each forgetting finds what the one before left out.
    journal.failing = 0;
    auto const once = result("user.forget").at("deleted").at("memories").as_int64();
    BOOST_TEST(once == 2);
    struct returning : test::scripted_memories {
        using scripted_memories::scripted_memories;
        answer<store::erased> forget_user(std::string user_id, store::finished_jobs jobs,
                                          base::wall_time at) override {
            erased.counts = {1, 0, 0, 1, 0, 1, 1};
            erased.job_ids.push_back("k" + std::to_string(erased.job_ids.size()));
            erased.reply_keys.push_back("engram:reply:" + erased.job_ids.back());
            return scripted_memories::forget_user(std::move(user_id), jobs, at);
        }
    };
    returning again(journal);
    workers::admin admin(rules, again, traces, clock, io.get_executor());
    std::string reply;
    asio::co_spawn(io, admin.answer(R"({"op":"user.forget","user_id":"u","id":"1"})"),
                   [&](std::exception_ptr, queue::admin_answer given) { reply = given.reply; });
    io.restart();
    io.run();
    auto const deleted = json::parse(reply).at("result").at("deleted");
    CHECK_VALUE(deleted.at("memories"), 3);
    CHECK_VALUE(deleted.at("sessions"), 3);
    BOOST_REQUIRE(traces.erased.size() == 3u);
    BOOST_TEST(traces.erased[1].job_ids == (std::vector<std::string>{"k0", "k1"}),
               boost::test_tools::per_element());
    BOOST_TEST(traces.erased[2].reply_keys ==
                   (std::vector<std::string>{"engram:reply:k0", "engram:reply:k1", "engram:reply:k2"}),
               boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_forgetting_that_failed_at_any_step_is_finished_by_the_next_one) {
    wait_for_job("t1", R"({"id":"a","user_id":"u","message":"hi"})");
    result("user.forget");
    auto const steps = journal.calls.size();
    BOOST_REQUIRE_EQUAL(steps, 8u);
    for (std::size_t step = 1; step <= steps; ++step) {
        BOOST_TEST_CONTEXT("step " << step) {
            fixture anew;
            anew.wait_for_job("t1", R"({"id":"a","user_id":"u","message":"hi"})");
            anew.traces.dead_letters = 2;
            anew.journal.failing = step;
            auto const failed = anew.error("user.forget");
            CHECK_VALUE(failed.at("type"), "internal");
            CHECK_VALUE(failed.at("retryable"), true);
            BOOST_TEST(anew.journal.calls.size() == step);
            anew.journal.calls.clear();
            anew.journal.failing = 0;
            anew.result("user.forget");
            BOOST_TEST(anew.traces.waiting.empty());
            BOOST_TEST(anew.traces.told.contains("engram:reply:a"));
            BOOST_TEST(anew.traces.dead_letters == 0u);
            BOOST_TEST(anew.curator.erased.counts.memories == 0u);
            BOOST_TEST(anew.curator.erased.job_ids.empty());
            BOOST_REQUIRE(!anew.traces.erased.empty());
            if (step < steps)  // then Redis was clean, and that was the last thing to do
                BOOST_TEST(anew.traces.erased.back().job_ids == std::vector<std::string>{"j"},
                           boost::test_tools::per_element());
        }
    }
}

BOOST_AUTO_TEST_CASE(a_redis_that_was_away_for_a_moment_is_asked_again) {
    rules.patience = 10s;
    wait_for_job("t1", R"({"user_id":"u","message":"hi"})");
    journal.failing = 3;
    CHECK_VALUE(result("user.forget").at("redis").at("cancelled_jobs"), 1);
    journal = {};
    journal.failing = 2;
    curator.erased = {{1, 0, 0, 0, 0, 1, 0}, {"engram:reply:j"}, {"j"}};
    result("memory.delete", R"("memory_id":7)");
    CHECK_CALLS({"delete_memory u 7", "erase_replies u some", "erase_replies u some"});
}

BOOST_AUTO_TEST_CASE(what_redis_refuses_is_not_asked_for_again) {
    rules.patience = 10s;
    traces.failure = redis::error_kind::refused;
    journal.failing = 2;
    CHECK_VALUE(error("user.forget").at("retryable"), true);
    CHECK_CALLS({"forget_user u keep", "find_jobs u"});
}

BOOST_AUTO_TEST_SUITE_END()

#include "workers/admin/admin_fixture.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>

#include <tuple>

namespace {

using namespace engram;
using namespace engram::test;
using namespace std::chrono_literals;

}  // namespace

BOOST_FIXTURE_TEST_SUITE(admin_answers, admin_fixture)

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

BOOST_AUTO_TEST_CASE(a_damaged_store_can_be_asked_again_once_it_is_restored) {
    rules.patience = 10s;
    curator.failure = store::error_kind::internal;
    curator.damaged = true;
    journal.failing = 1;
    auto const failed = error("stats");
    CHECK_VALUE(failed.at("type"), "internal");
    CHECK_VALUE(failed.at("message"), "the store cannot be used now: the disk is full");
    CHECK_VALUE(failed.at("retryable"), true);
    BOOST_TEST(journal.calls.size() == 1u);
}

BOOST_AUTO_TEST_CASE(a_store_that_fails_for_good_is_not_waited_for) {
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

BOOST_AUTO_TEST_SUITE_END()

// What people are shown: page by page to the end, whatever the cursor says.
#include "base/utf8.hpp"
#include "store_fixture.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <set>

using namespace engram;
using namespace engram::store::test;
using namespace std::chrono_literals;
using engram::store::conversation;

namespace {

std::vector<std::string> const odd_cursors{"x",  "-1",    std::string(40, '9'),
                                           "t5", "m",     "t",
                                           "t:", "t-1:s", "m-1",
                                           "0",  " 1",    "t" + std::string(40, '9') + ":s1",
                                           "s",  "\xFF"};

struct fixture {
    temporary_folder folder;
    std::string path = folder.file("engram.db");
    opened_store db{options_for(path)};

    // 3 sessions with 10, 4 and 2 turns, 7 facts and 2 preferences, of which one fact has a past.
    void write_much() {
        for (int i = 0; i < 5; ++i)
            say("s1", {{"fact", "fact " + std::to_string(i)}});
        say("s2", {{"preference", "short"}, {"preference", "in Dutch"}});
        say("s2", {{"fact", "fact 5"}, {"fact", "fact 6"}});
        say("s3", {{.type = {}, .content = "changed", .what = store::new_memory::kind::update, .label = 1}});
        db.get(db->commit_exchange(exchange_of({"bob", "s1"}, job("bob"), {{"fact", "of bob"}})));
    }
    int jobs = 0;
    void say(std::string const& session, std::vector<store::new_memory> notes) {
        auto what = exchange_of({"ada", session}, job("j" + std::to_string(jobs++)), std::move(notes));
        what.at = at(jobs);
        db.get(db->commit_exchange(what));
    }

    // Reads to the end; every page but the last must be full, and there must be an end.
    template <class T, class Read>
    std::vector<T> read_all(std::size_t limit, Read const& read) {
        std::vector<T> all;
        std::string from;
        for (int pages = 0; pages < 200; ++pages) {
            store::page<T> page = read(store::page_request{from, limit});
            BOOST_TEST(page.items.size() <= limit);
            if (!page.next.empty()) BOOST_TEST(page.items.size() == limit);
            std::ranges::move(page.items, std::back_inserter(all));
            if (page.next.empty()) return all;
            BOOST_TEST(page.next != from);
            from = page.next;
        }
        BOOST_ERROR("the list has no end");
        return all;
    }
    std::string memories(std::size_t limit, bool past = false, std::string const& type = "") {
        std::string text;
        for (auto const& one : read_all<store::memory_record>(limit, [&](auto const& which) {
                 return db.get(db->list_memories("ada", type, past, which, at()));
             }))
            text += one.what.content + "|";
        return text;
    }
    // Each record of an export by what tells it from others.
    std::vector<std::string> exported(std::size_t limit) {
        std::vector<std::string> all;
        for (auto const& one : read_all<store::exported>(
                 limit, [&](auto const& which) { return db.get(db->export_user("ada", which)); })) {
            if (one.memory) all.push_back("m" + std::to_string(one.memory->what.id));
            if (one.session) all.push_back("s:" + one.session->session_id);
            if (one.turn) all.push_back("t" + std::to_string(one.turn->what.id) + ":" + one.turn->session_id);
        }
        return all;
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(store_listing, fixture)

BOOST_AUTO_TEST_CASE(memories_come_newest_first_on_pages_of_any_size) {
    write_much();
    std::string const all = "changed|fact 6|fact 5|in Dutch|short|fact 4|fact 3|fact 2|fact 1|";
    for (std::size_t limit = 1; limit <= 10; ++limit)
        BOOST_TEST(memories(limit) == all);
    BOOST_TEST(memories(3, true) == all + "fact 0|");
    for (std::size_t limit : {1, 2, 50}) {
        BOOST_TEST(memories(limit, false, "preference") == "in Dutch|short|");
        BOOST_TEST(memories(limit, true, "preference") == "in Dutch|short|");
        BOOST_TEST(memories(limit, false, "no such type").empty());
        BOOST_TEST(memories(limit, true, "no such type").empty());
    }
}

BOOST_AUTO_TEST_CASE(sessions_come_latest_first_with_their_turns_counted) {
    write_much();
    say("s1", {});
    for (std::size_t limit = 1; limit <= 4; ++limit) {
        std::string text;
        for (auto const& one : read_all<store::session_record>(
                 limit, [&](auto const& which) { return db.get(db->list_sessions("ada", which)); }))
            text += one.session_id + " " + std::to_string(one.turns) + "|";
        BOOST_TEST(text == "s1 12|s3 2|s2 4|");
    }
}

BOOST_AUTO_TEST_CASE(a_session_is_read_oldest_first_in_and_out_of_the_window) {
    fill(db, {"ada", "s1"}, 30);
    auto const task = db.get(db->claim_summary({{"ada", "s1"}, 20, 6, "me", 60s, at()}));
    BOOST_REQUIRE(db.get(db->commit_summary(*task, "they talked", false, at())));
    for (std::size_t limit : {1, 7, 24, 30, 31}) {
        auto const turns = read_all<store::turn_record>(
            limit, [&](auto const& which) { return *db.get(db->read_session({"ada", "s1"}, which)); });
        BOOST_REQUIRE(turns.size() == 30u);
        BOOST_TEST((std::ranges::is_sorted(turns, {}, [](auto const& one) { return one.what.id; })));
        BOOST_TEST(turns[0].what.content == "question f-ada-s1-0");
        BOOST_TEST(std::ranges::count_if(turns, &store::turn_record::summarized) == 24);
    }
    BOOST_TEST(!db.get(db->read_session({"ada", "none"}, {})).has_value());
}

BOOST_AUTO_TEST_CASE(an_export_holds_everything_once_on_pages_of_any_size) {
    write_much();
    auto const whole = exported(1000);
    BOOST_TEST(whole.size() == 10u + 3u + 16u);
    BOOST_TEST((std::set(whole.begin(), whole.end()).size() == whole.size()));
    BOOST_TEST(whole.at(0) == "m10");
    BOOST_TEST(whole.at(10) == "s:s1");
    BOOST_TEST(whole.at(11) == "t1:s1");
    for (std::size_t limit = 1; limit <= 30; ++limit)
        BOOST_TEST(exported(limit) == whole, boost::test_tools::per_element());
    fill(db, {"ada", "long"}, 200);
    BOOST_TEST(exported(7).size() == whole.size() + 201);
}

BOOST_AUTO_TEST_CASE(an_export_without_memories_or_without_anything_ends) {
    BOOST_TEST(exported(1).empty());
    fill(db, {"ada", "s1"}, 4);
    for (std::size_t limit = 1; limit <= 6; ++limit)
        BOOST_TEST(exported(limit).size() == 5u);
}

BOOST_AUTO_TEST_CASE(a_session_whose_id_is_no_text_is_exported_to_its_end_and_with_its_size) {
    for (int i = 0; i < 3; ++i)
        say("\xE9t\xE9", {});
    for (std::size_t const limit : {1, 2, 3, 100})
        BOOST_TEST(exported(limit).size() == 7u);
    auto const page = db.get(db->export_user("ada", {{}, 2}));
    BOOST_TEST(page.items.at(0).session.value().turns == 6u);
    BOOST_TEST(base::is_utf8(page.next));
}

BOOST_AUTO_TEST_CASE(turns_without_a_session_are_exported_too) {
    look_at(path).execute(
        "INSERT INTO conversation_history(user_id, role, content) VALUES "
        "('ada', 'user', 'lost'), ('ada', 'system', 'rules'), ('bob', 'user', 'not hers')");
    for (std::size_t limit = 1; limit <= 3; ++limit)
        BOOST_TEST(exported(limit).size() == 2u);
}

BOOST_AUTO_TEST_CASE(no_cursor_does_harm) {
    write_much();
    for (auto const& from : odd_cursors) {
        BOOST_TEST_CONTEXT("cursor " << from) {
            store::page_request const which{from, 3};
            BOOST_TEST(db.get(db->list_memories("ada", "", false, which, at())).items.size() <= 3u);
            BOOST_TEST(db.get(db->list_memories("ada", "fact", true, which, at())).items.size() <= 3u);
            BOOST_TEST(db.get(db->list_sessions("ada", which)).items.size() <= 3u);
            BOOST_TEST(db.get(db->read_session({"ada", "s1"}, which))->items.size() <= 3u);
            auto from_there = from;
            int pages = 0;
            do {
                auto const page = db.get(db->export_user("ada", {from_there, 3}));
                BOOST_TEST(page.items.size() <= 3u);
                from_there = page.next;
            } while (!from_there.empty() && ++pages < 50);
            BOOST_TEST(pages < 50);
        }
    }
}

BOOST_AUTO_TEST_CASE(limits_of_nothing_and_of_everything_give_something) {
    write_much();
    for (std::size_t limit : {std::size_t{0}, SIZE_MAX, SIZE_MAX - 1}) {
        BOOST_TEST(!db.get(db->list_memories("ada", "", false, {{}, limit}, at())).items.empty());
        BOOST_TEST(!db.get(db->list_sessions("ada", {{}, limit})).items.empty());
        BOOST_TEST(!db.get(db->read_session({"ada", "s1"}, {{}, limit}))->items.empty());
        BOOST_TEST(!db.get(db->export_user("ada", {{}, limit})).items.empty());
    }
}

BOOST_AUTO_TEST_CASE(a_search_by_hand_finds_memories_and_turns_but_nothing_past) {
    write_much();
    auto const result = db.get(db->find("ada", {"fact j0 changed", 10, {}, {}}, {}, at()));
    BOOST_REQUIRE(result.memories.size() == 7u);
    BOOST_TEST(result.memories[0].second.score == 1);
    for (auto const& [record, rank] : result.memories)
        BOOST_TEST(record.what.content != "fact 0");
    BOOST_TEST(result.turns.size() == 2u);
    BOOST_TEST(result.turns.at(0).first.session_id == "s1");
    BOOST_TEST(db.get(db->find("nobody", {"fact", 10, {}, {}}, {}, at())).memories.empty());
    BOOST_TEST(db.get(db->find("ada", {"", 10, {}, {}}, {}, at())).memories.empty());
}

BOOST_AUTO_TEST_CASE(counts_are_of_one_user_or_of_all) {
    write_much();
    auto const ada = db.get(db->count("ada"));
    BOOST_TEST(ada.users == 1u);
    BOOST_TEST(ada.memories == 9u);
    BOOST_TEST(ada.past_memories == 1u);
    BOOST_TEST(ada.turns == 16u);
    BOOST_TEST(ada.sessions == 3u);
    auto const all = db.get(db->count(""));
    BOOST_TEST(all.users == 2u);
    BOOST_TEST(all.memories == 10u);
    BOOST_TEST(all.turns == 18u);
    BOOST_TEST(all.sessions == 4u);
    BOOST_TEST(all.database_bytes >= 4096u);
    BOOST_TEST(db.get(db->count("nobody")).users == 0u);
}

BOOST_AUTO_TEST_SUITE_END()

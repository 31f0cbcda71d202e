// What the tests of summaries share: one conversation, its window and its summaries.
#pragma once

#include "store_fixture.hpp"

#include <boost/test/unit_test.hpp>

#include <optional>
#include <string>

namespace engram::store::test {

using namespace std::chrono_literals;

struct summary_fixture {
    temporary_folder folder;
    std::string path = folder.file("engram.db");
    opened_store db{options_for(path)};
    conversation of{"ada", "s1"};
    std::size_t condense_tokens = 1'500;

    store::summary_request request(std::string const& owner, std::int64_t second = 0, std::size_t keep = 6) {
        return {of, 20, keep, owner, 60s, at(second), condense_tokens};
    }
    std::optional<store::summary_task> claim(std::string const& owner, std::int64_t second = 0,
                                             std::size_t keep = 6) {
        return db.get(db->claim_summary(request(owner, second, keep)));
    }
    bool commit(store::summary_task const& task, std::string const& text, bool delete_turns = false) {
        return db.get(db->commit_summary(task, text, delete_turns, at(1)));
    }
    std::size_t due(std::int64_t second = 0, std::size_t trigger = 20, std::size_t limit = 10) {
        return db.get(db->find_due_sessions(trigger, at(second), limit)).size();
    }
    std::int64_t window() {
        return number(path, "SELECT window_turns FROM engram_session WHERE session_id = 's1'");
    }
    std::size_t turns() { return db.get(db->load_context(query_of(of))).turns.size(); }

    void write_history(std::string const& roles) {
        auto raw = look_at(path);
        raw.execute("BEGIN");
        auto add = raw.prepare(
            "INSERT INTO conversation_history(user_id, session_id, role, content) "
            "VALUES ('ada', 's1', ?1, 'x')");
        for (char const one : roles)
            add.run(std::string(one == 'u' ? "user" : one == 'a' ? "assistant" : "system"));
        raw.prepare(
               "INSERT INTO engram_session(user_id, session_id, window_turns, updated_at) VALUES ('ada', "
               "'s1', ?1, '')")
            .run(roles.size());
        raw.execute("COMMIT");
    }

    void remember_secret() {
        db.get(db->commit_exchange(exchange_of({"ada", "secret"}, job("secret"), {{"fact", "a secret"}})));
    }

    // So many summaries of the conversation, of 100 tokens each, and a window that is due.
    void summarize(int count) {
        fill(db, of, 6, "begin");
        for (int i = 0; i < count; ++i) {
            fill(db, of, 14, "part" + std::to_string(i));
            BOOST_REQUIRE(commit(*claim("me"), std::to_string(i) + std::string(399, char('a' + i))));
        }
        fill(db, of, 14, "now");
    }
    // Which summaries the conversation has in a prompt, by their first character, oldest first.
    std::string summaries() {
        std::string all;
        for (auto const& one : db.get(db->load_context(query_of(of))).memories)
            if (one.type == "summary") all += one.content[0];
        return all;
    }
    bool condense(store::summary_task const& task, std::string const& text) {
        return db.get(db->commit_condensed(task, text, at(2)));
    }
    std::int64_t covered() {
        return number(path,
                      "SELECT count(*) FROM conversation_history t JOIN long_term_memory m "
                      "ON m.id = t.summary_id WHERE m.memory_type = 'summary' AND m.valid_to IS NULL");
    }
};

}  // namespace engram::store::test

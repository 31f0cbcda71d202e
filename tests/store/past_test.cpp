// What was taken back is cut out of what a model is shown, and nothing that still holds is.
#include "sqlite/raw_files.hpp"
#include "store_fixture.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <set>

using namespace engram;
using namespace engram::store::test;
using namespace std::chrono_literals;
using engram::store::conversation;
using engram::store::kinship;

namespace {

using word_set = std::set<std::string>;

// A name is a word that ends with "qq". A sentence ends with a full stop and a blank.
word_set names_of(std::string_view text) {
    word_set names;
    for (auto& word : words_of(text))
        if (word.ends_with("qq")) names.insert(std::move(word));
    return names;
}

// One name of a text is enough where it was told or known, unless something that holds has it, too; elsewhere
// it takes all.
class name_telltale final : public store::telltale {
public:
    void add(std::string_view text, std::string_view now) override {
        texts_.push_back({names_of(text), names_of(now)});
    }
    void hold(std::string_view text) override { held_.merge(names_of(text)); }
    [[nodiscard]] std::optional<std::string> cut(
        std::string_view text, std::function<kinship(std::size_t)> const& of) const override {
        std::string left;
        bool changed = false;
        while (!text.empty()) {
            auto const end = text.find(". ");
            auto const sentence = text.substr(0, end == text.npos ? end : end + 2);
            text.remove_prefix(sentence.size());
            bool const goes = is_told(sentence, of);
            changed = changed || goes;
            if (!goes) left += sentence;
        }
        while (left.ends_with(' '))
            left.pop_back();
        return changed ? std::optional(left) : std::nullopt;
    }

private:
    struct traced {
        word_set old, now;
    };

    [[nodiscard]] bool is_told(std::string_view sentence,
                               std::function<kinship(std::size_t)> const& of) const {
        auto const names = names_of(sentence);
        for (std::size_t i = 0; i < texts_.size(); ++i) {
            auto const& one = texts_[i];
            bool const corrects = std::ranges::any_of(
                names, [&](auto const& name) { return one.now.contains(name) && !one.old.contains(name); });
            auto const shared =
                std::ranges::count_if(names, [&](auto const& name) { return one.old.contains(name); });
            if (corrects || shared == 0) continue;
            bool const alone = std::ranges::any_of(
                names, [&](auto const& name) { return one.old.contains(name) && !held_.contains(name); });
            bool const all = static_cast<std::size_t>(shared) == one.old.size();
            if (of(i) == kinship::elsewhere ? all : alone || all) return true;
        }
        return false;
    }

    std::vector<traced> texts_;
    word_set held_;
};

class telling_index final : public word_index {
public:
    [[nodiscard]] std::unique_ptr<store::telltale> make_telltale() const override {
        ++made;
        return std::make_unique<name_telltale>();
    }

    mutable int made = 0;
};

struct fixture {
    temporary_folder folder;
    std::string path = folder.file("engram.db");
    telling_index index;
    opened_store db{options_for(path), &index};
    conversation of{"ada", "s1"}, other{"ada", "s2"};
    int jobs = 0;

    std::vector<store::saved_memory> say(conversation const& where, std::string const& question,
                                         std::string const& answer, std::vector<store::new_memory> notes = {},
                                         std::int64_t second = 0) {
        auto what = exchange_of(where, job("j" + std::to_string(jobs++)), std::move(notes));
        what.turns[0].content = question;
        what.turns[1].content = answer;
        what.at = at(second);
        what.seen = context(where).seen;
        std::vector<store::saved_memory> saved;
        what.compose_reply = [&saved](auto const& all) {
            saved = all;
            return std::string("{}");
        };
        BOOST_REQUIRE(db.get(db->commit_exchange(what)).committed);
        return saved;
    }
    void forget(std::int64_t label, std::int64_t second = 0) {
        say({"ada", "forgetting"}, "forget it", "done",
            {{.type = {}, .content = {}, .what = store::new_memory::kind::forget, .label = label}}, second);
    }
    void update(std::int64_t label, std::string const& content, std::int64_t second = 0) {
        say({"ada", "changing"}, "changed", "noted",
            {{.type = {}, .content = content, .what = store::new_memory::kind::update, .label = label}},
            second);
    }
    store::context context(conversation const& where) { return db.get(db->load_context(query_of(where))); }
    std::string answer(conversation const& where) { return context(where).turns.at(1).content; }
    std::string shown_summary(conversation const& where) {
        for (auto const& one : context(where).memories)
            if (one.type == "summary") return one.content;
        return {};
    }
    std::optional<store::summary_task> claim(std::int64_t second = 0, std::size_t keep = 2) {
        return db.get(db->claim_summary({of, 4, keep, "me", 60s, at(second)}));
    }
    std::int64_t summarize(std::string const& text, std::int64_t second = 0, bool delete_turns = false) {
        fill(db, of, 4, "f" + std::to_string(jobs++));
        auto const task = claim(second, 0);
        BOOST_REQUIRE(task.has_value());
        BOOST_REQUIRE(db.get(db->commit_summary(*task, text, delete_turns, at(second))));
        return number(path, "SELECT max(id) FROM long_term_memory WHERE memory_type = 'summary'");
    }
    std::int64_t is_there(std::int64_t id) {
        return number(path, "SELECT count(*) FROM long_term_memory WHERE id = " + std::to_string(id));
    }
    // Turns that stand neither in the window nor for a summary that is there.
    std::int64_t lost_turns() {
        return number(path,
                      "SELECT count(*) FROM conversation_history WHERE summary_id <> 0 "
                      "AND summary_id NOT IN (SELECT id FROM long_term_memory)");
    }
    void execute(std::string const& sql) { look_at(path).execute(sql); }
};

constexpr std::int64_t minute = 60;

}  // namespace

BOOST_FIXTURE_TEST_SUITE(store_past, fixture)

BOOST_AUTO_TEST_CASE(what_still_holds_is_not_cut_out_of_what_is_summarized_or_recalled) {
    say(other, "x", "y", {{"fact", "marieqq plays the pianoqq"}, {"fact", "marieqq has an examqq"}});
    say(of, "how is she?", "Marieqq plays well. The examqq is near. Fine.");
    fill(db, of, 4);
    forget(2);
    auto const task = claim();
    BOOST_REQUIRE(task.has_value());
    BOOST_TEST(task->turns.at(1).content == "Marieqq plays well. Fine.");
    auto asked = query_of({"ada", "s3"});
    asked.memory_limit = 0;
    asked.find = {"plays well", 10, {}, {}};
    auto const found = db.get(db->load_context(asked)).found_turns;
    BOOST_TEST(std::ranges::any_of(
        found, [](auto const& one) { return one.what.content == "Marieqq plays well. Fine."; }));
}

BOOST_AUTO_TEST_CASE(a_summary_that_tells_only_what_holds_is_not_made_anew) {
    say(of, "x", "y", {{"fact", "marieqq plays the pianoqq"}, {"fact", "marieqq has an examqq"}});
    auto const id = summarize("Marieqq plays well.");
    forget(2);
    BOOST_TEST(is_there(id) == 1);
}

BOOST_AUTO_TEST_CASE(a_chain_of_replacements_counts_as_replaced_by_its_end) {
    say(of, "x", "y", {{"fact", "home is parisqq"}, {"fact", "home is romeqq"}});
    say(of, "moved?", "From parisqq to berlinqq. Was it parisqq?");
    update(1, "home is romeqq");    // which is known: the first ended in favour of the second
    update(2, "home is berlinqq");  // which has a version by now
    BOOST_TEST(context(of).turns.at(3).content == "From parisqq to berlinqq.");
    forget(2);
    BOOST_TEST(context(of).turns.at(3).content == "");
}

BOOST_AUTO_TEST_CASE(a_note_that_ends_nothing_looks_through_nothing) {
    say(of, "x", "y", {{"fact", "home is parisqq"}, {"fact", "dogqq"}});
    auto const id = summarize("Of dogqq.");
    forget(1);
    auto const made = index.made;
    update(2, "dogqq", 5);
    update(9, "nothing has that number", 6);
    BOOST_TEST(index.made - made == 2);  // both for the context that is loaded before
    BOOST_TEST(is_there(id) == 1);
    forget(2, 7);
    BOOST_TEST(is_there(id) == 0);
}

BOOST_AUTO_TEST_CASE(a_note_removes_no_summary_that_cannot_be_made_anew_or_is_somebodys) {
    say(of, "x", "y", {{"fact", "marieqq has an examqq"}});
    auto const first = summarize("Of the examqq.");
    auto const pinned = summarize("Pinned.");
    auto const corrected = summarize("Wrong.");
    auto const later = summarize("Later.");
    auto const without_turns = summarize("Without turns.", 0, true);
    db.get(db->change_memory("ada", {.id = pinned, .content = {}, .type = {}, .pinned = true}, at()));
    auto const right = db.get(
        db->change_memory("ada", {.id = corrected, .content = "Right.", .type = {}, .pinned = {}}, at()));
    forget(1);
    BOOST_TEST(is_there(first) == 0);
    BOOST_TEST(is_there(later) == 0);
    BOOST_TEST(is_there(pinned) == 1);
    BOOST_TEST(is_there(corrected) == 1);
    BOOST_TEST(is_there(right->now.what.id) == 1);
    BOOST_TEST(is_there(without_turns) == 1);
    BOOST_TEST(lost_turns() == 0);
    auto const in_window = number(path,
                                  "SELECT count(*) FROM conversation_history "
                                  "WHERE session_id = 's1' AND summary_id IS NULL");
    BOOST_TEST(in_window == 6 + 4);
    BOOST_TEST(number(path, "SELECT window_turns FROM engram_session WHERE session_id = 's1'") == in_window);
}

BOOST_AUTO_TEST_CASE(a_summary_corrected_by_hand_is_cut_as_one_of_the_exchange_that_told_it) {
    say(of, "x", "y", {{"fact", "marieqq has an examqq"}});
    auto const id = summarize("Wrong.");
    db.get(db->change_memory(
        "ada", {.id = id, .content = "The examqq is near. Right.", .type = {}, .pinned = {}}, at()));
    // Both were written when nobody knew of it, as the times say.
    execute(
        "UPDATE long_term_memory SET created_at = '2023-01-01', updated_at = '2023-01-01' "
        "WHERE memory_type = 'summary'");
    forget(1);
    BOOST_TEST(shown_summary(of) == "Right.");
}

BOOST_AUTO_TEST_CASE(a_deletion_loses_no_turn_of_a_summary_whose_correction_tells_it) {
    auto const saved = say(other, "x", "y", {{"fact", "marieqq has an examqq"}});
    auto const id = summarize("Wrong.");
    auto const next = summarize("Next.");
    db.get(db->change_memory("ada", {.id = id, .content = "The examqq is near.", .type = {}, .pinned = {}},
                             at()));
    auto const gone = db.get(db->delete_memory("ada", saved.at(0).id, at()));
    BOOST_TEST(gone->counts.summaries == 2u);
    BOOST_TEST(is_there(next) == 0);
    BOOST_TEST(lost_turns() == 0);
    BOOST_TEST(number(path, "SELECT window_turns FROM engram_session WHERE session_id = 's1'") == 8);
    BOOST_TEST(context(of).turns.size() == 8u);
}

BOOST_AUTO_TEST_CASE(a_deletion_that_a_later_summary_tells_leaves_the_corrected_earlier_one) {
    auto const saved = say(other, "x", "y", {{"fact", "marieqq has an examqq"}});
    auto const id = summarize("Wrong.");
    auto const next = summarize("The examqq is near.");
    auto const right =
        db.get(db->change_memory("ada", {.id = id, .content = "Right.", .type = {}, .pinned = {}}, at()));
    db.get(db->delete_memory("ada", saved.at(0).id, at()));
    BOOST_TEST(is_there(next) == 0);
    BOOST_TEST(is_there(right->now.what.id) == 1);
    BOOST_TEST(lost_turns() == 0);
}

BOOST_AUTO_TEST_CASE(a_condensed_summary_was_written_until_it_was_condensed) {
    auto const id = summarize("Marieqq rang. Fine.", 0);
    auto const saved = say(other, "x", "y", {{"fact", "marieqq has an examqq"}}, 60 * minute);
    execute("UPDATE long_term_memory SET updated_at = '2024-01-01 02:00:00.000' WHERE id = " +
            std::to_string(id));
    forget(2, 180 * minute);
    BOOST_TEST(is_there(id) == 0);  // it tells it, and is made anew
    auto const again = summarize("Marieqq rang. Fine.", 0);
    execute("UPDATE long_term_memory SET updated_at = '2024-01-01 02:00:00.000' WHERE id = " +
            std::to_string(again));
    BOOST_TEST(shown_summary(of) == "Fine.");
    db.get(db->delete_memory("ada", saved.at(0).id, at()));
    BOOST_TEST(is_there(again) == 0);
}

BOOST_AUTO_TEST_CASE(what_was_under_way_when_it_was_taken_back_had_read_it) {
    say(other, "x", "y", {{"fact", "marieqq has an examqq"}});
    fill(db, of, 6);
    auto const task = claim(29 * minute);
    BOOST_REQUIRE(task.has_value());
    forget(1, 30 * minute);
    say({"ada", "s3"}, "who?", "Marieqq is. Fine.", {}, 32 * minute);
    say({"ada", "s4"}, "who?", "Marieqq is. Fine.", {}, 60 * minute);
    BOOST_TEST(answer({"ada", "s3"}) == "Fine.");
    BOOST_TEST(answer({"ada", "s4"}) == "Marieqq is. Fine.");
    BOOST_REQUIRE(db.get(db->commit_summary(*task, "Marieqq rang. They talked.", false, at(31 * minute))));
    BOOST_TEST(number(path, "SELECT count(*) FROM long_term_memory WHERE content = 'They talked.'") == 1);
}

BOOST_AUTO_TEST_CASE(what_makes_room_within_one_answer_is_not_taken_back) {
    say(of, "x", "Annqq and bobqq are customers.",
        {{.type = "contact", .content = "annqq", .most_of_type = 1},
         {.type = "contact", .content = "bobqq", .most_of_type = 1}});
    BOOST_TEST(number(path, "SELECT count(*) FROM long_term_memory WHERE valid_to IS NOT NULL") == 1);
    BOOST_TEST(answer(of) == "Annqq and bobqq are customers.");
    // A note that forgets what the same answer noted takes it back.
    say(other, "x", "Carlqq is one.",
        {{"fact", "carlqq"},
         {.type = {}, .content = {}, .what = store::new_memory::kind::forget, .label = 3}});
    BOOST_TEST(answer(other) == "");
}

BOOST_AUTO_TEST_CASE(the_answer_to_a_message_that_is_blank_by_now_can_be_recalled) {
    say(of, "The examqq is near.", "Good luck with Latin. ", {{"fact", "marieqq has an examqq"}});
    say(of, "thanks", "bye", {{"fact", "likes Latin"}});
    // What is left of the first exchange is not only of the past.
    execute("UPDATE engram_memory_source SET user_turn = 1, assistant_turn = 2 WHERE memory_id = 2");
    forget(1);
    auto asked = query_of(of);
    asked.memory_limit = 0;
    asked.find = {"Latin", 10, {}, {}};
    auto const seen = db.get(db->load_context(asked));
    BOOST_REQUIRE(seen.turns.at(0).content == "");
    BOOST_REQUIRE(seen.found_turns.size() == 1u);
    BOOST_TEST(seen.found_turns[0].what.content == "Good luck with Latin. ");
}

BOOST_AUTO_TEST_CASE(times_of_other_software_are_times) {
    auto const saved = say(other, "x", "y", {{"fact", "marieqq has an examqq"}}, 10 * minute);
    say(of, "who?", "Marieqq is. Fine.", {}, 20 * minute);
    forget(1, 40 * minute);
    auto const set = [&](std::string const& table, std::string const& time, std::string const& where) {
        execute("UPDATE " + table + " SET created_at = " + time + " WHERE " + where);
    };
    BOOST_TEST(answer(of) == "Fine.");
    for (std::string const time : {"1704068400", "'2024-01-01T00:20:00Z'"}) {
        set("conversation_history", time, "session_id = 's1'");
        BOOST_TEST(answer(of) == "Fine.", time);
    }
    set("conversation_history", "1704067300", "session_id = 's1'");  // before it was known
    BOOST_TEST(answer(of) == "Marieqq is. Fine.");
    set("conversation_history", "1704068400", "session_id = 's1'");
    for (std::string const time : {"1704067800", "'2024-01-01T00:10:00Z'"}) {
        set("long_term_memory", time, "content = 'marieqq has an examqq'");
        BOOST_TEST(answer(of) == "Fine.", time);
    }
    db.get(db->delete_memory("ada", saved.at(0).id, at()));
    BOOST_TEST(answer(of) == "Fine.");
    BOOST_TEST(!stands_in_files(path, "Marieqq"));
}

BOOST_AUTO_TEST_SUITE_END()

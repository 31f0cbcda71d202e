#include "store/sqlite/past_queries.hpp"

#include "store/sqlite/recall_block.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace engram::store {
namespace {

// Each prompt of a user who has taken back very much reads all of these and looks for them: the newest.
constexpr std::size_t most_looked_for = 300;  // memories
// What holds now is looked for in so many memories, of which each took the place of the one before; a chain
// that another program made a ring ends, too.
constexpr int longest_chain = 32;  // memories
// Who answered while something was taken back had read it: a job has so long if it names no deadline
// and queue.deadline_ms is the default. Of what took longer only that goes which plainly tells it.
constexpr std::uint32_t longest_answer = 10;  // minutes

bool was_known(taken_back::one const& memory, std::uint32_t from, std::uint32_t to) {
    return to >= memory.known_from && from <= memory.known_to + longest_answer;
}

}  // namespace

past_queries::past_queries(connection& db, text_index const* texts)
    : texts_(texts),
      any_(db.prepare("SELECT 1 FROM long_term_memory INDEXED BY engram_memory_past "
                      "WHERE user_id = ?1 AND valid_to IS NOT NULL LIMIT 1")),
      // A note that forgets makes its exchange a source of what it ends.
      past_(db.prepare("SELECT m.id, m.content, m.created_at, m.valid_to, m.label, m.superseded_by "
                       "FROM long_term_memory m INDEXED BY engram_memory_past "
                       "WHERE m.user_id = ?1 AND m.valid_to IS NOT NULL AND m.memory_type <> 'summary' "
                       "AND (?3 = '' OR m.valid_to = ?3) "
                       "AND (m.superseded_by IS NOT NULL OR EXISTS (SELECT 1 FROM engram_memory_source s "
                       "WHERE s.memory_id = m.id AND s.at = m.valid_to)) ORDER BY m.id DESC LIMIT ?2")),
      current_of_(db.prepare("SELECT content FROM long_term_memory INDEXED BY engram_memory_by_label "
                             "WHERE user_id = ?1 AND label = ?2 AND valid_to IS NULL")),
      memory_(db.prepare("SELECT label, superseded_by, valid_to, content FROM long_term_memory "
                         "WHERE id = ?1 AND user_id = ?2")),
      held_(db),
      // An answer has the id behind that of its question.
      source_(db.prepare("SELECT 1 FROM engram_memory_source WHERE memory_id = ?1 "
                         "AND user_turn IN (?2, ?2 - 1) AND ?2 IN (user_turn, assistant_turn)")),
      // Turns name the first version of a summary that was corrected by hand.
      covers_source_(
          db.prepare("SELECT 1 FROM engram_memory_source s CROSS JOIN conversation_history t "
                     "ON t.id = s.user_turn CROSS JOIN long_term_memory v ON v.id = t.summary_id "
                     "CROSS JOIN long_term_memory one ON one.id = ?2 WHERE s.memory_id = ?1 "
                     "AND (v.id = one.id OR (v.user_id = one.user_id AND v.label = one.label)) LIMIT 1")),
      written_(db.prepare("SELECT updated_at FROM long_term_memory WHERE id = ?1")) {}

std::unique_ptr<taken_back> past_queries::load(std::string const& user_id) {
    return read(user_id, {});
}

std::unique_ptr<taken_back> past_queries::load_ended_at(std::string const& user_id, std::string const& at) {
    return at.empty() ? nullptr : read(user_id, at);
}

std::unique_ptr<taken_back> past_queries::read(std::string const& user_id, std::string const& ended_at) {
    if (texts_ == nullptr || !any_.query(user_id).next()) return nullptr;
    auto found = past_.query(user_id, most_looked_for, ended_at);
    if (!found.next()) return nullptr;
    auto past = std::make_unique<taken_back>();
    past->user_id = user_id;
    past->traces = texts_->make_telltale();
    if (!past->traces) return nullptr;
    do {
        past->memories.push_back({found.integer(0), minutes_of(found.bytes(2)), minutes_of(found.bytes(3))});
        past->traces->add(found.text(1), replacement_of(user_id, found.integer(4), found.integer(5)));
    } while (found.next());
    return past;
}

// What holds now of the same memory, or of the one that took its place, or of that which took the place of
// that. Empty: nothing does.
std::string past_queries::replacement_of(std::string const& user_id, std::int64_t label, std::int64_t by) {
    for (int i = 0; i < longest_chain; ++i) {
        {
            auto current = current_of_.query(user_id, label);
            if (current.next()) return current.text(0);
        }
        if (by == 0) break;
        auto next = memory_.query(by, user_id);
        if (!next.next()) break;
        if (next.is_null(2)) return next.text(3);
        label = next.integer(0);
        by = next.integer(1);
    }
    return {};
}

void past_queries::hold_current(taken_back const& past) {
    held_.hold_in(*past.traces, past.user_id);
    past.holds_current = true;
}

// Holding more only ever leaves more of a text.
bool past_queries::cut(taken_back const& past, std::string& text,
                       std::function<kinship(std::size_t)> const& of) {
    auto left = past.traces->cut(text, of);
    if (left && !past.holds_current) {
        hold_current(past);
        left = past.traces->cut(text, of);
    }
    if (!left) return false;
    text = std::move(*left);
    return true;
}

bool past_queries::is_source(std::int64_t memory, std::int64_t turn) {
    return source_.query(memory, turn).next();
}

std::uint32_t past_queries::last_written(std::int64_t summary) {
    auto found = written_.query(summary);
    return found.next() ? minutes_of(found.bytes(0)) : 0;
}

bool past_queries::cut_turn(taken_back const& past, turn& from, std::string_view created_at) {
    auto const at = minutes_of(created_at);
    return cut(past, from.content, [&](std::size_t index) {
        auto const& memory = past.memories[index];
        if (is_source(memory.id, from.id)) return kinship::told;
        bool const knowing = from.role == role::assistant && was_known(memory, at, at);
        return knowing ? kinship::made : kinship::elsewhere;
    });
}

bool past_queries::cut_summary(taken_back const& past, std::int64_t id, std::string& text,
                               std::string_view created_at, std::string_view until) {
    auto const from = minutes_of(created_at);
    std::optional<std::uint32_t> to;
    if (!until.empty()) to = minutes_of(until);
    return cut(past, text, [&](std::size_t index) {
        auto const& memory = past.memories[index];
        if (covers_source_.query(memory.id, id).next()) return kinship::told;
        if (!to) to = std::max(from, last_written(id));
        return was_known(memory, from, *to) ? kinship::made : kinship::elsewhere;
    });
}

bool past_queries::cut_new_summary(taken_back const& past, std::vector<turn> const& of, std::string& text,
                                   std::string_view at) {
    auto const now = minutes_of(at);
    return cut(past, text, [&](std::size_t index) {
        auto const& memory = past.memories[index];
        bool const told =
            std::ranges::any_of(of, [&](turn const& one) { return is_source(memory.id, one.id); });
        if (told) return kinship::told;
        return was_known(memory, now, now) ? kinship::made : kinship::elsewhere;
    });
}

}  // namespace engram::store

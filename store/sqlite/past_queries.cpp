#include "store/sqlite/past_queries.hpp"

#include <algorithm>
#include <functional>
#include <optional>
#include <utility>

namespace engram::store {
namespace {

// A bound on what each prompt of a user costs who has changed very much.
constexpr std::size_t most_looked_for = 300;

bool was_known(taken_back::one const& memory, std::string_view at) {
    return at >= memory.known_from && at <= memory.known_to;
}

bool cut(telltale const& traces, std::string& text, std::function<kinship(std::size_t)> const& of) {
    auto left = traces.cut(text, of);
    if (!left) return false;
    text = std::move(*left);
    return true;
}

}  // namespace

past_queries::past_queries(connection& db, text_index const* texts)
    : texts_(texts),
      any_(db.prepare("SELECT 1 FROM long_term_memory INDEXED BY engram_memory_past "
                      "WHERE user_id = ?1 AND valid_to IS NOT NULL LIMIT 1")),
      // A note that forgets makes its exchange a source of what it ends.
      past_(db.prepare(
          "SELECT m.id, m.content, m.created_at, m.valid_to, "
          "coalesce((SELECT c.content FROM long_term_memory c INDEXED BY engram_memory_by_label "
          "WHERE c.user_id = m.user_id AND c.label = m.label AND c.valid_to IS NULL), "
          "(SELECT n.content FROM long_term_memory n WHERE n.id = m.superseded_by AND n.valid_to IS NULL)) "
          "FROM long_term_memory m INDEXED BY engram_memory_past "
          "WHERE m.user_id = ?1 AND m.valid_to IS NOT NULL AND m.memory_type <> 'summary' "
          "AND (m.superseded_by IS NOT NULL OR EXISTS (SELECT 1 FROM engram_memory_source s "
          "WHERE s.memory_id = m.id AND s.at = m.valid_to)) ORDER BY m.id DESC LIMIT ?2")),
      // An answer has the id behind that of its question.
      source_(db.prepare("SELECT 1 FROM engram_memory_source WHERE memory_id = ?1 "
                         "AND user_turn IN (?2, ?2 - 1) AND ?2 IN (user_turn, assistant_turn)")),
      covers_source_(
          db.prepare("SELECT 1 FROM engram_memory_source s CROSS JOIN conversation_history t "
                     "ON t.id = s.user_turn WHERE s.memory_id = ?1 AND t.summary_id = ?2 LIMIT 1")) {}

std::unique_ptr<taken_back> past_queries::load(std::string const& user_id) {
    if (texts_ == nullptr || !any_.query(user_id).next()) return nullptr;
    auto past = std::make_unique<taken_back>();
    past->traces = texts_->make_telltale();
    if (!past->traces) return nullptr;
    auto found = past_.query(user_id, most_looked_for);
    while (found.next()) {
        past->memories.push_back({found.integer(0), found.text(2), found.text(3)});
        past->traces->add(found.text(1), found.text(4));
    }
    return past->memories.empty() ? nullptr : std::move(past);
}

bool past_queries::is_source(std::int64_t memory, std::int64_t turn) {
    return source_.query(memory, turn).next();
}

bool past_queries::cut_turn(taken_back const& past, turn& from, std::string_view created_at) {
    return cut(*past.traces, from.content, [&](std::size_t index) {
        auto const& memory = past.memories[index];
        if (is_source(memory.id, from.id)) return kinship::told;
        bool const knowing = from.role == role::assistant && was_known(memory, created_at);
        return knowing ? kinship::made : kinship::elsewhere;
    });
}

bool past_queries::cut_summary(taken_back const& past, std::int64_t id, std::string& text,
                               std::string_view created_at) {
    return cut(*past.traces, text, [&](std::size_t index) {
        auto const& memory = past.memories[index];
        if (covers_source_.query(memory.id, id).next()) return kinship::told;
        return was_known(memory, created_at) ? kinship::made : kinship::elsewhere;
    });
}

bool past_queries::cut_new_summary(taken_back const& past, std::vector<turn> const& of, std::string& text) {
    return cut(*past.traces, text, [&](std::size_t index) {
        bool const told = std::ranges::any_of(
            of, [&](turn const& one) { return is_source(past.memories[index].id, one.id); });
        return told ? kinship::told : kinship::elsewhere;
    });
}

}  // namespace engram::store

#include "ctl/memory_page.hpp"

#include "ctl/display.hpp"
#include "ctl/json_fields.hpp"
#include "ctl/session_page.hpp"
#include "ctl/turn_text.hpp"

#include <vector>

namespace engram::ctl {

namespace json = boost::json;

namespace {

std::string label_of(json::object const& memory) {
    auto const label = number_in(memory, "label");
    return label ? '#' + std::to_string(*label) : "-";
}

// Texts that are not known may be empty.
bool says(json::object const& memory, std::string_view name) {
    return !text_in(memory, name).value_or("").empty();
}

bool is_past(json::object const& memory) {
    return says(memory, "valid_to") || number_in(memory, "superseded_by");
}

std::string state_of(json::object const& memory) {
    std::string state;
    auto const add = [&](std::string const& text) { state += (state.empty() ? "" : ", ") + text; };
    if (is_past(memory)) add("past");
    if (auto const newer = number_in(memory, "superseded_by")) add("now " + std::to_string(*newer));
    if (is_true(memory, "pinned")) add("pinned");
    if (says(memory, "expires_at")) add("expires " + text_cell(memory, "expires_at", 24));
    return state.empty() ? "-" : state;
}

std::vector<std::string> memory_cells(json::object const& memory) {
    return {number_cell(memory, "id"),         label_of(memory),
            text_cell(memory, "type", 20),     text_cell(memory, "updated_at", 24),
            number_cell(memory, "times_seen"), state_of(memory),
            text_cell(memory, "content", 100)};
}

std::vector<std::string> found_memory_cells(json::object const& memory) {
    return {
        score_cell(memory, "score"),   number_cell(memory, "id"),           label_of(memory),
        text_cell(memory, "type", 20), text_cell(memory, "updated_at", 24), text_cell(memory, "content", 80),
        text_cell(memory, "why", 80)};
}

std::vector<std::string> found_turn_cells(json::object const& turn) {
    return {score_cell(turn, "score"),   text_cell(turn, "session_id", 40), text_cell(turn, "created_at", 24),
            text_cell(turn, "role", 10), text_cell(turn, "content", 80),    text_cell(turn, "why", 80)};
}

std::vector<std::string> doomed_memory_cells(json::object const& memory) {
    return {number_cell(memory, "id"), label_of(memory), text_cell(memory, "type", 20),
            text_cell(memory, "content", 100)};
}

std::vector<std::string> doomed_summary_cells(json::object const& memory) {
    return {number_cell(memory, "id"), text_cell(memory, "session_id", 40),
            text_cell(memory, "content", 100)};
}

std::vector<std::string> doomed_turn_cells(json::object const& turn) {
    return {number_cell(turn, "id"), text_cell(turn, "session_id", 40), text_cell(turn, "role", 10),
            text_cell(turn, "content", 80), says(turn, "left") ? text_cell(turn, "left", 80) : "-"};
}

// "7 (#12), fact"
std::string name_of(json::object const& memory) {
    return number_cell(memory, "id") + " (" + label_of(memory) + "), " + text_cell(memory, "type", 20);
}

std::string version_text(json::object const& memory) {
    auto const since = says(memory, "valid_from") ? "valid_from" : "created_at";
    auto out = name_of(memory) + ", since " + text_cell(memory, since, 24);
    if (says(memory, "valid_to")) out += " until " + text_cell(memory, "valid_to", 24);
    auto const state = state_of(memory);
    if (state != "-") out += ", " + state;
    return out + '\n' + indented(text_in(memory, "content").value_or("-"), 4);
}

std::optional<std::string> source_text(json::object const& source) {
    auto const* const turns = objects_in(source, "turns");
    if (!turns) return std::nullopt;
    auto out = "\nlearnt in session " + text_cell(source, "session_id", 128) + ", job " +
               text_cell(source, "job_id", 128) + ", at " + text_cell(source, "at", 24) + '\n';
    for (auto const& turn : *turns)
        out += turn_text(turn.get_object(), 4);
    return out;
}

// The one that a change left, as "what 7 (#12), fact" and its text.
std::optional<std::string> change_text(std::string const& what, json::object const& result) {
    auto const* const memory = object_in(result, "memory");
    if (!memory) return std::nullopt;
    auto out = what + ' ' + name_of(*memory);
    if (auto const old = number_in(result, "superseded")) out += ", in place of " + std::to_string(*old);
    return out + '\n' + indented(text_in(*memory, "content").value_or("-"), 4);
}

}  // namespace

list_kind const& listed_memories() {
    static list_kind const kind{"memories",
                                "no memories",
                                {"ID", "LABEL", "TYPE", "UPDATED", "SEEN", "STATE", "CONTENT"},
                                memory_cells};
    return kind;
}

std::optional<std::string> search_page(json::object const& result) {
    static list_kind const memories{"memories",
                                    "no memories found",
                                    {"SCORE", "ID", "LABEL", "TYPE", "UPDATED", "CONTENT", "WHY"},
                                    found_memory_cells};
    static list_kind const turns{
        "turns", "no turns found", {"SCORE", "SESSION", "WHEN", "ROLE", "CONTENT", "WHY"}, found_turn_cells};
    list_table found_memories(memories), found_turns(turns);
    if (!found_memories.add(result) || !found_turns.add(result)) return std::nullopt;
    return found_memories.text() + '\n' + found_turns.text();
}

std::optional<std::string> history_page(json::object const& result) {
    auto const* const versions = objects_in(result, "memories");
    auto const* const sources = objects_in(result, "sources");
    if (!versions || !sources) return std::nullopt;
    std::string out;
    for (auto const& version : *versions)
        out += version_text(version.get_object());
    for (auto const& source : *sources) {
        auto const text = source_text(source.get_object());
        if (!text) return std::nullopt;
        out += *text;
    }
    return out;
}

std::optional<std::string> changed_page(json::object const& result) {
    return change_text(text_cell(result, "action", 20), result);
}

std::optional<std::string> restored_page(json::object const& result) {
    return change_text("restored", result);
}

std::optional<std::string> preview_page(json::object const& result) {
    static list_kind const memories{
        "memories", "no memories", {"ID", "LABEL", "TYPE", "MEMORY"}, doomed_memory_cells};
    static list_kind const summaries{
        "summaries", "no summaries", {"ID", "SESSION", "SUMMARY"}, doomed_summary_cells};
    static list_kind const turns{
        "turns", "no turns", {"ID", "SESSION", "ROLE", "TURN", "WHAT STAYS OF IT"}, doomed_turn_cells};
    auto const counts = deleted_page(result);
    if (!counts) return std::nullopt;
    std::string out = "Nothing was deleted. This would go:\n" + counts->substr(counts->find('\n') + 1);
    for (auto const* kind : {&memories, &summaries, &turns}) {
        list_table table(*kind);
        if (!table.add(result)) return std::nullopt;
        out += '\n' + table.text();
    }
    if (!is_true(result, "complete")) out += "\nThere is more than is shown here.\n";
    return out;
}

std::optional<std::string> deletion_warning(json::object const& result) {
    auto const* const versions = objects_in(result, "memories");
    auto const* const sources = objects_in(result, "sources");
    if (!versions || versions->empty() || !sources) return std::nullopt;
    std::string out;
    for (auto const& version : *versions)
        out += version_text(version.get_object());
    out +=
        "This goes for good: the memory in all its versions, and whatever it was merged into or from.\n"
        "The exchanges that any of these was told or confirmed in are erased too, blank turns stay in their\n"
        "place, and the summaries of them are deleted. More may go than is shown here.\n";
    return out;
}

}  // namespace engram::ctl

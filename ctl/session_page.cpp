#include "ctl/session_page.hpp"

#include "ctl/display.hpp"
#include "ctl/json_fields.hpp"
#include "ctl/turn_text.hpp"

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>

#include <algorithm>
#include <vector>

namespace engram::ctl {

namespace json = boost::json;

namespace {

std::vector<std::string> session_cells(json::object const& session) {
    return {text_cell(session, "session_id", 128), number_cell(session, "turns"),
            text_cell(session, "updated_at", 24)};
}

std::vector<std::vector<std::string>> counter_rows(json::object const& counters) {
    std::vector<std::vector<std::string>> rows;
    for (auto const& field : counters) {
        auto name = cut_text(safe_text({field.key().data(), field.key().size()}), 40);
        std::replace(name.begin(), name.end(), '_', ' ');
        rows.push_back({std::move(name), number_cell(counters, {field.key().data(), field.key().size()})});
    }
    return rows;
}

// A document in one line: what safe_text() changes in JSON stands inside of strings, where it means the same.
// What is still JSON after it was one line.
std::optional<std::string> json_object_line(std::string_view text) {
    auto line = safe_text(text);
    json::error_code error;
    auto const parsed = json::parse(line, error);
    if (error || !parsed.is_object()) return std::nullopt;
    return line + '\n';
}

}  // namespace

list_kind const& listed_sessions() {
    static list_kind const kind{"sessions", "no sessions", {"SESSION", "TURNS", "UPDATED"}, session_cells};
    return kind;
}

std::optional<std::string> turns_page(json::object const& result) {
    auto const* const turns = objects_in(result, "turns");
    if (!turns) return std::nullopt;
    std::string out;
    for (auto const& turn : *turns)
        out += turn_text(turn.get_object());
    return out;
}

std::optional<std::string> deleted_page(json::object const& result) {
    auto const* const deleted = object_in(result, "deleted");
    if (!deleted) return std::nullopt;
    return "deleted:\n" + table(counter_rows(*deleted));
}

std::optional<std::string> forgotten_page(json::object const& result) {
    auto out = deleted_page(result);
    auto const* const redis = object_in(result, "redis");
    if (!out || !redis) return std::nullopt;
    return *out + "in Redis:\n" + table(counter_rows(*redis));
}

std::optional<std::string> stats_page(json::object const& result) {
    return table(counter_rows(result));
}

std::optional<std::string> export_lines(json::object const& result) {
    auto const* const value = result.if_contains("lines");
    auto const* const lines = value ? value->if_array() : nullptr;
    if (!lines) return std::nullopt;
    std::string out;
    for (auto const& line : *lines) {
        auto const* const text = line.if_string();
        auto const document = text ? json_object_line({text->data(), text->size()}) : std::nullopt;
        if (!document) return std::nullopt;
        out += *document;
    }
    return out;
}

std::string forget_warning(std::string_view user, json::object const& stats) {
    auto const name = safe_text(user);
    return "Everything about " + name + " goes for good: memories (" + number_cell(stats, "memories") +
           " and " + number_cell(stats, "past_memories") + " past), turns (" + number_cell(stats, "turns") +
           ") of all sessions (" + number_cell(stats, "sessions") +
           "), summaries, and what waits in Redis.\nType the user id, " + name + ", to go on:";
}

}  // namespace engram::ctl

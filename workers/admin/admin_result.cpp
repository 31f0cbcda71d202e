#include "workers/admin/admin_result.hpp"

#include "base/utf8.hpp"

#include <boost/json/serialize.hpp>

#include <charconv>
#include <cmath>
#include <utility>

namespace engram::workers {

namespace {

// Four digits: what comes after them tells nobody anything.
std::string score_text(double score) {
    if (!std::isfinite(score)) return "0";
    char digits[400];
    auto const rounded = std::round(score * 1e4) / 1e4;
    auto const end = std::to_chars(digits, digits + sizeof digits, rounded, std::chars_format::fixed).ptr;
    return {digits, end};
}

void add_reason(object_text& object, store::ranked_item const* found) {
    if (!found) return;
    object.raw("score", score_text(found->score));
    object.text("why", found->why);
}

void add_members(object_text& object, store::memory_record const& memory) {
    object.number("id", memory.what.id)
        .number("label", memory.what.label)
        .text("type", memory.what.type)
        .text("content", memory.what.content)
        .text("created_at", memory.what.created_at)
        .text("updated_at", memory.updated_at)
        .text("last_seen", memory.last_seen)
        .number("times_seen", memory.times_seen)
        .flag("pinned", memory.pinned)
        .text("valid_from", memory.valid_from)
        .text_or_null("valid_to", memory.valid_to)
        .number_or_null("superseded_by", memory.superseded_by)
        .text_or_null("expires_at", memory.expires_at)
        .text("session_id", memory.what.session_id)
        .text("job_id", memory.job_id);
}

void add_members(object_text& object, store::turn_record const& turn) {
    object.number("id", turn.what.id)
        .text("session_id", turn.session_id)
        .text("role", turn.what.role == store::role::user ? "user" : "assistant")
        .text("content", turn.what.content)
        .text("created_at", turn.created_at)
        .flag("summarized", turn.summarized);
}

void add_members(object_text& object, store::session_record const& session) {
    object.text("session_id", session.session_id)
        .count("turns", session.turns)
        .text("updated_at", session.updated_at);
}

template <class Record>
std::string line_of(std::string_view kind, Record const& record) {
    object_text object;
    object.text("kind", kind);
    add_members(object, record);
    return std::move(object).end();
}

// The beginning is enough to know a text by.
constexpr std::size_t shown_bytes = 300;

std::string beginning_of(std::string_view text) {
    if (text.size() <= shown_bytes) return std::string(text);
    auto end = shown_bytes;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80)
        --end;
    return std::string(text.substr(0, end)) + "…";
}

std::string line_of(store::memory const& memory) {
    object_text object;
    object.number("id", memory.id)
        .number("label", memory.label)
        .text("type", memory.type)
        .text("session_id", memory.session_id)
        .text("content", beginning_of(memory.content));
    return std::move(object).end();
}

std::string line_of(store::erasure_preview::changed_turn const& turn) {
    object_text object;
    object.number("id", turn.what.id)
        .text("session_id", turn.session_id)
        .text("role", turn.what.role == store::role::user ? "user" : "assistant")
        .text("content", beginning_of(turn.what.content))
        .text("left", beginning_of(turn.left));
    return std::move(object).end();
}

template <class Records>
std::string list_within(Records const& records, std::size_t most_bytes, bool& complete) {
    std::vector<std::string> lines;
    for (auto const& one : records)
        lines.push_back(line_of(one));
    auto const fitting = count_fitting(lines, most_bytes);
    complete = complete && fitting == lines.size();
    lines.resize(fitting);
    return list_text(lines);
}

object_text head_of(std::string_view id, std::string_view op, std::string_view status) {
    object_text object;
    if (!id.empty()) object.text("id", id);
    if (!op.empty()) object.text("op", op);
    object.text("status", status);
    return object;
}

}  // namespace

std::string quote(std::string_view text) {
    if (base::is_utf8(text)) return boost::json::serialize(boost::json::string_view(text));
    auto const valid = base::to_utf8(text);
    return boost::json::serialize(boost::json::string_view(valid));
}

std::string list_text(std::vector<std::string> const& values) {
    std::string out = "[";
    for (auto const& value : values) {
        if (out.size() > 1) out += ',';
        out += value;
    }
    return out += ']';
}

void object_text::key(std::string_view name) {
    if (out_.size() > 1) out_ += ',';
    out_ += '"';
    out_ += name;
    out_ += "\":";
}

object_text& object_text::raw(std::string_view name, std::string_view value) {
    key(name);
    out_ += value;
    return *this;
}

object_text& object_text::text(std::string_view name, std::string_view value) {
    return raw(name, quote(value));
}

object_text& object_text::text_or_null(std::string_view name, std::string_view value) {
    return value.empty() ? raw(name, "null") : text(name, value);
}

object_text& object_text::number(std::string_view name, std::int64_t value) {
    return raw(name, std::to_string(value));
}

object_text& object_text::number_or_null(std::string_view name, std::int64_t value) {
    return value == 0 ? raw(name, "null") : number(name, value);
}

object_text& object_text::count(std::string_view name, std::uint64_t value) {
    return raw(name, std::to_string(value));
}

object_text& object_text::flag(std::string_view name, bool value) {
    return raw(name, value ? "true" : "false");
}

std::string to_json(store::memory_record const& memory, store::ranked_item const* found) {
    object_text object;
    add_members(object, memory);
    add_reason(object, found);
    return std::move(object).end();
}

std::string to_json(store::turn_record const& turn, store::ranked_item const* found) {
    object_text object;
    add_members(object, turn);
    add_reason(object, found);
    return std::move(object).end();
}

std::string to_json(store::session_record const& session) {
    object_text object;
    add_members(object, session);
    return std::move(object).end();
}

std::string to_json(store::memory_source const& source) {
    std::vector<std::string> turns;
    for (auto const& turn : source.turns)
        turns.push_back(to_json(turn));
    object_text object;
    object.text("session_id", source.session_id)
        .text("job_id", source.job_id)
        .text("at", source.at)
        .raw("turns", list_text(turns));
    return std::move(object).end();
}

std::string to_json(store::totals const& totals) {
    object_text object;
    object.count("users", totals.users)
        .count("memories", totals.memories)
        .count("past_memories", totals.past_memories)
        .count("turns", totals.turns)
        .count("sessions", totals.sessions)
        .count("database_bytes", totals.database_bytes);
    return std::move(object).end();
}

std::string to_json(store::exported const& line) {
    if (line.memory) return line_of("memory", *line.memory);
    if (line.turn) return line_of("turn", *line.turn);
    if (line.session) return line_of("session", *line.session);
    return {};
}

std::string to_json(store::erasure_counts const& counts, bool with_sessions) {
    object_text object;
    object.count("memories", counts.memories)
        .count("turns", counts.turns)
        .count("summaries", counts.summaries)
        .count("index_entries", counts.index_entries)
        .count("vectors", counts.vectors)
        .count("replies", counts.replies);
    if (with_sessions) object.count("sessions", counts.sessions);
    return std::move(object).end();
}

std::string to_json(store::erasure_preview const& preview, std::size_t most_bytes) {
    constexpr std::size_t lists = 3;
    bool complete = true;
    auto const list = [&](auto const& records) { return list_within(records, most_bytes / lists, complete); };
    object_text object;
    object.flag("dry_run", true)
        .raw("deleted", to_json(preview.counts, false))
        .raw("memories", list(preview.memories))
        .raw("summaries", list(preview.summaries))
        .raw("turns", list(preview.turns))
        .flag("complete", complete);
    return std::move(object).end();
}

std::size_t count_fitting(std::vector<std::string> const& values, std::size_t most_bytes) {
    std::size_t bytes = 2;
    std::size_t fitting = 0;
    for (; fitting < values.size(); ++fitting) {
        bytes += values[fitting].size() + 1;
        if (bytes > most_bytes && fitting > 0) break;
    }
    return fitting;
}

std::string admin_ok(std::string_view id, std::string_view op, std::string_view result) {
    auto object = head_of(id, op, "ok");
    object.raw("result", result);
    return std::move(object).end();
}

std::string admin_error(std::string_view id, std::string_view op, std::string_view type,
                        std::string_view message, bool retryable) {
    object_text error;
    error.text("type", type).text("message", message).flag("retryable", retryable);
    auto object = head_of(id, op, "error");
    object.raw("error", std::move(error).end());
    return std::move(object).end();
}

}  // namespace engram::workers

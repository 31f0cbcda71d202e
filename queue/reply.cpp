#include "queue/reply.hpp"

#include "base/json_text.hpp"
#include "queue/pushed_json.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

namespace engram::queue {

namespace json = boost::json;

namespace {

using object_writer = base::json_object_writer;

void append_memories(std::string& out, std::vector<reply_memory> const& memories) {
    out += '[';
    for (auto const& memory : memories) {
        if (out.back() != '[') out += ',';
        object_writer object(out);
        object.number("id", memory.id);
        object.text("type", memory.type);
        object.text("content", memory.content);
        object.text("action", memory.action);
        object.end();
    }
    out += ']';
}

void append_usage(std::string& out, reply_usage const& usage) {
    object_writer object(out);
    object.number("input_tokens", usage.input_tokens);
    object.number("output_tokens", usage.output_tokens);
    object.number("cache_read_input_tokens", usage.cache_read_input_tokens);
    object.number("cache_creation_input_tokens", usage.cache_creation_input_tokens);
    object.key("cost_usd");
    if (usage.cost_usd)
        base::append_json_number(out, *usage.cost_usd);
    else
        out += "null";
    object.end();
}

void append_timing(std::string& out, reply_timing const& timing) {
    object_writer object(out);
    object.number("queued", timing.queued_ms);
    object.number("load", timing.load_ms);
    object.number("claude", timing.claude_ms);
    object.number("commit", timing.commit_ms);
    object.number("total", timing.total_ms);
    object.end();
}

// How to_json() begins an ok reply; the id stands between the two and holds nothing that is escaped.
constexpr std::string_view before_id = "{\"id\":\"";
constexpr std::string_view after_id = "\",\"status\":\"ok\",\"timing_ms\":{";

}  // namespace

std::string to_json(ok_reply const& reply) {
    std::string out;
    out.reserve(512 + reply.reply.size() + reply.metadata.size());
    object_writer object(out);
    object.text("id", reply.id);
    object.text("status", "ok");
    // Before every text of the outside, so that with_timing() finds it and not a text that looks like it.
    object.key("timing_ms");
    append_timing(out, reply.timing);
    object.text("user_id", reply.user_id);
    object.text("session_id", reply.session_id);
    object.text("reply", reply.reply);
    object.key("memories");
    append_memories(out, reply.memories);
    if (reply.notes_cut) object.text("notes", "cut");
    object.text("model", reply.model);
    object.text("stop_reason", reply.stop_reason);
    object.key("usage");
    append_usage(out, reply.usage);
    object.number("attempts", reply.attempts);
    object.raw("metadata", reply.metadata);
    object.end();
    return out;
}

std::string to_json(error_reply const& reply) {
    std::string out;
    object_writer object(out);
    if (!reply.id.empty()) object.text("id", reply.id);
    object.text("status", "error");
    if (!reply.user_id.empty()) object.text("user_id", reply.user_id);
    if (!reply.session_id.empty()) object.text("session_id", reply.session_id);
    object.key("error");
    object_writer error(out);
    error.text("type", reply.type);
    error.text("message", reply.message);
    error.boolean("retryable", reply.retryable);
    error.end();
    object.number("attempts", reply.attempts);
    object.raw("metadata", reply.metadata);
    object.end();
    return out;
}

std::string with_timing(std::string reply, reply_timing const& timing) {
    if (!reply.starts_with(before_id)) return reply;
    auto const id_end = reply.find('"', before_id.size());
    if (id_end == std::string::npos || reply.compare(id_end, after_id.size(), after_id) != 0) return reply;
    auto const object = id_end + after_id.size() - 1;
    auto const end = reply.find('}', object);
    if (end == std::string::npos) return reply;
    std::string written;
    append_timing(written, timing);
    reply.replace(object, end + 1 - object, written);
    return reply;
}

std::optional<received_reply> parse_reply(std::string_view text) {
    boost::system::error_code error;
    auto const value = json::parse(text, error, {}, parse_options_of_pushed());
    auto const* object = error ? nullptr : value.if_object();
    if (!object) return std::nullopt;
    auto const text_of = [](json::object const& of, std::string_view name) {
        auto const* found = of.if_contains(name);
        return found && found->is_string() ? std::string(found->get_string()) : std::string();
    };
    auto const status = text_of(*object, "status");
    if (status != "ok" && status != "error") return std::nullopt;
    received_reply reply;
    reply.ok = status == "ok";
    reply.id = text_of(*object, "id");
    reply.session_id = text_of(*object, "session_id");
    reply.reply = text_of(*object, "reply");
    reply.stop_reason = text_of(*object, "stop_reason");
    auto const* details = object->if_contains("error");
    if (details && details->is_object()) {
        reply.error_type = text_of(details->get_object(), "type");
        reply.error_message = text_of(details->get_object(), "message");
        auto const* retryable = details->get_object().if_contains("retryable");
        reply.retryable = retryable && retryable->is_bool() && retryable->get_bool();
    }
    return reply;
}

}  // namespace engram::queue

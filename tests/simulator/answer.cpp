#include "answer.hpp"

#include "json_text.hpp"
#include "messages_request.hpp"

#include <boost/json/serialize.hpp>

#include <algorithm>

namespace engram::simulator {
namespace json = boost::json;
namespace {

void append_block(std::string& out, content_block const& b) {
    if (b.type == "text") {
        out += R"({"type":"text","text":)";
        append_json_string(out, b.text);
        out += R"(,"citations":null})";
    } else if (b.type == "thinking") {
        out += R"({"type":"thinking","thinking":)";
        append_json_string(out, b.text);
        out += R"(,"signature":"c2ltdWxhdGVk"})";
    } else {
        out += json::serialize(b.raw);
    }
}

void append_figure(std::string& out, std::string_view name, std::int64_t n) {
    if (out.back() != '{') out += ',';
    out += '"';
    out += name;
    out += "\":";
    append_number(out, n);
}

std::string usage_of_message(usage const& u) {
    std::string out = R"("usage":{)";
    append_figure(out, "input_tokens", u.input_tokens);
    append_figure(out, "cache_creation_input_tokens", u.cache_write_5m + u.cache_write_1h);
    append_figure(out, "cache_read_input_tokens", u.cache_read);
    out += R"(,"cache_creation":{)";
    append_figure(out, "ephemeral_5m_input_tokens", u.cache_write_5m);
    append_figure(out, "ephemeral_1h_input_tokens", u.cache_write_1h);
    out += '}';
    append_figure(out, "output_tokens", u.output_tokens);
    out += R"(,"output_tokens_details":{)";
    append_figure(out, "thinking_tokens", u.thinking_tokens);
    out +=
        R"(},"server_tool_use":null,"service_tier":"standard","inference_geo":"global","speed":"standard"})";
    return out;
}

std::string usage_of_stream(usage const& u, usage_form form) {
    std::string out = R"("usage":{)";
    append_figure(out, "input_tokens", u.input_tokens);
    append_figure(out, "cache_creation_input_tokens", u.cache_write_5m + u.cache_write_1h);
    append_figure(out, "cache_read_input_tokens", u.cache_read);
    // At the start the output is a placeholder; each delta carries the sum so far.
    append_figure(out, "output_tokens", form == usage_form::start ? 1 : u.output_tokens);
    return out + '}';
}

/// Cuts text blocks so that the whole has at most `bytes`; true if something was lost.
bool cut_content(std::vector<content_block>& content, std::size_t bytes) {
    for (std::size_t i = 0; i < content.size(); ++i) {
        auto& text = content[i].text;
        if (text.size() <= bytes) {
            bytes -= text.size();
            continue;
        }
        text = cut_utf8(text, bytes);
        content.resize(text.empty() ? i : i + 1);
        return true;
    }
    return false;
}

bool cut_at_stop_sequence(answer& a, std::vector<std::string_view> const& sequences) {
    for (std::size_t i = 0; i < a.content.size(); ++i) {
        auto& b = a.content[i];
        if (b.type != "text") continue;
        auto first = std::string::npos;
        std::string_view hit;
        for (auto s : sequences) {
            auto const at = b.text.find(s);
            if (at < first) {
                first = at;
                hit = s;
            }
        }
        if (first == std::string::npos) continue;
        b.text.resize(first);
        a.content.resize(b.text.empty() ? i : i + 1);
        a.stop_reason = "stop_sequence";
        a.stop_sequence = hit;
        return true;
    }
    return false;
}

}  // namespace

std::string usage_member(answer const& a, usage_form form) {
    if (a.odd.missing_usage) return {};
    if (a.odd.null_usage) return R"("usage":null)";
    if (a.scripted_usage) return R"("usage":)" + json::serialize(*a.scripted_usage);
    return form == usage_form::message ? usage_of_message(a.usage) : usage_of_stream(a.usage, form);
}

std::string message_json(answer const& a) {
    std::string out;
    std::size_t size = 700;
    for (auto const& b : a.content)
        size += b.text.size() + 80;
    out.reserve(size);
    out += R"({"id":")";
    out += a.id;
    out += R"(","type":"message","role":"assistant","model":")";
    out += a.model;
    out += R"(","content":[)";
    for (std::size_t i = 0; i < a.content.size(); ++i) {
        if (i > 0) out += ',';
        append_block(out, a.content[i]);
    }
    out += R"(],"stop_reason":)";
    append_json_string(out, a.stop_reason);
    out += R"(,"stop_sequence":)";
    if (a.stop_sequence)
        append_json_string(out, *a.stop_sequence);
    else
        out += "null";
    out += R"(,"stop_details":)";
    if (a.refusal_explanation.empty()) {
        out += "null";
    } else {
        out += R"({"type":"refusal","category":null,"explanation":)";
        append_json_string(out, a.refusal_explanation);
        out += '}';
    }
    out += R"(,"container":null,"diagnostics":null)";
    if (auto const u = usage_member(a, usage_form::message); !u.empty()) out += ',' + u;
    return out += '}';
}

void spend_on_thinking(answer& a, std::int64_t tokens, std::int64_t& max_tokens) {
    auto const spent = std::min(tokens, max_tokens);
    a.usage.output_tokens += spent;
    a.usage.thinking_tokens += spent;
    max_tokens -= spent;
    if (max_tokens > 0) return;
    std::erase_if(a.content, [](content_block const& b) { return b.type == "text"; });
    a.stop_reason = "max_tokens";
}

void apply_limits(answer& a, std::vector<std::string_view> const& stop_sequences, std::int64_t max_tokens) {
    if (!stop_sequences.empty()) cut_at_stop_sequence(a, stop_sequences);
    // One token is up to four bytes here, as in estimate_tokens.
    if (cut_content(a.content, static_cast<std::size_t>(max_tokens) * 4)) {
        a.stop_reason = "max_tokens";
        a.stop_sequence.reset();
    }
    for (auto const& b : a.content) {
        auto const n = b.raw.empty() ? estimate_tokens(b.text) : estimate_tokens(json::serialize(b.raw));
        a.usage.output_tokens += n;
        if (b.type == "thinking") a.usage.thinking_tokens += n;
    }
}

}  // namespace engram::simulator

#include "sse.hpp"

#include "json_text.hpp"

#include <boost/json/serialize.hpp>

#include <algorithm>

namespace engram::simulator {
namespace json = boost::json;
namespace {

class frame_writer {
public:
    frame_writer(answer const& a, unsigned tokens_a_delta) : a_(a), delta_bytes_(tokens_a_delta * 4UL) {}

    std::vector<frame> write() {
        message_start();
        for (std::size_t i = 0; i < a_.content.size(); ++i) {
            block(i);
            if (i == 0) event("ping", R"({"type":"ping"})");
        }
        if (a_.odd.unknown_event)
            event("weather_report", R"({"type":"weather_report","sky":["clear",null]})");
        if (a_.odd.stream_error || a_.odd.cut) halve();
        if (a_.odd.stream_error)
            event(
                "error",
                R"({"type":"error","error":{"type":"overloaded_error","message":"Overloaded","details":null},)"
                R"("request_id":null})");
        else if (!a_.odd.cut)
            message_end();
        return std::move(frames_);
    }

private:
    void event(std::string_view name, std::string_view data, unsigned tokens = 0) {
        frame f;
        f.tokens = tokens;
        append_event(f.text, name, data);
        frames_.push_back(std::move(f));
    }

    void message_start() {
        std::string d = R"({"type":"message_start","message":{"id":")" + a_.id +
                        R"(","type":"message","role":"assistant","model":")";
        d += a_.model;
        d += R"(","content":[],"stop_reason":null,"stop_sequence":null)";
        if (auto const u = usage_member(a_, usage_form::start); !u.empty()) d += ',' + u;
        event("message_start", d + "}}");
    }

    static std::string about_block(std::string_view type, std::size_t i) {
        std::string d = R"({"type":")";
        d += type;
        d += R"(","index":)";
        append_number(d, static_cast<std::int64_t>(i));
        return d;
    }

    void delta(std::size_t i, std::string_view type, std::string_view member, std::string_view text,
               unsigned tokens) {
        std::string d = about_block("content_block_delta", i) + R"(,"delta":{"type":")";
        d += type;
        d += R"(",")";
        d += member;
        d += R"(":)";
        append_json_string(d, text);
        event("content_block_delta", d + "}}", tokens);
    }

    void deltas(std::size_t i, std::string_view type, std::string_view member, std::string_view text) {
        while (!text.empty()) {
            auto piece = cut_utf8(text, delta_bytes_);
            if (piece.empty()) piece = text.substr(0, delta_bytes_);  // not UTF-8
            delta(i, type, member, piece, static_cast<unsigned>((piece.size() + 3) / 4));
            text.remove_prefix(piece.size());
            if (a_.odd.unknown_delta) delta(i, "hum_delta", "hum", "la", 0);
        }
    }

    void start(std::size_t i, std::string_view block) {
        event("content_block_start",
              about_block("content_block_start", i) + R"(,"content_block":)" + std::string(block) + '}');
    }

    void block(std::size_t i) {
        auto const& b = a_.content[i];
        if (b.type == "text") {
            start(i, R"({"type":"text","text":""})");
            deltas(i, "text_delta", "text", b.text);
        } else if (b.type == "thinking") {
            start(i, R"({"type":"thinking","thinking":"","signature":""})");
            deltas(i, "thinking_delta", "thinking", b.text);
            delta(i, "signature_delta", "signature", "c2ltdWxhdGVk", 0);
        } else if (b.type == "tool_use") {
            auto opening = b.raw;
            opening["input"] = json::object();
            start(i, json::serialize(opening));
            delta(i, "input_json_delta", "partial_json", "", 0);
            auto const* input = b.raw.if_contains("input");
            if (input) deltas(i, "input_json_delta", "partial_json", json::serialize(*input));
        } else {
            start(i, json::serialize(b.raw));
        }
        event("content_block_stop", about_block("content_block_stop", i) + '}');
    }

    /// Keeps message_start and about half of what follows it.
    void halve() {
        if (frames_.size() > 2) frames_.resize(std::max<std::size_t>(2, frames_.size() / 2 + 1));
    }

    void message_end() {
        auto const u = usage_member(a_, usage_form::delta);
        if (a_.odd.several_deltas) {
            std::string d = R"({"type":"message_delta","delta":{"stop_reason":null,"stop_sequence":null})";
            event("message_delta", d + (u.empty() ? "}" : ',' + u + '}'));
        }
        std::string d = R"({"type":"message_delta","delta":{"stop_reason":)";
        append_json_string(d, a_.stop_reason);
        d += R"(,"stop_sequence":)";
        if (a_.stop_sequence)
            append_json_string(d, *a_.stop_sequence);
        else
            d += "null";
        if (!a_.refusal_explanation.empty()) {
            d += R"(,"stop_details":{"type":"refusal","category":null,"explanation":)";
            append_json_string(d, a_.refusal_explanation);
            d += '}';
        }
        d += '}';
        if (!u.empty()) d += ',' + u;
        event("message_delta", d + '}');
        event("message_stop", R"({"type":"message_stop"})");
    }

    answer const& a_;
    std::size_t delta_bytes_;
    std::vector<frame> frames_;
};

}  // namespace

void append_event(std::string& out, std::string_view name, std::string_view data) {
    out.reserve(out.size() + name.size() + data.size() + 18);
    out += "event: ";
    out += name;
    out += "\ndata: ";
    out += data;
    out += "\n\n";
}

std::vector<frame> stream_frames(answer const& a, unsigned tokens_a_delta) {
    return frame_writer(a, std::max(tokens_a_delta, 1U)).write();
}

}  // namespace engram::simulator

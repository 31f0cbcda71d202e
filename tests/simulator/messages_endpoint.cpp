// POST /v1/messages and /v1/messages/count_tokens.
#include "answer.hpp"
#include "assistant.hpp"
#include "endpoints.hpp"
#include "json_text.hpp"
#include "sse.hpp"

#include <boost/json/monotonic_resource.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <cmath>

namespace engram::simulator {
namespace json = boost::json;
namespace {

/// A body and the memory it is parsed into.
class parsed_body {
public:
    explicit parsed_body(std::string const& text)
        : memory_(scratch(), scratch_bytes), value_(json::storage_ptr(&memory_)) {
        json::parse_options o;
        o.max_depth = 100;
        value_ = json::parse(text, ec_, json::storage_ptr(&memory_), o);
    }
    [[nodiscard]] bool valid() const { return !ec_; }
    [[nodiscard]] std::string problem() const {
        return "The request body is not valid JSON: " + ec_.message();
    }
    [[nodiscard]] json::value const& value() const { return value_; }

private:
    static constexpr std::size_t scratch_bytes = 64 * 1024;
    /// One thread, and no body outlives the function that parses it: they can all use the same memory.
    static unsigned char* scratch() {
        static unsigned char bytes[scratch_bytes];
        return bytes;
    }

    boost::system::error_code ec_;
    json::monotonic_resource memory_;
    json::value value_;
};

std::string halved(std::string const& text) {
    return std::string(cut_utf8(text, text.size() / 2));
}

content_block raw_block(json::object o) {
    content_block b;
    b.type = std::string(string_at(o, "type").value_or("unknown"));
    b.text = std::string(string_at(o, b.type == "thinking" ? "thinking" : "text").value_or(""));
    if (b.type != "text" && b.type != "thinking") b.raw = std::move(o);
    return b;
}

std::string& first_text(answer& a) {
    for (auto& b : a.content)
        if (b.type == "text") return b.text;
    a.content.push_back({"text", "", {}});
    return a.content.back().text;
}

void halve_text(answer& a, std::string_view stop_reason) {
    auto& text = first_text(a);
    text = halved(text);
    a.stop_reason = stop_reason;
}

/// The faults that are part of the content.
void distort(answer& a, step const& s) {
    using enum fault_kind;
    a.odd.unknown_event = s.has(unknown_event);
    a.odd.unknown_delta = s.has(unknown_delta);
    a.odd.null_usage = s.has(null_usage);
    a.odd.missing_usage = s.has(missing_usage);
    a.odd.several_deltas = s.has(several_deltas);
    a.odd.stream_error = s.has(stream_error);
    a.odd.cut = s.has(cut_stream);
    if (s.has(split_utf8)) first_text(a) += " caf\xC3\xA9 \xE6\xBC\xA2\xE5\xAD\x97 \xF0\x9F\x99\x82";
    if (s.has(invalid_utf8)) first_text(a) += " \xFF\xFE \xC3";
    if (s.has(huge_body)) first_text(a).append(s.bytes > 0 ? s.bytes : 64UL * 1024 * 1024, 'x');
    if (s.has(max_tokens)) halve_text(a, "max_tokens");
    if (s.has(pause_turn)) halve_text(a, "pause_turn");
    if (s.has(refusal_mid)) halve_text(a, "refusal");
    if (s.has(empty_content)) a.content.clear();
    if (s.has(refusal)) {
        a.content.clear();
        a.stop_reason = "refusal";
    }
    if (s.has(refusal) || s.has(refusal_mid)) a.refusal_explanation = "A simulated refusal.";
    if (s.has(thinking_first))
        a.content.insert(a.content.begin(), {"thinking", "Let me see. (simulated thinking)", {}});
    if (s.has(unknown_block)) {
        auto const strange = raw_block({{"type", "hologram"}, {"shape", {{"sides", 4}}}});
        a.content.insert(a.content.begin(), strange);
        a.content.push_back(strange);
    }
}

answer compose(world& w, messages_request const& r, step const* s, usage const& input) {
    answer a;
    a.id = w.new_id("msg_");
    a.model = r.model->full_id;
    a.usage = input;
    if (r.max_tokens == 0) {  // warms the cache, says nothing
        a.stop_reason = "max_tokens";
        return a;
    }
    bool const scripted = s && (s->text || s->content);
    auto thought = r.thinks && !scripted ? w.options.thinking_tokens : 0;
    if (s && s->thinking_tokens) thought = *s->thinking_tokens;
    if (s && s->content) {
        for (auto const& b : *s->content)
            a.content.push_back(raw_block(b.is_object() ? b.get_object() : json::object()));
    } else {
        if (r.thinks && !scripted) a.content.push_back({"thinking", "", {}});
        a.content.push_back({"text", s && s->text ? *s->text : answer_by_rules(r), {}});
        if (a.content.back().text.empty()) a.content.pop_back();
    }
    auto max_tokens = r.max_tokens;
    if (thought > 0) spend_on_thinking(a, thought, max_tokens);
    // What a script says is said as it stands, however long.
    if (scripted)
        apply_limits(a, {}, r.model->max_output_tokens * 4096);
    else
        apply_limits(a, r.stop_sequences, max_tokens);
    if (s) {
        distort(a, *s);
        if (!s->stop_reason.empty()) a.stop_reason = s->stop_reason;
        a.scripted_usage = s->usage;
    }
    return a;
}

std::vector<reply::piece> stream_pieces(world const& w, answer const& a, step const* s) {
    auto const rate = s && s->tokens_per_second ? *s->tokens_per_second : w.options.tokens_per_second;
    // Above 100 tokens a second a timer for each would cost more than it tells.
    auto tokens = rate > 0 ? static_cast<unsigned>(std::clamp(rate / 100, 1.0, 10'000.0)) : 4U;
    if (s && s->has(fault_kind::huge_body)) tokens = 4096;
    std::vector<reply::piece> pieces;
    for (auto& f : stream_frames(a, tokens)) {
        auto const pause = rate > 0 ? std::chrono::microseconds(static_cast<long long>(f.tokens * 1e6 / rate))
                                    : std::chrono::microseconds(0);
        if (pieces.empty() || pause.count() > 0)
            pieces.push_back({pause, std::move(f.text)});
        else
            pieces.back().bytes += f.text;
    }
    return pieces;
}

reply scripted_status(world& w, step const& s, std::string const& id, bool keep_alive) {
    auto e = error_for_status(s.status != 0 ? s.status : 529);
    if (!s.error_type.empty()) e.type = s.error_type;
    if (!s.error_message.empty()) e.message = s.error_message;
    e.error_code = s.error_code;
    std::string body;
    if (s.body)
        body = s.body->is_string() ? std::string(view(s.body->get_string())) : json::serialize(*s.body);
    else if (e.status == 502)
        body = "<html><head><title>502 Bad Gateway</title></head><body>cloudflare</body></html>";
    else
        body = error_body(e, id);
    bool const html = body.starts_with('<');
    reply out;
    out.status = e.status;
    // The proxy that answers 413, 502 and pages knows no request id.
    bool const from_the_proxy = e.status == 413 || e.status == 502 || html;
    out.head =
        head_lines(e.status, html ? "text/html" : "application/json", from_the_proxy ? "" : id, keep_alive);
    if (!from_the_proxy) out.head += w.limits.header_lines();
    out.body.push_back({{}, std::move(body)});
    return out;
}

reply message_reply(world& w, messages_request const& r, step const* s, usage const& input,
                    std::string const& id, bool keep_alive) {
    auto const a = compose(w, r, s, input);
    w.limits.count_output(a.usage.output_tokens);
    reply out;
    out.head =
        head_lines(200, r.stream ? "text/event-stream; charset=utf-8" : "application/json", id, keep_alive);
    if (r.stream) out.head += "cache-control: no-cache\r\n";
    out.head += w.limits.header_lines();
    out.chunked = r.stream;
    if (r.stream)
        out.body = stream_pieces(w, a, s);
    else
        out.body.push_back({{}, message_json(a)});
    if (s && s->body)
        out.body = {
            {{},
             s->body->is_string() ? std::string(view(s->body->get_string())) : json::serialize(*s->body)}};
    return out;
}

delivery respond(world& w, messages_request const& r, cache_plan plan, std::string const& id,
                 bool keep_alive) {
    auto const s =
        w.script.take({r.new_message(), r.system, r.model->id, r.stream, r.prompt_tokens}, w.random);
    bool const status_only = s && s->status != 0 && s->status != 200;
    bool const error_for_json = s && !r.stream && s->has(fault_kind::stream_error);
    auto out = status_only || error_for_json ? scripted_status(w, *s, id, keep_alive)
                                             : message_reply(w, r, s.get(), plan.usage, id, keep_alive);
    if (s && !s->headers.empty()) change_headers(out.head, s->headers);
    delivery d;
    d.status = out.status;
    d.is_message = true;
    d.keep_alive = keep_alive;
    d.latency = (s && s->latency ? *s->latency : w.options.latency).draw(w.random);
    if (s) d.hold = s->hold;
    if (out.status == 200) d.written = std::move(plan.writes);
    d.actions = plan_actions(std::move(out), s.get(), w.random, d.keep_alive);
    return d;
}

/// Models that nobody knows, under --any-model: they behave like the oldest.
model_info const* stand_in(json::value const& body, bool any_model) {
    auto const* o = body.if_object();
    if (!any_model || !o) return nullptr;
    auto const name = string_at(*o, "model");
    return name && !name->empty() && !find_model(*name) ? find_model("claude-haiku-4-5") : nullptr;
}

std::optional<api_error> check_gone(world const& w, json::value const& body) {
    auto const* o = body.if_object();
    auto const name = o ? string_at(*o, "model") : std::nullopt;
    if (!name || !w.models.is_gone(*name)) return {};
    return no_such_model(*name);
}

std::optional<api_error> read_body(world const& w, http_request const& r, json::value const& body,
                                   endpoint to, api_version version, messages_request& into) {
    if (!r.content_encoding.empty() && lower_ascii(r.content_encoding) != "identity")
        return api_error{400, "invalid_request_error",
                         "content-encoding: " + r.content_encoding + " is not supported",
                         "request_body_encoding_unsupported"};
    into.model = stand_in(body, w.options.any_model);
    if (auto bad = check_gone(w, body)) return bad;
    if (auto bad = read_messages_request(body, to, version, into)) return bad;
    auto const context = w.options.context;
    if (context > 0 && into.prompt_tokens > context) return prompt_too_long(into.prompt_tokens, context);
    return {};
}

delivery refused(world& w, api_error const& e, std::string const& id, bool keep_alive) {
    auto d = error_delivery(w, e, id, keep_alive);
    d.is_message = true;
    return d;
}

delivery over_the_limit(world& w, std::int64_t seconds, std::string const& id, bool keep_alive) {
    reply out;
    out.status = 429;
    out.head = head_lines(429, "application/json", id, keep_alive) + w.limits.header_lines() +
               "retry-after: " + std::to_string(seconds) + "\r\n";
    out.body.push_back({{}, error_body(error_for_status(429), id)});
    delivery d;
    d.status = 429;
    d.is_message = true;
    d.keep_alive = keep_alive;
    d.actions = plan_actions(std::move(out), nullptr, w.random, d.keep_alive);
    return d;
}

}  // namespace

delivery answer_messages(world& w, http_request const& r, api_version version, std::string const& request_id,
                         bool keep_alive) {
    parsed_body const body(r.body);
    if (!body.valid()) return refused(w, invalid_request(body.problem()), request_id, keep_alive);
    messages_request m;
    if (auto const bad = read_body(w, r, body.value(), endpoint::messages, version, m))
        return refused(w, *bad, request_id, keep_alive);
    cache_plan plan;
    plan.usage.input_tokens = m.prompt_tokens;
    if (r.body.find("cache_control") != std::string::npos)
        if (auto const bad = w.cache.plan(m, std::chrono::steady_clock::now(), plan))
            return refused(w, *bad, request_id, keep_alive);
    auto const& u = plan.usage;
    if (auto const seconds = w.limits.admit(u.input_tokens + u.cache_write_5m + u.cache_write_1h))
        return over_the_limit(w, seconds, request_id, keep_alive);
    return respond(w, m, std::move(plan), request_id, keep_alive);
}

delivery answer_count_tokens(world& w, http_request const& r, api_version version,
                             std::string const& request_id, bool keep_alive) {
    parsed_body const body(r.body);
    if (!body.valid()) return error_delivery(w, invalid_request(body.problem()), request_id, keep_alive);
    messages_request m;
    if (auto const bad = read_body(w, r, body.value(), endpoint::count_tokens, version, m))
        return error_delivery(w, *bad, request_id, keep_alive);
    return plain_delivery(w, 200, R"({"input_tokens":)" + std::to_string(m.prompt_tokens) + '}', request_id,
                          keep_alive);
}

}  // namespace engram::simulator

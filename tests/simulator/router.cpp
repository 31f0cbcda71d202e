// Which path gets which answer; authentication and the version header.
#include "endpoints.hpp"
#include "json_text.hpp"
#include "messages_request.hpp"

namespace engram::simulator {
namespace {

std::optional<api_error> check_key(world const& w, http_request const& r) {
    auto const refused = [](std::string message) {
        return api_error{401, "authentication_error", std::move(message), {}};
    };
    if (r.has_api_key && r.has_authorization)
        return refused("x-api-key and authorization: send exactly one of these headers");
    std::string_view key = r.api_key;
    if (r.has_authorization) {
        if (lower_ascii(std::string_view(r.authorization).substr(0, 7)) != "bearer ")
            return refused("authorization: expected a bearer token");
        key = trim(std::string_view(r.authorization).substr(7));
    } else if (!r.has_api_key) {
        return refused("x-api-key header is required");
    }
    if (key.empty()) return refused("invalid x-api-key");
    if (w.options.api_keys.empty()) return {};
    for (auto const& k : w.options.api_keys)
        if (k == key) return {};
    return refused(r.has_authorization ? "invalid bearer token" : "invalid x-api-key");
}

std::optional<api_error> check_version(http_request const& r, api_version& into) {
    if (!r.has_version || r.version.empty()) return invalid_request("anthropic-version: header is required");
    if (r.version == "2023-06-01")
        into = api_version::v2023_06_01;
    else if (r.version == "2026-10-21")
        into = api_version::v2026_10_21;
    else
        return invalid_request("anthropic-version: \"" + r.version + "\" is not a valid version");
    return {};
}

void append_model(std::string& out, model_info const& m, model_changes const& changes) {
    auto const end = changes.retires.find(std::string(m.full_id));
    bool const ends = end != changes.retires.end();
    out += R"({"type":"model","id":)";
    append_json_string(out, m.full_id);
    out += R"(,"display_name":)";
    append_json_string(out, m.display_name);
    out += R"(,"created_at":)";
    append_json_string(out, m.created_at);
    out += R"(,"max_input_tokens":)";
    append_number(out, m.context_tokens);
    out += R"(,"max_tokens":)";
    append_number(out, m.max_output_tokens);
    out += m.deprecated || ends ? R"(,"lifecycle":"deprecated")" : R"(,"lifecycle":"active")";
    out += R"(,"deprecated_at":)";
    if (ends)
        append_json_string(out, m.created_at);
    else
        out += "null";
    out += R"(,"retires_at":)";
    if (ends)
        append_json_string(out, end->second);
    else
        out += "null";
    out += R"(,"line":null,"capabilities":null})";
}

delivery answer_models(world& w, http_request const& r, std::string const& id, bool keep_alive) {
    if (r.method != "GET") return error_delivery(w, error_for_status(405), id, keep_alive);
    auto const name = r.path().substr(std::string_view("/v1/models").size());
    std::string body;
    if (name.size() > 1) {
        auto const* m = find_model(name.substr(1));
        if (!m || w.models.is_gone(m->id))
            return error_delivery(w, no_such_model(name.substr(1)), id, keep_alive);
        append_model(body, *m, w.models);
        return plain_delivery(w, 200, std::move(body), id, keep_alive);
    }
    body = R"({"data":[)";
    for (auto const& m : all_models()) {
        if (w.models.is_gone(m.id)) continue;
        if (body.back() == '}') body += ',';
        append_model(body, m, w.models);
    }
    body += R"(],"has_more":false,"first_id":)";
    append_json_string(body, all_models().front().full_id);
    body += R"(,"last_id":)";
    append_json_string(body, all_models().back().full_id);
    body += '}';
    return plain_delivery(w, 200, std::move(body), id, keep_alive);
}

delivery answer_api(world& w, http_request const& r, bool keep_alive) {
    auto const id = w.new_id("req_");
    api_version version{};
    auto bad = check_key(w, r);
    if (!bad) bad = check_version(r, version);
    if (bad) return error_delivery(w, *bad, id, keep_alive);
    auto const path = r.path();
    if (path == "/v1/models" || path.starts_with("/v1/models/")) return answer_models(w, r, id, keep_alive);
    bool const messages = path == "/v1/messages";
    if (!messages && path != "/v1/messages/count_tokens")
        return error_delivery(w, {404, "not_found_error", "Not found", {}}, id, keep_alive);
    if (r.method != "POST") return error_delivery(w, error_for_status(405), id, keep_alive);
    return messages ? answer_messages(w, r, version, id, keep_alive)
                    : answer_count_tokens(w, r, version, id, keep_alive);
}

}  // namespace

std::string head_lines(int status, std::string_view content_type, std::string_view id, bool keep_alive) {
    std::string head;
    head.reserve(1400);
    head += "HTTP/1.1 ";
    append_number(head, status);
    head += ' ';
    head += reason_phrase(status);
    head += "\r\ncontent-type: ";
    head += content_type;
    head += "\r\nserver: claude-simulator\r\n";
    if (!id.empty()) {
        head += "request-id: ";
        head += id;
        head += "\r\nanthropic-organization-id: 00000000-0000-4000-8000-000000000000\r\n";
    }
    if (!keep_alive) head += "connection: close\r\n";
    return head;
}

delivery plain_delivery(world& w, int status, std::string body, std::string_view id, bool keep_alive) {
    reply out;
    out.status = status;
    out.head = head_lines(status, "application/json", id, keep_alive);
    out.body.push_back({{}, std::move(body)});
    delivery d;
    d.status = status;
    d.keep_alive = keep_alive;
    d.actions = plan_actions(std::move(out), nullptr, w.random, d.keep_alive);
    return d;
}

delivery error_delivery(world& w, api_error const& e, std::string_view id, bool keep_alive) {
    return plain_delivery(w, e.status, error_body(e, id), e.status == 413 ? "" : id, keep_alive);
}

routed route(world& w, http_request& r, bool keep_alive) {
    auto const path = r.path();
    if (path.starts_with("/control/")) return answer_control(w, r, keep_alive);
    if (path == "/")
        return plain_delivery(
            w, 200, R"({"server":"claude-simulator","note":"a simulation of the Claude Messages API"})", {},
            keep_alive);
    ++w.stats.requests;
    bool const message = r.method == "POST" && path == "/v1/messages";
    auto d = answer_api(w, r, keep_alive);
    d.is_message = message;
    seen_request seen{0, std::move(r.method), r.target, std::move(r.header_lines), {}, true};
    if (w.recorder.on()) seen.body = std::move(r.body);
    w.recorder.add(std::move(seen));
    if (message) w.count_message();
    return d;
}

}  // namespace engram::simulator

#include "api_error.hpp"

#include "json_text.hpp"

namespace engram::simulator {
namespace {

struct row {
    int status;
    std::string_view reason;
    std::string_view type;
    std::string_view message;
};

constexpr row table[] = {
    {200, "OK", "", ""},
    {400, "Bad Request", "invalid_request_error", "The request is invalid."},
    {401, "Unauthorized", "authentication_error", "invalid x-api-key"},
    {402, "Payment Required", "billing_error",
     "There is a problem with your billing or payment information."},
    {403, "Forbidden", "permission_error", "Your API key does not have permission to use this resource."},
    {404, "Not Found", "not_found_error", "The requested resource could not be found."},
    {405, "Method Not Allowed", "invalid_request_error", "Method Not Allowed"},
    {408, "Request Timeout", "timeout_error", "The request timed out."},
    {409, "Conflict", "conflict_error", "The request conflicts with another one."},
    {413, "Payload Too Large", "request_too_large", "Request exceeds the maximum size"},
    {422, "Unprocessable Entity", "invalid_request_error", "The request cannot be processed."},
    {429, "Too Many Requests", "rate_limit_error",
     "This request would exceed your organization's rate limit."},
    {500, "Internal Server Error", "api_error", "Internal server error"},
    {502, "Bad Gateway", "api_error", "Bad gateway"},
    {503, "Service Unavailable", "api_error", "Service unavailable"},
    {504, "Gateway Timeout", "timeout_error", "The request timed out while it was processed."},
    {529, "Overloaded", "overloaded_error", "Overloaded"},
};

row const* find_row(int status) {
    for (auto const& r : table)
        if (r.status == status) return &r;
    return nullptr;
}

}  // namespace

api_error invalid_request(std::string message) {
    return {400, "invalid_request_error", std::move(message), {}};
}

api_error error_for_status(int status) {
    auto const* r = find_row(status);
    if (!r || r->type.empty())
        return {status, status < 500 ? "invalid_request_error" : "api_error", "simulated status", {}};
    return {status, std::string(r->type), std::string(r->message), {}};
}

std::string error_body(api_error const& e, std::string_view request_id) {
    bool const from_the_proxy = e.status == 413;
    std::string out = from_the_proxy ? R"({"error":{"type":)" : R"({"type":"error","error":{"type":)";
    append_json_string(out, e.type);
    out += R"(,"message":)";
    append_json_string(out, e.message);
    if (!from_the_proxy) {
        out += R"(,"details":)";
        if (e.error_code.empty()) {
            out += "null";
        } else {
            out += R"({"error_code":)";
            append_json_string(out, e.error_code);
            out += '}';
        }
    }
    out += '}';
    if (!from_the_proxy) {
        out += R"(,"request_id":)";
        append_json_string(out, request_id);
    }
    out += '}';
    return out;
}

std::string_view reason_phrase(int status) {
    auto const* r = find_row(status);
    return r ? r->reason : "Status";
}

}  // namespace engram::simulator

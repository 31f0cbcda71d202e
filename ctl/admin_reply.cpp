#include "ctl/admin_reply.hpp"

#include "ctl/display.hpp"
#include "ctl/json_fields.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <sysexits.h>
#include <utility>

namespace engram::ctl {

namespace json = boost::json;

namespace {

complaint explain_error(json::object const& error) {
    auto const type = text_in(error, "type");
    if (!type) return senseless_reply();
    auto const message = text_in(error, "message").value_or("");
    auto line = cut_text(safe_text(*type), 40);
    if (!message.empty()) line += ": " + cut_text(safe_text(message), 300);
    if (*type == "not_found") return {line, EX_NOINPUT};
    if (*type == "invalid_job") return {line, EX_DATAERR};
    return {line, is_true(error, "retryable") ? EX_TEMPFAIL : EX_SOFTWARE};
}

}  // namespace

std::string admin_request_text(std::string_view id, std::string_view op,
                               std::optional<std::string> const& user, json::object fields) {
    json::object request;
    request["id"] = json::string_view(id.data(), id.size());
    request["op"] = json::string_view(op.data(), op.size());
    if (user) request["user_id"] = *user;
    for (auto& field : fields)
        request[field.key()] = std::move(field.value());
    return json::serialize(request);
}

admin_result read_admin_reply(std::string_view text) {
    json::error_code error;
    auto parsed = json::parse(json::string_view(text.data(), text.size()), error);
    if (error || !parsed.is_object()) return senseless_reply();
    auto& reply = parsed.get_object();
    auto const status = text_in(reply, "status");
    if (status == "error") {
        auto const* const why = object_in(reply, "error");
        return why ? explain_error(*why) : senseless_reply();
    }
    auto* const result = reply.if_contains("result");
    if (status != "ok" || !result || !result->is_object()) return senseless_reply();
    return std::move(result->get_object());
}

complaint senseless_reply() {
    return {"the reply makes no sense; are engramd and engramctl of the same version?", EX_PROTOCOL};
}

base::result<std::optional<std::string>, complaint> next_cursor(json::object const& result,
                                                                std::set<std::string> const& seen) {
    auto const* const value = result.if_contains("cursor");
    if (!value || value->is_null()) return std::optional<std::string>();
    auto cursor = text_in(result, "cursor");
    if (!cursor || cursor->empty() || seen.contains(*cursor)) return senseless_reply();
    return cursor;
}

std::optional<std::int64_t> memory_id(std::string_view given) {
    auto const id = whole_number(given, 0);
    return id > 0 ? std::optional(id) : std::nullopt;
}

std::string not_a_memory_id(std::string_view given) {
    auto const shown = "'" + cut_text(safe_text(given), 60) + "' is ";
    if (given.starts_with('#')) return shown + "a label; name the id (engramctl memory list shows both)";
    return shown + "no id of a memory, which is a number (engramctl memory list shows them)";
}

}  // namespace engram::ctl

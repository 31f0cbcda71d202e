#include "messages_request.hpp"

#include "json_text.hpp"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

namespace engram::simulator {
namespace json = boost::json;
namespace {

using failure = std::optional<api_error>;

constexpr std::string_view known_fields[] = {"model",         "max_tokens",     "messages",
                                             "system",        "stop_sequences", "stream",
                                             "metadata",      "service_tier",   "thinking",
                                             "output_config", "tools",          "tool_choice",
                                             "cache_control", "inference_geo",  "speed",
                                             "diagnostics",   "container",      "temperature",
                                             "top_p",         "top_k",          "context_management",
                                             "mcp_servers",   "output_format",  "fallbacks"};

constexpr std::string_view not_for_counting[] = {"max_tokens", "stream", "metadata"};

failure check_fields(json::object const& o, endpoint to) {
    for (auto const& [key, value] : o) {
        std::string_view const name(key.data(), key.size());
        bool known = false;
        for (auto f : known_fields)
            known = known || f == name;
        if (to == endpoint::count_tokens)
            for (auto f : not_for_counting)
                known = known && f != name;
        if (!known) return invalid_request(std::string(name) + ": Extra inputs are not permitted");
    }
    return {};
}

std::string at(std::size_t i) {
    return "messages." + std::to_string(i);
}

failure check_text(std::string_view where, std::string_view text) {
    if (text.empty()) return invalid_request(std::string(where) + ": text content blocks must be non-empty");
    if (is_blank(text))
        return invalid_request(std::string(where) + ": text content blocks must contain non-whitespace text");
    return {};
}

/// Images, documents and tool traffic count by their size on the wire, text by itself.
std::int64_t tokens_of_block(json::object const& block) {
    return estimate_tokens(json::serialize(block));
}

failure read_block(json::value const& v, std::string const& where, speaker who, turn& into,
                   std::int64_t& tokens) {
    auto const* block = v.if_object();
    if (!block) return invalid_request(where + ": Input should be an object");
    auto const type = string_at(*block, "type");
    if (!type) return invalid_request(where + ".type: Field required");
    if (*type != "text") {
        tokens += tokens_of_block(*block);
        return {};
    }
    auto const text = string_at(*block, "text");
    if (!text) return invalid_request(where + ".text: Field required");
    if (who != speaker::assistant || !text->empty())
        if (auto bad = check_text("messages", *text)) return bad;
    into.texts.push_back(*text);
    tokens += estimate_tokens(*text);
    return {};
}

failure read_content(json::value const& content, std::size_t i, bool is_last, speaker who, turn& into,
                     std::int64_t& tokens) {
    bool const may_be_empty = is_last && who == speaker::assistant;
    auto const nothing = [] {
        return invalid_request(
            "all messages must have non-empty content except for the optional final assistant message");
    };
    if (content.is_string()) {
        auto const text = view(content.get_string());
        if (text.empty() && !may_be_empty) return nothing();
        if (!text.empty() && is_blank(text)) return check_text("messages", text);
        into.texts.push_back(text);
        tokens += estimate_tokens(text);
        return {};
    }
    auto const* blocks = content.if_array();
    if (!blocks) return invalid_request(at(i) + ".content: Input should be a valid string or list");
    if (blocks->empty() && !may_be_empty) return nothing();
    for (std::size_t b = 0; b < blocks->size(); ++b) {
        auto const where = at(i) + ".content." + std::to_string(b);
        if (auto bad = read_block((*blocks)[b], where, who, into, tokens)) return bad;
    }
    return {};
}

failure read_message(json::value const& v, std::size_t i, bool is_last, messages_request& into) {
    auto const* m = v.if_object();
    if (!m) return invalid_request(at(i) + ": Input should be an object");
    auto const role = string_at(*m, "role");
    if (!role) return invalid_request(at(i) + ".role: Field required");
    speaker who = speaker::user;
    if (*role == "assistant")
        who = speaker::assistant;
    else if (*role == "system")
        who = speaker::system;
    else if (*role != "user")
        return invalid_request(at(i) + ".role: Input should be 'user' or 'assistant'");
    auto const* content = m->if_contains("content");
    if (!content) return invalid_request(at(i) + ".content: Field required");
    if (i == 0 && who == speaker::assistant)
        return invalid_request("messages: first message must use the \"user\" role");
    if (into.turns.empty() || into.turns.back().who != who) into.turns.push_back({who, {}});
    into.prompt_tokens += 3;  // what a message costs beside its text
    return read_content(*content, i, is_last, who, into.turns.back(), into.prompt_tokens);
}

failure read_messages(json::object const& o, messages_request& into) {
    auto const* v = o.if_contains("messages");
    if (!v) return invalid_request("messages: Field required");
    auto const* list = v->if_array();
    if (!list) return invalid_request("messages: Input should be a valid list");
    if (list->empty()) return invalid_request("messages: at least one message is required");
    if (list->size() > 100'000) return invalid_request("messages: List should have at most 100000 items");
    into.turns.reserve(list->size());
    for (std::size_t i = 0; i < list->size(); ++i)
        if (auto bad = read_message((*list)[i], i, i + 1 == list->size(), into)) return bad;
    return {};
}

failure read_system(json::object const& o, messages_request& into) {
    auto const* v = value_at(o, "system");
    if (!v) return {};
    if (v->is_string()) {
        into.system = view(v->get_string());
        if (!into.system.empty()) into.prompt_tokens += estimate_tokens(into.system);
        return {};
    }
    auto const* blocks = v->if_array();
    if (!blocks) return invalid_request("system: Input should be a valid string or list");
    for (std::size_t b = 0; b < blocks->size(); ++b) {
        auto const where = "system." + std::to_string(b);
        auto const* block = (*blocks)[b].if_object();
        if (!block || string_at(*block, "type") != "text")
            return invalid_request(where + ": Input should be a text block");
        auto const text = string_at(*block, "text");
        if (!text) return invalid_request(where + ".text: Field required");
        if (auto bad = check_text("system", *text)) return bad;
        if (!into.system.empty()) into.system += '\n';
        into.system += *text;
        into.prompt_tokens += estimate_tokens(*text);
    }
    return {};
}

failure read_limits(json::object const& o, endpoint to, messages_request& into) {
    if (to == endpoint::count_tokens) return {};
    if (auto const* v = value_at(o, "stream")) {
        if (!v->is_bool()) return invalid_request("stream: Input should be a valid boolean");
        into.stream = v->get_bool();
    }
    auto const* v = o.if_contains("max_tokens");
    if (!v) return invalid_request("max_tokens: Field required");
    auto const n = integer_of(*v);
    if (!n) return invalid_request("max_tokens: Input should be a valid integer");
    if (*n < 0) return invalid_request("max_tokens: Input should be greater than or equal to 0");
    if (*n == 0 && into.stream) return invalid_request("max_tokens: 0 is not supported with stream");
    if (*n > into.model->max_output_tokens)
        return invalid_request(
            "max_tokens: " + std::to_string(*n) + " > " + std::to_string(into.model->max_output_tokens) +
            ", which is the maximum allowed number of output tokens for " + std::string(into.model->full_id));
    into.max_tokens = *n;
    return {};
}

failure read_stop_sequences(json::object const& o, messages_request& into) {
    auto const* v = value_at(o, "stop_sequences");
    if (!v) return {};
    auto const* list = v->if_array();
    if (!list) return invalid_request("stop_sequences: Input should be a valid list");
    for (auto const& s : *list) {
        if (!s.is_string()) return invalid_request("stop_sequences: Input should be a valid string");
        if (is_blank(view(s.get_string())))
            return invalid_request("stop_sequences: each stop sequence must contain non-whitespace");
        into.stop_sequences.push_back(view(s.get_string()));
    }
    return {};
}

failure read_metadata(json::object const& o) {
    auto const* v = value_at(o, "metadata");
    if (!v) return {};
    auto const* m = v->if_object();
    if (!m) return invalid_request("metadata: Input should be an object");
    for (auto const& [key, value] : *m) {
        if (key != "user_id")
            return invalid_request("metadata." + std::string(key.data(), key.size()) +
                                   ": Extra inputs are not permitted");
        if (!value.is_string() && !value.is_null())
            return invalid_request("metadata.user_id: Input should be a valid string");
    }
    return {};
}

failure read_model(json::object const& o, messages_request& into) {
    auto const* v = o.if_contains("model");
    if (!v) return invalid_request("model: Field required");
    if (!v->is_string()) return invalid_request("model: Input should be a valid string");
    if (auto const* known = find_model(view(v->get_string()))) into.model = known;
    if (!into.model) return no_such_model(view(v->get_string()));
    return {};
}

}  // namespace

std::string_view messages_request::new_message() const {
    if (turns.empty() || turns.back().who != speaker::user || turns.back().texts.empty()) return {};
    return turns.back().texts.back();
}

std::vector<std::string_view> messages_request::blocks_before_new_message() const {
    if (turns.empty() || turns.back().who != speaker::user || turns.back().texts.size() < 2) return {};
    return {turns.back().texts.begin(), turns.back().texts.end() - 1};
}

std::int64_t estimate_tokens(std::string_view text) {
    return text.empty() ? 0 : static_cast<std::int64_t>((text.size() + 3) / 4);
}

api_error no_such_model(std::string_view name) {
    return {404, "not_found_error", "model: " + std::string(name), {}};
}

api_error prompt_too_long(std::int64_t tokens, std::int64_t most) {
    return invalid_request("prompt is too long: " + std::to_string(tokens) + " tokens > " +
                           std::to_string(most) + " maximum");
}

failure read_messages_request(json::value const& body, endpoint to, api_version version,
                              messages_request& into) {
    auto const* o = body.if_object();
    if (!o) return invalid_request("The request body is not a JSON object");
    into.body = o;
    if (auto bad = check_fields(*o, to)) return bad;
    if (auto bad = read_model(*o, into)) return bad;
    if (auto bad = read_limits(*o, to, into)) return bad;
    if (auto bad = read_messages(*o, into)) return bad;
    if (auto bad = read_system(*o, into)) return bad;
    if (auto bad = read_stop_sequences(*o, into)) return bad;
    if (auto bad = read_metadata(*o)) return bad;
    if (auto const* tools = value_at(*o, "tools"))
        into.prompt_tokens += estimate_tokens(json::serialize(*tools));
    into.prompt_tokens += 4;
    if (auto bad = check_model_rules(into, version)) return bad;
    if (into.prompt_tokens > into.model->context_tokens)
        return prompt_too_long(into.prompt_tokens, into.model->context_tokens);
    return {};
}

}  // namespace engram::simulator

// What differs by model and API version: thinking, sampling, prefill, forced tools, system messages.
#include "json_text.hpp"
#include "messages_request.hpp"

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

namespace engram::simulator {
namespace json = boost::json;
namespace {

using failure = std::optional<api_error>;

bool on_by_default(thinking_rule r) {
    return r >= thinking_rule::on;
}

api_error refused_thinking(std::string_view type, std::string_view model) {
    return invalid_request("thinking.type: \"" + std::string(type) + "\" is not supported for " +
                           std::string(model));
}

failure check_budget(json::object const& thinking, messages_request const& r) {
    auto const* v = value_at(thinking, "budget_tokens");
    auto const budget = v ? integer_of(*v) : std::nullopt;
    if (!budget) return invalid_request("thinking.enabled.budget_tokens: Field required");
    if (*budget < 1024)
        return invalid_request(
            "thinking.enabled.budget_tokens: Input should be greater than or equal to 1024");
    if (r.max_tokens != 0 && *budget >= r.max_tokens)
        return invalid_request("`max_tokens` must be greater than `thinking.budget_tokens`");
    return {};
}

failure check_effort(json::object const& body) {
    auto const* v = value_at(body, "output_config");
    if (!v) return {};
    auto const* config = v->if_object();
    if (!config) return invalid_request("output_config: Input should be an object");
    if (!value_at(*config, "effort")) return {};
    auto const effort = string_at(*config, "effort");
    for (std::string_view const known : {"low", "medium", "high", "xhigh", "max"})
        if (effort == known) return {};
    return invalid_request("output_config.effort: Input should be 'low', 'medium', 'high', 'xhigh' or 'max'");
}

bool effort_above_high(json::object const& body) {
    auto const* v = value_at(body, "output_config");
    auto const* config = v ? v->if_object() : nullptr;
    auto const effort = config ? string_at(*config, "effort") : std::nullopt;
    return effort && (*effort == "xhigh" || *effort == "max");
}

bool may_disable(thinking_rule rule, json::object const& body) {
    switch (rule) {
        case thinking_rule::on_between_tools:
        case thinking_rule::always:
            return false;
        case thinking_rule::on_by_effort:
            return !effort_above_high(body);
        default:
            return true;
    }
}

failure check_thinking(messages_request& r) {
    auto const rule = r.model->thinking;
    r.thinks = on_by_default(rule);
    auto const* v = value_at(*r.body, "thinking");
    if (!v) return {};
    auto const* thinking = v->if_object();
    auto const type = thinking ? string_at(*thinking, "type") : std::nullopt;
    if (!type) return invalid_request("thinking.type: Field required");
    auto const refused = refused_thinking(*type, r.model->id);
    if (*type == "disabled") {
        if (!may_disable(rule, *r.body)) return refused;
        r.thinks = false;
    } else if (*type == "adaptive") {
        if (rule == thinking_rule::manual) return refused;
        r.thinks = true;
    } else if (*type == "between_tools") {
        if (rule != thinking_rule::on_between_tools) return refused;
        r.thinks = false;
    } else if (*type == "enabled") {
        if (rule != thinking_rule::manual && rule != thinking_rule::manual_or_adaptive) return refused;
        if (auto bad = check_budget(*thinking, r)) return bad;
        r.thinks = true;
    } else {
        return invalid_request("thinking.type: Input should be 'enabled', 'disabled' or 'adaptive'");
    }
    return {};
}

failure check_fraction(json::value const& v, std::string const& name) {
    auto const n = number_of(v);
    if (!n) return invalid_request(name + ": Input should be a valid number");
    if (*n < 0 || *n > 1) return invalid_request(name + ": Input should be between 0 and 1");
    return {};
}

failure check_sampling(messages_request const& r, api_version version) {
    auto const& body = *r.body;
    for (std::string_view name : {"temperature", "top_p", "top_k"})
        if (version == api_version::v2026_10_21 && body.contains(name))
            return invalid_request(std::string(name) + ": is not supported in API version 2026-10-21");
    auto const* temperature = value_at(body, "temperature");
    auto const* top_p = value_at(body, "top_p");
    auto const* top_k = value_at(body, "top_k");
    if (temperature)
        if (auto bad = check_fraction(*temperature, "temperature")) return bad;
    if (top_p)
        if (auto bad = check_fraction(*top_p, "top_p")) return bad;
    if (top_k && !integer_of(*top_k)) return invalid_request("top_k: Input should be a valid integer");
    bool const changed = (temperature && number_of(*temperature) != 1.0) ||
                         (top_p && number_of(*top_p) != 1.0) || top_k != nullptr;
    if (r.model->sampling == sampling_rule::default_only && changed)
        return invalid_request("`temperature`, `top_p` and `top_k` may only have their default values for " +
                               std::string(r.model->id));
    if (r.model->sampling == sampling_rule::one_of && temperature && top_p)
        return invalid_request(
            "`temperature` and `top_p` cannot both be specified for this model. Please use only one.");
    if (r.thinks && temperature && number_of(*temperature) != 1.0)
        return invalid_request("`temperature` may only be set to 1 when thinking is enabled.");
    return {};
}

failure check_prefill(messages_request const& r) {
    auto const& last = r.turns.back();
    if (last.who != speaker::assistant) return {};
    if (!r.model->prefill)
        return invalid_request(
            "This model does not support assistant message prefill. The conversation must end with a user "
            "message.");
    if (!last.texts.empty() && !last.texts.back().empty() &&
        trim(last.texts.back()).end() != last.texts.back().end())
        return invalid_request("messages: final assistant content cannot end with trailing whitespace");
    return {};
}

failure check_system_messages(messages_request const& r) {
    for (std::size_t i = 0; i < r.turns.size(); ++i) {
        if (r.turns[i].who != speaker::system) continue;
        if (!r.model->system_messages)
            return invalid_request("messages: role 'system' is not supported for " +
                                   std::string(r.model->id));
        bool const after_user = i > 0 && r.turns[i - 1].who == speaker::user;
        bool const before_assistant = i + 1 == r.turns.size() || r.turns[i + 1].who == speaker::assistant;
        if (!after_user || !before_assistant)
            return invalid_request(
                "messages: a system message must follow a user message and be last or precede an assistant "
                "message");
    }
    return {};
}

failure check_tools(messages_request const& r) {
    if (auto const* tools = value_at(*r.body, "tools"); tools && !tools->is_array())
        return invalid_request("tools: Input should be a valid list");
    auto const* v = value_at(*r.body, "tool_choice");
    if (!v) return {};
    auto const* choice = v->if_object();
    auto const type = choice ? string_at(*choice, "type") : std::nullopt;
    if (!type) return invalid_request("tool_choice.type: Field required");
    if (!r.model->tool_forcing && (*type == "any" || *type == "tool"))
        return invalid_request("tool_choice: forcing a tool is not supported for " +
                               std::string(r.model->id));
    return {};
}

failure check_block_of_version(json::object const& block, bool of_user) {
    auto const type = string_at(block, "type");
    if (!of_user && type == "document")
        return invalid_request("messages: document blocks are not permitted in assistant messages");
    auto const* v = value_at(block, "citations");
    auto const* citations = v ? v->if_array() : nullptr;
    if (of_user && type == "text" && citations && !citations->empty())
        return invalid_request("messages: citations are not permitted in user text blocks");
    return {};
}

/// Runs after the messages were read: their shape is known to be right.
failure check_blocks_of_version(messages_request const& r) {
    for (auto const& m : r.body->at("messages").get_array()) {
        auto const& message = m.get_object();
        auto const* blocks = message.at("content").if_array();
        if (!blocks) continue;
        bool const of_user = string_at(message, "role") == "user";
        for (auto const& b : *blocks)
            if (auto bad = check_block_of_version(b.get_object(), of_user)) return bad;
    }
    return {};
}

}  // namespace

failure check_model_rules(messages_request& r, api_version version) {
    if (auto bad = check_effort(*r.body)) return bad;
    if (auto bad = check_thinking(r)) return bad;
    if (auto bad = check_sampling(r, version)) return bad;
    if (auto bad = check_prefill(r)) return bad;
    if (auto bad = check_system_messages(r)) return bad;
    if (auto bad = check_tools(r)) return bad;
    if (version == api_version::v2026_10_21) return check_blocks_of_version(r);
    return {};
}

}  // namespace engram::simulator

#include "step.hpp"

#include "json_text.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <cstdlib>

namespace engram::simulator {
namespace json = boost::json;
namespace {

constexpr std::pair<std::string_view, fault_kind> kinds[] = {
    {"reset", fault_kind::reset},
    {"close", fault_kind::close},
    {"stall", fault_kind::stall},
    {"truncated", fault_kind::truncated},
    {"garbage_body", fault_kind::garbage_body},
    {"garbage_http", fault_kind::garbage_http},
    {"split_frames", fault_kind::split_frames},
    {"split_utf8", fault_kind::split_utf8},
    {"cut_stream", fault_kind::cut_stream},
    {"stream_error", fault_kind::stream_error},
    {"thinking_first", fault_kind::thinking_first},
    {"empty_content", fault_kind::empty_content},
    {"refusal", fault_kind::refusal},
    {"refusal_mid", fault_kind::refusal_mid},
    {"max_tokens", fault_kind::max_tokens},
    {"pause_turn", fault_kind::pause_turn},
    {"unknown_block", fault_kind::unknown_block},
    {"unknown_event", fault_kind::unknown_event},
    {"unknown_delta", fault_kind::unknown_delta},
    {"null_usage", fault_kind::null_usage},
    {"missing_usage", fault_kind::missing_usage},
    {"several_deltas", fault_kind::several_deltas},
    {"invalid_utf8", fault_kind::invalid_utf8},
    {"huge_body", fault_kind::huge_body},
};

constexpr std::pair<std::string_view, fault_point> points[] = {
    {"before_reading", fault_point::before_reading},
    {"before_reply", fault_point::before_reply},
    {"after_headers", fault_point::after_headers},
    {"mid_body", fault_point::mid_body},
    {"idle", fault_point::idle},
    {"next_request", fault_point::next_request},
};

/// Answers that have a name of their own.
struct named_error {
    std::string_view name;
    int status;
    std::string_view message;
    std::string_view error_code;
    std::string_view body = {};
};

constexpr named_error named_errors[] = {
    {"invalid_request", 400, "", ""},
    {"low_credit", 400,
     "Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to upgrade or "
     "purchase credits.",
     ""},
    {"usage_limit", 400,
     "You have reached your specified API usage limits. You will regain access on 2026-12-01 at 00:00 UTC.",
     ""},
    {"on_hold", 400, "This organization is on hold.", "organization_on_hold"},
    {"prompt_too_long", 400, "prompt is too long: 1048577 tokens > 1000000 maximum", ""},
    {"edge_page", 403, "", "",
     "<html><head><title>403 Forbidden</title></head><body>Request not allowed</body></html>"},
    {"authentication", 401, "", ""},
    {"billing", 402, "", ""},
    {"permission", 403, "", ""},
    {"not_found", 404, "", ""},
    {"request_timeout", 408, "", ""},
    {"conflict", 409, "", ""},
    {"too_large", 413, "", ""},
    {"rate_limit", 429, "", ""},
    {"spend_limit", 429, "Your organization has reached its spend limit.", "enforced_spend_limit_reached"},
    {"ramp_limit", 429, "", "ramp_limit_exceeded"},
    {"internal", 500, "", ""},
    {"bad_gateway", 502, "", ""},
    {"unavailable", 503, "", ""},
    {"timeout", 504, "", ""},
    {"overloaded", 529, "", ""},
};

class step_reader {
public:
    step_reading read(json::value const& v) {
        auto const* o = v.if_object();
        if (!o) return {std::nullopt, "a step must be an object"};
        for (auto const& [key, value] : *o) {
            std::string_view const name(key.data(), key.size());
            if (!member(name, value))
                return {std::nullopt, "\"" + std::string(name) + "\" is unknown or has a wrong value"};
        }
        return check();
    }

private:
    step_reading check() {
        bool const unread = s_.at == fault_point::before_reading;
        bool const selects = !s_.match.empty() || !s_.match_system.empty() || !s_.model.empty() ||
                             s_.stream || s_.after_tokens > 0;
        if (unread && selects)
            return {std::nullopt,
                    "\"at\": \"before_reading\" cannot be matched to a request: it is not read"};
        if (unread && !s_.has(fault_kind::reset) && !s_.has(fault_kind::close))
            return {std::nullopt, "\"at\": \"before_reading\" needs the fault reset or close"};
        return {std::move(s_), {}};
    }

    bool member(std::string_view name, json::value const& v) {
        return selection(name, v) || reply(name, v) || manner(name, v);
    }

    static bool text(json::value const& v, std::string& into) {
        if (!v.is_string()) return false;
        into = view(v.get_string());
        return true;
    }

    bool selection(std::string_view name, json::value const& v) {
        if (name == "match") return text(v, s_.match);
        if (name == "match_system") return text(v, s_.match_system);
        if (name == "model") return text(v, s_.model);
        if (name == "stream") return v.is_bool() && (s_.stream = v.get_bool(), true);
        if (name == "after_tokens") {
            auto const n = integer_of(v);
            return n && *n >= 0 && (s_.after_tokens = *n, true);
        }
        if (name == "repeat") {
            auto const n = integer_of(v);
            return n && *n >= -1 && *n != 0 && (s_.repeat = static_cast<long>(*n), true);
        }
        if (name == "probability") {
            auto const p = number_of(v);
            return p && *p >= 0 && *p <= 1 && (s_.probability = *p, true);
        }
        return false;
    }

    bool reply(std::string_view name, json::value const& v) {
        if (name == "text") return text(v, s_.text.emplace());
        if (name == "content") return v.is_array() && (s_.content = v.get_array(), true);
        if (name == "stop_reason") return text(v, s_.stop_reason);
        if (name == "usage") return (s_.usage = v, true);
        if (name == "status") {
            auto const n = integer_of(v);
            return n && *n >= 200 && *n <= 599 && (s_.status = static_cast<int>(*n), true);
        }
        if (name == "headers") return header_members(v);
        if (name == "body") return (s_.body = v, true);
        if (name == "error_type") return text(v, s_.error_type);
        if (name == "message") return text(v, s_.error_message);
        if (name == "error_code") return text(v, s_.error_code);
        if (name == "thinking_tokens") {
            auto const n = integer_of(v);
            return n && *n >= 0 && (s_.thinking_tokens = *n, true);
        }
        if (name == "retry_after" || name == "should_retry") return header_short_form(name, v);
        return false;
    }

    bool header_members(json::value const& v) {
        if (!v.is_object()) return false;
        for (auto const& [key, value] : v.get_object()) {
            header_change h{lower_ascii({key.data(), key.size()}), std::nullopt};
            if (!value.is_null() && !text(value, h.value.emplace())) return false;
            s_.headers.push_back(std::move(h));
        }
        return true;
    }

    bool header_short_form(std::string_view name, json::value const& v) {
        if (name == "should_retry") {
            if (!v.is_bool()) return false;
            s_.headers.push_back({"x-should-retry", v.get_bool() ? "true" : "false"});
            return true;
        }
        std::string value;
        if (!text(v, value)) {
            if (!v.is_number()) return false;
            value = json::serialize(v);
            if (auto const n = number_of(v); v.is_double()) value = std::to_string(*n);
        }
        s_.headers.push_back({"retry-after", value});
        return true;
    }

    bool manner(std::string_view name, json::value const& v) {
        if (name == "fault") return fault_members(v);
        if (name == "at") {
            for (auto const& [word, point] : points)
                if (v.is_string() && view(v.get_string()) == word) return (s_.at = point, true);
            return false;
        }
        if (name == "ms") {
            auto const n = integer_of(v);
            return n && *n >= 0 && *n <= 86'400'000 && (s_.pause = std::chrono::milliseconds(*n), true);
        }
        if (name == "at_byte" || name == "bytes") {
            auto const n = integer_of(v);
            if (!n || *n < 0 || *n > 1'000'000'000) return false;
            if (name == "bytes")
                s_.bytes = static_cast<std::size_t>(*n);
            else
                s_.at_byte = static_cast<std::size_t>(*n);
            return true;
        }
        if (name == "clean") return v.is_bool() && (s_.clean_end = v.get_bool(), true);
        if (name == "latency_ms") return latency_member(v);
        if (name == "tokens_per_second") {
            auto const n = number_of(v);
            return n && *n >= 0 && (s_.tokens_per_second = *n, true);
        }
        if (name == "hold") return text(v, s_.hold) && !s_.hold.empty();
        return false;
    }

    bool latency_member(json::value const& v) {
        if (auto const n = number_of(v)) {
            if (*n < 0 || *n > 86'400'000) return false;
            s_.latency = latency(*n);
            return true;
        }
        if (v.is_string()) s_.latency = latency::parse(view(v.get_string()));
        return s_.latency.has_value();
    }

    bool fault_members(json::value const& v) {
        if (v.is_string()) return fault_named(view(v.get_string()));
        if (!v.is_array()) return false;
        return std::all_of(v.get_array().begin(), v.get_array().end(), [this](json::value const& f) {
            return f.is_string() && fault_named(view(f.get_string()));
        });
    }

    bool fault_named(std::string_view name) {
        for (auto const& [word, kind] : kinds)
            if (word == name) return (s_.faults.push_back(kind), true);
        for (auto const& e : named_errors) {
            if (e.name != name) continue;
            s_.status = e.status;
            s_.error_message = e.message;
            s_.error_code = e.error_code;
            if (!e.body.empty()) s_.body = json::string(e.body.data(), e.body.size());
            return true;
        }
        bool const digits = name.size() == 3 && std::all_of(name.begin(), name.end(),
                                                            [](char c) { return c >= '0' && c <= '9'; });
        if (!digits) return false;
        return reply("status", json::value(std::atoi(std::string(name).c_str())));
    }

    step s_;
};

/// `mid_body` is a string, `5` and `true` are not: values of the command line are JSON where they can be.
json::value value_of_text(std::string_view text) {
    boost::system::error_code ec;
    auto v = json::parse(json::string_view(text.data(), text.size()), ec);
    if (ec) return json::value(json::string_view(text.data(), text.size()));
    return v;
}

}  // namespace

bool step::has(fault_kind k) const {
    return std::find(faults.begin(), faults.end(), k) != faults.end();
}

step_reading read_step(json::value const& v) {
    return step_reader{}.read(v);
}

step_reading read_fault(std::string_view text) {
    json::object o;
    o["repeat"] = -1;
    auto head = text.substr(0, text.find(','));
    auto rest = text.substr(std::min(text.size(), head.size() + 1));
    auto const colon = head.find(':');
    if (colon == head.npos) return {std::nullopt, "a fault is KIND:PROBABILITY[,member=value]…"};
    o["fault"] = json::string_view(head.data(), colon);
    o["probability"] = value_of_text(head.substr(colon + 1));
    while (!rest.empty()) {
        auto const pair = rest.substr(0, rest.find(','));
        rest.remove_prefix(std::min(rest.size(), pair.size() + 1));
        auto const equals = pair.find('=');
        if (equals == pair.npos) return {std::nullopt, "\"" + std::string(pair) + "\" is not member=value"};
        o[json::string_view(pair.data(), equals)] = value_of_text(pair.substr(equals + 1));
    }
    return read_step(o);
}

}  // namespace engram::simulator

// The control endpoint: how tests say what shall happen and read what happened.
#include "endpoints.hpp"
#include "json_text.hpp"

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>

#include <algorithm>
#include <charconv>
#include <optional>

namespace engram::simulator {
namespace json = boost::json;
namespace {

std::uint64_t number_in(std::string_view text, std::uint64_t otherwise) {
    std::uint64_t n = 0;
    auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
    return error == std::errc() && end == text.data() + text.size() && !text.empty() ? n : otherwise;
}

delivery wrong(world& w, int status, std::string_view message, bool keep_alive) {
    std::string body = R"({"error":)";
    append_json_string(body, message);
    return plain_delivery(w, status, body + '}', {}, keep_alive);
}

struct step_list {
    std::vector<step> steps;
    std::string problem;
};

/// An array of steps, or a single one.
step_list read_steps(std::string const& body) {
    step_list out;
    boost::system::error_code ec;
    auto const v = json::parse(body, ec);
    if (ec) return {{}, "not JSON: " + ec.message()};
    json::array const list = v.is_array() ? v.get_array() : json::array{v};
    for (std::size_t i = 0; i < list.size(); ++i) {
        auto reading = read_step(list[i]);
        if (!reading.step) return {{}, "step " + std::to_string(i) + ": " + reading.problem};
        out.steps.push_back(std::move(*reading.step));
    }
    return out;
}

delivery take_script(world& w, http_request const& r, bool keep_alive) {
    auto list = read_steps(r.body);
    if (!list.problem.empty()) return wrong(w, 400, list.problem, keep_alive);
    w.script.append(std::move(list.steps));
    return plain_delivery(w, 200, R"({"steps":)" + std::to_string(w.script.steps_left()) + '}', {},
                          keep_alive);
}

delivery take_faults(world& w, http_request const& r, bool keep_alive) {
    auto list = read_steps(r.body);
    if (!list.problem.empty()) return wrong(w, 400, list.problem, keep_alive);
    auto const n = list.steps.size();
    w.script.set_faults(std::move(list.steps));
    return plain_delivery(w, 200, R"({"faults":)" + std::to_string(n) + '}', {}, keep_alive);
}

// {"gone":["claude-x"],"retires":{"claude-y":"2027-01-22T00:00:00Z"}}: each replaces what was said before.
std::optional<model_changes> read_models(std::string const& body, model_changes now) {
    boost::system::error_code ec;
    auto const v = json::parse(body, ec);
    if (ec || !v.is_object()) return std::nullopt;
    for (auto const& [key, value] : v.get_object()) {
        if (key == "gone" && value.is_array()) {
            now.gone.clear();
            for (auto const& name : value.get_array()) {
                if (!name.is_string()) return std::nullopt;
                now.gone.insert(model_changes::full_id(view(name.get_string())));
            }
        } else if (key == "retires" && value.is_object()) {
            now.retires.clear();
            for (auto const& [name, when] : value.get_object()) {
                if (!when.is_string()) return std::nullopt;
                now.retires[model_changes::full_id({name.data(), name.size()})] = view(when.get_string());
            }
        } else {
            return std::nullopt;
        }
    }
    return now;
}

delivery take_models(world& w, http_request const& r, bool keep_alive) {
    auto changed = read_models(r.body, w.models);
    if (!changed)
        return wrong(w, 400, R"(expected {"gone":["MODEL"],"retires":{"MODEL":"TIME"}})", keep_alive);
    w.models = std::move(*changed);
    return plain_delivery(w, 200, "{}", {}, keep_alive);
}

delivery reset(world& w, bool keep_alive) {
    w.script.clear_steps();
    w.script.set_faults(w.options.faults);
    w.recorder.clear();
    w.cache.clear();
    w.reset_models();
    w.limits = rate_limits(w.options.rates);
    w.room.release_all_gates();
    auto const& old = w.stats;
    statistics fresh;
    fresh.in_flight = old.in_flight;
    fresh.max_in_flight = old.in_flight;
    fresh.open_connections = old.open_connections;
    w.stats = std::move(fresh);
    return plain_delivery(w, 200, "{}", {}, keep_alive);
}

std::string stats_json(world const& w) {
    auto const& s = w.stats;
    std::string out = "{";
    auto const add = [&out](std::string_view name, std::uint64_t n) {
        if (out.size() > 1) out += ',';
        out += '"';
        out += name;
        out += "\":" + std::to_string(n);
    };
    add("requests", s.requests);
    add("messages", s.messages);
    add("in_flight", s.in_flight);
    add("max_in_flight", s.max_in_flight);
    add("connections", s.connections);
    add("open_connections", s.open_connections);
    add("resets", s.resets);
    add("held", w.room.held_everywhere());
    add("steps_left", w.script.steps_left());
    add("seed", w.options.seed);
    out += R"(,"by_status":{)";
    for (auto const& [status, n] : s.by_status) {
        if (out.back() != '{') out += ',';
        out += '"' + std::to_string(status) + "\":" + std::to_string(n);
    }
    return out + "}}";
}

}  // namespace

routed answer_control(world& w, http_request const& r, bool keep_alive) {
    auto const what = r.path().substr(std::string_view("/control/").size());
    bool const post = r.method == "POST";
    bool const get = r.method == "GET";
    if (post && what == "script") return take_script(w, r, keep_alive);
    if (post && what == "faults") return take_faults(w, r, keep_alive);
    if (post && what == "models") return take_models(w, r, keep_alive);
    if (post && what == "reset") return reset(w, keep_alive);
    if (post && what.starts_with("release/")) {
        auto const n = w.room.release(what.substr(8), number_in(r.parameter("count"), SIZE_MAX));
        return plain_delivery(w, 200, R"({"released":)" + std::to_string(n) + '}', {}, keep_alive);
    }
    if (get && what == "requests")
        return plain_delivery(w, 200, w.recorder.to_json(number_in(r.parameter("since"), 0)), {}, keep_alive);
    if (get && what == "stats") return plain_delivery(w, 200, stats_json(w), {}, keep_alive);
    if (get && what == "wait") {
        auto const ms = std::min<std::uint64_t>(number_in(r.parameter("timeout_ms"), 10'000), 3'600'000);
        return count_wait{number_in(r.parameter("count"), 1), std::chrono::milliseconds(ms)};
    }
    return wrong(w, 404, "no such control", keep_alive);
}

delivery answer_count_wait(world& w, count_wait const& c, bool keep_alive) {
    bool const reached = w.stats.messages >= c.count;
    return plain_delivery(
        w, 200,
        R"({"count":)" + std::to_string(w.stats.messages) + R"(,"reached":)" + (reached ? "true}" : "false}"),
        {}, keep_alive);
}

}  // namespace engram::simulator

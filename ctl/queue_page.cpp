#include "ctl/queue_page.hpp"

#include "ctl/display.hpp"
#include "ctl/provider_page.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>

#include <algorithm>

namespace engram::ctl {

namespace json = boost::json;

namespace {

using number = std::optional<std::int64_t>;
using text = std::optional<std::string>;

number number_in(json::object const& status, std::string_view name) {
    auto const* const value = status.if_contains(json::string_view(name.data(), name.size()));
    if (!value || !value->is_int64() || value->get_int64() < 0) return std::nullopt;
    return value->get_int64();
}

text text_in(json::object const& status, std::string_view name) {
    auto const* const value = status.if_contains(json::string_view(name.data(), name.size()));
    if (!value || !value->is_string() || value->get_string().empty()) return std::nullopt;
    return std::string(value->get_string().data(), value->get_string().size());
}

std::optional<bool> flag_in(json::object const& status, std::string_view name) {
    auto const* const value = status.if_contains(json::string_view(name.data(), name.size()));
    return value && value->is_bool() ? std::optional(value->get_bool()) : std::nullopt;
}

std::string shown(number const& value) {
    return value ? std::to_string(*value) : "-";
}

std::string shown(text const& value, std::size_t most) {
    return value ? cut_text(safe_text(*value), most) : "-";
}

json::value json_of(number const& value) {
    return value ? json::value(*value) : json::value(nullptr);
}

json::value json_of(text const& value) {
    return value ? json_text(*value) : json::value(nullptr);
}

json::value json_of(std::optional<bool> const& value) {
    return value ? json::value(*value) : json::value(nullptr);
}

std::string lease_text(instance_view const& instance) {
    if (!instance.lease_left_ms) return "-";
    return instance.is_alive() ? std::to_string(*instance.lease_left_ms) : "over";
}

bool is_dead(instance_view const& one) {
    return one.lease_left_ms && !one.is_alive();
}

std::string ready_text(instance_view const& one) {
    if (is_dead(one)) return "dead";
    if (!one.ready) return "?";
    return *one.ready ? "yes" : "no";
}

std::vector<std::string> cells_of(instance_view const& one) {
    // What a dead one said last would look like what it does.
    bool const speaks = !is_dead(one);
    return {cut_text(safe_text(one.name), 60),
            ready_text(one),
            speaks ? shown(one.state, 12) : "-",
            lease_text(one),
            shown(one.lanes),
            speaks ? shown(one.in_flight) : "-",
            speaks ? shown(one.limit) : "-",
            shown(one.taken),
            shown(one.finished),
            shown(one.released),
            shown(one.delayed),
            shown(one.lost),
            shown(one.host, 40),
            shown(one.pid),
            shown(one.version, 20),
            shown(one.trouble, 100)};
}

json::object document_of(instance_view const& one) {
    json::object out;
    out["instance"] = json_text(one.name);
    out["alive"] = one.is_alive();
    out["lease_left_ms"] = json_of(one.lease_left_ms);
    out["lanes"] = json_of(one.lanes);
    out["state"] = json_of(one.state);
    out["ready"] = json_of(one.ready);
    out["paused"] = json_of(one.paused);
    if (one.answered_last_minute) out["answered_last_minute"] = *one.answered_last_minute;
    if (one.failed_last_minute) out["failed_last_minute"] = *one.failed_last_minute;
    if (one.last_error) out["last_error"] = json_text(*one.last_error);
    out["in_flight"] = json_of(one.in_flight);
    out["limit"] = json_of(one.limit);
    out["taken"] = json_of(one.taken);
    out["finished"] = json_of(one.finished);
    out["released"] = json_of(one.released);
    out["delayed"] = json_of(one.delayed);
    out["lost"] = json_of(one.lost);
    out["trouble"] = json_of(one.trouble);
    out["api"] = one.api;
    out["models"] = one.models;
    out["paced"] = one.paced;
    out["version"] = json_of(one.version);
    out["pid"] = json_of(one.pid);
    out["host"] = json_of(one.host);
    return out;
}

}  // namespace

void read_status(std::string_view given, instance_view& into) {
    json::error_code error;
    auto const parsed = json::parse(json::string_view(given.data(), given.size()), error);
    if (error || !parsed.is_object()) return;
    auto const& status = parsed.get_object();
    into.state = text_in(status, "state");
    into.trouble = text_in(status, "trouble");
    into.version = text_in(status, "version");
    into.host = text_in(status, "host");
    into.answered_last_minute = number_in(status, "answered_last_minute");
    into.failed_last_minute = number_in(status, "failed_last_minute");
    into.last_error = text_in(status, "last_error");
    into.in_flight = number_in(status, "in_flight");
    into.limit = number_in(status, "limit");
    into.taken = number_in(status, "taken");
    into.finished = number_in(status, "finished");
    into.released = number_in(status, "released");
    into.delayed = number_in(status, "delayed");
    into.lost = number_in(status, "lost");
    into.pid = number_in(status, "pid");
    into.ready = flag_in(status, "ready");
    into.paused = flag_in(status, "paused");
    if (auto const* const api = status.if_contains("api"); api && api->is_object()) into.api = *api;
    if (auto const* const models = status.if_contains("models"); models && models->is_array())
        into.models = *models;
    if (auto const* const paced = status.if_contains("paced"); paced && paced->is_array())
        into.paced = *paced;
}

bool queue_view::has_living() const {
    return std::any_of(instances.begin(), instances.end(), [](auto const& one) { return one.is_alive(); });
}

bool queue_view::is_served() const {
    return !paused &&
           std::any_of(instances.begin(), instances.end(), [](auto const& one) { return one.is_ready(); });
}

std::string queue_view::why_not_served() const {
    auto const one = std::ranges::find_if(
        instances, [](auto const& each) { return each.is_alive() && !each.is_ready() && each.trouble; });
    if (one == instances.end()) return {};
    return " (" + cut_text(safe_text(one->name), 60) + ": " + cut_text(safe_text(*one->trouble), 200) + ')';
}

std::string queue_page(queue_view const& view) {
    std::string out = table({{"jobs waiting", shown(view.waiting)},
                             {"jobs parked", shown(view.parked)},
                             {"delayed", delayed_cell(view.delayed)},
                             {"dead letters", shown(view.dead)}});
    if (view.paused) out += pause_line(*view.paused) + '\n';
    out += '\n';
    if (auto const delayed = delayed_table(view.delayed); !delayed.empty()) out += delayed + '\n';
    if (!view.instances.empty()) {
        std::vector<std::vector<std::string>> rows{{"INSTANCE", "READY", "STATE", "LEASE MS", "LANES",
                                                    "IN FLIGHT", "LIMIT", "TAKEN", "FINISHED", "RELEASED",
                                                    "DELAYED", "LOST", "HOST", "PID", "VERSION", "TROUBLE"}};
        for (auto const& one : view.instances)
            rows.push_back(cells_of(one));
        out += table(rows);
    }
    out += provider_lines(view.instances, view.now_ms);
    if (!view.has_living())
        out += "no instance is alive: nobody takes jobs\n";
    else if (!view.is_served() && !view.paused)
        out += "no instance is ready: jobs wait" + view.why_not_served() + '\n';
    return out;
}

json::object queue_document(queue_view const& view) {
    json::object out;
    out["prefix"] = json_text(view.prefix);
    out["waiting"] = json_of(view.waiting);
    out["parked"] = json_of(view.parked);
    out["dead"] = json_of(view.dead);
    out["delayed"] = delayed_document(view.delayed);
    out["paused"] = pause_document(view.paused);
    json::array instances;
    for (auto const& one : view.instances)
        instances.push_back(document_of(one));
    out["instances"] = std::move(instances);
    return out;
}

}  // namespace engram::ctl

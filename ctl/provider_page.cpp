#include "ctl/provider_page.hpp"

#include "ctl/display.hpp"
#include "ctl/json_fields.hpp"
#include "ctl/queue_delays.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <algorithm>
#include <chrono>
#include <map>
#include <set>
#include <string_view>

namespace engram::ctl {

namespace json = boost::json;

namespace {

// The day of a time such as 2027-01-22T00:00:00Z.
std::optional<std::chrono::sys_days> day_of(std::string_view time) {
    if (time.size() < 10 || time[4] != '-' || time[7] != '-') return std::nullopt;
    auto const year = whole_number(time.substr(0, 4), -1);
    auto const month = whole_number(time.substr(5, 2), -1);
    auto const day = whole_number(time.substr(8, 2), -1);
    if (year < 0 || month < 0 || day < 0) return std::nullopt;
    std::chrono::year_month_day const date{std::chrono::year(int(year)), std::chrono::month(unsigned(month)),
                                           std::chrono::day(unsigned(day))};
    return date.ok() ? std::optional(std::chrono::sys_days(date)) : std::nullopt;
}

// Why an instance does not ask Claude; empty if it does, or does not say.
std::string api_line(instance_view const& one) {
    auto const* const api = one.api.if_object();
    auto const state = api ? text_in(*api, "state") : std::nullopt;
    if (!state || state->empty() || *state == "open") return "";
    auto line = cut_text(safe_text(one.name), 60) + ": Claude refuses every call";
    auto const add = [&](std::string_view before, std::string_view name, std::size_t most) {
        auto const cell = text_cell(*api, name, most);
        if (cell != "-") line += std::string(before) + cell;
    };
    add(": ", "cause", 200);
    add("; ", "cure", 300);
    if (auto const next = number_in(*api, "next_try_ms"))
        line += "; the next try " + (*next > 0 ? "in " + wait_cell(next) : wait_cell(next));
    return line + '\n';
}

// What is to be done about a model; empty if nothing is.
std::string model_line(json::object const& model, std::optional<std::int64_t> now_ms) {
    constexpr int told_before = 60;
    constexpr std::string_view cure = "name one that stays in its place, then reload\n";
    auto const name = text_cell(model, "model", 80);
    if (name == "-") return "";
    if (is_true(model, "gone")) return name + " is gone: " + std::string(cure);
    auto const retires = text_in(model, "retires_at");
    auto const day = retires ? day_of(*retires) : std::nullopt;
    if (!day) return "";
    auto line = name + " ends on " + retires->substr(0, 10);
    if (now_ms) {
        auto const today = std::chrono::floor<std::chrono::days>(
            std::chrono::sys_time<std::chrono::milliseconds>(std::chrono::milliseconds(*now_ms)));
        auto const left = (*day - today).count();
        if (left > told_before) return "";
        line += left > 0 ? " (" + count_of(std::size_t(left), "day") + ")" : " (now)";
    }
    return line + ": " + std::string(cure);
}

// What the instances say together of the models whose limit is near.
std::string paced_lines(std::vector<instance_view> const& instances) {
    struct pace {
        std::int64_t a_minute = 0, waiting = 0;
    };
    std::map<std::string, pace> all;
    for (auto const& one : instances) {
        auto const* const paced = one.paced.if_array();
        if (!paced || !one.is_alive()) continue;
        for (auto const& model : *paced) {
            if (!model.is_object()) continue;
            auto const name = text_cell(model.get_object(), "model", 80);
            if (name == "-") continue;
            auto& pace = all[name];
            pace.a_minute = std::max(pace.a_minute, number_in(model.get_object(), "a_minute").value_or(0));
            pace.waiting += number_in(model.get_object(), "waiting").value_or(0);
        }
    }
    std::string out;
    for (auto const& [name, pace] : all) {
        out += name + " is near its rate limit: ";
        if (pace.a_minute > 0) out += count_of(std::size_t(pace.a_minute), "call") + " a minute, ";
        out += std::to_string(pace.waiting) + (pace.waiting == 1 ? " waits\n" : " wait\n");
    }
    return out;
}

}  // namespace

std::string provider_lines(std::vector<instance_view> const& instances, std::optional<std::int64_t> now_ms) {
    std::string out;
    for (auto const& one : instances)
        if (one.is_alive()) out += api_line(one);
    out += paced_lines(instances);
    std::set<std::string> told;
    for (auto const& one : instances) {
        auto const* const models = one.models.if_array();
        if (!models || !one.is_alive()) continue;
        for (auto const& model : *models) {
            auto const line = model.is_object() ? model_line(model.get_object(), now_ms) : "";
            if (!line.empty() && told.insert(line).second) out += line;
        }
    }
    return out;
}

}  // namespace engram::ctl

#include "ctl/queue_delays.hpp"

#include "ctl/display.hpp"
#include "ctl/json_fields.hpp"

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>

namespace engram::ctl {

namespace json = boost::json;

namespace {

json::value json_of(std::optional<std::string> const& value) {
    return value ? json_text(*value) : json::value(nullptr);
}

json::value json_of(std::optional<std::int64_t> const& value) {
    return value ? json::value(*value) : json::value(nullptr);
}

std::string shown(std::optional<std::string> const& value, std::size_t most) {
    return value && !value->empty() ? cut_text(safe_text(*value), most) : "-";
}

// When the first one is due; none if there is none, or it is not known.
std::optional<std::int64_t> next_of(delayed_view const& view) {
    if (view.lanes.empty() || !view.lanes[0].due_ms) return std::nullopt;
    return std::max<std::int64_t>(*view.lanes[0].due_ms, 0);
}

}  // namespace

lane_owner owner_of(std::string_view lane) {
    bool of_one_job = false;
    for (std::string_view const mark : {"~id:", "~t:"}) {
        if (!lane.starts_with(mark)) continue;
        of_one_job = true;
        lane.remove_prefix(mark.size());
    }
    auto const colon = lane.find(':');
    if (colon == std::string_view::npos) return {};
    auto const length = whole_number(lane.substr(0, colon), -1);
    lane.remove_prefix(colon + 1);
    if (length < 1 || lane.size() <= std::size_t(length) || lane[std::size_t(length)] != ':') return {};
    auto const user = lane.substr(0, std::size_t(length));
    auto const rest = lane.substr(std::size_t(length) + 1);
    lane_owner owner{std::string(user), std::nullopt};
    if (!of_one_job) owner.session = std::string(rest);
    return owner;
}

pause_note read_pause(std::string_view text) {
    json::error_code error;
    auto const parsed = json::parse(json::string_view(text.data(), text.size()), error);
    if (error || !parsed.is_object()) return {};
    auto const& object = parsed.get_object();
    return {number_in(object, "at"), text_in(object, "by"), text_in(object, "reason")};
}

std::string pause_text(pause_note const& note) {
    json::object out;
    out["at"] = json_of(note.at_ms);
    out["by"] = json_of(note.by);
    out["reason"] = json_of(note.reason);
    return json::serialize(out);
}

std::string wait_cell(std::optional<std::int64_t> ms) {
    if (!ms) return "-";
    if (*ms <= 0) return "now";
    return std::to_string((*ms - 1) / 1000 + 1) + " s";
}

std::string delayed_cell(std::optional<delayed_view> const& view) {
    if (!view) return "-";
    auto const next = next_of(*view);
    if (!next) return std::to_string(view->count);
    return std::to_string(view->count) + ", the next " + (*next > 0 ? "in " : "") + wait_cell(next);
}

std::string delayed_table(std::optional<delayed_view> const& view) {
    if (!view || view->lanes.empty()) return "";
    std::vector<std::vector<std::string>> rows{{"DELAYED USER", "SESSION", "NEXT TRY", "WHY"}};
    for (auto const& one : view->lanes)
        rows.push_back({shown(one.owner.user, 40), shown(one.owner.session, 40), wait_cell(one.due_ms),
                        shown(one.reason, 120)});
    return table(rows);
}

std::string pause_line(pause_note const& note) {
    auto line = "paused by " + (note.by && !note.by->empty() ? shown(note.by, 80) : "an operator");
    if (note.at_ms) line += " since " + utc_text(*note.at_ms);
    if (note.reason && !note.reason->empty()) line += ": \"" + shown(note.reason, 200) + '"';
    return line + " (engramctl queue resume ends it)";
}

json::value delayed_document(std::optional<delayed_view> const& view) {
    if (!view) return nullptr;
    json::array lanes;
    for (auto const& one : view->lanes) {
        json::object lane;
        lane["user"] = json_of(one.owner.user);
        lane["session"] = json_of(one.owner.session);
        lane["due_ms"] = json_of(one.due_ms);
        lane["reason"] = json_of(one.reason);
        lanes.push_back(std::move(lane));
    }
    json::object out;
    out["count"] = view->count;
    out["next_ms"] = json_of(next_of(*view));
    out["lanes"] = std::move(lanes);
    return out;
}

json::value pause_document(std::optional<pause_note> const& note) {
    if (!note) return nullptr;
    json::object out;
    out["at"] = json_of(note->at_ms);
    out["by"] = json_of(note->by);
    out["reason"] = json_of(note->reason);
    return out;
}

}  // namespace engram::ctl

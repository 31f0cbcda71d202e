#include "daemon/status.hpp"

#include "base/json_text.hpp"
#include "engram_version.hpp"

#include <boost/asio/ip/host_name.hpp>

#include <algorithm>
#include <cmath>
#include <unistd.h>

namespace engram::daemon {

namespace {

void append_trouble(std::string& line, std::string const& where, std::string const& what) {
    if (what.empty()) return;
    if (!line.empty()) line += "; ";
    line += where + ": " + what;
}

void append_summaries(std::string& json, workers::summary_status const& summaries) {
    base::json_object_writer all(json);
    all.number("waiting", std::int64_t(summaries.waiting));
    all.number("running", std::int64_t(summaries.running));
    all.number("workers", std::int64_t(summaries.workers));
    all.number("oldest_ms", summaries.oldest_ms);
    all.number("unseen_turns", std::int64_t(summaries.unseen_turns));
    all.number("written", std::int64_t(summaries.written));
    all.number("condensed", std::int64_t(summaries.condensed));
    all.number("failed", std::int64_t(summaries.failed));
    all.end();
}

void append_notes(std::string& json, workers::note_counts const& notes) {
    base::json_object_writer all(json);
    all.number("cut", std::int64_t(notes.cut));
    all.number("too_long", std::int64_t(notes.too_long));
    all.number("too_many", std::int64_t(notes.too_many));
    all.end();
}

char const* name_of(claude::gate::state state) {
    using enum claude::gate::state;
    return state == open ? "open" : state == shut ? "shut" : "trial";
}

void append_api(std::string& json, api_status const& api) {
    base::json_object_writer all(json);
    all.text("state", name_of(api.state));
    all.text("kind", api.kind);
    all.text("cause", api.cause);
    all.text("cure", api.cure);
    all.number("next_try_ms", api.next_try.count());
    all.end();
}

// As the API writes times.
std::string api_time(base::wall_time at) {
    auto text = base::to_utc_text(at);
    text[10] = 'T';
    text.resize(19);
    return text + 'Z';
}

void append_models(std::string& json, std::vector<known_model> const& models) {
    json += '[';
    for (auto const& one : models) {
        if (&one != &models.front()) json += ',';
        base::json_object_writer all(json);
        all.text("model", one.model);
        if (one.retires_at)
            all.text("retires_at", api_time(*one.retires_at));
        else
            all.raw("retires_at", "null");
        all.boolean("gone", one.gone);
        all.end();
    }
    json += ']';
}

void append_paced(std::string& json, std::vector<claude::model_pace> const& paced) {
    json += '[';
    for (auto const& one : paced) {
        if (&one != &paced.front()) json += ',';
        base::json_object_writer all(json);
        all.text("model", one.model);
        all.number("a_minute", std::llround(one.a_minute));
        all.number("waiting", std::int64_t(one.waiting));
        all.end();
    }
    json += ']';
}

// For one line: an error may quote much.
std::string cut(std::string text) {
    std::size_t most = 200;  // bytes
    if (text.size() <= most) return text;
    while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xC0) == 0x80)
        --most;  // no half characters
    return text.substr(0, most) + "…";
}

// Of the jobs of the last minute; empty unless most of them fail.
std::string failing_of(queue::recent_outcomes const& recent) {
    if (!recent.mostly_fail()) return {};
    return std::to_string(recent.failed) + " of " + std::to_string(recent.ok + recent.failed) +
           " jobs of the last minute failed (" + cut(recent.last_error) + ')';
}

std::string trouble_of(api_status const& api) {
    return api.cause.empty() || api.cure.empty() ? api.cause : api.cause + " (cure: " + api.cure + ')';
}

// What is wrong besides.
std::string causes_of(status const& now) {
    std::string line;
    append_trouble(line, "Redis", now.queue.trouble);
    append_trouble(line, "store", now.store_trouble);
    append_trouble(line, "Claude", trouble_of(now.api));
    append_trouble(line, "time", now.clock_trouble);
    return line;
}

std::string describe_lag(workers::summary_status const& summaries) {
    return "; summaries lag: " + std::to_string(summaries.waiting) + " wait, the first for " +
           std::to_string(summaries.oldest_ms / 1000) + " s, " + std::to_string(summaries.unseen_turns) +
           " turns are in neither prompt nor summary";
}

}  // namespace

api_status status_of(claude::gate const& gate, base::steady_time now) {
    return {gate.current(), std::string(gate.kind()), gate.reason(), std::string(gate.cure()),
            gate.next_try(now)};
}

bool is_ready(status const& now) {
    auto const state = now.queue.state;
    return (state == queue::intake::taking || state == queue::intake::full) && now.store_trouble.empty() &&
           !now.queue.recent.mostly_fail();
}

char const* name_of(queue::intake state) {
    switch (state) {
        case queue::intake::taking:
            return "taking";
        case queue::intake::full:
            return "full";
        case queue::intake::paused:
            return "paused";
        case queue::intake::draining:
            return "draining";
        case queue::intake::cut_off:
            break;
    }
    return "cut off";
}

std::string trouble_of(status const& now) {
    auto line = causes_of(now);
    auto const failing = failing_of(now.queue.recent);
    if (!line.empty() && !failing.empty()) line += "; ";
    return line + failing;
}

std::string to_json(status const& now) {
    auto const& q = now.queue;
    std::string json;
    base::json_object_writer all(json);
    all.text("state", name_of(q.state));
    all.boolean("ready", is_ready(now));
    all.number("in_flight", std::int64_t(q.in_flight));
    all.number("limit", std::int64_t(q.limit));
    all.number("taken", std::int64_t(q.taken));
    all.number("finished", std::int64_t(q.finished));
    all.number("released", std::int64_t(q.released));
    all.number("delayed", std::int64_t(q.delayed));
    all.number("lost", std::int64_t(q.lost));
    all.number("dead_dropped", std::int64_t(q.dead_dropped));
    all.number("answered_last_minute", std::int64_t(q.recent.ok));
    all.number("failed_last_minute", std::int64_t(q.recent.failed));
    all.text("last_error", cut(q.recent.last_error));
    all.boolean("paused", q.paused);
    all.text("trouble", trouble_of(now));
    all.key("api");
    append_api(json, now.api);
    all.key("models");
    append_models(json, now.models);
    all.key("paced");
    append_paced(json, now.paced);
    all.key("summaries");
    append_summaries(json, now.summaries);
    all.key("notes");
    append_notes(json, now.notes);
    all.text("version", ENGRAM_VERSION);
    all.text("commit", commit);
    all.number("pid", getpid());
    all.text("host", boost::asio::ip::host_name());
    all.end();
    return json;
}

std::string to_line(status const& now) {
    auto const& q = now.queue;
    auto line = std::string(is_ready(now) ? "ready" : "not ready") + ", " + name_of(q.state) + ": " +
                std::to_string(q.in_flight) + " of " + std::to_string(q.limit) + " jobs in hand, as " +
                q.instance;
    if (auto const failing = failing_of(q.recent); !failing.empty()) line += "; " + failing;
    if (q.recent.delayed > 0)
        line += "; " + std::to_string(q.recent.delayed) +
                " tries of the last minute were put off: " + cut(q.recent.last_delay);
    if (workers::lags(now.summaries)) line += describe_lag(now.summaries);
    auto const trouble = causes_of(now);
    if (!trouble.empty()) line += " (" + trouble + ")";
    // A line of its own would be another message to systemd, and what an API says is not ours.
    std::ranges::replace_if(line, [](unsigned char c) { return c < ' '; }, ' ');
    return line;
}

}  // namespace engram::daemon

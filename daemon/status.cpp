#include "daemon/status.hpp"

#include <boost/asio/ip/host_name.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <unistd.h>

namespace engram::daemon {

namespace {

void append_trouble(std::string& line, std::string const& where, std::string const& what) {
    if (what.empty()) return;
    if (!line.empty()) line += "; ";
    line += where + ": " + what;
}

}  // namespace

bool is_ready(status const& now) {
    auto const state = now.queue.state;
    return (state == queue::intake::taking || state == queue::intake::full) && now.store_trouble.empty();
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
    std::string line;
    append_trouble(line, "Redis", now.queue.trouble);
    append_trouble(line, "store", now.store_trouble);
    append_trouble(line, "Claude", now.api_trouble);
    return line;
}

std::string to_json(status const& now) {
    auto const& q = now.queue;
    return boost::json::serialize(boost::json::object{{"state", name_of(q.state)},
                                                      {"ready", is_ready(now)},
                                                      {"in_flight", q.in_flight},
                                                      {"limit", q.limit},
                                                      {"taken", q.taken},
                                                      {"finished", q.finished},
                                                      {"released", q.released},
                                                      {"lost", q.lost},
                                                      {"dead_dropped", q.dead_dropped},
                                                      {"trouble", trouble_of(now)},
                                                      {"version", ENGRAM_VERSION},
                                                      {"pid", int(getpid())},
                                                      {"host", boost::asio::ip::host_name()}});
}

std::string to_line(status const& now) {
    auto const& q = now.queue;
    auto line = std::string(is_ready(now) ? "ready" : "not ready") + ", " + name_of(q.state) + ": " +
                std::to_string(q.in_flight) + " of " + std::to_string(q.limit) + " jobs in hand, as " +
                q.instance;
    auto const trouble = trouble_of(now);
    if (!trouble.empty()) line += " (" + trouble + ")";
    // A line of its own would be another message to systemd, and what an API says is not ours.
    std::ranges::replace_if(line, [](unsigned char c) { return c < ' '; }, ' ');
    return line;
}

}  // namespace engram::daemon

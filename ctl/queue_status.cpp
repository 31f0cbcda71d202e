#include "ctl/queue_status.hpp"

#include "ctl/complaint.hpp"
#include "ctl/display.hpp"
#include "ctl/questions.hpp"
#include "ctl/queue_page.hpp"

#include <boost/json/object.hpp>

#include <algorithm>
#include <cmath>
#include <csignal>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <iostream>
#include <optional>
#include <sysexits.h>
#include <thread>
#include <unistd.h>

namespace engram::ctl {

namespace {

// A time, ms since the epoch; none if the score is no time, for example one set by hand.
std::optional<std::int64_t> time_of(std::string const& score) {
    double const value = std::strtod(score.c_str(), nullptr);
    if (!(std::abs(value) < 1e15)) return std::nullopt;
    return std::int64_t(value);
}

std::vector<instance_view> look_at_instances(questions& redis, std::string const& prefix,
                                             std::optional<std::int64_t> now) {
    constexpr std::string_view most_of_a_status = "65535";
    auto const instances_key = prefix + ":instances";
    auto const members = redis.ask({"ZRANGE", instances_key, "0", "-1", "WITHSCORES"});
    std::vector<instance_view> instances;
    for (std::size_t i = 0; members && i + 1 < members->items.size(); i += 2) {
        instance_view one;
        one.name = members->items[i].text;
        auto const end = time_of(members->items[i + 1].text);
        if (now && end) one.lease_left_ms = *end - *now;
        one.lanes = redis.count("HLEN", prefix + ":owned:" + one.name);
        auto const status_key = prefix + ":status:" + one.name;
        auto const status = redis.ask({"GETRANGE", status_key, "0", most_of_a_status});
        if (status) read_status(status->text, one);
        instances.push_back(std::move(one));
    }
    std::sort(instances.begin(), instances.end(),
              [](auto const& a, auto const& b) { return a.name < b.name; });
    return instances;
}

// Jobs in the list, and jobs in the users' backlogs.
std::optional<std::int64_t> jobs_waiting(questions& redis, std::string const& prefix) {
    auto const pushed = redis.count("LLEN", prefix + ":jobs");
    auto const behind_key = prefix + ":behind";
    auto const behind = redis.ask({"GETRANGE", behind_key, "0", "19"});
    if (!pushed || !behind) return std::nullopt;
    return *pushed + whole_number(behind->text, 0);
}

// The delayed lanes that are due first.
std::optional<delayed_view> look_at_delays(questions& redis, std::string const& prefix,
                                           std::optional<std::int64_t> now) {
    auto const delayed_key = prefix + ":delayed", delays_key = prefix + ":delays";
    auto const count = redis.count("ZCARD", delayed_key);
    auto const first = redis.ask({"ZRANGE", delayed_key, "0", "9", "WITHSCORES"});
    if (!count || !first) return std::nullopt;
    delayed_view view{*count, {}};
    std::vector<std::string_view> get_reasons{"HMGET", delays_key};
    for (std::size_t i = 0; i + 1 < first->items.size(); i += 2) {
        auto const due = time_of(first->items[i + 1].text);
        delayed_lane lane{owner_of(first->items[i].text), std::nullopt, std::nullopt};
        if (now && due) lane.due_ms = *due - *now;
        view.lanes.push_back(std::move(lane));
        get_reasons.push_back(first->items[i].text);
    }
    if (view.lanes.empty()) return view;
    auto const reasons = redis.ask(get_reasons);
    if (!reasons || reasons->items.size() != view.lanes.size()) return view;
    for (std::size_t i = 0; i < view.lanes.size(); ++i)
        if (reasons->items[i].is_text()) view.lanes[i].reason = reasons->items[i].text;
    return view;
}

// Whatever the key holds: that it is there counts.
std::optional<pause_note> look_at_pause(questions& redis, std::string const& prefix) {
    auto const key = prefix + ":paused";
    if (redis.count("EXISTS", key).value_or(0) == 0) return std::nullopt;
    auto const note = redis.ask({"GETRANGE", key, "0", "4095"});
    return note ? read_pause(note->text) : pause_note{};
}

bool is_engramd(std::int64_t process) {
    std::string name;
    std::getline(std::ifstream("/proc/" + std::to_string(process) + "/comm"), name);
    return name == "engramd";
}

queue_view look(questions& redis, std::string const& prefix) {
    queue_view view;
    view.prefix = prefix;
    view.waiting = jobs_waiting(redis, prefix);
    view.parked = redis.count("HLEN", prefix + ":body");
    view.dead = redis.count("XLEN", prefix + ":dead");
    view.now_ms = redis.now_ms();
    view.delayed = look_at_delays(redis, prefix, view.now_ms);
    view.paused = look_at_pause(redis, prefix);
    view.instances = look_at_instances(redis, prefix, view.now_ms);
    return view;
}

// What an instance says is as old as its last beat: one that has just begun, or whose trouble has just ended,
// says that it is ready a second later.
queue_view look_until_ready(questions& redis, std::string const& prefix) {
    constexpr std::chrono::milliseconds longest_beat{1500}, pause{100};
    auto const until = std::chrono::steady_clock::now() + longest_beat;
    for (;;) {
        auto view = look(redis, prefix);
        bool const may_become_ready = view.has_living() && !view.is_served() && !view.paused;
        if (!may_become_ready || std::chrono::steady_clock::now() > until) return view;
        std::this_thread::sleep_for(pause);
    }
}

int show_once(connection& redis, status_request const& request) {
    questions questions(redis);
    auto const view =
        request.watch ? look(questions, request.prefix) : look_until_ready(questions, request.prefix);
    if (!questions.lost())
        std::cout << (request.json ? json_line(queue_document(view)) + '\n' : queue_page(view));
    if (questions.trouble()) {
        auto const key = questions.lost() ? "" : safe_text(questions.unknown()) + ": ";
        complain(key + questions.trouble()->line);
    }
    if (questions.lost()) return questions.trouble()->status;
    return view.is_served() ? EX_OK : EX_TEMPFAIL;
}

// SIGINT as an answer instead of an end.
class interrupt {
public:
    interrupt() {
        sigemptyset(&signals_);
        sigaddset(&signals_, SIGINT);
        sigprocmask(SIG_BLOCK, &signals_, nullptr);
    }
    // Whether it came, also before this call.
    [[nodiscard]] bool came_within(std::chrono::seconds pause) const {
        timespec const limit{pause.count(), 0};
        return sigtimedwait(&signals_, nullptr, &limit) == SIGINT;
    }

private:
    sigset_t signals_{};
};

}  // namespace

std::string instance_of_this_machine(connection& redis, std::string const& prefix) {
    char host[256] = "";
    gethostname(host, sizeof host - 1);
    questions questions(redis);
    for (auto const& one : look_at_instances(questions, prefix, std::nullopt))
        if (one.host == host && one.pid && is_engramd(*one.pid)) return one.name;
    return {};
}

int show_queue_status(connection& redis, status_request const& request) {
    if (!request.watch) return show_once(redis, request);
    interrupt const interrupt;
    bool const clears = isatty(STDOUT_FILENO) == 1 && !request.json;
    for (bool is_first = true; std::cout; is_first = false) {
        if (clears)
            std::cout << "\x1b[H\x1b[J";
        else if (!is_first && !request.json)
            std::cout << '\n';
        // A Redis that is away for a while ends nothing: its trouble was told.
        (void)show_once(redis, request);
        std::cout.flush();
        if (interrupt.came_within(*request.watch)) break;
    }
    return EX_OK;
}

}  // namespace engram::ctl

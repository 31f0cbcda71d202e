#include "ctl/queue_status.hpp"

#include "ctl/complaint.hpp"
#include "ctl/display.hpp"
#include "ctl/queue_page.hpp"

#include <boost/json/object.hpp>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <iostream>
#include <optional>
#include <sysexits.h>

namespace engram::ctl {

namespace {

// Asks one thing after the other. What Redis refuses is unknown; the first refusal is kept to be told.
class questions {
public:
    explicit questions(connection& redis) : redis_(redis) {}

    std::optional<redis::value> ask(std::vector<std::string_view> command) {
        if (lost_) return std::nullopt;
        auto const key = std::string(command.size() > 1 ? command[1] : command[0]);
        auto answer = redis_.call(std::move(command));
        if (answer) return std::move(*answer);
        lost_ = answer.error().kind != redis::error_kind::refused;
        if (!trouble_ || lost_) trouble_ = explain(answer.error());
        if (!lost_ && unknown_.empty()) unknown_ = key;
        return std::nullopt;
    }

    std::optional<std::int64_t> count(std::string_view command, std::string const& key) {
        auto const answer = ask({command, key});
        return answer ? std::optional(answer->as_integer()) : std::nullopt;
    }

    [[nodiscard]] bool lost() const { return lost_; }
    [[nodiscard]] std::optional<complaint> const& trouble() const { return trouble_; }
    [[nodiscard]] std::string const& unknown() const { return unknown_; }

private:
    connection& redis_;
    bool lost_ = false;
    std::optional<complaint> trouble_;
    std::string unknown_;
};

std::optional<std::int64_t> redis_now_ms(questions& redis) {
    auto const time = redis.ask({"TIME"});
    if (!time || time->items.size() != 2) return std::nullopt;
    return time->items[0].as_integer() * 1000 + time->items[1].as_integer() / 1000;
}

// When the lease of an instance ends; none if the score is not a time, for example one set by hand.
std::optional<std::int64_t> lease_end(std::string const& score) {
    double const value = std::strtod(score.c_str(), nullptr);
    if (!(std::abs(value) < 1e15)) return std::nullopt;
    return std::int64_t(value);
}

std::vector<instance_view> look_at_instances(questions& redis, std::string const& prefix) {
    constexpr std::string_view most_of_a_status = "65535";
    auto const instances_key = prefix + ":instances";
    auto const now = redis_now_ms(redis);
    auto const members = redis.ask({"ZRANGE", instances_key, "0", "-1", "WITHSCORES"});
    std::vector<instance_view> instances;
    for (std::size_t i = 0; members && i + 1 < members->items.size(); i += 2) {
        instance_view one;
        one.name = members->items[i].text;
        auto const end = lease_end(members->items[i + 1].text);
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

}  // namespace

int show_queue_status(connection& redis, std::string const& prefix, bool json) {
    questions questions(redis);
    queue_view view;
    view.prefix = prefix;
    view.waiting = jobs_waiting(questions, prefix);
    view.parked = questions.count("HLEN", prefix + ":body");
    view.dead = questions.count("XLEN", prefix + ":dead");
    view.instances = look_at_instances(questions, prefix);
    if (!questions.lost()) std::cout << (json ? json_line(queue_document(view)) + '\n' : queue_page(view));
    if (questions.trouble()) {
        auto const key = questions.lost() ? "" : safe_text(questions.unknown()) + ": ";
        complain(key + questions.trouble()->line);
    }
    if (questions.lost()) return questions.trouble()->status;
    return view.is_served() ? EX_OK : EX_TEMPFAIL;
}

}  // namespace engram::ctl

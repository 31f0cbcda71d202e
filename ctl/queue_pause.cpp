#include "ctl/queue_pause.hpp"

#include "base/utf8.hpp"
#include "ctl/complaint.hpp"
#include "ctl/display.hpp"
#include "ctl/questions.hpp"
#include "ctl/queue_delays.hpp"

#include <boost/json/object.hpp>

#include <iostream>
#include <optional>
#include <sysexits.h>

namespace engram::ctl {

namespace json = boost::json;

namespace {

constexpr std::size_t max_reason_bytes = 500;

int fail(redis::error const& error) {
    auto const what = explain(error);
    complain(what.line);
    return what.status;
}

// How many conversations all daemons have in hand; none if that is not known.
std::optional<std::int64_t> count_under_way(questions& redis, std::string const& prefix) {
    auto const instances_key = prefix + ":instances";
    auto const instances = redis.ask({"ZRANGE", instances_key, "0", "-1"});
    if (!instances) return std::nullopt;
    std::int64_t sum = 0;
    for (auto const& instance : instances->items) {
        auto const owned = redis.count("HLEN", prefix + ":owned:" + instance.text);
        if (!owned) return std::nullopt;
        sum += *owned;
    }
    return sum;
}

}  // namespace

int pause_queue(connection& redis, pause_request const& request) {
    if (request.reason.size() > max_reason_bytes || !base::is_utf8(request.reason)) {
        complain("--reason is UTF-8 text of at most " + std::to_string(max_reason_bytes) + " bytes");
        return EX_USAGE;
    }
    questions questions(redis);
    pause_note const note{questions.now_ms(), base::to_utf8(request.by), request.reason};
    auto const text = pause_text(note);
    auto const key = request.prefix + ":paused";
    auto const set = redis.call({"SET", key, text});
    if (!set) return fail(set.error());
    auto const under_way = count_under_way(questions, request.prefix);
    if (request.json) {
        json::object out;
        out["paused"] = pause_document(note);
        out["under_way"] = under_way ? json::value(*under_way) : json::value(nullptr);
        std::cout << json_line(out) << '\n';
        return EX_OK;
    }
    auto const running = !under_way        ? std::string("what is under way will end")
                         : *under_way == 0 ? std::string("nothing is under way")
                                           : std::to_string(*under_way) + (*under_way == 1 ? " is" : " are") +
                                                 " under way and will end";
    std::cout << "jobs are no longer taken; " << running << " (engramctl queue resume ends the pause)\n";
    return EX_OK;
}

int resume_queue(connection& redis, pause_request const& request) {
    auto const key = request.prefix + ":paused";
    auto const deleted = redis.call({"DEL", key});
    if (!deleted) return fail(deleted.error());
    bool const was_paused = deleted->as_integer() > 0;
    if (request.json) {
        json::object out;
        out["resumed"] = was_paused;
        std::cout << json_line(out) << '\n';
    } else {
        std::cout << (was_paused ? "jobs are taken again\n" : "the queue was not paused\n");
    }
    return EX_OK;
}

}  // namespace engram::ctl

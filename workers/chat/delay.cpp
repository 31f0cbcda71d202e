#include "workers/chat/delay.hpp"

#include <algorithm>
#include <cstdint>

namespace engram::workers {

using std::chrono::milliseconds;

namespace {

constexpr milliseconds shortest{1'000};
constexpr milliseconds longest{30'000};
// A job that is due is delivered with the next heartbeat of a daemon.
constexpr milliseconds until_delivered{1'000};
constexpr double most_cut = .25;
constexpr double most_added = .1;

milliseconds scaled(milliseconds pause, double by) {
    return milliseconds(std::int64_t(double(pause.count()) * by));
}

}  // namespace

next_try plan_next_try(failed_call const& call, milliseconds retry_for, double chance) {
    if (retry_for <= milliseconds(0)) return {give_up::patience_over};
    auto pause = scaled(std::clamp(call.failing, shortest, longest), 1 - most_cut * chance);
    if (call.wish) pause = std::max(pause, scaled(*call.wish, 1 + most_added * chance));
    if (pause + until_delivered >= call.to_deadline) return {give_up::deadline};
    if (call.failing + pause > retry_for) return {give_up::patience_over};
    return {give_up::no, pause};
}

std::string reason_of(claude::error const& why) {
    if (why.code == "no_connection") return "no connection";
    if (why.code == "timed_out") return "no answer in time";
    if (why.code == "cut") return "the answer was cut";
    if (why.code == "unreadable") return "the answer could not be read";
    if (why.code == "local_lack") return "this machine lacks something";
    if (why.status == 0) return "no answer";
    return claude::loggable(why);
}

}  // namespace engram::workers

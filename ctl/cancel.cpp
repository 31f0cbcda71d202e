#include "ctl/cancel.hpp"

#include "base/utf8.hpp"
#include "ctl/complaint.hpp"
#include "ctl/display.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <iostream>
#include <sysexits.h>
#include <thread>

namespace engram::ctl {

namespace json = boost::json;
using std::chrono::steady_clock;

namespace {

constexpr std::chrono::milliseconds pause{100};

std::string cancel_text(cancel_request const& request) {
    json::object out;
    out["user_id"] = request.user;
    out["id"] = request.id;
    return json::serialize(out);
}

int fail(redis::error const& error, std::string const& what_is_so) {
    auto const why = explain(error);
    complain(what_is_so + why.line);
    return why.status;
}

int tell_success(cancel_request const& request) {
    if (request.json) {
        json::object out;
        out["carried_out"] = true;
        std::cout << json_line(out) << '\n';
    } else {
        std::cout << "the cancel was carried out: a job that waited has ended with \"cancelled\"; one that "
                     "runs or has ended is left alone\n";
    }
    return EX_OK;
}

int take_back(connection& redis, std::string const& key, std::string const& text,
              cancel_request const& request) {
    auto const removed = redis.call({"LREM", key, "1", text});
    if (!removed) return fail(removed.error(), "the cancel may still be carried out: ");
    if (removed->as_integer() == 0) return tell_success(request);
    complain("no engramd has carried it out within " + std::to_string(request.timeout.count()) +
             " s; the cancel was taken back. Does one run on this Redis and --prefix?");
    return EX_TEMPFAIL;
}

}  // namespace

int cancel_job(connection& redis, cancel_request const& request) {
    if (request.user.empty() || request.id.empty() || !base::is_utf8(request.user) ||
        !base::is_utf8(request.id)) {
        complain("the user and the id of a job are UTF-8 text that is not empty");
        return EX_USAGE;
    }
    auto const key = request.prefix + ":cancel";
    auto const text = cancel_text(request);
    auto const until = steady_clock::now() + request.timeout;
    auto const pushed = redis.call({"LPUSH", key, text});
    if (!pushed) return fail(pushed.error(), "");
    while (steady_clock::now() < until) {
        auto const place = redis.call({"LPOS", key, text});
        if (place && place->is_nil()) return tell_success(request);
        if (!place && !is_passing(place.error()))
            return fail(place.error(), "the cancel was asked for, but what becomes of it is not known: ");
        std::this_thread::sleep_for(pause);
    }
    return take_back(redis, key, text, request);
}

}  // namespace engram::ctl

#include "queue/suspicion.hpp"

#include "queue/pushed_json.hpp"
#include "queue/reply.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include <algorithm>
#include <string_view>
#include <utility>

namespace engram::queue {

namespace json = boost::json;

namespace {

constexpr std::size_t longest_metadata = 1024;

std::string text_of(json::object const& object, std::string_view name) {
    auto const* value = object.if_contains(name);
    return value && value->is_string() ? std::string(value->get_string()) : std::string();
}

}  // namespace

void suspicion::failed(redis::error const& error, bool alone) {
    if (bytes_ < least_suspicious_bytes) return;
    if (error.is_too_long()) proven_ = true;
    if (!error.with_connection) return;
    goes_alone_ = true;
    if (alone && --losses_left_ == 0) proven_ = true;
}

void refused_sizes::refused(std::size_t bytes, std::uint64_t generation, base::steady_time now) {
    if (!knows(from_, generation, now)) from_ = bytes;
    from_ = std::min(from_, bytes);
    generation_ = generation;
    at_ = now;
}

void refused_sizes::passed(std::size_t bytes) {
    if (bytes >= from_) from_ = std::numeric_limits<std::size_t>::max();
}

bool refused_sizes::knows(std::size_t bytes, std::uint64_t generation, base::steady_time now) const {
    return bytes >= from_ && generation == generation_ && now - at_ < memory;
}

std::string too_large_text(std::string_view what, std::size_t bytes) {
    return std::string(what) + " has " + std::to_string(bytes) +
           " bytes, and Redis closes the connection when it is sent: raise proto-max-bulk-len and "
           "client-query-buffer-limit (docs/redis.md)";
}

settlement without_reply(settlement const& outcome) {
    error_reply reply;
    reply.id = outcome.id;
    reply.type = "internal";
    reply.message = too_large_text("the reply", outcome.reply.size());
    boost::system::error_code error;
    auto const value = json::parse(outcome.reply, error, {}, parse_options_of_pushed());
    if (auto const* was = error ? nullptr : value.if_object()) {
        reply.user_id = text_of(*was, "user_id");
        reply.session_id = text_of(*was, "session_id");
        if (auto const* attempts = was->if_contains("attempts"); attempts && attempts->is_int64())
            reply.attempts = int(attempts->get_int64());
        if (auto const* metadata = was->if_contains("metadata")) {
            auto text = json::serialize(*metadata);
            if (text.size() <= longest_metadata) reply.metadata = std::move(text);
        }
    }
    settlement instead{outcome.id, outcome.reply_to, to_json(reply), outcome.dead};
    if (!instead.dead)
        instead.dead = dead_letter{reply.type, reply.message, "the reply is larger than Redis takes"};
    return instead;
}

}  // namespace engram::queue

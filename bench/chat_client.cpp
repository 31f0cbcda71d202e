#include "chat_client.hpp"

#include <boost/json/monotonic_resource.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <hiredis.h>

#include <algorithm>
#include <charconv>
#include <poll.h>
#include <stdexcept>

namespace engram::bench {

namespace json = boost::json;
using std::chrono::duration;

namespace {

constexpr std::chrono::steady_clock::duration long_wait = std::chrono::seconds(1);

std::string user_of(load const& of, std::size_t n) {
    return "user-" + std::to_string(n % of.sessions % of.users);
}

std::string session_of(load const& of, std::size_t n) {
    return "session-" + std::to_string(n % of.sessions);
}

std::string_view text_of(json::object const& o, std::string_view key) {
    auto const* value = o.if_contains(key);
    return value != nullptr && value->is_string() ? std::string_view(value->get_string())
                                                  : std::string_view();
}

std::string_view text_of(redisReply const& reply) {
    return {reply.str, std::size_t(reply.len)};
}

std::optional<std::size_t> number_after(std::string_view prefix, std::string_view text) {
    if (!text.starts_with(prefix)) return std::nullopt;
    text.remove_prefix(prefix.size());
    std::size_t n = 0;
    auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return n;
}

}  // namespace

chat_client::chat_client(load of)
    : of_(std::move(of)),
      channel_prefix_(of_.prefix + ":reply:" + of_.run + "-"),
      pushing_(of_.redis),
      listening_(of_.redis),
      next_of_session_(of_.sessions, 0) {
    jobs_.reserve(of_.jobs);
    latency_.reserve(of_.jobs);
}

void chat_client::run() {
    subscribe();
    started_ = ended_ = clock::now();
    auto quiet_since = started_;
    auto answered_then = answered_;
    while (answered_ < of_.jobs) {
        auto const now = clock::now();
        if (answered_ != answered_then || jobs_.size() == answered_) {
            answered_then = answered_;
            quiet_since = now;
        }
        if (now - quiet_since > of_.patience) break;
        push_due(now);
        turn(longest_wait(now));
    }
    ended_ = clock::now();
}

void chat_client::subscribe() {
    listening_.append({"PSUBSCRIBE", channel_prefix_ + "*"});
    auto const until = clock::now() + of_.patience;
    while (!subscribed_) {
        if (clock::now() > until) throw std::runtime_error("Redis does not answer");
        turn(long_wait);
    }
}

void chat_client::push_due(clock::time_point now) {
    if (of_.rate > 0) {
        while (jobs_.size() < of_.jobs && due(jobs_.size()) <= now)
            push(due(jobs_.size()));
    } else {
        while (jobs_.size() < of_.jobs && jobs_.size() - answered_ < of_.window)
            push(now);
    }
    most_in_flight_ = std::max(most_in_flight_, jobs_.size() - answered_);
}

void chat_client::push(clock::time_point begun) {
    pushing_.append({"LPUSH", of_.prefix + ":jobs", body_of(jobs_.size())});
    jobs_.push_back({begun});
}

chat_client::clock::time_point chat_client::due(std::size_t n) const {
    return started_ + std::chrono::duration_cast<clock::duration>(duration<double>(double(n) / of_.rate));
}

chat_client::clock::duration chat_client::longest_wait(clock::time_point now) const {
    if (of_.rate <= 0 || jobs_.size() == of_.jobs) return long_wait;
    return std::clamp<clock::duration>(due(jobs_.size()) - now, clock::duration::zero(), long_wait);
}

void chat_client::turn(clock::duration wait) {
    pollfd ends[] = {{pushing_.descriptor(), POLLIN, 0}, {listening_.descriptor(), POLLIN, 0}};
    if (pushing_.wants_to_write()) ends[0].events |= POLLOUT;
    if (listening_.wants_to_write()) ends[1].events |= POLLOUT;
    // Finer than poll(): with a job every few milliseconds, one late by half of one would count as latency.
    auto const whole = std::chrono::floor<std::chrono::seconds>(wait);
    timespec const timeout{whole.count(), std::chrono::nanoseconds(wait - whole).count()};
    if (ppoll(ends, 2, &timeout, nullptr) <= 0) return;
    if ((ends[0].revents & POLLOUT) != 0) pushing_.write();
    if ((ends[1].revents & POLLOUT) != 0) listening_.write();
    if ((ends[0].revents & (POLLIN | POLLHUP | POLLERR)) != 0) pushing_.read([](redisReply const&) {});
    if ((ends[1].revents & (POLLIN | POLLHUP | POLLERR)) != 0)
        listening_.read([this](redisReply const& message) { take_message(message); });
}

void chat_client::take_message(redisReply const& message) {
    if (message.type != REDIS_REPLY_ARRAY || message.elements < 3) return;
    auto const kind = text_of(*message.element[0]);
    if (kind == "psubscribe") subscribed_ = true;
    if (kind == "pmessage" && message.elements == 4)
        take_reply(text_of(*message.element[2]), text_of(*message.element[3]), clock::now());
}

void chat_client::take_reply(std::string_view channel, std::string_view text, clock::time_point now) {
    auto const n = number_after(channel_prefix_, channel);
    if (!n || *n >= jobs_.size()) return note_fault("to no job of this run", text);
    if (jobs_[*n].answered) return note_fault("repeated", text);
    jobs_[*n].answered = true;
    ++answered_;
    latency_.add(now - jobs_[*n].begun);

    json::monotonic_resource memory;
    json::error_code error;
    auto const value = json::parse(text, error, &memory);
    if (error || !value.is_object()) return note_fault("not JSON", text);
    auto const& reply = value.get_object();
    if (auto const* fault = fault_of(*n, reply)) return note_fault(fault, text);
    note_order(*n);
    note_timing(reply);
    if (auto const* kept = reply.if_contains("memories"); kept != nullptr && kept->is_array())
        memories_ += kept->get_array().size();
    ++good_;
}

char const* chat_client::fault_of(std::size_t n, json::object const& reply) const {
    if (text_of(reply, "status") != "ok") return "error";
    if (text_of(reply, "id") != of_.run + "-" + std::to_string(n)) return "of another job";
    if (text_of(reply, "user_id") != user_of(of_, n)) return "of another user";
    if (text_of(reply, "session_id") != session_of(of_, n)) return "of another session";
    if (text_of(reply, "reply").empty()) return "empty";
    auto const* metadata = reply.if_contains("metadata");
    if (metadata == nullptr || *metadata != json::value{{"n", n}}) return "with other metadata";
    return nullptr;
}

void chat_client::note_fault(std::string const& fault, std::string_view text) {
    if (faults_.empty()) example_ = text.substr(0, 2000);
    ++faults_[fault];
}

void chat_client::note_order(std::size_t n) {
    auto& next = next_of_session_[n % of_.sessions];
    if (n < next) ++faults_["out of order"];
    next = std::max(next, n + 1);
}

void chat_client::note_timing(json::object const& reply) {
    auto const* timing = reply.if_contains("timing_ms");
    if (timing == nullptr || !timing->is_object()) return;
    for (auto const& [step, ms] : timing->get_object())
        if (ms.is_number()) timing_ms_[step] += ms.to_number<double>();
}

std::string chat_client::body_of(std::size_t n) const {
    auto const number = std::to_string(n);
    bool const memorable = of_.memory_every != 0 && n % of_.memory_every == 0;
    auto message = memorable ? "I like subject " + number + ". " : "Tell me about subject " + number + ". ";
    while (message.size() + 16 <= of_.message_bytes)
        message += "Take your time. ";
    message.pop_back();
    return json::serialize(json::object{{"id", of_.run + "-" + number},
                                        {"user_id", user_of(of_, n)},
                                        {"session_id", session_of(of_, n)},
                                        {"message", message},
                                        {"metadata", {{"n", n}}}});
}

json::object chat_client::result() {
    auto const lost = jobs_.size() - answered_ + (of_.jobs - jobs_.size());
    auto const seconds = duration<double>(ended_ - started_).count();
    json::object faults, timing;
    for (auto const& [fault, count] : faults_)
        faults[fault] = count;
    if (lost > 0) faults["missing"] = lost;
    for (auto const& [step, sum] : timing_ms_)
        timing[step] = sum / double(std::max<std::size_t>(good_, 1));
    json::object result{{"good", faults.empty() && good_ == of_.jobs},
                        {"jobs", of_.jobs},
                        {"seconds", seconds},
                        {"jobs_per_s", double(answered_) / seconds},
                        {"most_in_flight", most_in_flight_},
                        {"memories", memories_},
                        {"latency_ms", latency_.to_json()},
                        {"mean_timing_ms", std::move(timing)},
                        {"faults", std::move(faults)}};
    if (!example_.empty()) result["first_fault"] = example_;
    return result;
}

}  // namespace engram::bench

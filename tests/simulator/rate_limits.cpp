#include "rate_limits.hpp"

#include "json_text.hpp"

#include <algorithm>
#include <cmath>
#include <ctime>
#include <string_view>

namespace engram::simulator {
namespace {

constexpr std::int64_t many_requests = 1'000'000;
constexpr std::int64_t many_tokens = 1'000'000'000;

std::string formatted(std::int64_t at, char const* form) {
    std::time_t const t = at;
    std::tm tm{};
    gmtime_r(&t, &tm);
    char text[64];
    return {text, std::strftime(text, sizeof text, form, &tm)};
}

void append_line(std::string& out, std::string_view kind, std::string_view what, std::string_view value) {
    out += "anthropic-ratelimit-";
    out += kind;
    out += '-';
    out += what;
    out += ": ";
    out += value;
    out += "\r\n";
}

void append_bucket(std::string& out, std::string_view kind, token_bucket const& b, bool thousands,
                   std::int64_t now) {
    auto remaining = b.remaining();
    if (thousands) remaining = (remaining + 500) / 1000 * 1000;
    append_line(out, kind, "limit", std::to_string(b.limit()));
    append_line(out, kind, "remaining", std::to_string(remaining));
    append_line(out, kind, "reset", formatted(now + b.until_full().count(), "%Y-%m-%dT%H:%M:%SZ"));
}

}  // namespace

token_bucket::token_bucket(std::int64_t a_minute, std::int64_t shown_if_unlimited, std::int64_t most)
    : enforced_(a_minute > 0),
      limit_(enforced_ ? a_minute : shown_if_unlimited),
      most_(enforced_ && most > 0 ? most : limit_),
      level_(static_cast<double>(most_)),
      filled_at_(clock::now()) {}

void token_bucket::refill(clock::time_point now) {
    auto const seconds = std::chrono::duration<double>(now - filled_at_).count();
    filled_at_ = now;
    level_ = std::min(static_cast<double>(most_), level_ + seconds * static_cast<double>(limit_) / 60);
}

void token_bucket::take(std::int64_t n) {
    if (enforced_) level_ = std::min(static_cast<double>(most_), level_ - static_cast<double>(n));
}

std::int64_t token_bucket::remaining() const {
    return std::max<std::int64_t>(0, static_cast<std::int64_t>(level_));
}

std::chrono::seconds token_bucket::until_full() const {
    auto const missing = static_cast<double>(most_) - level_;
    return std::chrono::seconds(
        static_cast<long long>(std::ceil(missing * 60 / static_cast<double>(limit_))));
}

std::int64_t token_bucket::seconds_until(std::int64_t n) const {
    auto const missing = static_cast<double>(std::min(n, most_)) - level_;
    return std::max<std::int64_t>(
        1, static_cast<std::int64_t>(std::ceil(missing * 60 / static_cast<double>(limit_))));
}

rate_limits::rate_limits(rate_options const& options)
    : options_(options),
      requests_(options.requests_a_minute, many_requests, options.requests_at_once),
      input_(options.input_tokens_a_minute, many_tokens),
      output_(options.output_tokens_a_minute, many_tokens) {}

std::int64_t rate_limits::admit(std::int64_t input_tokens) {
    auto const now = token_bucket::clock::now();
    for (auto* b : {&requests_, &input_, &output_})
        b->refill(now);
    if (!requests_.holds(1)) return requests_.seconds_until(1);
    // A prompt larger than the bucket can pass only when the bucket is full.
    auto const needed = std::min(input_tokens, input_.most());
    if (!input_.holds(needed)) return input_.seconds_until(needed);
    if (!output_.holds(1)) return output_.seconds_until(1);
    requests_.take(1);
    input_.take(input_tokens);
    return 0;
}

std::string const& rate_limits::header_lines() {
    auto const now = std::chrono::system_clock::now();
    auto const second = std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count();
    bool const enforced =
        options_.requests_a_minute + options_.input_tokens_a_minute + options_.output_tokens_a_minute > 0;
    if (enforced || second != rendered_at_) render(now);
    rendered_at_ = second;
    return lines_;
}

void rate_limits::render(std::chrono::system_clock::time_point now) {
    auto const second = std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count();
    lines_ = "date: " + formatted(second, "%a, %d %b %Y %H:%M:%S GMT") + "\r\n";
    if (!options_.headers) return;
    append_bucket(lines_, "requests", requests_, false, second);
    append_bucket(lines_, "input-tokens", input_, true, second);
    append_bucket(lines_, "output-tokens", output_, true, second);
    // The combined figure shows whichever limit is nearer.
    auto const share = [](token_bucket const& b) {
        return static_cast<double>(b.remaining()) / static_cast<double>(b.limit());
    };
    append_bucket(lines_, "tokens", share(output_) < share(input_) ? output_ : input_, true, second);
}

}  // namespace engram::simulator

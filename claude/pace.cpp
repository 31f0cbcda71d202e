#include "claude/pace.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>

namespace engram::claude {

using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

// tests/claude/pace_test.cpp plays them against a provider; docs/queue.md says what they make of one.
constexpr seconds round_length{1};
constexpr seconds slow_start{1};      // after the first call, without any result
constexpr seconds trouble_lasts{10};  // after the last failure
constexpr seconds lately{3};
constexpr seconds pacing_lasts{60};  // after the last sign of scarcity
// So many daemons with as many calls as this one may share what is left, before they hear of each other.
constexpr double daemons = 16;
constexpr milliseconds told_is_fresh{1'200};  // about as long as between two reports
constexpr milliseconds redis_is_away{3'000};  // without a grant
constexpr seconds first_hold{1}, longest_hold{8};
constexpr std::size_t least_room = 2;
constexpr double minute_s = 60;
constexpr double mean_over = 16;  // calls

double in_seconds(base::steady_time::duration span) {
    return std::chrono::duration<double>(span).count();
}

double read_count(std::string_view text) {
    double value = 0;
    auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    bool const whole = error == std::errc() && end == text.data() + text.size();
    return whole && std::isfinite(value) && value >= 0 ? value : -1;
}

// How many calls a number of tokens is, where one takes `mean`; -1: not known.
double in_calls(double tokens, double mean) {
    return tokens < 0 || mean <= 0 ? -1 : tokens / mean;
}

// The least of what is known; -1: nothing is.
double least_known(double a, double b) {
    return a < 0 ? b : b < 0 ? a : std::min(a, b);
}

void move_mean(double& mean, double value) {
    mean = mean <= 0 ? value : mean + (value - mean) / mean_over;
}

constexpr std::string_view headers[] = {
    "anthropic-ratelimit-requests-limit",      "anthropic-ratelimit-requests-remaining",
    "anthropic-ratelimit-input-tokens-limit",  "anthropic-ratelimit-input-tokens-remaining",
    "anthropic-ratelimit-output-tokens-limit", "anthropic-ratelimit-output-tokens-remaining"};

}  // namespace

std::span<std::string_view const> limit_headers() {
    return headers;
}

told_limits read_limits(std::vector<std::string> const& values) {
    told_limits told;
    if (values.size() != std::size(headers)) return told;
    auto value = values.begin();
    for (auto* const one : {&told.requests, &told.input_tokens, &told.output_tokens}) {
        one->a_minute = read_count(*value++);
        one->left = read_count(*value++);
    }
    return told;
}

pace::pace(std::size_t first, std::size_t most, bool shared, base::steady_time now)
    : first_(std::clamp<std::size_t>(first, 1, std::max<std::size_t>(most, 1))),
      most_(std::max<std::size_t>(most, 1)),
      shared_(shared),
      window_(first_),
      failed_at_(now - trouble_lasts),
      hold_until_(now),
      round_began_(now),
      told_at_(now - told_is_fresh),
      scarce_at_(now),
      granted_at_(now),
      answered_at_(now) {}

bool pace::may_start(base::steady_time now, call_class what) const {
    if (under_way_ >= window_ || now < hold_until_) return false;
    if (!paced_ || !shared_ || now - granted_at_ >= redis_is_away) return true;
    return permits_ > (what == call_class::chat ? 0 : for_chats_);
}

void pace::started(base::steady_time now, call_class what) {
    ++under_way_;
    if (what == call_class::chat) {
        ++chats_started_;
        for_chats_ -= std::min<std::size_t>(for_chats_, 1);
    }
    if (!first_call_) first_call_ = now;
    if (!paced_ || !shared_) return;
    if (now - granted_at_ < redis_is_away) {
        --permits_;
        return;
    }
    permits_ = 0;                                      // forgotten there
    granted_at_ = now - redis_is_away + round_length;  // the next one in a second
}

void pace::answered(base::steady_time now, told_limits const& limits, usage const& used) {
    ++good_;
    refused_in_row_ = 0;
    answered_ = answered_lately(now) + 1;
    answered_at_ = now;
    // What was read from the cache does not count towards the limit.
    move_mean(mean_input_, double(used.input_tokens + used.cache_creation_input_tokens));
    move_mean(mean_output_, double(used.output_tokens));
    left_ = -1;
    hear(now, limits);
}

void pace::refused(base::steady_time now, told_limits const& limits, std::optional<milliseconds> wish) {
    ++bad_;
    failed_at_ = now;
    bool const was_on_its_way = now < hold_until_;  // when the one before it was refused
    auto const own = std::min<milliseconds>(first_hold * (1U << std::min(refused_in_row_, 5U)), longest_hold);
    if (wish)
        hold_until_ = std::max(hold_until_, now + *wish);
    else if (!was_on_its_way)
        hold_until_ = now + own;
    if (!was_on_its_way) ++refused_in_row_;
    // Where nothing else is answered it is no limit that was met, but an outage in other words.
    bool const others_are_answered = answered_ > 0 && now - answered_at_ < lately;
    if (others_are_answered) was_refused_ = true;
    if (others_are_answered || paced_) turn_paced(now);
    hear(now, limits);
}

void pace::failed(base::steady_time now) {
    ++bad_;
    failed_at_ = now;
}

// The call that tells is still under way here.
void pace::hear(base::steady_time now, told_limits const& limits) {
    auto const left =
        least_known(limits.requests.left, least_known(in_calls(limits.input_tokens.left, mean_input_),
                                                      in_calls(limits.output_tokens.left, mean_output_)));
    if (left < 0) return;
    left_ = left;
    allowed_ = least_known(limits.requests.a_minute,
                           least_known(in_calls(limits.input_tokens.a_minute, mean_input_),
                                       in_calls(limits.output_tokens.a_minute, mean_output_)));
    told_at_ = now;
    auto const wanted = std::max<std::size_t>(1, under_way_ - 1 + waiting_);
    if (left < daemons * double(wanted)) turn_paced(now);
    if (!paced_ && now - failed_at_ >= trouble_lasts)
        window_ = std::size_t(std::clamp(left / daemons, 1.0, double(most_)));
}

void pace::turn_paced(base::steady_time now) {
    scarce_at_ = now;
    if (std::exchange(paced_, true)) return;
    permits_ = granted_ = for_chats_ = chats_started_ = 0;
    granted_at_ = now;
}

bool pace::look(base::steady_time now, std::size_t waiting) {
    waiting_ = waiting;
    if (now - round_began_ < round_length) return false;
    end_round(now, waiting);
    adapt_room(now);
    return true;
}

// While calls wait: half as many again. Before anything is known only if that lasts.
std::size_t pace::grown(base::steady_time now) const {
    bool const is_slow = last_news_ == news::none && first_call_ && now - *first_call_ >= slow_start;
    if (last_news_ != news::good && !is_slow) return window_;
    return window_ + std::max<std::size_t>(1, window_ / 2);
}

void pace::end_round(base::steady_time now, std::size_t waiting) {
    round_began_ = now;
    auto const good = std::exchange(good_, 0), bad = std::exchange(bad_, 0);
    if (good + bad > 0) last_news_ = bad > good ? news::bad : news::good;
    bool const follows_headers = !paced_ && left_ >= 0 && now - failed_at_ >= trouble_lasts;
    if (bad > good)
        window_ = std::max<std::size_t>(1, std::min(window_, under_way_ + bad) / 2);
    else if (waiting > 0 && !follows_headers)
        window_ = std::min(most_, grown(now));
    if (paced_) calm_down(now, waiting);
}

void pace::calm_down(base::steady_time now, std::size_t waiting) {
    if (waiting > 0) scarce_at_ = now;
    if (now - scarce_at_ < pacing_lasts) return;
    paced_ = false;
    window_ = first_;
    left_ = -1;
}

void pace::adapt_room(base::steady_time now) {
    room_.reset();
    if (paced_ && shared_)
        room_ = under_way_ + std::max(least_room, 2 * granted_);
    else if (now - failed_at_ < trouble_lasts)
        room_ = std::max(least_room, 2 * window_);
}

base::steady_time pace::look_again(base::steady_time now) const {
    auto const next = std::max(round_began_ + round_length, now);
    return hold_until_ > now ? std::min(next, hold_until_) : next;
}

double pace::answered_lately(base::steady_time now) const {
    return answered_ * std::max(0.0, 1 - in_seconds(now - answered_at_) / minute_s);
}

pace_report pace::report(base::steady_time now, std::size_t chats, std::size_t others) {
    pace_report all;
    all.chats = chats;
    all.others = others;
    // One more than lately, so that it need not wait for the next report either.
    if (chats_started_ > 0) all.soon = std::exchange(chats_started_, 0) + 1;
    for_chats_ = all.chats + all.soon;
    all.answered_a_minute = std::size_t(std::llround(answered_lately(now)));
    all.unused = std::exchange(permits_, 0);
    all.refused = std::exchange(was_refused_, false);
    all.allowed = std::max(allowed_, 0.0);
    if (left_ >= 0 && now - told_at_ < told_is_fresh) all.left = std::max(0.0, left_ - double(under_way_));
    all.hold = std::max(milliseconds(0), std::chrono::ceil<milliseconds>(hold_until_ - now));
    return all;
}

void pace::grant(base::steady_time now, pace_grant const& given) {
    if (!paced_) return;  // meanwhile
    permits_ = granted_ = given.calls;
    granted_at_ = now;
    a_minute_ = given.a_minute;
    adapt_room(now);
}

}  // namespace engram::claude

// Token buckets of requests, input and output tokens, and the twelve headers that show them.
#pragma once

#include "usage.hpp"

#include <chrono>
#include <cstdint>
#include <string>

namespace engram::simulator {

struct rate_options {
    std::int64_t requests_a_minute = 0;  ///< 0: shown as very large, never enforced
    std::int64_t requests_at_once = 0;   ///< what their bucket holds; 0: a minute's worth
    std::int64_t input_tokens_a_minute = 0;
    std::int64_t output_tokens_a_minute = 0;
    bool headers = true;
};

/// One bucket that fills continuously.
class token_bucket {
public:
    using clock = std::chrono::steady_clock;
    /// `most`: what it holds; 0: a minute's worth.
    token_bucket(std::int64_t a_minute, std::int64_t shown_if_unlimited, std::int64_t most = 0);

    void refill(clock::time_point now);
    [[nodiscard]] bool holds(std::int64_t n) const { return !enforced_ || level_ >= static_cast<double>(n); }
    void take(std::int64_t n);
    [[nodiscard]] std::int64_t limit() const { return limit_; }
    [[nodiscard]] std::int64_t most() const { return most_; }
    [[nodiscard]] std::int64_t remaining() const;
    [[nodiscard]] std::chrono::seconds until_full() const;
    /// Whole seconds until `n` are there, at least one.
    [[nodiscard]] std::int64_t seconds_until(std::int64_t n) const;

private:
    bool enforced_;
    std::int64_t limit_;  // a minute
    std::int64_t most_;
    double level_;
    clock::time_point filled_at_;
};

class rate_limits {
public:
    explicit rate_limits(rate_options const& options);

    /// Takes one request and its input, or tells how many seconds to wait: 0 means taken.
    [[nodiscard]] std::int64_t admit(std::int64_t input_tokens);
    void count_output(std::int64_t tokens) { output_.take(tokens); }

    /// `date` and, unless switched off, the twelve lines; each ends in CRLF. While nothing is enforced they
    /// are rendered once a second.
    [[nodiscard]] std::string const& header_lines();

private:
    void render(std::chrono::system_clock::time_point now);

    rate_options options_;
    token_bucket requests_;
    token_bucket input_;
    token_bucket output_;
    std::string lines_;
    std::int64_t rendered_at_ = -1;
};

}  // namespace engram::simulator

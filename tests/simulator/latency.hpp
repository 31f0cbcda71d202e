// How long an answer takes: `200`, `fixed:200`, `exp:200` (mean), `uniform:100-300`; milliseconds.
#pragma once

#include <chrono>
#include <optional>
#include <random>
#include <string_view>

namespace engram::simulator {

using random_engine = std::mt19937_64;

class latency {
public:
    latency() = default;
    explicit latency(double fixed_ms) : a_(fixed_ms) {}

    /// None if the text says no latency; at most a day.
    [[nodiscard]] static std::optional<latency> parse(std::string_view text);

    [[nodiscard]] std::chrono::microseconds draw(random_engine& random) const;

private:
    enum class shape { fixed, exponential, uniform };
    shape shape_ = shape::fixed;
    double a_ = 0;
    double b_ = 0;
};

/// A number in [0, 1).
[[nodiscard]] double draw_fraction(random_engine& random);

}  // namespace engram::simulator

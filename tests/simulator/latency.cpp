#include "latency.hpp"

#include <charconv>
#include <cmath>

namespace engram::simulator {
namespace {

constexpr double a_day_ms = 86'400'000;

std::optional<double> read_ms(std::string_view text) {
    double n = 0;
    auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
    if (error != std::errc() || end != text.data() + text.size() || !(n >= 0) || n > a_day_ms)
        return std::nullopt;
    return n;
}

}  // namespace

std::optional<latency> latency::parse(std::string_view text) {
    latency l;
    auto const colon = text.find(':');
    auto const name = colon == text.npos ? std::string_view("fixed") : text.substr(0, colon);
    auto const rest = colon == text.npos ? text : text.substr(colon + 1);
    if (name == "uniform") {
        auto const dash = rest.find('-');
        if (dash == rest.npos) return std::nullopt;
        auto const low = read_ms(rest.substr(0, dash));
        auto const high = read_ms(rest.substr(dash + 1));
        if (!low || !high || *low > *high) return std::nullopt;
        l.shape_ = shape::uniform;
        l.a_ = *low;
        l.b_ = *high;
        return l;
    }
    if (name != "fixed" && name != "exp") return std::nullopt;
    auto const n = read_ms(rest);
    if (!n) return std::nullopt;
    l.shape_ = name == "exp" ? shape::exponential : shape::fixed;
    l.a_ = *n;
    return l;
}

std::chrono::microseconds latency::draw(random_engine& random) const {
    double ms = a_;
    if (shape_ == shape::exponential) ms = std::min(a_day_ms, -a_ * std::log(1.0 - draw_fraction(random)));
    if (shape_ == shape::uniform) ms = a_ + (b_ - a_) * draw_fraction(random);
    return std::chrono::microseconds(static_cast<long long>(ms * 1000));
}

double draw_fraction(random_engine& random) {
    // Not std::uniform_real_distribution: its figures differ between libraries, a seed should not.
    return static_cast<double>(random() >> 11) * 0x1.0p-53;
}

}  // namespace engram::simulator

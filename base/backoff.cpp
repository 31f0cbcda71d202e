#include "base/backoff.hpp"

#include "base/chance.hpp"

#include <algorithm>

namespace engram::base {

using std::chrono::milliseconds;

namespace {

constexpr double most_jitter = .25;

milliseconds jittered(milliseconds pause) {
    return milliseconds(std::int64_t(double(pause.count()) * (1 - most_jitter * chance())));
}

}  // namespace

milliseconds backoff::next() {
    auto const pause = std::min(next_, longest_);
    next_ = std::min(pause * 2, longest_);
    return jittered(pause);
}

milliseconds backoff_after(unsigned n, milliseconds first, milliseconds longest) {
    auto pause = std::min(first, longest);
    for (; n > 0 && pause < longest; --n)
        pause = std::min(pause * 2, longest);
    return jittered(pause);
}

}  // namespace engram::base

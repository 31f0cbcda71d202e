// How long to wait before the next try.
#pragma once

#include <chrono>

namespace engram::base {

/// Pauses that double from `first` up to `longest`, each shortened by up to a quarter at random, so that
/// those who failed together do not come back together.
class backoff {
public:
    constexpr backoff(std::chrono::milliseconds first, std::chrono::milliseconds longest)
        : first_(first), longest_(longest), next_(first) {}

    /// The pause before the next try; the one after it is twice as long.
    [[nodiscard]] std::chrono::milliseconds next();
    /// It works: the next pause is the first one again.
    void reset() { next_ = first_; }

private:
    std::chrono::milliseconds first_, longest_, next_;
};

/// The pause before try `n` + 1, where the caller counts the tries: `first` for 0.
[[nodiscard]] std::chrono::milliseconds backoff_after(unsigned n, std::chrono::milliseconds first,
                                                      std::chrono::milliseconds longest);

}  // namespace engram::base

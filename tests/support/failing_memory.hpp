// Memory that runs out at a moment of the test's choice.
#pragma once

#include <cstddef>

namespace engram::tests {

/// While it lives, the `nth` allocation of this thread (1: the next one) fails, and no other: `new`, and what
/// Asio takes for its handlers and coroutines, throw std::bad_alloc. One at a time. Programs that use it have
/// their own operator new.
class failing_memory {
public:
    explicit failing_memory(std::size_t nth);
    ~failing_memory();
    failing_memory(failing_memory const&) = delete;
    failing_memory& operator=(failing_memory const&) = delete;

    /// Whether there were so many allocations.
    [[nodiscard]] bool has_failed() const;
};

/// Calls `attempt` again and again, in which its first, second, … allocation fails, until one in which none
/// did. `attempt(nth)` returns whether an allocation failed. Returns how often one did.
template <class Attempt>
std::size_t fail_each_allocation(Attempt attempt) {
    std::size_t nth = 1;
    while (attempt(nth))
        ++nth;
    return nth - 1;
}

}  // namespace engram::tests

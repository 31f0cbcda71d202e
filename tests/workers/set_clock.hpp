// A clock that stands still until a test moves it.
#pragma once

#include "base/clock.hpp"

namespace engram::test {

class set_clock : public base::clock {
public:
    [[nodiscard]] base::wall_time wall() const override { return wall_; }
    [[nodiscard]] base::steady_time steady() const override { return steady_; }

    void advance(std::chrono::milliseconds by) {
        wall_ += by;
        steady_ += by;
    }
    // Somebody sets it.
    void set_ahead(std::chrono::milliseconds by) { wall_ += by; }

private:
    base::wall_time wall_{std::chrono::hours(500'000)};
    base::steady_time steady_{std::chrono::hours(1)};
};

}  // namespace engram::test

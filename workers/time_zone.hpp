// The date and time where a user is.
#pragma once

#include "base/clock.hpp"

#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

namespace engram::workers {

/// A zone of the table could not be read: a lack of this machine, such as no free file descriptor, which may
/// pass. The text says which.
struct unreadable_zone : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// A time zone of the system's table (package tzdata; another folder by the variable TZDIR). Cheap to copy.
class time_zone {
public:
    /// The zone with this IANA name, such as "Europe/Berlin". Null: there is none. Reads a small file the
    /// first time, and never one outside of the table, whatever the name. "UTC" is always there. Throws
    /// unreadable_zone; the next call looks again. From any thread.
    [[nodiscard]] static std::shared_ptr<time_zone const> open(std::string_view name);

    /// "Monday, 2026-11-30, 14:05 (Europe/Berlin, UTC+01:00)".
    [[nodiscard]] std::string describe(base::wall_time when) const;

    struct rules;
    time_zone(std::string name, std::shared_ptr<rules const> rules);

private:
    std::string name_;
    std::shared_ptr<rules const> rules_;
};

}  // namespace engram::workers

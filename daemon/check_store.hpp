// Whether the database is such that jobs would be answered and kept.
#pragma once

#include "daemon/finding.hpp"
#include "store/options.hpp"

#include <chrono>
#include <string>

namespace engram::daemon {

struct store_check {
    findings found;
    std::string id;  ///< the database's, as hexadecimal digits; empty: it has none yet, or it was not seen
};

/// Looks at the file, its folder, its log and what is in it, as the user that this process runs as. Changes
/// nothing and makes no file, also while daemons have the database open. Blocks, for the damaged pages at
/// most `patience`.
[[nodiscard]] store_check check_store(store::options const& options, std::chrono::milliseconds patience);

}  // namespace engram::daemon

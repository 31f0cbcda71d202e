// What instances say of Claude: why it is not asked, and which models in use end. Pure.
#pragma once

#include "ctl/queue_page.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace engram::ctl {

/// A line for each instance that does not ask Claude; then one for each model whose rate limit is near; then
/// one for each that is gone or ends within 60 days of `now_ms` (since the epoch; none: any that ends).
[[nodiscard]] std::string provider_lines(std::vector<instance_view> const& instances,
                                         std::optional<std::int64_t> now_ms);

}  // namespace engram::ctl

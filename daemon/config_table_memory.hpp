// The part of the table of keys that is about what is remembered: memory, embedding, summary, consolidation.
#pragma once

#include "daemon/config_value.hpp"

#include <span>

namespace engram::daemon {

[[nodiscard]] std::span<config_key const> memory_keys();

}  // namespace engram::daemon

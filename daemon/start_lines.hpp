// What the log says of a start before anything runs: which program, which models, which endpoint.
#pragma once

#include "daemon/settings.hpp"

#include <cstddef>

namespace engram::daemon {

/// One line each: the version with its commit; the models; the endpoint, with the place where the key came
/// from; the limits. What the database is follows when it is open.
void log_start_of(settings const& what, std::size_t file_limit);

}  // namespace engram::daemon

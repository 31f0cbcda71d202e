// Whether Redis is such that jobs would be answered, and kept until they are.
#pragma once

#include "daemon/finding.hpp"
#include "queue/options.hpp"

#include <boost/asio/awaitable.hpp>

namespace engram::daemon {

/// Asks the server; each question has an answer within ten seconds or is a failure. Changes nothing but
/// P:probe, which goes at once. `options.database`: the id of the database as hexadecimal digits; empty:
/// unknown. Throws on cancellation.
boost::asio::awaitable<findings> check_redis(queue::options options);

}  // namespace engram::daemon

// Opening the database at the start, which takes minutes after an upgrade with much to index.
#pragma once

#include "store/database.hpp"
#include "store/options.hpp"
#include "store/sqlite/opening.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include <chrono>
#include <memory>

namespace engram::daemon {

/// Blocks until the database is open. A failure that may pass is met by further tries for as long as
/// `patience`. Meanwhile it asks systemd for more time, says how far it is there and
/// in the log, and heeds the signals of `signals`: SIGTERM and SIGINT end it. Signals that came and did not
/// end it are raised again at its end. `io` must not run yet. Throws store::open_error and
/// store::open_stopped.
[[nodiscard]] std::unique_ptr<store::database> open_store(store::options const& options,
                                                          std::chrono::milliseconds patience,
                                                          store::text_index const& texts,
                                                          boost::asio::signal_set& signals,
                                                          boost::asio::io_context& io);

}  // namespace engram::daemon

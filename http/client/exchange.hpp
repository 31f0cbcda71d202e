// One request and its answer.
#pragma once

#include "base/clock.hpp"
#include "http/client/reply_reader.hpp"
#include "net/io.hpp"
#include "net/stream.hpp"

#include <boost/asio/awaitable.hpp>

#include <span>
#include <string_view>

namespace engram::http {

/// Sends `wire` over `with` and reads one answer, through `scratch`, which is used only while this coroutine
/// runs and may be shared by all connections. The waits end at the deadline of `with`. `sent` becomes the
/// time when all of `wire` was given to the system, and is left alone if that failed. After an outcome other
/// than ok the stream cannot be used any more. Throws on cancellation.
boost::asio::awaitable<net::io_outcome> exchange(net::stream& with, std::string_view wire,
                                                 reply_reader& reader, std::span<char> scratch,
                                                 base::steady_time& sent);

}  // namespace engram::http

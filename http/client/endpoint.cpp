#include "http/client/endpoint.hpp"

#include <algorithm>
#include <utility>

namespace engram::http {

namespace asio = boost::asio;
using std::chrono::steady_clock;

namespace {

constexpr std::size_t scratch_bytes = 16 * 1024;

}  // namespace

endpoint::endpoint(base_url url, std::string const& ca_file, endpoint_limits limits,
                   asio::any_io_executor executor)
    : url_(std::move(url)),
      limits_(limits),
      tls_(url_.tls ? std::make_unique<net::tls_context>(ca_file, url_.host) : nullptr),
      names_(executor, url_.host, url_.port),
      pool_(executor, names_, tls_.get(), limits.idle_timeout, limits.max_idle_connections),
      scratch_(scratch_bytes) {}

asio::awaitable<io_outcome> endpoint::exchange(std::string_view wire, std::unique_ptr<reply>& into,
                                               base::steady_time until) {
    auto lease = pool_.take_idle();
    for (bool reused = bool(lease);; reused = false) {
        if (!lease) {
            auto opened =
                co_await pool_.open(lease, std::min(until, steady_clock::now() + limits_.connect_timeout));
            if (!opened.ok()) co_return opened;
        }
        reply_reader reader(limits_.max_response_bytes);
        ++requests_;
        auto outcome = co_await lease->exchange(wire, reader, scratch_, until);
        if (outcome.ok()) {
            into = std::make_unique<reply>(reader.take());
            if (into->keep_alive) pool_.give_back(std::move(lease));
            co_return outcome;
        }
        lease.reset();
        // The connection died while it was idle, and the request never got through: ask at once on a new one.
        bool const died_idle = reused && outcome.end == io_end::closed && !reader.got_bytes();
        if (!died_idle) co_return outcome;
    }
}

}  // namespace engram::http

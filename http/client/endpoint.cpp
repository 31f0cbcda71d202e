#include "http/client/endpoint.hpp"

#include "http/client/exchange.hpp"

#include <algorithm>
#include <utility>

namespace engram::http {

namespace asio = boost::asio;
using std::chrono::steady_clock;

namespace {

constexpr std::size_t scratch_bytes = 16 * 1024;

std::shared_ptr<net::tls_host> tls_of(base_url const& url, std::string const& ca_file) {
    if (!url.tls) return nullptr;
    return std::make_shared<net::tls_host>(std::make_shared<net::tls_policy const>(ca_file, "http/1.1"),
                                           url.host);
}

}  // namespace

endpoint::endpoint(base_url url, std::string const& ca_file, endpoint_limits limits,
                   asio::any_io_executor executor)
    : url_(std::move(url)),
      limits_(limits),
      tls_(tls_of(url_, ca_file)),
      names_(executor, url_.host, url_.port),
      pool_(executor, names_, tls_, limits.idle_timeout, limits.max_idle_connections),
      scratch_(scratch_bytes) {}

asio::awaitable<io_outcome> endpoint::exchange(std::string_view wire, std::unique_ptr<reply>& into,
                                               base::steady_time until) {
    auto lease = pool_.take_idle();
    for (bool reused = bool(lease);; reused = false) {
        if (!lease) {
            auto opened =
                co_await pool_.open(lease, std::min(until, steady_clock::now() + limits_.connect_timeout));
            opened.connected = opened.ok();
            if (!opened.ok()) co_return opened;
        }
        reply_reader reader(limits_.max_response_bytes, limits_.more_headers);
        ++requests_;
        auto sent = base::steady_time::max();
        lease->set_deadline(until);
        auto outcome = co_await http::exchange(*lease, wire, reader, scratch_, sent);
        if (outcome.ok()) {
            lease->set_deadline(base::steady_time::max());
            into = std::make_unique<reply>(reader.take());
            if (into->keep_alive) pool_.give_back(std::move(lease));
            co_return outcome;
        }
        lease.reset();
        // A connection that had died never took the request. One that closes later may have worked on it.
        bool const failed_to_send = sent == base::steady_time::max();
        bool const at_once = failed_to_send || steady_clock::now() - sent < limits_.died_idle_within;
        bool const died_idle = reused && outcome.end == io_end::closed && !reader.got_bytes() && at_once;
        if (!died_idle) co_return outcome;
    }
}

}  // namespace engram::http

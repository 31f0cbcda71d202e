#include "net/names.hpp"

#include "base/event.hpp"
#include "base/local_lack.hpp"

#include <boost/asio/ip/address.hpp>

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace engram::net {

namespace asio = boost::asio;
using asio::ip::tcp;
using std::chrono::steady_clock;

namespace {

constexpr std::chrono::seconds fresh_for{30};

}  // namespace

struct names::state : std::enable_shared_from_this<names::state> {
    state(asio::any_io_executor executor, std::string h, std::uint16_t p)
        : resolver(executor), settled(executor), host(std::move(h)), port(p) {
        boost::system::error_code ec;
        auto const address = asio::ip::make_address(host, ec);
        if (ec) return;
        numeric = true;
        found.emplace_back(address, port);
    }

    void start() {
        try {
            resolver.async_resolve(
                host, std::to_string(port), tcp::resolver::numeric_service,
                [self = shared_from_this()](boost::system::error_code ec, tcp::resolver::results_type r) {
                    self->finish(ec, r);
                });
            looking = true;
        } catch (std::runtime_error const& e) {
            lack = base::local_lack(e);  // no thread could be started for it
            problem = e.what();
        }
    }

    void finish(boost::system::error_code ec, tcp::resolver::results_type const& results) {
        looking = false;
        problem = ec ? ec.message() : std::string();
        lack = ec ? base::local_lack(ec) : std::string();
        if (ec && lack.empty()) lack = base::lack_of_files();
        if (!ec) {
            found.assign(results.begin(), results.end());
            since = steady_clock::now();
            put_first(preferred);
        }
        settled.notify_all();
    }

    void put_first(tcp::endpoint const& address) {
        auto const at = std::find(found.begin(), found.end(), address);
        if (at != found.end()) std::rotate(found.begin(), at, at + 1);
    }

    tcp::resolver resolver;
    base::event settled;
    std::string host;
    std::uint16_t port;
    bool numeric = false;
    bool looking = false;
    addresses found;
    base::steady_time since{};
    tcp::endpoint preferred;
    std::string problem;  // of the last lookup
    std::string lack;     // of this machine, if that was why
};

names::names(asio::any_io_executor executor, std::string host, std::uint16_t port)
    : state_(std::make_shared<state>(executor, std::move(host), port)) {}

names::~names() {
    state_->resolver.cancel();
}

asio::awaitable<base::result<names::addresses, lookup_failure>> names::find(base::steady_time until) {
    auto& s = *state_;
    bool const fresh = s.numeric || (!s.found.empty() && steady_clock::now() - s.since < fresh_for);
    if (!fresh && !s.looking) s.start();
    while (s.found.empty() && s.looking) {
        bool const settled = co_await s.settled.wait_until(until);
        if (!settled)
            co_return lookup_failure{io_end::timed_out,
                                     "no answer from the name service for '" + s.host + "' in time"};
    }
    if (!s.found.empty()) co_return s.found;
    if (!s.lack.empty()) co_return lookup_failure{io_end::lacking, s.lack};
    co_return lookup_failure{io_end::failed, "'" + s.host + "' cannot be resolved: " + s.problem};
}

void names::prefer(tcp::endpoint const& address) {
    state_->preferred = address;
    if (state_->found.empty() || state_->found.front() != address) state_->put_first(address);
}

void names::forget() {
    if (!state_->numeric) state_->found.clear();
}

}  // namespace engram::net

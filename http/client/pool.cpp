#include "http/client/pool.hpp"

#include "base/under_way.hpp"

#include <boost/asio/error.hpp>

#include <algorithm>
#include <utility>

namespace engram::http {

namespace asio = boost::asio;
using net::io_end;
using net::io_outcome;
using std::chrono::steady_clock;

pool::lease::lease(pool* owner, std::shared_ptr<net::stream> c, bool is_open)
    : owner_(owner), is_open_(is_open), connection_(std::move(c)) {
    ++owner_->leased_;
}

pool::lease::lease(lease&& other) noexcept
    : owner_(std::exchange(other.owner_, nullptr)),
      is_open_(other.is_open_),
      connection_(std::move(other.connection_)) {}

pool::lease& pool::lease::operator=(lease&& other) noexcept {
    if (this == &other) return *this;
    reset();
    owner_ = std::exchange(other.owner_, nullptr);
    is_open_ = other.is_open_;
    connection_ = std::move(other.connection_);
    return *this;
}

void pool::lease::reset() {
    connection_.reset();
    auto* const owner = std::exchange(owner_, nullptr);
    if (!owner) return;
    --owner->leased_;
    // One that could not even be opened frees nothing, or those who wait would wake each other for ever.
    if (is_open_) owner->freed_.notify_one();
}

pool::pool(asio::any_io_executor executor, net::names& hosts, std::shared_ptr<net::tls_host> tls,
           std::chrono::milliseconds idle_timeout, std::size_t max_idle)
    : executor_(executor),
      hosts_(hosts),
      tls_(std::move(tls)),
      idle_timeout_(idle_timeout),
      max_idle_(max_idle),
      freed_(executor),
      timer_(executor) {}

pool::lease pool::take_idle() {
    while (!idle_.empty()) {
        auto candidate = std::move(idle_.back());
        idle_.pop_back();
        bool const young = steady_clock::now() - candidate.since < idle_timeout_;
        if (young && candidate.connection->is_quiet())
            return lease(this, std::move(candidate.connection), true);
    }
    return {};
}

asio::awaitable<io_outcome> pool::open(lease& into, base::steady_time until) {
    auto addresses = co_await hosts_.find(until);
    if (addresses.has_error()) {
        auto const why = addresses.error();
        co_return io_outcome{why.end, why.what};
    }
    into = lease(this, std::make_shared<net::stream>(executor_, tls_), false);
    auto outcome = co_await into->open(std::move(*addresses), until);
    if (outcome.ok()) {
        into.is_open_ = true;
        hosts_.prefer(into->remote());
    } else {
        into.reset();
        if (outcome.end != io_end::lacking) hosts_.forget();
    }
    co_return outcome;
}

asio::awaitable<void> pool::wait_for_free(base::steady_time until) {
    co_await freed_.wait_until(until);
}

void pool::give_back(lease l) {
    if (closed_ || max_idle_ == 0) return;
    if (idle_.size() >= max_idle_) idle_.erase(idle_.begin());
    idle_.push_back({l.connection_, steady_clock::now()});
    expire_later();
}

void pool::close() {
    closed_ = true;
    idle_.clear();
    timer_.cancel();
}

void pool::expire_later() {
    if (expiring_ || idle_.empty()) return;
    base::under_way marked(expiring_);
    timer_.expires_at(idle_.front().since + idle_timeout_);
    timer_.async_wait([this, alive = std::weak_ptr(alive_)](boost::system::error_code ec) {
        if (alive.expired()) return;
        expiring_ = false;
        if (ec != asio::error::operation_aborted) expire();
    });
    marked.keep();
}

void pool::expire() {
    auto const now = steady_clock::now();
    auto const young = std::find_if(idle_.begin(), idle_.end(),
                                    [&](auto const& w) { return now - w.since < idle_timeout_; });
    idle_.erase(idle_.begin(), young);
    expire_later();
}

}  // namespace engram::http

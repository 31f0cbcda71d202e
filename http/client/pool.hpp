// The connections of a client: those under use and those that wait for the next call.
#pragma once

#include "base/clock.hpp"
#include "base/event.hpp"
#include "base/result.hpp"
#include "net/io.hpp"
#include "net/names.hpp"
#include "net/stream.hpp"
#include "net/tls.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include <cstddef>
#include <memory>
#include <vector>

namespace engram::http {

/// Newest idle connection first out, so that those that are not needed grow old and are closed. All calls
/// from one executor; must outlive its leases.
class pool {
public:
    /// A connection under use; closed with the lease unless it was given back.
    class lease {
    public:
        lease() = default;
        lease(lease&& other) noexcept;
        lease& operator=(lease&& other) noexcept;
        ~lease() { reset(); }
        explicit operator bool() const { return connection_ != nullptr; }
        net::stream& operator*() const { return *connection_; }
        net::stream* operator->() const { return connection_.get(); }
        void reset();

    private:
        friend class pool;
        lease(pool* owner, std::shared_ptr<net::stream> c, bool is_open);
        pool* owner_ = nullptr;
        bool is_open_ = false;
        std::shared_ptr<net::stream> connection_;
    };

    pool(boost::asio::any_io_executor executor, net::names& hosts, std::shared_ptr<net::tls_host> tls,
         std::chrono::milliseconds idle_timeout, std::size_t max_idle);

    /// An idle connection that is still good, or an empty lease.
    [[nodiscard]] lease take_idle();
    /// Puts a new connection into `into`. Throws on cancellation.
    boost::asio::awaitable<net::io_outcome> open(lease& into, base::steady_time until);
    void give_back(lease l);
    /// Until a connection that was under use is idle or closed, or `until`. Throws on cancellation.
    boost::asio::awaitable<void> wait_for_free(base::steady_time until);

    /// Closes the idle ones; what is given back from now on is closed too.
    void close();

    [[nodiscard]] std::size_t idle() const { return idle_.size(); }
    [[nodiscard]] std::size_t connections() const { return idle_.size() + leased_; }

private:
    struct waiting {
        std::shared_ptr<net::stream> connection;
        base::steady_time since;
    };
    void expire_later();
    void expire();

    boost::asio::any_io_executor executor_;
    net::names& hosts_;
    std::shared_ptr<net::tls_host> tls_;
    std::chrono::milliseconds idle_timeout_;
    std::size_t max_idle_;
    std::vector<waiting> idle_;  // oldest first
    std::size_t leased_ = 0;
    base::event freed_;
    bool closed_ = false;
    bool expiring_ = false;  // the timer is armed
    std::shared_ptr<int> alive_ =
        std::make_shared<int>(0);  // for the timer's handler, which may outlive this
    boost::asio::steady_timer timer_;
};

}  // namespace engram::http

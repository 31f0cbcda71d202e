// Jobs that operators and producers want to be cancelled, in P:cancel.
#pragma once

#include "queue/options.hpp"
#include "queue/trouble_note.hpp"
#include "redis/client.hpp"

#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <string>

namespace engram::queue {

/// Carries out what is asked for, one after the other: each entry, {"user_id":…,"id":…}, ends the jobs of
/// this user with this id that wait, wherever they are, with the error `cancelled`. One that runs is left
/// alone, and requests of P:admin are no jobs. Several daemons may do the same. What it refers to must
/// outlive it. All calls from one executor.
class cancel_list {
public:
    cancel_list(options const& options, redis::client& connection);

    /// Until the list is empty, or Redis fails: what is left is there the next time. Throws on cancellation
    /// alone.
    boost::asio::awaitable<void> carry_out();
    /// Jobs, by this instance, so far.
    [[nodiscard]] std::uint64_t cancelled() const { return cancelled_; }
    [[nodiscard]] trouble_note& trouble() { return trouble_; }
    [[nodiscard]] trouble_note const& trouble() const { return trouble_; }

private:
    struct wanted {
        std::string user, id;
    };
    static bool read(std::string const& entry, wanted& into);
    boost::asio::awaitable<bool> cancel(wanted const& what);
    boost::asio::awaitable<redis::result<bool>> cancel_once(wanted const& what);

    options const& options_;
    redis::client& connection_;
    std::string key_;
    std::uint64_t cancelled_ = 0;
    trouble_note trouble_{"the list of jobs to be cancelled"};
};

}  // namespace engram::queue

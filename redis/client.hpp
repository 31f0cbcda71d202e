// A connection to Redis that many coroutines share.
#pragma once

#include "base/event.hpp"
#include "base/repeated.hpp"
#include "net/connector.hpp"
#include "net/stream.hpp"
#include "redis/locator.hpp"
#include "redis/options.hpp"
#include "redis/resp.hpp"
#include "redis/url.hpp"
#include "redis/value.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace engram::redis {

struct greeting;

/// Commands of many coroutines travel over one connection, pipelined: what is asked in one turn of the loop
/// goes out in one write, answers come back in order. `run()` connects, and connects again with growing
/// pauses whenever the connection is lost, is no longer to a master, or another node of the cluster has our
/// keys.
///
/// States: down (no connection; commands wait for one until their deadline) and up (commands are written at
/// once). Invariants: `waiting_` holds one entry for each command written on the present connection and not
/// yet answered, in order. An entry whose caller has left (deadline, cancellation) is null: its answer is
/// dropped. A command that was written when the connection was lost fails with `disconnected`; it
/// is never sent again by this class, since it may have run.
///
/// All calls from one executor. The object must outlive every coroutine that calls it.
class client {
public:
    /// `name` is shown by CLIENT LIST. Throws std::invalid_argument if the URL cannot be read,
    /// std::runtime_error if the CA file cannot.
    client(options options, std::string name, boost::asio::any_io_executor executor);
    ~client();
    client(client const&) = delete;
    client& operator=(client const&) = delete;

    /// Keeps the connection until cancelled.
    boost::asio::awaitable<void> run();

    /// Sends one command and returns its answer; an error answer of Redis becomes `refused`. The arguments
    /// are copied before the first wait. No connection within the command timeout: `disconnected`. No answer
    /// within the command timeout after it was written: `timeout`, and the connection is given up as dead.
    /// One that belongs to another node of a cluster is sent there, once. `patience` is added to the timeout
    /// for a command that blocks on purpose. Throws only on cancellation of the caller.
    boost::asio::awaitable<result<value>> command(std::vector<std::string_view> arguments,
                                                  std::chrono::milliseconds patience = {});

    [[nodiscard]] bool is_up() const { return up_; }
    /// Resumes when a connection stands, or at `until`: is_up().
    boost::asio::awaitable<bool> wait_until_up(base::steady_time until);
    /// Resumes when a connection has stood for a moment and Redis has just answered on it, or at `until`:
    /// whether it is so. If it is then lost with a command on it, it is most likely the command's fault.
    boost::asio::awaitable<bool> wait_until_steady(base::steady_time until);
    /// Why there is no connection; empty if there is one.
    [[nodiscard]] std::string const& trouble() const { return trouble_; }
    /// There is none because the server refuses the password or the user, or wants one.
    [[nodiscard]] bool is_locked_out() const { return is_locked_out_; }
    /// What is odd about the server of the present or the latest connection, a sentence each.
    [[nodiscard]] std::vector<std::string> const& remarks() const { return remarks_; }
    [[nodiscard]] server_address const& address() const { return address_; }
    /// Connections made so far: a change means that commands may have been lost.
    [[nodiscard]] std::uint64_t generation() const { return generation_; }

private:
    struct pending {
        explicit pending(boost::asio::any_io_executor const& executor) : wake(executor) {}
        boost::asio::steady_timer wake;  // set to the command's deadline, cancelled by the answer
        bool answered = false;
        bool lost = false;
        value value;
    };

    boost::asio::awaitable<result<value>> send(std::string const& bytes, std::chrono::milliseconds limit,
                                               std::uint64_t& written_on);
    boost::asio::awaitable<bool> answers();
    boost::asio::awaitable<greeting> open_connection(base::steady_time until);
    boost::asio::awaitable<void> serve_connection();
    boost::asio::awaitable<std::string> read_answers();
    boost::asio::awaitable<std::string> write_commands();
    bool deliver(value value);
    void look_for_the_master(std::string_view error);
    void give_up(std::string why);
    void lose_connection(std::string why);

    options options_;
    std::string name_;
    locator locator_;
    server_address address_;  // of the present or the latest connection
    net::connector connector_;
    boost::asio::any_io_executor executor_;

    std::shared_ptr<net::stream> stream_;
    resp_reader reader_;
    bool up_ = false;
    base::steady_time up_since_{};
    std::uint64_t generation_ = 0;
    std::string trouble_ = "not connected yet";
    bool is_locked_out_ = false;
    std::vector<std::string> remarks_;
    base::repeated failures_;  // to connect, or to stay connected
    std::string outbox_;
    std::deque<pending*> waiting_;
    base::event something_to_write_;
    base::event came_up_;
    base::event give_up_;
    bool dead_ = false;  // the connection is to be replaced
    std::string give_up_reason_;
    bool redirected_ = false;  // by the present connection
};

}  // namespace engram::redis

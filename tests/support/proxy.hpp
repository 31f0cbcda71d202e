// A cable between a client and Redis that a test can cut.
#pragma once

#include "base/event.hpp"
#include "base/task_group.hpp"
#include "support/loop.hpp"
#include "support/temporary_folder.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>

#include <functional>
#include <list>
#include <memory>
#include <string>

namespace engram::test {

/// Listens on a Unix socket and passes everything on to another. Must outlive its clients.
class proxy {
public:
    proxy(loop& on, std::string upstream);
    ~proxy();
    proxy(proxy const&) = delete;
    proxy& operator=(proxy const&) = delete;

    [[nodiscard]] std::string url() const { return "unix://" + path_; }

    /// The next request that holds `part` is passed on and carried out, its answer is lost with the
    /// connection.
    void lose_answer_to(std::string part) { wanted_ = std::move(part); }
    /// How many answers were lost so.
    [[nodiscard]] std::size_t lost() const { return lost_; }

    /// `act` is called once, before the next request that holds `part` is passed on.
    void before(std::string part, std::function<void()> act) {
        awaited_ = std::move(part);
        act_ = std::move(act);
    }

    /// Holds everything back, in both directions, until let_go().
    void hold() { holding_ = true; }
    void let_go();

    /// How often `part` was in what went to Redis, held back or passed on, since the last forget().
    [[nodiscard]] std::size_t asked(std::string const& part) const { return count(asked_, part); }
    /// The same of what came from Redis.
    [[nodiscard]] std::size_t heard(std::string const& part) const { return count(heard_, part); }
    void forget() {
        asked_.clear();
        heard_.clear();
    }

private:
    using local = boost::asio::local::stream_protocol;
    struct link {
        link(local::socket client, boost::asio::io_context& io) : down(std::move(client)), up(io) {}
        local::socket down, up;
        bool losing = false;
    };
    task<void> accept();
    task<void> pass_requests(std::shared_ptr<link> on);
    task<void> pass_answers(std::shared_ptr<link> on);
    task<void> while_held();
    static std::size_t count(std::string const& in, std::string const& part);

    loop& loop_;
    std::string upstream_;
    temporary_folder folder_;
    std::string path_;
    local::acceptor acceptor_;
    base::task_group tasks_;
    base::event freed_;
    bool holding_ = false;
    std::string wanted_, awaited_;
    std::function<void()> act_;
    std::size_t lost_ = 0;
    std::string asked_, heard_;
};

}  // namespace engram::test

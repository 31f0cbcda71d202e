// The first words on a new connection to Redis.
#pragma once

#include "base/clock.hpp"
#include "net/stream.hpp"
#include "redis/resp.hpp"
#include "redis/url.hpp"
#include "redis/value.hpp"

#include <boost/asio/awaitable.hpp>

#include <string>
#include <vector>

namespace engram::redis {

/// "host:port" of the nodes of the cluster that the server belongs to; none if it belongs to none.
using cluster_nodes = std::vector<std::string>;

/// Sends one command and waits for its answer, until `until`, on a connection that nobody else uses. The
/// error is a text for people; an error answer of Redis is a value. Throws on cancellation, like the others
/// here.
boost::asio::awaitable<base::result<value, std::string>> ask(net::stream& with, resp_reader& reader,
                                                             std::vector<std::string> command,
                                                             base::steady_time until);

/// What a server said.
struct greeting {
    std::string problem;         ///< why it cannot be used; empty if it can
    bool refuses_login = false;  ///< the problem is the password or the user, or that there is none
    std::vector<std::string> remarks = {};  ///< what is odd about it though it can be used, a sentence each
    cluster_nodes nodes = {};
};

/// AUTH and SELECT as `address` says, the connection's name, and whether this Redis can be used: it has
/// loaded its data and is a master. Of the rest, what a restricted user may not ask is left out, and what the
/// server does not know or refuses for another reason is a remark at most: only an answer which says that
/// every command would be refused is a problem.
boost::asio::awaitable<greeting> greet(net::stream& with, resp_reader& reader, server_address address,
                                       std::string name, base::steady_time until);

/// AUTH alone, for a Sentinel.
boost::asio::awaitable<greeting> log_in(net::stream& with, resp_reader& reader, server_address address,
                                        base::steady_time until);

}  // namespace engram::redis

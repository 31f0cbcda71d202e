// Which Redis to connect to: the one that was configured, the master that Sentinel names, or the node of a
// cluster that has our keys.
#pragma once

#include "net/connector.hpp"
#include "redis/greeting.hpp"
#include "redis/options.hpp"
#include "redis/url.hpp"

#include <boost/asio/awaitable.hpp>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace engram::redis {

/// States: no redirect (the Sentinels are asked; without any, the configured server and then the other nodes
/// of its cluster are tried in turn) and redirected (a node said who has our keys; until that one fails).
class locator {
public:
    /// Throws std::invalid_argument if an address cannot be read.
    explicit locator(options const& options);

    /// Where to connect next; Sentinels are reached by `by`. The error is a text for people. Throws on
    /// cancellation.
    boost::asio::awaitable<base::result<server_address, std::string>> find(net::connector const& by,
                                                                           base::steady_time until);

    /// What find() named knows these nodes of its cluster, whether it can be used or not.
    void learn(cluster_nodes nodes);
    /// What find() named could be used.
    void found() { next_ = 0; }
    /// What find() named could not be used, or was lost.
    void failed();
    /// `MOVED <slot> <host>:<port>`, said by the server at `by`. False if it cannot be read.
    bool moved(std::string_view answer, server_address const& by);

    [[nodiscard]] server_address const& configured() const { return configured_; }
    /// Whether any of the addresses is one of TLS.
    [[nodiscard]] bool needs_tls() const;

private:
    boost::asio::awaitable<base::result<server_address, std::string>> ask_sentinels(net::connector const& by,
                                                                                    base::steady_time until);
    boost::asio::awaitable<base::result<server_address, std::string>> ask_sentinel(net::connector const& by,
                                                                                   server_address sentinel,
                                                                                   base::steady_time until);
    [[nodiscard]] std::optional<server_address> with_place(std::string_view host_and_port) const;

    server_address configured_;
    std::vector<server_address> sentinels_;  // the one that answered last stands first
    std::string service_;
    std::vector<server_address> nodes_;
    std::size_t next_ = 0;  // of configured_ and nodes_
    std::optional<server_address> redirect_;
};

/// The address of a Sentinel: `host`, `host:port` (default 26379), or a URL as options::url.
[[nodiscard]] base::result<server_address, std::string> parse_sentinel(std::string_view text);

}  // namespace engram::redis

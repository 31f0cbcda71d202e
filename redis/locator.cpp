#include "redis/locator.hpp"

#include <algorithm>
#include <charconv>
#include <stdexcept>
#include <utility>

namespace engram::redis {

namespace asio = boost::asio;
using located = base::result<server_address, std::string>;

namespace {

constexpr std::uint16_t sentinel_port = 26379;

bool is_same_place(server_address const& a, server_address const& b) {
    return a.host == b.host && a.port == b.port;
}

}  // namespace

located parse_sentinel(std::string_view text) {
    if (text.find("://") != std::string_view::npos) return parse_url(text);
    if (text.empty() || text.find_first_of("/@") != std::string_view::npos)
        return std::string("must be host:port or a redis:// URL");
    auto address = parse_url("redis://" + std::string(text));
    bool const has_port = text.rfind(':') != std::string_view::npos && !text.ends_with(']');
    if (address && !has_port) address->port = sentinel_port;
    return address;
}

locator::locator(options const& options) : service_(options.service) {
    auto address = parse_url(options.url);
    if (!address) throw std::invalid_argument("the Redis URL " + address.error());
    configured_ = std::move(*address);
    for (auto const& text : options.sentinels) {
        auto sentinel = parse_sentinel(text);
        if (!sentinel) throw std::invalid_argument("a Sentinel's address " + sentinel.error());
        sentinels_.push_back(std::move(*sentinel));
    }
}

bool locator::needs_tls() const {
    auto const is_tls = [](server_address const& a) { return a.kind == server_address::kind::tls; };
    return is_tls(configured_) || std::ranges::any_of(sentinels_, is_tls);
}

asio::awaitable<located> locator::find(net::connector const& by, base::steady_time until) {
    if (redirect_) co_return *redirect_;
    if (sentinels_.empty()) {
        auto const at = next_ % (nodes_.size() + 1);
        co_return at == 0 ? configured_ : nodes_[at - 1];
    }
    auto master = co_await ask_sentinels(by, until);
    co_return master;
}

void locator::learn(cluster_nodes nodes) {
    if (nodes.empty()) return;
    nodes_.clear();
    for (auto const& text : nodes) {
        if (auto node = with_place(text)) nodes_.push_back(std::move(*node));
    }
}

void locator::failed() {
    if (redirect_) {
        redirect_.reset();
        return;
    }
    ++next_;
    // The Sentinel that was believed may be cut off from the others, and not know of a new master.
    if (!sentinels_.empty()) std::rotate(sentinels_.begin(), sentinels_.begin() + 1, sentinels_.end());
}

bool locator::moved(std::string_view answer, server_address const& by) {
    auto const blank = answer.rfind(' ');
    if (blank == std::string_view::npos) return false;
    auto place = with_place(answer.substr(blank + 1));
    if (!place) return false;
    if (place->host.empty()) place->host = by.host;
    redirect_ = std::move(*place);
    return true;
}

// The configured address, but elsewhere. A cluster writes an IPv6 address without brackets.
std::optional<server_address> locator::with_place(std::string_view host_and_port) const {
    auto const colon = host_and_port.rfind(':');
    if (colon == std::string_view::npos) return std::nullopt;
    auto const port = host_and_port.substr(colon + 1);
    auto place = configured_;
    auto const [end, error] = std::from_chars(port.data(), port.data() + port.size(), place.port);
    if (error != std::errc() || end != port.data() + port.size() || place.port == 0) return std::nullopt;
    if (place.kind == server_address::kind::local) place.kind = server_address::kind::tcp;
    place.host = host_and_port.substr(0, colon);
    return place;
}

asio::awaitable<located> locator::ask_sentinels(net::connector const& by, base::steady_time until) {
    std::string problems;
    for (std::size_t i = 0; i < sentinels_.size(); ++i) {
        // Each but the last gets half of the time that is left, so that a Sentinel that never answers does
        // not use up the time of the next.
        auto const now = base::steady_time::clock::now();
        auto const limit = i + 1 < sentinels_.size() ? now + (until - now) / 2 : until;
        auto const sentinel = sentinels_[i];
        auto master = co_await ask_sentinel(by, sentinel, limit);
        if (master) {
            auto const answered = std::ranges::find_if(
                sentinels_, [&](server_address const& one) { return is_same_place(one, sentinel); });
            std::rotate(sentinels_.begin(), answered, answered + 1);
            co_return master;
        }
        problems += (problems.empty() ? "" : "; ") + master.error();
    }
    co_return problems;
}

asio::awaitable<located> locator::ask_sentinel(net::connector const& by, server_address sentinel,
                                               base::steady_time until) {
    auto const name = "sentinel " + sentinel.to_text();
    auto link = co_await by.connect(sentinel, until);
    if (!link) co_return name + ": " + link.error();
    resp_reader reader;
    auto const greeted = co_await log_in(**link, reader, sentinel, until);
    if (!greeted.problem.empty()) co_return name + ": " + greeted.problem;
    auto const said = co_await ask(**link, reader, {"SENTINEL", "GET-MASTER-ADDR-BY-NAME", service_}, until);
    if (!said) co_return name + ": " + said.error();
    if (said->kind == value_kind::error) co_return name + ": " + said->text;
    if (said->items.size() != 2) co_return name + " knows no service " + service_;
    auto place = with_place(said->items[0].text + ":" + said->items[1].text);
    if (!place) co_return name + " names no usable address";
    co_return std::move(*place);
}

}  // namespace engram::redis

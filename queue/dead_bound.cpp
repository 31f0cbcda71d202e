#include "queue/dead_bound.hpp"

#include "base/log.hpp"
#include "queue/scripts.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <chrono>
#include <string>
#include <vector>

namespace engram::queue {

namespace asio = boost::asio;
using std::chrono::milliseconds;

namespace {

// Also so that the letters of a user can be erased between two looks: that begins anew whenever one goes.
constexpr std::chrono::minutes pause{1};

constexpr char const* any_age = "0";

}  // namespace

dead_bound::dead_bound(options const& options, redis::client& connection)
    : options_(options), connection_(connection) {}

bool dead_bound::is_set() const {
    return options_.dead_max_count > 0 || options_.dead_max_age.count() > 0;
}

asio::awaitable<void> dead_bound::keep() {
    asio::steady_timer timer(co_await asio::this_coro::executor);
    for (;;) {
        co_await look();
        timer.expires_after(pause);
        co_await timer.async_wait(asio::use_awaitable);
    }
}

asio::awaitable<dropped_letters> dead_bound::look() {
    auto const key = options_.prefix + ":jobs";
    std::vector<std::string> arguments{options_.prefix, "", std::to_string(options_.dead_max_count),
                                       std::to_string(milliseconds(options_.dead_max_age).count())};
    if (now_ && options_.dead_max_age.count() > 0) {
        auto const now = co_await now_();
        if (now)
            arguments.push_back(std::to_string(base::to_unix_ms(*now)));
        else
            arguments.back() = any_age;
    }
    dropped_letters dropped;
    for (bool more = true; more;) {
        auto const answer = co_await all_scripts().dead_trim.run(connection_, key, arguments);
        if (!answer) {
            trouble_.note(answer.error(), "dropping dead letters");
            break;
        }
        trouble_.clear();
        if (answer->items.size() != 3) break;
        dropped.too_old += std::uint64_t(answer->items[0].as_integer());
        dropped.too_many += std::uint64_t(answer->items[1].as_integer());
        more = answer->items[2].as_integer() != 0;
    }
    auto const sum = dropped.too_old + dropped.too_many;
    dropped_ += sum;
    if (sum > 0)
        base::log_info("dead letters were dropped", {{"too_old", dropped.too_old},
                                                     {"too_many", dropped.too_many},
                                                     {"of", options_.prefix + ":dead"}});
    co_return dropped;
}

}  // namespace engram::queue

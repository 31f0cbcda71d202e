#include "workers/chat/time_zones.hpp"

#include "base/event.hpp"

#include <boost/asio/post.hpp>

#include <utility>

namespace engram::workers {

namespace asio = boost::asio;

namespace {

struct lookup {
    explicit lookup(asio::any_io_executor executor) : ended(std::move(executor)) {}

    base::event ended;
    bool is_ended = false;
    std::shared_ptr<time_zone const> zone;
};

}  // namespace

// For UTC no file is read.
time_zones::time_zones(asio::any_io_executor executor)
    : executor_(std::move(executor)), known_{{"UTC", time_zone::open("UTC")}}, reader_(1) {}

time_zones::~time_zones() {
    reader_.stop();
    reader_.join();
}

asio::awaitable<time_zone const*> time_zones::find(std::string name) {
    if (auto const at = known_.find(name); at != known_.end()) co_return at->second.get();
    auto const one = std::make_shared<lookup>(executor_);
    // The reader keeps nothing of it: the last who lets go of it has to be on this executor.
    asio::post(reader_, [one, name, executor = executor_]() mutable {
        auto zone = time_zone::open(name);
        asio::post(executor, [one = std::move(one), zone = std::move(zone)]() mutable {
            one->zone = std::move(zone);
            one->is_ended = true;
            one->ended.notify_all();
        });
    });
    while (!one->is_ended)
        co_await one->ended.wait();
    if (one->zone == nullptr) co_return nullptr;
    auto const known = known_.try_emplace(std::move(name), one->zone).first;
    co_return known->second.get();
}

}  // namespace engram::workers

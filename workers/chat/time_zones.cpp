#include "workers/chat/time_zones.hpp"

#include "base/event.hpp"

#include <boost/asio/post.hpp>

#include <exception>
#include <utility>

namespace engram::workers {

namespace asio = boost::asio;

namespace {

struct read_zone {
    std::shared_ptr<time_zone const> zone;
    std::string problem;  // why it could not be read; empty: it was, or there is none
};

struct lookup {
    explicit lookup(asio::any_io_executor executor) : ended(std::move(executor)) {}

    base::event ended;
    bool is_ended = false;
    read_zone found;
};

// Nothing may be thrown out of the reader's thread: the program would end, and whoever waits be forgotten.
read_zone read(std::string const& name) {
    try {
        return {time_zone::open(name), {}};
    } catch (std::exception const& failure) {
        return {nullptr, failure.what()};
    }
}

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
        auto found = read(name);
        asio::post(executor, [one = std::move(one), found = std::move(found)]() mutable {
            one->found = std::move(found);
            one->is_ended = true;
            one->ended.notify_all();
        });
    });
    while (!one->is_ended)
        co_await one->ended.wait();
    if (!one->found.problem.empty()) throw unreadable_zone(one->found.problem);
    if (one->found.zone == nullptr) co_return nullptr;
    auto const known = known_.try_emplace(std::move(name), one->found.zone).first;
    co_return known->second.get();
}

}  // namespace engram::workers

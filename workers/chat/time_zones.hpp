// The time zones that jobs name.
#pragma once

#include "workers/time_zone.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/thread_pool.hpp>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace engram::workers {

/// Finds time zones without reading a file on the caller's thread: a thread of its own does. Each zone is
/// read once; what is kept is bounded by the system's table (600 zones of about 20 KiB). All calls from
/// one executor, which must outlive this.
class time_zones {
public:
    explicit time_zones(boost::asio::any_io_executor executor);
    time_zones(time_zones const&) = delete;
    time_zones& operator=(time_zones const&) = delete;
    ~time_zones();

    /// Null: there is none with this name. The result lives as long as this. Throws unreadable_zone if it
    /// cannot be read now, whatever the reason; the next call looks again. Throws on cancellation.
    boost::asio::awaitable<time_zone const*> find(std::string name);

private:
    boost::asio::any_io_executor executor_;
    std::map<std::string, std::shared_ptr<time_zone const>, std::less<>> known_;
    boost::asio::thread_pool reader_;  // last: its thread ends first
};

}  // namespace engram::workers

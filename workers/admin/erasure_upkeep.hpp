// Finishes erasures that were begun by requests, of this daemon or another, before or after a restart.
#pragma once

#include "base/clock.hpp"
#include "base/part.hpp"
#include "base/repeated.hpp"
#include "store/memories.hpp"
#include "workers/admin/admin.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <chrono>

namespace engram::workers {

struct erasure_upkeep_options {
    std::chrono::milliseconds look{5'000};     ///< between two looks for one that is due
    std::chrono::milliseconds claim{600'000};  ///< nobody else takes the same one so long
};

/// One loop. All calls from one executor; what it refers to must outlive it. stop() before it goes.
class erasure_upkeep {
public:
    erasure_upkeep(erasure_upkeep_options options, store::memories& store, admin& requests,
                   base::clock const& clock, boost::asio::any_io_executor executor);

    void start();
    /// Cancels what runs: it is claimed again when the claim ends.
    boost::asio::awaitable<void> stop();

private:
    boost::asio::awaitable<void> run();
    void tell(store::error const& why);

    erasure_upkeep_options options_;
    store::memories& store_;
    admin& requests_;
    base::clock const& clock_;
    boost::asio::any_io_executor executor_;
    base::repeated failures_;
    base::part tasks_;
};

}  // namespace engram::workers

// The running daemon: its parts, in the order in which they start and stop.
#pragma once

#include "base/clock.hpp"
#include "base/event.hpp"
#include "base/part.hpp"
#include "claude/client.hpp"
#include "claude/gate.hpp"
#include "daemon/config.hpp"
#include "daemon/model_watch.hpp"
#include "daemon/pace_share.hpp"
#include "daemon/readiness.hpp"
#include "daemon/status.hpp"
#include "embedding/client.hpp"
#include "queue/admin_queue.hpp"
#include "queue/job_queue.hpp"
#include "queue/user_traces.hpp"
#include "store/database.hpp"
#include "store/health.hpp"
#include "workers/admin/admin.hpp"
#include "workers/admin/erasure_upkeep.hpp"
#include "workers/background/consolidator.hpp"
#include "workers/background/safe_time.hpp"
#include "workers/background/summary_pool.hpp"
#include "workers/background/upkeep.hpp"
#include "workers/chat/chat_turn.hpp"
#include "workers/chat/recollection.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace engram::daemon {

/// Everything that runs, wired up. Made before the loop runs (it opens the database, which blocks), destroyed
/// after run() has returned.
class service {
public:
    /// Re-reads the configuration and the key; null: it could not be read, which has been logged.
    struct reloaded {
        config fresh;  ///< with the key of the embedding endpoint
        base::secret key;
    };
    using reload = std::function<std::unique_ptr<reloaded>()>;

    /// Throws store::open_error, store::open_stopped if a signal ended the opening of the database, and
    /// std::invalid_argument or std::runtime_error for settings that cannot be
    /// used.
    service(config config, base::secret key, reload reload, boost::asio::io_context& io);

    /// Takes and answers jobs and requests until SIGTERM or SIGINT, then lets what runs end
    /// (`queue.drain_ms`) and gives the rest back. A second signal gives it back at once, whatever is being
    /// waited for (where Redis does not answer, after some seconds). SIGHUP reloads.
    boost::asio::awaitable<void> run();

    /// Of sysexits.h: how the process is to end after run(). EX_TEMPFAIL: it ended by itself, and should be
    /// started again.
    [[nodiscard]] int exit_status() const { return exit_status_; }

private:
    boost::asio::awaitable<void> watch_signals();
    boost::asio::awaitable<void> tell_of_database();
    boost::asio::awaitable<void> forget_again();
    boost::asio::awaitable<void> watch_store();
    boost::asio::awaitable<void> tell_systemd();
    void log_readiness(status const& now);
    [[nodiscard]] status current_status() const;
    [[nodiscard]] std::string store_trouble() const;
    void start_queue();
    void start_parts();
    boost::asio::awaitable<void> stop_parts();
    void begin_stop();
    void give_up(std::string const& why);
    void hurry();
    void reload_config();
    void apply_intake();

    boost::asio::signal_set signals_;  // first: a signal that comes while the database is opened is not lost
    config config_;
    reload reload_;
    base::clock machine_clock_;
    workers::stored_clock clock_;  // for everything but the question of how late it is
    base::part part_;
    base::event stop_;
    bool stopping_ = false;
    int exit_status_ = 0;
    base::steady_time stop_by_ = base::steady_time::max();  // what runs may end by itself until then
    bool was_ready_ = false;
    base::steady_time started_ = base::steady_time::max();
    readiness readiness_;
    // Destroyed from the last to the first, after stop_parts() has ended every task: until then queue_ and
    // admin_queue_ call what stands below them.
    workers::recollection texts_;
    std::unique_ptr<store::database> store_;
    store::health health_;
    std::string not_forgotten_;  // why users who were forgotten may still be in it; empty: they are not
    std::unique_ptr<claude::client> claude_;
    std::unique_ptr<embedding::client> embedder_;  // null: none is configured
    queue::job_queue queue_;
    queue::admin_queue admin_queue_;
    claude::gate gate_;
    model_watch models_;
    pace_share pace_;
    workers::safe_time safe_time_;
    std::optional<std::size_t> room_;  // jobs that the provider has room for; none: it is no bound
    workers::summary_pool summaries_;
    workers::consolidator consolidator_;
    workers::upkeep upkeep_;
    queue::redis_traces traces_;
    workers::admin admin_;
    workers::erasure_upkeep erasures_;
    workers::chat_turn chat_;
};

}  // namespace engram::daemon

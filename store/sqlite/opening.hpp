// Opening a database that has to be brought up to date first, which may take minutes.
#pragma once

#include "store/sqlite/connection.hpp"
#include "store/sqlite/sqlite_store.hpp"

#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>

namespace engram::store {

struct opening_progress {
    char const* what = "";          ///< in a few words
    std::size_t done = 0, all = 0;  ///< texts; 0 of 0: cannot be told
};

/// Told of the opening some times a second, on the thread that opens.
class opening_watch {
public:
    virtual ~opening_watch() = default;
    /// False: the opening is to end. Must not throw.
    virtual bool go_on(opening_progress const& now) = 0;
    /// The next step may take minutes in which go_on() is not called. Must not throw.
    virtual void before_long_step() {}
};

/// The watch ended the opening. What was done stays or is undone; the next opening carries on.
struct open_stopped : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// As open_sqlite() of sqlite_store.hpp. While another process brings the database up to date it waits,
/// longer than for a lock. `watch` must outlive the call. Throws open_error and open_stopped.
[[nodiscard]] std::unique_ptr<database> open_sqlite(options const& options,
                                                    boost::asio::any_io_executor executor,
                                                    text_index const* texts, opening_watch& watch);

/// An opening under way: asks the watch, also while one statement of SQLite runs.
class opening {
public:
    /// `watch` may be null: then nothing is told, and a lock is waited for no longer than usual.
    explicit opening(opening_watch* watch) : watch_(watch) {}
    opening(opening const&) = delete;
    opening& operator=(opening const&) = delete;

    /// A statement of `db` fails with SQLITE_INTERRUPT once the watch ends the opening.
    void attach(connection& db);
    void detach(connection& db);

    void report(opening_progress const& now) { now_ = now; }
    /// Throws open_stopped if the opening is to end.
    void check();
    [[nodiscard]] bool stopped() const { return stopped_; }
    void before_long_step() {
        if (watch_ != nullptr) watch_->before_long_step();
    }

    /// Calls `attempt` until the database is not held by another process.
    template <class Attempt>
    auto when_free(connection& db, Attempt const& attempt) {
        shorter_wait const shorter(db, watch_ != nullptr);
        for (;;) {
            try {
                return attempt();
            } catch (sqlite_error const& failed) {
                if (!failed.is_busy() || !may_wait()) throw;
            }
        }
    }

private:
    // So that a signal is heeded while a lock is waited for.
    class shorter_wait {
    public:
        shorter_wait(connection& db, bool really);
        ~shorter_wait();
        shorter_wait(shorter_wait const&) = delete;
        shorter_wait& operator=(shorter_wait const&) = delete;

    private:
        connection& db_;
        std::int64_t usual_;
        bool really_;
    };

    bool ask();
    bool may_wait();

    opening_watch* watch_;
    opening_progress now_;
    std::chrono::steady_clock::time_point begun_ = std::chrono::steady_clock::now();
    std::chrono::steady_clock::time_point asked_{};
    bool stopped_ = false;
};

}  // namespace engram::store

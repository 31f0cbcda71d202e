#include "daemon/opening.hpp"

#include "base/backoff.hpp"
#include "base/log.hpp"
#include "base/repeated.hpp"

#include <boost/asio/steady_timer.hpp>
#include <systemd/sd-daemon.h>

#include <chrono>
#include <csignal>
#include <string>

namespace engram::daemon {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using std::chrono::steady_clock;

namespace {

constexpr auto between_messages = 1s;
constexpr auto between_log_lines = 5s;
// From each message on: many of them may be late or lost before systemd loses its patience.
constexpr std::chrono::microseconds more_time = 60s;
// For one step that nothing can be said of meanwhile.
constexpr std::chrono::microseconds much_more_time = 10min;

class start_watch final : public store::opening_watch {
public:
    start_watch(asio::signal_set& signals, asio::io_context& io) : signals_(signals), io_(io) { listen(); }
    start_watch(start_watch const&) = delete;
    start_watch& operator=(start_watch const&) = delete;
    ~start_watch() override {
        signals_.cancel();
        poll();
        if (reload_) std::raise(SIGHUP);
        if (stop_) std::raise(SIGTERM);
    }

    bool go_on(store::opening_progress const& now) override {
        poll();
        tell(now);
        return !stop_;
    }

    void before_long_step() override { ask_for(much_more_time, "a long step, of which nothing can be told"); }

    // What was tried failed, and is to be tried again: false if the start is to end.
    bool pause(std::string const& why, std::chrono::milliseconds how_long) {
        ask_for(more_time, "the database cannot be opened yet: " + why);
        asio::steady_timer timer(io_, how_long);
        bool over = false;
        timer.async_wait([&over](boost::system::error_code) { over = true; });
        while (!over && !stop_)
            io_.run_one();
        timer.cancel();
        poll();
        return !stop_;
    }

private:
    void listen() {
        signals_.async_wait([this](boost::system::error_code error, int number) {
            if (error) return;
            (number == SIGHUP ? reload_ : stop_) = true;
            listen();
        });
    }

    // Nothing else waits on the loop yet.
    void poll() {
        io_.poll();
        io_.restart();
    }

    static void ask_for(std::chrono::microseconds time, std::string const& because) {
        sd_notifyf(0, "STATUS=starting, %s\nEXTEND_TIMEOUT_USEC=%lld", because.c_str(),
                   static_cast<long long>(time.count()));
    }

    void tell(store::opening_progress const& now) {
        auto const time = steady_clock::now();
        if (time < next_message_) return;
        next_message_ = time + between_messages;
        std::string line = now.what;
        if (now.all > 0)
            line += ": " + std::to_string(now.done) + " of " + std::to_string(now.all) + " texts";
        sd_notifyf(0, "EXTEND_TIMEOUT_USEC=%lld\nSTATUS=starting, %s",
                   static_cast<long long>(more_time.count()), line.c_str());
        if (time < next_line_) return;
        next_line_ = time + between_log_lines;
        base::log_info("the start takes longer", {{"because", line}});
    }

    asio::signal_set& signals_;
    asio::io_context& io_;
    // An opening that is done before has nothing to say.
    steady_clock::time_point next_message_ = steady_clock::now() + between_messages,
                             next_line_ = next_message_;
    bool stop_ = false, reload_ = false;
};

}  // namespace

std::unique_ptr<store::database> open_store(store::options const& options, std::chrono::milliseconds patience,
                                            store::text_index const& texts, asio::signal_set& signals,
                                            asio::io_context& io) {
    start_watch watch(signals, io);
    auto const until = steady_clock::now() + patience;
    base::backoff pauses(500ms, 5s);
    base::repeated told;
    for (;;) {
        std::string why;
        try {
            return store::open_sqlite(options, io.get_executor(), &texts, watch);
        } catch (store::open_error const& failed) {
            if (!failed.passes || steady_clock::now() >= until) throw;
            why = failed.what();
        }
        if (told.tell(why, steady_clock::now()))
            base::log_warn("the database cannot be opened yet: it is tried again", {{"error", why}});
        if (!watch.pause(why, pauses.next()))
            throw store::open_stopped("ended before the database could be opened");
    }
}

}  // namespace engram::daemon

#include "daemon/opening.hpp"

#include "base/log.hpp"

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

std::unique_ptr<store::database> open_store(store::options const& options, store::text_index const& texts,
                                            asio::signal_set& signals, asio::io_context& io) {
    start_watch watch(signals, io);
    return store::open_sqlite(options, io.get_executor(), &texts, watch);
}

}  // namespace engram::daemon

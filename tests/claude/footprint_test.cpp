// What a call costs while it waits for its answer: thousands of them do at the same time.
#include "claude/client.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/test/unit_test.hpp>

#include <fstream>
#include <list>
#include <memory>
#include <signal.h>
#include <stdexcept>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace engram;
namespace asio = boost::asio;

namespace {

constexpr std::size_t message_bytes = 4096;
// The text itself, and for all the rest: connection, timer, coroutines, HTTP head.
constexpr std::size_t most_bytes_per_call = message_bytes + 8 * 1024;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool sanitized = true;
#elif defined(__has_feature)
constexpr bool sanitized = __has_feature(address_sanitizer) || __has_feature(thread_sanitizer);
#else
constexpr bool sanitized = false;
#endif

std::size_t resident_bytes() {
    std::size_t pages = 0;
    std::ifstream("/proc/self/statm") >> pages >> pages;
    return pages * std::size_t(::sysconf(_SC_PAGESIZE));
}

/// Another process that takes connections and never answers, so that its memory is not ours.
class silent_server {
public:
    silent_server() : acceptor_(loop_, asio::ip::tcp::endpoint(asio::ip::address_v4::loopback(), 0)) {
        port_ = acceptor_.local_endpoint().port();
        child_ = ::fork();
        if (child_ < 0) throw std::runtime_error("no child process");
        if (child_ == 0) {
            ::prctl(PR_SET_PDEATHSIG, SIGKILL);
            for (;;)
                ::accept(acceptor_.native_handle(), nullptr, nullptr);
        }
        acceptor_.close();
    }
    ~silent_server() {
        ::kill(child_, SIGKILL);
        ::waitpid(child_, nullptr, 0);
    }
    silent_server(silent_server const&) = delete;
    [[nodiscard]] std::uint16_t port() const { return port_; }

private:
    asio::io_context loop_;
    asio::ip::tcp::acceptor acceptor_;
    std::uint16_t port_ = 0;
    ::pid_t child_ = -1;
};

std::size_t calls_possible() {
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
    return std::min<std::size_t>(2000, std::size_t(limit.rlim_cur) - 100);
}

claude::request long_question() {
    claude::request what;
    what.model = "claude-opus-4-5";
    what.messages.push_back({claude::role::user, {{std::string(message_bytes, 'x'), false}}});
    return what;
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_waiting_call_takes_little_memory) {
    auto const calls = calls_possible();
    silent_server server;
    asio::io_context loop;
    claude::options options;
    options.base_url = "http://127.0.0.1:" + std::to_string(server.port());
    options.first_calls = calls;
    auto const client = claude::make_client(options, loop.get_executor());

    auto const before = resident_bytes();
    std::list<asio::cancellation_signal> signals;
    std::size_t ended = 0;
    auto const far = std::chrono::steady_clock::now() + std::chrono::hours(1);
    for (std::size_t i = 0; i < calls; ++i) {
        auto const slot = signals.emplace_back().slot();
        auto count = [&](std::exception_ptr, claude::result<claude::answer> const&) { ++ended; };
        asio::co_spawn(loop,
                       client->ask(long_question(), claude::call_class::chat, far, claude::ignore_events()),
                       asio::bind_cancellation_slot(slot, count));
        // As they come in life: not all texts at once before the first is sent.
        while (client->status().requests + ended <= i)
            loop.run_one();
    }
    auto const grown = resident_bytes() - before;
    BOOST_TEST(ended == 0U);
    BOOST_TEST(client->status().calls_in_flight == calls);
    BOOST_TEST_MESSAGE(grown / calls << " bytes a call");
    if (!sanitized) BOOST_TEST(grown / calls < most_bytes_per_call);

    asio::post(loop, [&] {
        for (auto& signal : signals)
            signal.emit(asio::cancellation_type::terminal);
    });
    while (ended < calls)
        loop.run_one();
    BOOST_TEST(client->status().connections == 0U);
}

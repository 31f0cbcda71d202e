#include "http/client/exchange.hpp"

#include "base/failpoint.hpp"

#include <optional>
#include <utility>

namespace engram::http {

namespace asio = boost::asio;
using net::io;
using net::io_end;
using net::io_outcome;

namespace {

// What became of the answer with the bytes that `step` read; none: it goes on.
std::optional<io_outcome> take(net::io_step&& step, std::span<char const> scratch, reply_reader& reader) {
    if (step.state == io::failed) return io_outcome{io_end::failed, std::move(step.what)};
    bool const closed = step.state == io::closed;
    if (closed && !reader.got_bytes()) return io_outcome{io_end::closed, std::move(step.what)};
    auto const progress = closed ? reader.finish() : reader.feed({scratch.data(), step.bytes});
    if (progress == reply_reader::progress::done) return io_outcome{};
    if (progress == reply_reader::progress::more) return std::nullopt;
    return io_outcome{io_end::failed, "the answer " + reader.problem()};
}

}  // namespace

asio::awaitable<io_outcome> exchange(net::stream& with, std::string_view wire, reply_reader& reader,
                                     std::span<char> scratch, base::steady_time& sent) {
    auto const sending = co_await with.write(wire);
    if (sending.end == io_end::timed_out) co_return sending;
    if (sending.ok()) sent = base::steady_time::clock::now();
    base::failpoint("mid_call");
    // TLS may hold decrypted bytes already, so there a read comes before the wait.
    auto next = sending.ok() && !with.has_tls() ? io::want_read : io::done;
    for (;;) {
        if (next != io::done) {
            // A server that refuses a request may answer and close before it has read it all: that answer
            // counts, but only if it is here.
            if (!sending.ok()) co_return sending;
            auto outcome = co_await with.wait(next);
            if (!outcome.ok()) co_return outcome;
        }
        auto step = with.try_read(scratch);
        bool const emptied =
            step.state == io::done && step.bytes < scratch.size() && !with.has_tls() && sending.ok();
        next = emptied ? io::want_read : step.state;
        if (step.state == io::want_read || step.state == io::want_write) continue;
        auto ended = take(std::move(step), scratch, reader);
        if (ended) co_return std::move(*ended);
    }
}

}  // namespace engram::http

// A connection to Redis that never waits: commands go into a buffer, answers are taken as they come.
#pragma once

#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>

struct redisContext;
struct redisReply;

namespace engram::bench {

/// Not for use after an exception. Throws std::runtime_error where the connection or the protocol fails.
class redis_pipe {
public:
    /// `address`: HOST:PORT, or the path of a Unix socket.
    explicit redis_pipe(std::string const& address);
    ~redis_pipe();
    redis_pipe(redis_pipe const&) = delete;
    redis_pipe& operator=(redis_pipe const&) = delete;

    void append(std::initializer_list<std::string_view> command);

    [[nodiscard]] int descriptor() const;
    [[nodiscard]] bool wants_to_write() const { return pending_; }

    /// Writes what the socket takes.
    void write();

    /// Reads what the socket has; each whole answer goes to `take`, which does not own it. An answer that is
    /// an error is thrown.
    void read(std::function<void(redisReply const&)> const& take);

private:
    [[noreturn]] void fail(char const* doing) const;

    redisContext* context_;
    bool pending_ = false;
};

}  // namespace engram::bench

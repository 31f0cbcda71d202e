// RESP, the protocol of Redis, by hiredis's formatter and reader. No I/O.
#pragma once

#include "redis/value.hpp"

#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace engram::redis {

/// Appends one command to `out`. Arguments are binary safe.
void append_command(std::string& out, std::vector<std::string_view> const& arguments);

/// Turns received bytes into values.
class resp_reader {
public:
    resp_reader();
    ~resp_reader();
    resp_reader(resp_reader&&) noexcept;
    resp_reader& operator=(resp_reader&&) noexcept;

    void feed(std::string_view bytes);

    /// The next complete value, or none yet. The error is a protocol error: the connection is of no further
    /// use.
    [[nodiscard]] base::result<std::optional<value>, std::string> next();

private:
    struct state;
    std::unique_ptr<state> state_;
};

}  // namespace engram::redis

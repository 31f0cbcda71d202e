// A Lua script that Redis runs.
#pragma once

#include "redis/value.hpp"

#include <boost/asio/awaitable.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace engram::redis {

class client;

/// One script with its SHA-1, by which Redis knows it after the first time.
class script {
public:
    explicit script(std::string_view body);

    /// Runs it; sends the whole text if Redis does not know it (any more). Errors as client::command.
    /// `arguments` must live until it returns.
    boost::asio::awaitable<result<value>> run(client& connection, std::string_view key,
                                              std::vector<std::string> const& arguments) const;

    [[nodiscard]] std::string_view body() const { return body_; }

private:
    std::string body_;
    std::string sha1_;
};

}  // namespace engram::redis

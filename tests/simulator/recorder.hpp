// The requests seen, for tests to read back.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace engram::simulator {

struct seen_request {
    std::uint64_t number = 0;
    std::string method;
    std::string path;
    std::string header_lines;  ///< "name\0value\0…", keys redacted to their last four characters
    std::string body;
    bool read = true;  ///< false: the connection was broken before it was read
};

/// Keeps the last `most` requests, and at most 256 MB of them. Zero: keeps none, counts only.
class recorder {
public:
    explicit recorder(std::size_t most) : most_(most) {}

    [[nodiscard]] bool on() const { return most_ > 0; }
    /// Numbers the request, from 1.
    void add(seen_request r);
    void clear();
    /// `{"requests":[…],"last":N}`: those with a higher number than `since`.
    [[nodiscard]] std::string to_json(std::uint64_t since) const;

private:
    std::size_t most_;
    std::size_t bytes_ = 0;
    std::uint64_t last_ = 0;
    std::deque<seen_request> kept_;
};

/// What of a header's value may be kept.
[[nodiscard]] std::string redact(std::string_view name, std::string_view value);

}  // namespace engram::simulator

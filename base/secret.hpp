// A value that must not be printed: the API key, a Redis password.
#pragma once

#include <string>
#include <string_view>
#include <utility>

namespace engram::base {

/// Holds a secret. It has no stream operator and no implicit conversion, so it cannot slip into a log line;
/// the bytes are overwritten on destruction.
class secret {
public:
    secret() = default;
    explicit secret(std::string value) : value_(std::move(value)) {}
    secret(secret const&) = default;
    secret(secret&&) noexcept = default;
    secret& operator=(secret const&) = default;
    secret& operator=(secret&&) noexcept = default;
    ~secret();

    [[nodiscard]] bool empty() const { return value_.empty(); }
    /// The value itself, for the wire only.
    [[nodiscard]] std::string_view reveal() const { return value_; }

private:
    std::string value_;
};

}  // namespace engram::base

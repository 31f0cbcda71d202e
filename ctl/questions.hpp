// Questions to Redis for a page of which any part may stay unknown.
#pragma once

#include "ctl/complaint.hpp"
#include "ctl/connection.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace engram::ctl {

/// Asks one thing after the other. What Redis refuses is unknown; the first refusal is kept to be told. Once
/// the connection is lost nothing more is asked.
class questions {
public:
    /// `redis` must outlive it.
    explicit questions(connection& redis) : redis_(redis) {}

    /// None: unknown.
    std::optional<redis::value> ask(std::vector<std::string_view> command);
    /// The answer of a command that counts what is in a key.
    std::optional<std::int64_t> count(std::string_view command, std::string const& key);
    /// Redis's clock, ms since the epoch.
    std::optional<std::int64_t> now_ms();

    [[nodiscard]] bool lost() const { return lost_; }
    [[nodiscard]] std::optional<complaint> const& trouble() const { return trouble_; }
    /// The key of the first question that was refused.
    [[nodiscard]] std::string const& unknown() const { return unknown_; }

private:
    connection& redis_;
    bool lost_ = false;
    std::optional<complaint> trouble_;
    std::string unknown_;
};

}  // namespace engram::ctl

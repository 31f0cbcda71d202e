// The dead letters one after the other, a bounded piece at a time.
#pragma once

#include "ctl/connection.hpp"
#include "ctl/dead_letter.hpp"

#include <optional>
#include <string>
#include <vector>

namespace engram::ctl {

enum class walk_order { oldest_first, newest_first };

/// Goes once through a stream. `connection` must outlive it.
class dead_walk {
public:
    /// All entries.
    dead_walk(connection& redis, std::string key, walk_order order);

    /// Leaves out `entry` and what the walk would have met before it.
    void begin_after(std::string entry) { begin_ = "(" + std::move(entry); }
    /// Leaves out what the walk would meet after `entry`.
    void end_with(std::string entry) { end_ = std::move(entry); }

    /// The next piece; none left: empty.
    [[nodiscard]] redis::result<std::vector<dead_letter>> next();

private:
    connection& redis_;
    std::string key_;
    walk_order order_;
    std::string begin_, end_;
    std::size_t piece_;
};

/// The newest entry of the stream; none if there is none.
[[nodiscard]] redis::result<std::optional<std::string>> newest_entry(connection& redis,
                                                                     std::string const& key);

}  // namespace engram::ctl

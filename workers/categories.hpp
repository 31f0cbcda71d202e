// The kinds of memories: those built in and those configured. Pure.
#pragma once

#include "base/result.hpp"

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace engram::workers {

struct category {
    std::string name;
    std::string description;       ///< tells the model what belongs there; one line
    std::size_t max_per_user = 0;  ///< the one seen least lately ends when there are more; 0: no limit
    std::chrono::seconds ttl{0};   ///< since it was last seen; 0: for ever
};

/// Fact, preference and summary, then the configured ones in their order. A summary is never offered to the
/// model: those are made of turns.
class categories {
public:
    /// Those built in.
    categories();

    /// A configured fact or preference takes the place of the built-in one; without a description it keeps
    /// that one's. The error says which category is wrong, and how.
    [[nodiscard]] static base::result<categories, std::string> make(std::vector<category> configured);

    /// Null: not known.
    [[nodiscard]] category const* find(std::string_view name) const;
    /// All of them, in lower case.
    [[nodiscard]] std::vector<std::string> const& names() const { return names_; }
    /// Those that the model may choose from.
    [[nodiscard]] std::vector<category> const& offered() const { return offered_; }

private:
    void name_all();

    std::vector<category> offered_;
    category summary_;
    std::vector<std::string> names_;
};

}  // namespace engram::workers

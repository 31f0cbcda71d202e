// The search: every text of a user in, the best out.
#pragma once

#include "recall/entry.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace engram::recall {

class word_neighbours;
struct gathered;

/// One stored text, as a search sees it.
struct item {
    std::int64_t id;  ///< the store's own number, opaque; items come in the order of storing, oldest first
    std::uint32_t session;   ///< a hash of the session, 0 = none
    std::uint32_t minutes;   ///< since 1970 UTC, 0 = unknown
    std::string_view entry;  ///< from make_entry; a malformed one is skipped
};

struct found {
    std::int64_t id;
    double score;
    std::string why;         ///< e.g. "words: dog, pet ~ puppy; neighbours; session; name: caroline; date"
    voice by = voice::user;  ///< of an exchange, whose words fit best
};

/// Ranks all texts of one user for one query, in one pass: `see` each, then ask for the `best`.
///
/// Statistics (how rare a word is, how long a text) come from the same pass, so scores are exact.
/// Not thread-safe; it keeps nothing of an item's `entry`.
class search {
public:
    /// `neighbours` may be null, must outlive this. `now_minutes` (as item::minutes) is for "yesterday",
    /// "last week" and the like; 0: such words mean nothing.
    search(std::string_view query, word_neighbours const* neighbours, std::uint32_t now_minutes);
    ~search();
    search(search&&) noexcept;
    search& operator=(search&&) noexcept;

    [[nodiscard]] bool empty() const;  ///< nothing in the query can be searched for

    void see(item const& one);

    /// Best first, at most `limit`, score > 0, without those that `leave_out(id)` says (they still give
    /// context and statistics). `boost(id)`: optional extra score in [0,1] by id (cosine of embeddings),
    /// weight .5.
    [[nodiscard]] std::vector<found> best(std::size_t limit,
                                          std::function<bool(std::int64_t)> const& leave_out,
                                          std::function<double(std::int64_t)> const& boost = {}) const;

private:
    std::unique_ptr<gathered> gathered_;
};

}  // namespace engram::recall

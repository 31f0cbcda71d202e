// What the store needs to know of texts so that they can be found again (store/search.hpp), and duplicates be
// recognized. How it is done is not the store's business: it keeps the bytes that it is given.
#pragma once

#include "base/clock.hpp"
#include "store/search.hpp"
#include "store/telltale.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace engram::store {

enum class text_kind {
    user_turn,
    assistant_turn,  ///< an answer as it was written, memory tags included
    assistant_said,  ///< an answer without its memory tags
    memory,
};

/// One turn of an exchange on its way into the index.
struct spoken {
    std::string_view text;
    text_kind kind = text_kind::user_turn;  ///< not `memory`
};

/// One text of a user, or the turns of one exchange, on its way through a search.
struct indexed_item {
    std::int64_t id = 0;        ///< names it until the search is over
    std::uint32_t session = 0;  ///< a hash of the session's id; 0: none
    std::uint32_t minutes = 0;  ///< since 1970, UTC; 0: unknown
    std::string_view entry;
};

/// One search. An engine shows it every text of the user, oldest first, and asks for the best. Used by one
/// thread of the store. Must not throw but for lack of memory.
class ranker {
public:
    virtual ~ranker() = default;

    virtual void see(indexed_item const& item) = 0;
    /// At most `limit`, best first, none of those that `leave_out` names.
    /// `similarity`: where known, how close in meaning an item is to the query, -1 to 1; may be empty.
    [[nodiscard]] virtual std::vector<ranked_item> best(
        std::size_t limit, std::function<bool(std::int64_t)> const& leave_out,
        std::function<double(std::int64_t)> const& similarity) const = 0;
};

/// Called from every thread of the store at a time. Must not throw but for lack of memory.
class text_index {
public:
    virtual ~text_index() = default;

    /// Grows when entries and fingerprints must be made anew; > 0.
    [[nodiscard]] virtual std::uint32_t version() const = 0;
    /// What is kept of a text for the search. Empty: it cannot be found. The same for an answer whether it
    /// comes as written or as said.
    [[nodiscard]] virtual std::string entry(std::string_view text, text_kind kind) const = 0;
    /// The same for the turns of one exchange together, in the order in which they were said; one is enough.
    [[nodiscard]] virtual std::string exchange_entry(std::span<spoken const> turns) const = 0;
    /// What is kept of a memory to compare it with others.
    [[nodiscard]] virtual std::string fingerprint(std::string_view text) const = 0;
    /// Whether two memories with these fingerprints say the same.
    [[nodiscard]] virtual bool same(std::string_view a, std::string_view b) const = 0;
    /// One search for what has to do with `query`, by entries of this index.
    [[nodiscard]] virtual std::shared_ptr<ranker> ranker_for(std::string query,
                                                             base::wall_time now) const = 0;
    /// To look for the sentences that tell something. Null: this index cannot do it.
    [[nodiscard]] virtual std::unique_ptr<telltale> make_telltale() const { return nullptr; }
};

}  // namespace engram::store

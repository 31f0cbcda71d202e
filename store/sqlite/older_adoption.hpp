// Turns that an older engramd has written beside this one get their place in the index.
#pragma once

#include "store/sqlite/reader.hpp"
#include "store/sqlite/writer.hpp"
#include "store/text_index.hpp"
#include "store/types.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>

namespace engram::store {

/// Of one store: what it is given must outlive it, and itself must outlive its calls, of which there is one
/// at a time. Executor of the store's callers.
class older_adoption {
public:
    /// `texts` may be null: then there is no index.
    older_adoption(reader<list_queries>& lists, writer& writer, boost::asio::any_io_executor executor,
                   text_index const* texts);

    /// Looks at the turns that came since the last call, each once. Returns how many were adopted; at most
    /// some more than `limit`, and the next call goes on.
    answer<std::size_t> adopt(std::size_t limit);

private:
    reader<list_queries>& lists_;
    writer& writer_;
    boost::asio::any_io_executor executor_;
    text_index const* texts_;
    std::optional<std::int64_t> looked_at_;  // up to this id
    std::int64_t noted_ = 0;                 // of that, in the database
};

}  // namespace engram::store

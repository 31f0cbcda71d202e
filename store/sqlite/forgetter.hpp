// Forgetting a user, in pieces, and again those who came back with a copy of the database.
#pragma once

#include "store/keeping.hpp"
#include "store/sqlite/forgotten_list.hpp"
#include "store/sqlite/reader.hpp"
#include "store/sqlite/writer.hpp"
#include "store/types.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <cstddef>
#include <cstdint>
#include <string>

namespace engram::store {

/// Of one store: what it is given must outlive it, and itself must outlive its calls. Executor of the store's
/// callers.
class forgetter {
public:
    /// `opened`: the list stands beside its place, and tells its id.
    forgetter(reader<list_queries>& lists, writer& writer, boost::asio::any_io_executor executor,
              opening_report const& opened);

    /// See memories::forget_user(). Unless the outcomes of jobs are kept, the list knows of it before this
    /// ends.
    answer<erased> forget(std::string user_id, finished_jobs jobs, base::wall_time at);

    /// See keeping::forget_again().
    answer<std::size_t> forget_again();

private:
    answer<void> forget_returned(returned_user user);

    reader<list_queries>& lists_;
    writer& writer_;
    boost::asio::any_io_executor executor_;
    forgotten_list list_;
    std::uint64_t database_;  // its id
};

}  // namespace engram::store

// The store in one SQLite file.
#pragma once

#include "store/database.hpp"
#include "store/options.hpp"
#include "store/text_index.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <memory>
#include <stdexcept>
#include <string>

namespace engram::store {

/// The database cannot be used: no such folder, not a database, newer than this program, no permission.
/// The message says which file and what to do.
struct open_error : std::runtime_error {
    using std::runtime_error::runtime_error;
    open_error(std::string const& message, bool may_pass) : std::runtime_error(message), passes(may_pass) {}

    /// A lack, or another process that holds the database: a later try may succeed without anybody's doing.
    bool passes = false;
};

/// Opens (or makes) the database, brings it to this program's version and starts the store's threads.
/// Blocks the caller: call it before the loop runs. Destroying the store finishes the work it has accepted
/// and joins its threads; `executor`'s context must still exist then, though completions may not run any
/// more. `texts` must outlive it; null: no text is made findable, and duplicates are what is equal. Throws
/// open_error.
[[nodiscard]] std::unique_ptr<database> open_sqlite(options const& options,
                                                    boost::asio::any_io_executor executor,
                                                    text_index const* texts = nullptr);

}  // namespace engram::store

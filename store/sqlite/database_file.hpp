// The file on disk: made with the right mode, opened with the right settings.
#pragma once

#include "store/keeping.hpp"
#include "store/options.hpp"
#include "store/sqlite/connection.hpp"
#include "store/sqlite/opening.hpp"
#include "store/text_index.hpp"

namespace engram::store {

struct opened_file {
    connection db;
    opening_report report;
};

/// Opens (or makes, mode 0640 less the umask) the database, brings it to this program's version, its search
/// index to that of `texts` (may be null), and it to write-ahead logging. The log of a database that is gone
/// is kept under another name. Throws open_error, and open_stopped if the watch of `under_way` ends it.
[[nodiscard]] opened_file open_for_writing(options const& options, text_index const* texts,
                                           opening& under_way);

/// A connection that cannot write, to a database that open_for_writing() has opened, with a page cache of at
/// most `cache_kib`. Throws open_error.
[[nodiscard]] connection open_for_reading(options const& options, std::size_t cache_kib);

}  // namespace engram::store

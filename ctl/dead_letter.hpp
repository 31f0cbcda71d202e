// A dead letter as it stands in the stream P:dead, and how it is shown. Pure.
#pragma once

#include "redis/value.hpp"

#include <boost/json/value.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace engram::ctl {

struct dead_letter {
    std::string entry;  ///< its id in the stream
    std::vector<std::pair<std::string, std::string>> fields;

    /// The first field of that name.
    [[nodiscard]] std::optional<std::string_view> field(std::string_view name) const;
    [[nodiscard]] std::size_t bytes() const;
};

/// An answer of XRANGE; none if it is not one.
[[nodiscard]] std::optional<std::vector<dead_letter>> read_dead_letters(redis::value&& range);

/// How many entries to ask for next, after `count` of them came with `bytes` bytes in all. A piece is a
/// hundred at most, and grows slowly to that, so that it stays near some megabytes where jobs are large.
[[nodiscard]] std::size_t next_piece(std::size_t count, std::size_t bytes);

/// `given` as Redis writes an entry's id; none unless it names exactly one: "1767225600000-0".
[[nodiscard]] std::optional<std::string> entry_id(std::string_view given);
/// What to say of anything else.
[[nodiscard]] std::string not_an_entry(std::string_view given);

/// One line of a list: headings, and cells in their order.
[[nodiscard]] std::vector<std::string> dead_letter_headings();
[[nodiscard]] std::vector<std::string> dead_letter_cells(dead_letter const& letter);

/// Without the job: `entry`, `at`, `reason`, `id`, `attempts`, `message`, `job_bytes`. Null is what is
/// missing.
[[nodiscard]] boost::json::object dead_letter_summary(dead_letter const& letter);

/// Everything, and fields that others may have added: as lines, and as JSON. Bytes of the job that are no
/// UTF-8 stand in `job_base64`, and `job` is null.
[[nodiscard]] std::string dead_letter_page(dead_letter const& letter);
[[nodiscard]] boost::json::object dead_letter_document(dead_letter const& letter);

}  // namespace engram::ctl

// What replies on `P:admin` say, as JSON. Pure. The shapes are in docs/protocol.md.
#pragma once

#include "store/memories.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace engram::workers {

/// Writes one JSON object, member by member. Text that is not UTF-8 is made so.
class object_text {
public:
    object_text& text(std::string_view name, std::string_view value);
    /// null if it is empty.
    object_text& text_or_null(std::string_view name, std::string_view value);
    object_text& number(std::string_view name, std::int64_t value);
    /// null if it is 0.
    object_text& number_or_null(std::string_view name, std::int64_t value);
    object_text& count(std::string_view name, std::uint64_t value);
    object_text& flag(std::string_view name, bool value);
    /// `value` is JSON.
    object_text& raw(std::string_view name, std::string_view value);
    [[nodiscard]] std::string end() && { return std::move(out_ += '}'); }

private:
    void key(std::string_view name);

    std::string out_ = "{";
};

[[nodiscard]] std::string quote(std::string_view text);
/// An array of values that are JSON already.
[[nodiscard]] std::string list_text(std::vector<std::string> const& values);

/// `found`: with its score and the reason.
[[nodiscard]] std::string to_json(store::memory_record const& memory,
                                  store::ranked_item const* found = nullptr);
[[nodiscard]] std::string to_json(store::turn_record const& turn, store::ranked_item const* found = nullptr);
[[nodiscard]] std::string to_json(store::session_record const& session);
[[nodiscard]] std::string to_json(store::memory_source const& source);
[[nodiscard]] std::string to_json(store::totals const& totals);
/// A line of an export: the object with its `kind`. Empty if there is nothing in it.
[[nodiscard]] std::string to_json(store::exported const& line);
[[nodiscard]] std::string to_json(store::erasure_counts const& counts, bool with_sessions);
/// The beginning of each text, and of each list what fits into its share of `most_bytes`.
[[nodiscard]] std::string to_json(store::erasure_preview const& preview, std::size_t most_bytes);

/// How many values from the front fit into a list of `most_bytes`: at least one, if there is one.
[[nodiscard]] std::size_t count_fitting(std::vector<std::string> const& values, std::size_t most_bytes);

/// The whole reply. `id` and `op` are left out where they are empty; `result` is JSON.
[[nodiscard]] std::string admin_ok(std::string_view id, std::string_view op, std::string_view result);
[[nodiscard]] std::string admin_error(std::string_view id, std::string_view op, std::string_view type,
                                      std::string_view message, bool retryable);

}  // namespace engram::workers

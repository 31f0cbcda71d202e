// What the API tells of a model. Pure.
#pragma once

#include "base/clock.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace engram::claude {

struct model_info {
    std::string id;
    std::optional<base::wall_time> retires_at = {};  ///< none: no end is known
    std::int64_t max_input_tokens = 0;               ///< 0: it does not say
};

/// Where a model is described: "/v1/models/" and its id, escaped.
[[nodiscard]] std::string model_path(std::string_view id);

/// The body of the answer; none if it describes no model.
[[nodiscard]] std::optional<model_info> parse_model(std::string_view body);

/// A time as in "2027-01-22T00:00:00Z", with a fraction of a second or an offset too; or a day, which begins
/// at midnight UTC.
[[nodiscard]] std::optional<base::wall_time> parse_api_time(std::string_view text);

}  // namespace engram::claude

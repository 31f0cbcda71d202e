// Text for people and for programs: what comes from Redis may hold any bytes, and a terminal obeys some of
// them. Pure.
#pragma once

#include <boost/json/value.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace engram::ctl {

/// `bytes` as one line that is safe to print: valid UTF-8 without anything that a terminal obeys. Control
/// characters and those that turn the direction of text around become what JSON would write (`\n`, `\u001b`),
/// bytes that are no UTF-8 become `\xff`. All else is unchanged, so it shows what is there but cannot be
/// turned back.
[[nodiscard]] std::string safe_text(std::string_view bytes);

/// The same for several lines: line breaks and tabs stay.
[[nodiscard]] std::string safe_lines(std::string_view bytes);

/// `text`, which is valid UTF-8, with at most `most` characters; what was cut off shows as an ellipsis.
[[nodiscard]] std::string cut_text(std::string_view text, std::size_t most);

/// Rows of cells as lines with aligned columns, the first row being the headings.
[[nodiscard]] std::string table(std::vector<std::vector<std::string>> const& rows);

/// UTC; "-" for what is no moment of the years 1970 to 2199.
[[nodiscard]] std::string utc_text(std::int64_t unix_ms);

/// A whole number in digits, and nothing else; `otherwise` if `text` is none or too large.
[[nodiscard]] std::int64_t whole_number(std::string_view text, std::int64_t otherwise);

/// "1 job", "2 jobs".
[[nodiscard]] std::string count_of(std::size_t count, std::string_view noun);

/// The document in one line that is as safe to print as safe_text().
[[nodiscard]] std::string json_line(boost::json::value const& document);

/// A JSON string: `bytes` with what is no UTF-8 replaced by U+FFFD.
[[nodiscard]] boost::json::value json_text(std::string_view bytes);

[[nodiscard]] std::string base64(std::string_view bytes);

}  // namespace engram::ctl

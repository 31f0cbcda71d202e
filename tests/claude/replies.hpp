// Answers of the Messages API, as text.
#pragma once

#include <string>
#include <string_view>

namespace engram::tests {

/// A message of the API with this text, as JSON.
[[nodiscard]] std::string message_json(std::string_view text, std::string_view stop_reason = "end_turn");
/// An error of the API, as JSON. `details` is JSON.
[[nodiscard]] std::string error_json(std::string_view type, std::string_view message,
                                     std::string_view details = "null");

}  // namespace engram::tests

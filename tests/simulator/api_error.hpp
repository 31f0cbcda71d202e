// The error table of the Messages API, and its bodies.
#pragma once

#include <string>
#include <string_view>

namespace engram::simulator {

struct api_error {
    int status = 400;
    std::string type = "invalid_request_error";
    std::string message;
    std::string error_code;  ///< `error.details.error_code`; empty: no details
};

[[nodiscard]] api_error invalid_request(std::string message);

/// The error of a status as the API words it; for a status without an entry `api_error`.
[[nodiscard]] api_error error_for_status(int status);

/// 413 has the shape of the proxy before the API: no top-level type, no request id.
[[nodiscard]] std::string error_body(api_error const& e, std::string_view request_id);

[[nodiscard]] std::string_view reason_phrase(int status);

}  // namespace engram::simulator

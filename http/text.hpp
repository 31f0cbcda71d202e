// Text that goes into headers, and text of a server that goes into messages.
#pragma once

#include "base/secret.hpp"

#include <string>
#include <string_view>

namespace engram::http {

/// Throws std::invalid_argument, naming `what`, if `value` cannot stand in a header: only printable ASCII
/// can. The value itself is not in the message.
void check_header_value(std::string_view value, std::string_view what);

/// At most 200 printable characters of `text`, for a message.
[[nodiscard]] std::string quote(std::string_view text);

/// `text` without the key in it, in case that a server repeats it.
[[nodiscard]] std::string without_key(std::string text, base::secret const& key);

}  // namespace engram::http

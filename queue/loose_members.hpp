// Members of an object in a text that may be no JSON at all, so that the sender of a broken job can be told.
// Pure.
#pragma once

#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace engram::queue {

using texts = std::map<std::string, std::string, std::less<>>;

/// The members of these names at the top level of the first object in `bytes` whose value is a text, as far
/// as `bytes` can be followed; of equal names the last counts, as in JSON. What is forgiven: an end that is
/// missing, commas too many or too few, brackets that do not match, single quotes, names without quotes,
/// comments, values that are none (NaN), quotes inside of a text, text around the object, JSON inside of a
/// JSON string, and UTF-16. A value that is no valid text by itself (bad escapes, control characters, no
/// UTF-8) counts as none. Never what stands inside of another value.
[[nodiscard]] texts find_texts(std::string_view bytes, std::initializer_list<std::string_view> names);

/// Whether a name as it is written, with its quotes or without any, means `name`.
[[nodiscard]] bool is_named(std::string_view written, std::string_view name);

/// What a JSON string means, given with its quotes; none if it is no valid one.
[[nodiscard]] std::optional<std::string> text_of_string(std::string_view quoted);

}  // namespace engram::queue

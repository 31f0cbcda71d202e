// Whether memories say the same.
#pragma once

#include <string>
#include <string_view>

namespace engram::recall {

/// What of a memory is compared with others: opaque bytes, no text.
[[nodiscard]] std::string make_fingerprint(std::string_view text);

/// Whether two memories say the same: they differ in nothing but the short list of normal_form.hpp. When in
/// doubt they differ. A malformed fingerprint is like nothing.
[[nodiscard]] bool says_the_same(std::string_view fingerprint_a, std::string_view fingerprint_b);

}  // namespace engram::recall

// What goes to an endpoint and what comes back. No I/O.
#pragma once

#include "base/result.hpp"
#include "embedding/client.hpp"
#include "http/url.hpp"

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace engram::embedding {

inline constexpr std::size_t max_dimensions = 4096;
/// Of a text, no more than this is sent: tokens are not smaller than bytes, and the common limit of a text is
/// 8,192 tokens.
inline constexpr std::size_t max_text_bytes = 8'000;
inline constexpr std::size_t max_response_bytes = 64 * 1024 * 1024;

/// The HTTP head up to and without the length of the body. REQUIRES: key checked by http::check_header_value.
[[nodiscard]] std::string compose_head(http::base_url const& url, base::secret const& key);

/// The JSON body. Texts that are not UTF-8 are repaired.
[[nodiscard]] std::string compose_body(options const& options, std::span<std::string const> texts,
                                       purpose why);

/// The vectors in an answer with status 2xx, `count` of them in the order of the texts, made one unit long;
/// else why they are not there, as the end of a sentence about the answer. `dimensions` other than 0: what
/// each must have.
[[nodiscard]] base::result<std::vector<vector>, std::string> read_vectors(std::string_view body,
                                                                          std::size_t count,
                                                                          std::size_t dimensions);

/// For an answer with another status. What the server says in it is left out: that may repeat a user's text.
[[nodiscard]] error explain_status(int status);

}  // namespace engram::embedding

// A request as it goes over the wire.
#pragma once

#include "claude/message.hpp"
#include "claude/options.hpp"
#include "http/url.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace engram::claude {

/// At most this many cache breakpoints are taken by the API; beyond it the last ones are sent.
inline constexpr std::size_t max_cache_breakpoints = 4;

/// The HTTP head up to and without the length of the body; `path` stands behind that of `url`. REQUIRES:
/// options and key checked by http::check_header_value.
[[nodiscard]] std::string compose_head(std::string_view method, std::string_view path,
                                       http::base_url const& url, options const& options,
                                       base::secret const& key);

/// Head and body in one string, so that they leave in one write. The body is written first, behind a gap;
/// each head is then put flush against it, so that a new key or a longer body moves nothing.
class outgoing {
public:
    /// Blank text blocks, which the API refuses, are left out; text that is not UTF-8 is repaired.
    outgoing(request const& what, options const& options);
    outgoing(outgoing const&) = delete;
    outgoing& operator=(outgoing const&) = delete;
    /// Overwrites the head: the key is in it.
    ~outgoing();

    void set_head(std::string_view head);
    /// The model that is asked, in place of the one before. Needs a new set_head().
    void set_model(std::string_view model);
    /// Adds an assistant message with `content`, a JSON array, behind the last one. Needs a new set_head().
    void append_assistant(std::string_view content);

    /// Valid until the next change.
    [[nodiscard]] std::string_view wire() const { return std::string_view(bytes_).substr(begin_); }
    [[nodiscard]] std::string_view body() const { return std::string_view(bytes_).substr(body_); }

private:
    std::string bytes_;  // gap, head, body; the body ends with the array of messages: "]}"
    std::size_t begin_;
    std::size_t body_;
    std::size_t model_size_;  // of the name as it stands in the body, with its quotes
};

}  // namespace engram::claude

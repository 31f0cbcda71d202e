// What the Claude client is made with.
#pragma once

#include "base/secret.hpp"
#include "http/client/limits.hpp"

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

namespace engram::claude {

enum class auth_style { api_key, bearer };  ///< `x-api-key: K` or `authorization: Bearer K`

/// USD per million tokens of a model (a prefix of the id that the server reports, e.g. `claude-opus-4-5`).
struct price {
    std::string model;
    double input = 0;
    double output = 0;
    double cache_write = 0;
    double cache_read = 0;
};

struct options {
    /// `https://host[:port][/path]`, or `http://` for a local endpoint. `/v1/messages` is appended.
    std::string base_url = "https://api.anthropic.com";
    std::string api_version = "2023-06-01";
    auth_style auth = auth_style::api_key;
    base::secret api_key;
    /// A file of CA certificates to trust instead of the system's store; empty: the system's store.
    std::string ca_file;
    /// Sent as `thinking: {"type": …}` when not empty ("disabled", "adaptive", "between_tools").
    std::string thinking;
    /// Sends cache_control at the seams of the prompt.
    bool prompt_cache = true;

    /// What is asked, in this order, when the model that a request names is unknown or retired.
    std::vector<std::string> fallback_models;
    /// Also when it stays overloaded after all quick tries; for chats.
    bool fallback_on_overload = false;

    unsigned max_retries = 2;                          ///< quick tries beyond the first
    std::chrono::milliseconds timeout{600'000};        ///< one attempt as a whole
    std::chrono::milliseconds connect_timeout{5'000};  ///< DNS, TCP and TLS together
    std::chrono::milliseconds idle_timeout{60'000};    ///< an unused connection is closed after this
    /// A kept connection closed so soon after a request was sent had died idle; see http/client/limits.hpp.
    std::chrono::milliseconds died_idle_within = http::died_idle_within;
    std::size_t max_connections = 5'000;  ///< calls under way at most; others wait, chats first
    /// Somebody shares what the provider allows among several clients: calls wait for permits while a limit
    /// is near. See client::pace_reports().
    bool shares_pace = false;
    /// Calls to a model that may be under way before anything is known of its limits; see claude::pace.
    std::size_t first_calls = 8;
    /// How long a chat waits for its turn while the provider is in trouble or its limit is near:
    /// error_kind::busy.
    std::chrono::milliseconds place_wait{30'000};
    std::size_t max_idle_connections = 100;
    std::size_t max_response_bytes = 16 * 1024 * 1024;
    std::vector<price> prices;  ///< before the built-in table
};

}  // namespace engram::claude

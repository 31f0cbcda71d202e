// The Messages API, as the workers see it.
#pragma once

#include "base/clock.hpp"
#include "base/result.hpp"
#include "claude/options.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace engram::claude {

enum class role { user, assistant };

struct text_block {
    std::string text;  ///< must not be blank
    bool cache_breakpoint = false;
};

struct message {
    claude::role role = claude::role::user;
    std::vector<text_block> content;
};

/// Messages begin with a user message and alternate; the last is the user's.
struct request {
    std::string model;
    std::uint32_t max_tokens = 1024;
    std::vector<text_block> system;
    std::vector<message> messages;
    /// A JSON schema that the answer is to follow, as it goes over the wire; empty: free text. A refused or
    /// cut answer may break it, and a compatible server may not know of it.
    std::string output_schema = {};
};

struct usage {
    std::int64_t input_tokens = 0;
    std::int64_t output_tokens = 0;
    std::int64_t cache_read_input_tokens = 0;
    std::int64_t cache_creation_input_tokens = 0;
};

struct answer {
    std::string text;         ///< all text blocks in order, joined as they are; may be empty
    std::string model;        ///< as the server says it
    std::string stop_reason;  ///< as the server says it; "" if it says none
    claude::usage usage;
    std::optional<double> cost_usd;  ///< none where no price is known
    std::string request_id;
    /// Tries that this answer took. A request sent again because an idle connection had died is not a try of
    /// its own.
    unsigned attempts = 1;
};

enum class error_kind {
    auth,         ///< 401, or 403 with an API error body: the key is not accepted
    spend_limit,  ///< 402, low credit, spend limits: nothing works until an operator or the month changes it
    rejected,     ///< the request itself is refused (400, 404, 413, 422 …): the same one never works
    unavailable,  ///< no usable answer after all retries
    deadline,     ///< the caller's deadline came first
};

struct error {
    error_kind kind = error_kind::unavailable;
    std::string message;  ///< what the server said, with status and request id; never the key
    int status = 0;       ///< HTTP status of the last try; 0: none arrived
    unsigned attempts = 0;
};

template <class T>
using result = base::result<T, error>;

/// Background calls start only when no chat waits for a place.
enum class call_class { chat, background };

/// Something that answers a conversation. Calls come from one executor.
class asker {
public:
    virtual ~asker() = default;

    /// Throws only on cancellation of the caller.
    virtual boost::asio::awaitable<result<answer>> ask(request what, call_class priority,
                                                       base::steady_time deadline) = 0;
};

struct client_status {
    std::size_t calls_in_flight = 0;
    std::size_t calls_waiting = 0;
    std::size_t connections = 0;
    std::size_t idle_connections = 0;
    std::uint64_t requests = 0;  ///< sent since the start, retries included
    std::uint64_t retries = 0;
    std::uint64_t failures = 0;
};

/// The client for one endpoint: keep-alive connections, retries, admission. Must outlive its calls.
class client : public asker {
public:
    /// SIGHUP: from the next try on.
    virtual void set_api_key(base::secret key) = 0;
    [[nodiscard]] virtual client_status status() const = 0;
    /// Closes idle connections and lets no new one idle; for the end of the process.
    virtual void close() = 0;
};

/// Throws std::invalid_argument if base_url cannot be read, std::runtime_error if ca_file cannot.
[[nodiscard]] std::unique_ptr<client> make_client(options options, boost::asio::any_io_executor executor);

}  // namespace engram::claude

// Texts to vectors, by a server of the operator's choice.
#pragma once

#include "base/clock.hpp"
#include "base/result.hpp"
#include "embedding/options.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace engram::embedding {

using vector = std::vector<float>;  ///< of unit length

enum class purpose { query, document };

enum class error_kind {
    unavailable,  ///< no usable answer; another time there may be one
    rejected,     ///< refused for what it says (400, 413, 422, a blank text): the same request never works
    resting,      ///< not asked: the endpoint has failed a moment ago, or has too many queries already
    lacking,      ///< not asked: this machine has too little of something; see base::local_lack()
    deadline,     ///< the caller's time was over before the endpoint had had its own
};

struct error {
    error_kind kind = error_kind::unavailable;
    std::string message;  ///< what happened and what to do; no text of a user, never the key
    int status = 0;       ///< HTTP status; 0: none arrived
};

/// Something that makes vectors of texts. Calls come from one executor.
class embedder {
public:
    virtual ~embedder() = default;

    /// One vector for each text, in order; all of the same dimensions. Of a text, the first 8,000 bytes
    /// count. A query while the endpoint rests fails at once; documents are always sent. Throws only on
    /// cancellation. Never waits beyond `until`.
    virtual boost::asio::awaitable<base::result<std::vector<vector>, error>> embed(
        std::vector<std::string> texts, purpose why, base::steady_time until) = 0;

    /// Names model and dimensions: vectors of another id are not comparable.
    [[nodiscard]] virtual std::string model_id() const = 0;
};

struct client_status {
    std::uint64_t requests = 0;  ///< sent since the start
    std::uint64_t failures = 0;  ///< of these, without a usable answer
    std::uint64_t refusals = 0;  ///< queries that were not sent because the endpoint rested
    bool resting = false;
};

/// The client for one endpoint. Must outlive its calls.
class client : public embedder {
public:
    /// SIGHUP: from the next request on. Throws std::invalid_argument if it cannot stand in a header.
    virtual void set_api_key(base::secret key) = 0;
    [[nodiscard]] virtual client_status status() const = 0;
    /// Closes idle connections and lets no new one idle; for the end of the process.
    virtual void close() = 0;
};

/// Throws std::invalid_argument if the options cannot be used, std::runtime_error if ca_file cannot be read.
[[nodiscard]] std::unique_ptr<client> make_client(options options, boost::asio::any_io_executor executor);
/// The same with a clock for the rests, which must outlive the client.
[[nodiscard]] std::unique_ptr<client> make_client(options options, boost::asio::any_io_executor executor,
                                                  base::clock const& clock);

}  // namespace engram::embedding

// The client of the Messages API.
#pragma once

#include "claude/admission.hpp"
#include "claude/asker.hpp"
#include "claude/model_info.hpp"
#include "claude/options.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace engram::claude {

struct client_status {
    std::size_t calls_in_flight = 0;
    std::size_t calls_waiting = 0;
    std::size_t connections = 0;
    std::size_t idle_connections = 0;
    std::uint64_t requests = 0;  ///< sent since the start, retries included
    std::uint64_t retries = 0;
    std::uint64_t failures = 0;
    std::vector<model_pace> paced;  ///< models whose limit is near
    /// What this machine lacks, for which calls wait; as base::local_lack() tells it.
    std::string local_lack;
    bool answers_nothing = false;  ///< for want of it, none was answered for some seconds
};

/// The client for one endpoint: keep-alive connections, retries, admission, and other models where one is
/// gone (options::fallback_models). Must outlive its calls.
class client : public asker {
public:
    /// SIGHUP: from the next try on.
    virtual void set_api_key(base::secret key) = 0;
    /// SIGHUP: from the next call on; replaces options::fallback_models and fallback_on_overload.
    virtual void set_fallbacks(std::vector<std::string> models, bool on_overload) = 0;
    /// What the API tells of a model, asked once, for ten seconds at most. Error kind model_gone: that there
    /// is none; any other: this endpoint does not tell. Throws on cancellation.
    virtual boost::asio::awaitable<result<model_info>> describe_model(std::string id,
                                                                      base::steady_time deadline) = 0;
    /// With options::shares_pace, about once a second: what is to be told to the other daemons on the same
    /// key of models that are scarce, with the permits that were not used; empty: nothing. What comes back is
    /// granted. Where nothing is granted for three seconds, a call a second begins all the same.
    [[nodiscard]] virtual std::vector<pace_report> pace_reports() = 0;
    virtual void grant(std::vector<pace_grant> const& given) = 0;
    /// `told` whenever it has changed how many chats should be in hand at most; none: it is no bound. Beyond
    /// it they only wait, and end with error_kind::busy after options::place_wait.
    virtual void on_room(std::function<void(std::optional<std::size_t>)> told) = 0;
    [[nodiscard]] virtual client_status status() const = 0;
    /// Closes idle connections and lets no new one idle; for the end of the process.
    virtual void close() = 0;
};

/// Throws std::invalid_argument if base_url cannot be read, std::runtime_error if ca_file cannot.
[[nodiscard]] std::unique_ptr<client> make_client(options options, boost::asio::any_io_executor executor);

}  // namespace engram::claude

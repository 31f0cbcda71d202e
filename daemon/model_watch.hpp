// Whether the models in use will go on to exist: the API is asked now and then.
#pragma once

#include "base/clock.hpp"
#include "base/event.hpp"
#include "claude/error.hpp"
#include "claude/model_info.hpp"
#include "daemon/config.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace engram::daemon {

/// A model that is asked, and the key that says so.
struct used_model {
    std::string model;
    std::string key;
};

/// All that `config` names.
[[nodiscard]] std::vector<used_model> models_in_use(config const& config);
/// Each model once, with all keys that name it.
[[nodiscard]] std::vector<used_model> each_once(std::vector<used_model> const& in_use);

/// From so long before its end on it is warned of.
inline constexpr std::chrono::days soon{60};
/// Whether an answer about `model` means that there is none, and not that the endpoint tells of none.
[[nodiscard]] bool says_gone(claude::error const& why, std::string const& model);
/// For a model that is gone or ends.
[[nodiscard]] std::string cure_of(used_model const& one);

/// What the API told of one.
struct known_model {
    std::string model;
    std::optional<base::wall_time> retires_at = {};  ///< none: no end is known
    bool gone = false;
};

struct watch_pauses {
    std::chrono::milliseconds before{5'000};  ///< the first look, and one after a change
    std::chrono::milliseconds between{std::chrono::hours(24)};
    std::chrono::milliseconds again{std::chrono::minutes(10)};  ///< after one that the API did not hear
};

/// Looks some seconds after its start, after each change, and once a day; sooner if the API was out of reach.
/// It only warns: whether calls are made is not its business, and an endpoint that does not tell of models is
/// left alone.
///
/// All calls from one executor; must outlive its coroutines.
class model_watch {
public:
    using in_use = std::function<std::vector<used_model>()>;
    /// As claude::client::describe_model.
    using describe = std::function<boost::asio::awaitable<claude::result<claude::model_info>>(
        std::string, base::steady_time)>;
    model_watch(in_use in_use, describe describe, base::clock const& clock,
                boost::asio::any_io_executor executor, watch_pauses pauses = {});

    /// Looks when it is time to; runs until cancelled.
    boost::asio::awaitable<void> run();
    /// Other models may be in use now.
    void changed();

    /// Asks for each model in use and warns of those that are gone or end soon: how many there are. Throws on
    /// cancellation.
    boost::asio::awaitable<std::size_t> look();

    /// What is known of the models in use, in their order; nothing of one of which nothing was told.
    [[nodiscard]] std::vector<known_model> const& known() const { return known_; }

private:
    in_use in_use_;
    describe describe_;
    base::clock const& clock_;
    watch_pauses pauses_;
    base::event changed_;
    bool is_changed_ = false;
    bool was_unheard_ = false;  // the last look, in part
    std::vector<known_model> known_;
};

}  // namespace engram::daemon

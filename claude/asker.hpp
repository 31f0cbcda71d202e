// Something that can be asked, and somebody who hears its answer come.
#pragma once

#include "base/clock.hpp"
#include "claude/error.hpp"
#include "claude/message.hpp"

#include <boost/asio/awaitable.hpp>

#include <string_view>

namespace engram::claude {

/// Hears one answer while it comes; what it has heard when on_end() is called is the text of the answer. Must
/// not throw. After a call that failed or was cancelled, what it has heard is void.
class listener {
public:
    virtual ~listener() = default;
    /// More text, at least one byte, whole characters. Valid until this returns.
    virtual void on_text(std::string_view piece) = 0;
    /// All that was heard is void: the answer is asked for again. What is still good of it is told again.
    virtual void on_restart() = 0;
    /// The answer is whole, and ask() is about to return it.
    virtual void on_end() = 0;
};

/// For those who want the whole answer only. May hear any number of answers, and lives as long as the
/// process.
[[nodiscard]] listener& ignore_events();

/// Background calls start only when no chat waits for a place.
enum class call_class { chat, background };

/// Something that answers a conversation. Calls come from one executor.
class asker {
public:
    virtual ~asker() = default;

    /// `hears` must outlive the call. Throws only on cancellation of the caller.
    virtual boost::asio::awaitable<result<answer>> ask(request what, call_class priority,
                                                       base::steady_time deadline, listener& hears) = 0;
};

}  // namespace engram::claude

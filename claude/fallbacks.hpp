// Which model is asked when the one that a request names is gone or overloaded. No I/O.
#pragma once

#include "base/clock.hpp"
#include "claude/error.hpp"

#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace engram::claude {

/// Remembers which models are gone, so that not every call asks them first, and forgets it after some
/// minutes. Overload is not remembered: it passes.
class fallbacks {
public:
    fallbacks(std::vector<std::string> models, bool on_overload);
    void set(std::vector<std::string> models, bool on_overload);

    /// What a request that names `asked` is to be sent to, the first one at the end; never empty. Without
    /// repeats, and without those that are known to be gone, unless all are.
    [[nodiscard]] std::vector<std::string> candidates(std::string const& asked, base::steady_time now) const;
    /// A call to `model` ended with `why`: whether another one may answer in its place. `next` would be
    /// asked; empty: none is left. Logs when a model is replaced, once until it answers again.
    bool failed(std::string const& model, error const& why, std::string_view next, base::steady_time now);
    void answered(std::string_view model);

    [[nodiscard]] bool empty() const { return models_.empty(); }
    [[nodiscard]] bool on_overload() const { return on_overload_; }

private:
    [[nodiscard]] bool is_gone(std::string_view model, base::steady_time now) const;

    std::vector<std::string> models_;
    bool on_overload_;
    std::map<std::string, base::steady_time, std::less<>> gone_;  // and until when that is believed
    std::set<std::string, std::less<>> overloaded_;               // those that the log tells so
};

}  // namespace engram::claude

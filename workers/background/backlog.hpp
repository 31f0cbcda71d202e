// The conversations that wait for a summary.
#pragma once

#include "base/clock.hpp"
#include "store/types.hpp"

#include <cstddef>
#include <deque>
#include <functional>
#include <optional>
#include <unordered_map>

namespace engram::workers {

struct conversation_hash {
    std::size_t operator()(store::conversation const& which) const noexcept {
        std::size_t const user = std::hash<std::string>{}(which.user_id);
        return user * 31 + std::hash<std::string>{}(which.session_id);
    }
};

/// First come, first served; no conversation twice. Each step takes the same time, however many wait.
class backlog {
public:
    /// `most` conversations wait; what comes beyond that is not kept.
    explicit backlog(std::size_t most) : most_(most) {}

    /// `unseen`: turns of it that are in no prompt any more and in no summary yet. 0 if the caller
    /// does not know. `by_size`: its turns are long. False if it waits already (then only a greater `unseen`
    /// and `by_size` are noted) or there is no room.
    bool add(store::conversation const& which, std::size_t unseen, base::steady_time now,
             bool by_size = false);

    /// The one that has waited longest; nothing if none waits.
    std::optional<store::conversation> take();

    [[nodiscard]] bool empty() const { return order_.empty(); }
    [[nodiscard]] std::size_t size() const { return order_.size(); }
    /// Since when the first one has waited; nothing if none waits.
    [[nodiscard]] std::optional<base::steady_time> waiting_since() const;
    /// Of the one that take() gives next. REQUIRES: one waits.
    [[nodiscard]] bool is_by_size() const { return order_.front()->second.by_size; }
    /// Over all that wait.
    [[nodiscard]] std::size_t unseen_turns() const { return unseen_turns_; }

private:
    struct entry {
        base::steady_time since{};
        std::size_t unseen = 0;
        bool by_size = false;
    };
    using entries = std::unordered_map<store::conversation, entry, conversation_hash>;

    std::size_t most_;
    entries entries_;
    std::deque<entries::const_pointer>
        order_;                     // exactly the elements of entries_, the first to come in front
    std::size_t unseen_turns_ = 0;  // the sum of theirs
};

}  // namespace engram::workers

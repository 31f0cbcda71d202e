// What gives a text away, and the sentences of other texts that carry it. How it is found is not the store's
// business (text_index.hpp).
#pragma once

#include "base/kinship.hpp"

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace engram::store {

using base::kinship;

/// Looks for some texts at once. Used by one thread at a time. Must not throw but for lack of memory.
class telltale {
public:
    virtual ~telltale() = default;

    /// One more text to look for. `now`: what took its place; a sentence that says that, too, is a correction
    /// and stays. Empty: nothing did.
    virtual void add(std::string_view text, std::string_view now) = 0;
    /// A text that stays: what it shares with the others gives nothing away by itself. To be called after
    /// add().
    virtual void hold(std::string_view text) = 0;
    /// `text` without the sentences that tell one of the texts; none if it has no such sentence. `of` says
    /// for the number of a text, in the order of add(), what this text has to do with it; it is asked only
    /// about texts of which there is a trace.
    [[nodiscard]] virtual std::optional<std::string> cut(
        std::string_view text, std::function<kinship(std::size_t)> const& of) const = 0;
};

}  // namespace engram::store

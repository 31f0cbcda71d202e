// What gives a text away, and the sentences of other texts that carry it. How it is found is not the store's
// business (text_index.hpp).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace engram::store {

/// What a text has to do with one that is to be kept out of it: the closer, the less of that a sentence may
/// have in common with it.
enum class kinship : std::uint8_t {
    none,       ///< nothing goes
    elsewhere,  ///< of another time or by somebody who did not know it: what plainly tells it
    repeated,   ///< by the user, while it was known: also what has a rare word of it
    made,       ///< by a model that had read it: also what has a name of it
    told,       ///< where it was told: also what has half of its words
};

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

// What becomes of a note about a user: the decisions that every engine shares. Pure; an engine looks up what
// they need and carries them out.
//
// A memory is a chain of versions under one label, of which at most one is current.
#pragma once

#include "store/text_index.hpp"
#include "store/types.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace engram::store {

enum class note_step {
    insert,   ///< a new memory under a new label
    confirm,  ///< the known memory is told once more
    leave,    ///< the known memory stays as it is: it was not told, the model repeated it
    replace,  ///< a new version under the label of the old one, which ends
    merge,    ///< the known memory is told once more, and the old one ends in its favour
};

/// As saved_memory::action names it.
[[nodiscard]] std::string_view action_of(note_step step);

/// A note that adds. `known`: a duplicate of it was found.
[[nodiscard]] note_step decide_addition(new_memory const& note, bool known);

/// A note that changes `old`. `known`: a duplicate of it was found that is not `old`. REQUIRES: as_version().
[[nodiscard]] note_step decide_change(memory const& old, new_memory const& note, bool known);

/// A summary stands for turns: the model may neither change nor forget it.
[[nodiscard]] bool may_be_noted(memory const& old);

/// The note as a version that takes the place of `old`: what it does not say stays as it was.
[[nodiscard]] new_memory as_version(memory const& old, new_memory note);

/// Whether a version that takes the place of `old` ends when that would have: the note is of the same type
/// and sets no lifetime, because whoever changed it need not know how long such memories live.
[[nodiscard]] bool keeps_expiry(memory const& old, new_memory const& note);

/// How many of a session's summaries, the oldest, are to become one, so that all together have few enough
/// tokens again: none as long as they have at most `tokens`. `summaries`: oldest first.
[[nodiscard]] std::size_t count_to_condense(std::span<memory const> summaries, std::size_t tokens);

/// Looks for the memory that says the same as another text, among the user's current ones of its type.
class duplicate_search {
public:
    /// `texts` may be null: then only equal texts are the same. All must outlive this.
    duplicate_search(text_index const* texts, std::string_view content, std::string_view fingerprint)
        : texts_(texts), content_(content), fingerprint_(fingerprint) {}

    /// To be shown newest first; `fingerprint`: none if it has none. True: there is no need to go on.
    bool see(std::int64_t id, std::string_view content, std::optional<std::string_view> fingerprint);
    /// Its id: the one with just this text, else the oldest that is alike, so that the choice does not depend
    /// on what came since. 0: there is none.
    [[nodiscard]] std::int64_t found() const { return found_; }

private:
    text_index const* texts_;
    std::string_view content_, fingerprint_;
    std::int64_t found_ = 0;
};

}  // namespace engram::store

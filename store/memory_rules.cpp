#include "store/memory_rules.hpp"

#include "base/token_estimate.hpp"

#include <utility>

namespace engram::store {

std::string_view action_of(note_step step) {
    switch (step) {
        case note_step::insert:
            return "added";
        case note_step::confirm:
            return "confirmed";
        case note_step::leave:
            return "known";
        case note_step::replace:
        case note_step::merge:
            break;
    }
    return "updated";
}

note_step decide_addition(new_memory const& note, bool known) {
    if (!known) return note_step::insert;
    return note.told ? note_step::confirm : note_step::leave;
}

note_step decide_change(memory const& old, new_memory const& note, bool known) {
    if (note.content == old.content && note.type == old.type) return note_step::confirm;
    return known ? note_step::merge : note_step::replace;
}

bool may_be_noted(memory const& old) {
    return old.type != "summary";
}

new_memory as_version(memory const& old, new_memory note) {
    if (note.type.empty()) note.type = old.type;
    note.pinned = note.pinned || old.pinned;
    return note;
}

bool keeps_expiry(memory const& old, new_memory const& note) {
    return note.lifetime.count() == 0 && note.type == old.type;
}

// The newest stay as they are, in a quarter of the room, at least one: what was just said is worth more
// words. The one that the others become has room, then, for some new ones beside it before all is done again.
std::size_t count_to_condense(std::span<memory const> summaries, std::size_t tokens) {
    std::size_t in_all = 0;
    for (auto const& one : summaries)
        in_all += base::estimate_tokens(one.content);
    if (in_all <= tokens || summaries.empty()) return 0;
    auto count = summaries.size() - 1;
    auto kept = base::estimate_tokens(summaries[count].content);
    while (count > 0) {
        kept += base::estimate_tokens(summaries[count - 1].content);
        if (kept > tokens / 4) break;
        --count;
    }
    return count < 2 ? 0 : count;
}

bool duplicate_search::see(std::int64_t id, std::string_view content,
                           std::optional<std::string_view> fingerprint) {
    bool const equal = content == content_;
    if (equal || (texts_ != nullptr && fingerprint && texts_->same(*fingerprint, fingerprint_))) found_ = id;
    return equal;
}

}  // namespace engram::store

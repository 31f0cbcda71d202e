#include "store/memory_rules.hpp"

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

bool duplicate_search::see(std::int64_t id, std::string_view content,
                           std::optional<std::string_view> fingerprint) {
    bool const equal = content == content_;
    if (equal || (texts_ != nullptr && fingerprint && texts_->same(*fingerprint, fingerprint_))) found_ = id;
    return equal;
}

}  // namespace engram::store

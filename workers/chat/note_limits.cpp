#include "workers/chat/note_limits.hpp"

namespace engram::workers {

notes_left_out apply_limits(note_limits const& limits, std::vector<memory_tag>& tags) {
    notes_left_out left_out;
    left_out.too_long =
        std::erase_if(tags, [&](memory_tag const& tag) { return tag.content.size() > limits.bytes; });
    if (tags.size() > limits.notes) {
        left_out.too_many = tags.size() - limits.notes;
        tags.resize(limits.notes);
    }
    return left_out;
}

}  // namespace engram::workers

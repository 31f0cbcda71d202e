#include "workers/chat/note_limits.hpp"

#include <set>
#include <unordered_map>
#include <unordered_set>
#include <utility>

namespace engram::workers {
namespace {

using kind = memory_tag::kind;

// What was noted already. An update that comes after another one of the same memory is no repetition, even of
// an earlier one.
class noted {
public:
    [[nodiscard]] bool has(memory_tag const& tag) const {
        if (tag.what == kind::add) return added_.contains({tag.type, tag.content});
        auto const last = changed_.find(tag.label);
        return last != changed_.end() && last->second == std::pair(tag.what, tag.content);
    }

    void take(memory_tag const& tag) {
        if (tag.what == kind::add)
            added_.emplace(tag.type, tag.content);
        else
            changed_[tag.label] = {tag.what, tag.content};
    }

private:
    std::set<std::pair<std::string, std::string>> added_;                     // types and contents
    std::unordered_map<std::int64_t, std::pair<kind, std::string>> changed_;  // by label: the last change
};

}  // namespace

notes_left_out apply_limits(note_limits const& limits, std::span<shown_memory const> shown,
                            std::vector<memory_tag>& tags) {
    std::unordered_set<std::int64_t> labels;
    for (auto const& one : shown)
        labels.insert(one.label);
    notes_left_out left_out;
    noted before;
    std::size_t counted = 0;
    std::erase_if(tags, [&](memory_tag const& tag) {
        if (tag.content.size() > limits.bytes) return ++left_out.too_long > 0;
        if (tag.what != kind::add && !labels.contains(tag.label)) return ++left_out.not_shown > 0;
        if (before.has(tag)) return true;
        if (tag.what != kind::forget && counted == limits.notes) return ++left_out.too_many > 0;
        if (tag.what != kind::forget) ++counted;
        before.take(tag);
        return false;
    });
    return left_out;
}

}  // namespace engram::workers

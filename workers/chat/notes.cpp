#include "workers/chat/notes.hpp"

#include <algorithm>
#include <utility>

namespace engram::workers {
namespace {

using tag_kind = memory_tag::kind;
using note_kind = store::new_memory::kind;

// A message speaks of a note if it has at least this share of its words.
constexpr double least_support = .3;
// … and a text says the same as a note if it has this much.
constexpr double echo_share = .8;
// What the user said before may be noted if it has this much of a note: they say "I", and leave out what the
// note has to say to be understood by itself.
constexpr double said_share = .5;

std::string category_of(memory_tag const& tag, std::span<shown_memory const> shown) {
    if (tag.what == tag_kind::add) return tag.type;
    auto const one = std::ranges::find(shown, tag.label, &shown_memory::label);
    return one == shown.end() ? std::string() : one->type;
}

note_kind kind_of(memory_tag const& tag) {
    switch (tag.what) {
        case tag_kind::add:
            return note_kind::add;
        case tag_kind::update:
            return note_kind::update;
        case tag_kind::forget:
            return note_kind::forget;
    }
    return note_kind::add;
}

}  // namespace

std::vector<shown_memory> find_shown(store::context const& context) {
    std::vector<shown_memory> shown;
    shown.reserve(context.memories.size() + context.found_memories.size());
    for (auto const& one : context.memories)
        shown.push_back({one.label, one.type});
    for (auto const& one : context.found_memories)
        shown.push_back({one.what.label, one.what.type});
    return shown;
}

note_review::note_review(std::vector<memory_tag> tags, std::span<shown_memory const> shown,
                         std::string_view message, std::string_view answered, std::string_view said)
    : message_(message), answered_(answered), said_(said), has_answered_(!answered.empty()) {
    notes_.reserve(tags.size());
    for (auto& tag : tags) {
        auto category = category_of(tag, shown);
        auto stems = recall::stems_of(tag.content);
        message_.look_for(stems);
        notes_.push_back({std::move(tag), std::move(category), std::move(stems)});
    }
}

bool note_review::read_on() {
    if (message_.read_part()) return true;
    if (!std::exchange(message_read_, true)) {
        for (auto const& one : notes_)
            if (may_be_echo(one)) answered_.look_for(one.stems);
    }
    if (answered_.read_part()) return true;
    if (!std::exchange(answered_read_, true)) {
        for (auto const& one : notes_)
            if (repeats_answer(one)) said_.look_for(one.stems);
    }
    return said_.read_part();
}

bool note_review::is_told(note const& one) const {
    return recall::share_within(one.stems, {&message_}) >= least_support;
}

bool note_review::may_be_echo(note const& one) const {
    return has_answered_ && one.tag.what == tag_kind::add && !is_told(one);
}

bool note_review::repeats_answer(note const& one) const {
    if (!may_be_echo(one)) return false;
    auto const answered = recall::share_within(one.stems, {&answered_});
    return answered >= echo_share && recall::share_within(one.stems, {&answered_, &message_}) <= answered;
}

bool note_review::is_echo(note const& one) const {
    return repeats_answer(one) && recall::share_within(one.stems, {&said_}) < said_share;
}

kept_notes note_review::finish(categories const& types) && {
    kept_notes kept;
    for (auto& one : notes_) {
        if (is_echo(one)) {
            ++kept.echoes;
            continue;
        }
        store::new_memory note;
        note.what = kind_of(one.tag);
        note.label = one.tag.label;
        note.told = is_told(one);
        if (auto const* limits = types.find(one.category)) {
            note.most_of_type = limits->max_per_user;
            note.lifetime = limits->ttl;
        }
        note.type = std::move(one.tag.type);
        note.content = std::move(one.tag.content);
        kept.notes.push_back(std::move(note));
    }
    return kept;
}

}  // namespace engram::workers

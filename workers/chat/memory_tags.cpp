#include "workers/chat/memory_tags.hpp"

#include "workers/chat/given_notes.hpp"
#include "workers/chat/note_body.hpp"
#include "workers/chat/note_places.hpp"
#include "workers/chat/tag_tidy.hpp"

#include <algorithm>
#include <utility>

namespace engram::workers {
namespace {

// What stands on both sides of a cut may together be a note. It is taken out as malformed; in an answer that
// was not made for the purpose the first look finds everything.
constexpr int most_looks = 4;

note_rules rules_of(given_notes const* given) {
    if (given == nullptr) return {};
    return {given->only_at_the_end(),
            [given](note_extent const& note) { return given->has_like(note.body, note.closed); }};
}

std::string without(std::string_view text, std::vector<note_cut> const& cuts) {
    std::string kept;
    kept.reserve(text.size());
    std::vector<std::size_t> places;
    std::size_t at = 0;
    for (auto const& cut : cuts) {
        kept += text.substr(at, cut.begin - at);
        if (places.empty() || places.back() != kept.size()) places.push_back(kept.size());
        at = cut.end;
    }
    kept += text.substr(at);
    return tidy_cuts(kept, places);
}

void add_tag(extraction& result, note_extent const& note, std::vector<std::string> const& known_types) {
    auto tag = note.closed ? read_body(note.body) : std::nullopt;
    if (!tag) {
        ++result.malformed;
        return;
    }
    // A summary stands for turns, and no note can change one.
    bool const is_known =
        tag->type != "summary" && std::ranges::find(known_types, tag->type) != known_types.end();
    if (tag->what == memory_tag::kind::add && !is_known) {
        tag->type = "fact";
        ++result.retyped;
    }
    result.tags.push_back(std::move(*tag));
}

}  // namespace

extraction extract_memory_tags(std::string_view text, std::vector<std::string> const& known_types, bool cut,
                               given_notes const* given) {
    extraction result;
    result.reply = text;
    auto const rules = rules_of(given);
    for (int look = 0; look < most_looks && has_opening(result.reply); ++look) {
        auto const found = find_notes(marked_text(result.reply, cut && look == 0), rules);
        if (found.cuts.empty()) break;
        result.malformed += found.halves + (look > 0 ? found.notes.size() : 0);
        if (look == 0)
            for (auto const& note : found.notes)
                add_tag(result, note, known_types);
        result.reply = without(result.reply, found.cuts);
    }
    return result;
}

}  // namespace engram::workers

#include "store/sqlite/text_analysis.hpp"

namespace engram::store {
namespace {

std::string entry_of(text_index const& texts, new_turn const& turn) {
    if (turn.role == role::user) return texts.entry(turn.said.value_or(turn.content), text_kind::user_turn);
    return turn.said ? texts.entry(*turn.said, text_kind::assistant_said)
                     : texts.entry(turn.content, text_kind::assistant_turn);
}

}  // namespace

analysed_text analyse_memory(text_index const* texts, std::string_view content) {
    if (texts == nullptr) return {};
    return {texts->entry(content, text_kind::memory), texts->fingerprint(content)};
}

analysed_text analyse_summary(text_index const* texts, std::string_view content) {
    if (texts == nullptr) return {};
    return {texts->entry(content, text_kind::memory), {}};
}

analysed_exchange analyse_exchange(text_index const* texts, exchange const& what) {
    analysed_exchange made;
    for (auto const& turn : what.turns)
        made.entries.push_back(texts == nullptr ? std::string() : entry_of(*texts, turn));
    for (auto const& note : what.memories) {
        bool const ends = note.what == new_memory::kind::forget;
        made.memories.push_back(ends ? analysed_text() : analyse_memory(texts, note.content));
    }
    return made;
}

}  // namespace engram::store

#include "store/sqlite/text_analysis.hpp"

#include "store/sqlite/recall_block.hpp"

#include <algorithm>
#include <iterator>
#include <span>

namespace engram::store {
namespace {

spoken as_spoken(new_turn const& turn) {
    std::string_view const text = turn.said ? *turn.said : turn.content;
    if (turn.role == role::user) return {text, text_kind::user_turn};
    return {text, turn.said ? text_kind::assistant_said : text_kind::assistant_turn};
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
    std::vector<spoken> turns;
    std::ranges::transform(what.turns, std::back_inserter(turns), as_spoken);
    for (std::span<spoken const> left(turns); !left.empty();) {
        auto const now = left.first(std::min(left.size(), most_turns_a_record));
        made.entries.push_back(texts == nullptr ? std::string() : texts->exchange_entry(now));
        left = left.subspan(now.size());
    }
    for (auto const& note : what.memories) {
        bool const ends = note.what == new_memory::kind::forget;
        made.memories.push_back(ends ? analysed_text() : analyse_memory(texts, note.content));
    }
    return made;
}

}  // namespace engram::store

// Turns that told what is erased: blanked, or without the words that told it.
#include "store/sqlite/erasure.hpp"
#include "store/sqlite/memory_rows.hpp"

#include <utility>
#include <vector>

namespace engram::store {

void erasing_queries::erase_turns(erasure& what, ids const& turns) {
    ids summaries, items;
    for (auto const id : turns) {
        std::string session, job;
        std::optional<std::int64_t> summary, item;
        {
            auto found = turn_.query(id, what.user_id);
            if (!found.next()) continue;
            session = found.bytes(0);
            summary = integer_or_none(found, 1);
            item = integer_or_none(found, 2);
            job = found.bytes(3);
            if (what.preview != nullptr)
                what.preview->turns.push_back({{id, role_of(found.bytes(4)), found.text(5)}, session, {}});
        }
        if (item) items.insert(*item);
        blank_turn_.run(id);
        remove_turn_sources_.run(id);
        ++what.result.counts.turns;
        if (!summary) change_window_.run(what.user_id, session, std::int64_t{-1});
        if (summary && *summary != 0) summaries.insert(*summary);
        outcomes_.blank_reply_of(what.user_id, job, what.outcomes);
    }
    renew_entries(what, items);
    erase_derived_summaries(what, summaries);
}

// The same words elsewhere, such as an answer that repeated them.
void erasing_queries::erase_mentions(erasure& what, std::string const& text) {
    ids summaries;
    {
        auto found = mentions_in_summaries_.query(what.user_id, text);
        while (found.next())
            summaries.insert(found.integer(0));
    }
    std::vector<std::pair<std::int64_t, std::optional<std::int64_t>>> turns;
    for (auto* statement : {&mentions_in_window_, &mentions_in_archive_}) {
        auto found = statement->query(what.user_id, text);
        while (found.next()) {
            turns.emplace_back(found.integer(0), integer_or_none(found, 1));
            if (found.integer(2) != 0) summaries.insert(found.integer(2));
        }
    }
    erase_derived_summaries(what, summaries);
    ids items;
    for (auto const& [id, item] : turns) {
        if (what.preview != nullptr) show_mention(*what.preview, what.user_id, id, text);
        cut_turn_.run(id, text);
        if (item) items.insert(*item);
        ++what.result.counts.turns;
    }
    renew_entries(what, items);
}

void erasing_queries::show_mention(erasure_preview& shown, std::string const& user_id, std::int64_t id,
                                   std::string const& text) {
    auto found = turn_.query(id, user_id);
    if (!found.next()) return;
    auto left = found.text(5);
    for (auto at = left.find(text); at != left.npos; at = left.find(text, at))
        left.erase(at, text.size());
    shown.turns.push_back({{id, role_of(found.bytes(4)), found.text(5)}, found.text(0), std::move(left)});
}

// Of exchanges whose turns have changed: an entry that is made anew counts as one that went.
void erasing_queries::renew_entries(erasure& what, ids const& items) {
    for (auto const item : items) {
        auto const renewed = index_.renew(what.user_key, item);
        what.result.counts.index_entries += renewed.entry ? 1 : 0;
        what.result.counts.vectors += renewed.vector ? 1 : 0;
    }
}

}  // namespace engram::store

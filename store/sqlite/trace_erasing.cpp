// What was made of a deleted memory: answers that told it again in other words, and summaries of them.
#include "store/sqlite/erasure.hpp"
#include "store/sqlite/memory_rows.hpp"

#include <algorithm>
#include <utility>

namespace engram::store {

struct erasing_queries::traced_turn {
    erasure_preview::changed_turn what;
    std::optional<std::int64_t> item;
    std::string job_id, created_at;
};

// Their exchanges and versions have gone already.
void erasing_queries::erase_traces(erasure& what, traces const& of) {
    if (index_.texts() == nullptr || of.texts.empty()) return;
    auto const tell = index_.texts()->make_telltale();
    if (!tell) return;
    for (auto const& text : of.texts)
        tell->add(text, {});
    held_.hold_in(*tell, what.user_id);
    std::vector<traced_turn> turns;
    ids summaries;
    find_traced_turns(what, of, *tell, turns, summaries);
    {
        auto found = traced_summaries_.query(what.user_id);
        while (found.next()) {
            auto const how = minutes_of(found.bytes(2)) >= of.since ? kinship::made : kinship::elsewhere;
            if (tell->cut(found.text(1), [how](std::size_t) { return how; }))
                summaries.insert(found.integer(0));
        }
    }
    erase_derived_summaries(what, summaries);
    ids items;
    for (auto const& turn : turns) {
        rewrite_turn(what, turn);
        if (turn.item) items.insert(*turn.item);
    }
    renew_entries(what, items);
    auto const tells = [&](std::string_view text, kinship how) {
        return tell->cut(text, [how](std::size_t) { return how; }).has_value();
    };
    outcomes_.blank_that_tell(
        what.user_id, [&](std::string_view reply) { return tells(reply, kinship::made); },
        [&](std::string_view error) { return tells(error, kinship::repeated); }, what.outcomes);
}

void erasing_queries::find_traced_turns(erasure& what, traces const& of, telltale const& tell,
                                        std::vector<traced_turn>& turns, ids& summaries) {
    for (auto* statement : {&traced_in_window_, &traced_in_archive_}) {
        auto found = statement->query(what.user_id);
        while (found.next()) {
            auto const by = role_of(found.bytes(1));
            auto how = kinship::elsewhere;
            if (minutes_of(found.bytes(6)) >= of.since)
                how = by == role::assistant ? kinship::made : kinship::repeated;
            auto content = found.text(2);
            auto left = tell.cut(content, [how](std::size_t) { return how; });
            if (!left) continue;
            turns.push_back({{{found.integer(0), by, std::move(content)}, found.text(7), std::move(*left)},
                             integer_or_none(found, 3),
                             found.text(5),
                             found.text(6)});
            if (found.integer(4) != 0) summaries.insert(found.integer(4));
        }
    }
}

void erasing_queries::rewrite_turn(erasure& what, traced_turn const& turn) {
    rewrite_turn_.run(turn.what.what.id, turn.what.left);
    outcomes_.blank_reply_of(what.user_id, turn.job_id, what.outcomes);
    ++what.result.counts.turns;
    if (what.preview != nullptr) what.preview->turns.push_back(turn.what);
}

}  // namespace engram::store

// What goes with a memory: its versions, what became of it, and where it was told.
#include "store/sqlite/erasure.hpp"

namespace engram::store {

// All versions, what ended in favour of one of them, and what a consolidation made of one. A memory that was
// told for itself stays, though another one ended in its favour.
erasing_queries::ids erasing_queries::versions_and_relatives(std::string const& user_id, ids memories) {
    std::vector<std::int64_t> to_visit(memories.begin(), memories.end());
    ids labels;
    while (!to_visit.empty()) {
        auto const id = to_visit.back();
        to_visit.pop_back();
        std::int64_t label = 0, by = 0;
        {
            auto found = memory_.query(id, user_id);
            if (!found.next()) continue;
            label = found.integer(0);
            by = found.integer(5);
        }
        ids related;
        if (by != 0 && was_consolidated(user_id, by)) related.insert(by);
        auto const read = [&](rows found) {
            while (found.next())
                related.insert(found.integer(0));
        };
        read(ended_for_.query(user_id, id));
        if (labels.insert(label).second) read(versions_.query(user_id, label));
        for (auto const one : related)
            if (memories.insert(one).second) to_visit.push_back(one);
    }
    return memories;
}

bool erasing_queries::was_consolidated(std::string const& user_id, std::int64_t id) {
    auto found = memory_.query(id, user_id);
    return found.next() && found.bytes(6) == consolidation_job;
}

// The turns in which memories were told; of a summary those that it stands for. If turns are deleted once
// they are summarized, any summary of their session may be theirs.
erasing_queries::sources erasing_queries::sources_of(erasure& what, ids const& memories) {
    sources told_in;
    auto& turns = told_in.turns;
    for (auto const id : memories) {
        auto found = sources_.query(id);
        while (found.next()) {
            turns.insert(found.integer(0));
            turns.insert(found.integer(1));
            told_in.jobs.insert(found.text(3));
            bool const is_there = turn_.query(found.integer(0), what.user_id).next();
            if (!is_there) told_in.summaries.merge(summaries_after(what.user_id, found.text(2), 0));
        }
        std::string session;
        {
            auto summary = covers_.query(id, what.user_id);
            if (summary.next()) session = summary.bytes(0);
        }
        if (session.empty()) continue;
        auto covered = covered_.query(what.user_id, session, id);
        while (covered.next())
            turns.insert(covered.integer(0));
    }
    return told_in;
}

}  // namespace engram::store

// Summaries that told what is erased or taken back: they go, and what they stood for is summarized anew.
#include "store/sqlite/erasure.hpp"

#include <algorithm>
#include <map>
#include <utility>

namespace engram::store {

void erasing_queries::remake_summaries(std::string const& user_id, std::set<std::int64_t> summaries) {
    auto all = with_later_ones(user_id, summaries);
    std::erase_if(all, [&](std::int64_t id) { return !may_be_remade(user_id, versions_of(user_id, id)); });
    if (all.empty()) return;
    erasure what{user_id, users_.find_or_add(user_id).key, {}, {}, nullptr};
    remove_summaries(what, all);
}

// What a person wrote or wants to stay is only cut when it is read, as is what nothing is left to make anew
// of.
bool erasing_queries::may_be_remade(std::string const& user_id, ids const& versions) {
    if (versions.size() != 1) return false;
    auto const id = *versions.begin();
    std::string session;
    {
        auto found = covers_.query(id, user_id);
        if (!found.next() || found.integer(1) != 0) return false;
        session = found.bytes(0);
    }
    return covered_.query(user_id, session, id).next();
}

erasing_queries::ids erasing_queries::summaries_after(std::string const& user_id,
                                                      std::string const& session_id, std::int64_t id) {
    ids summaries;
    auto found = summaries_after_.query(user_id, session_id, id);
    while (found.next())
        summaries.insert(found.integer(0));
    return summaries;
}

// A summary that was corrected by hand has several, and its turns name the first.
erasing_queries::ids erasing_queries::versions_of(std::string const& user_id, std::int64_t id) {
    return versions_and_relatives(user_id, {id});
}

// A summary was written by a model that had read those before it. A correction by hand has a later id than
// what it corrects, and is no later summary.
erasing_queries::ids erasing_queries::with_later_ones(std::string const& user_id, ids const& summaries) {
    ids all;
    std::map<std::string, std::int64_t> first_of;  // of each session
    for (auto const id : summaries) {
        std::string session;
        {
            auto found = covers_.query(id, user_id);
            if (!found.next()) continue;
            session = found.bytes(0);
        }
        auto versions = versions_of(user_id, id);
        if (!session.empty()) {
            auto const known = first_of.try_emplace(std::move(session), *versions.begin()).first;
            known->second = std::min(known->second, *versions.begin());
        }
        all.merge(versions);
    }
    for (auto const& [session, first] : first_of) {
        for (auto const id : summaries_after(user_id, session, first)) {
            if (all.contains(id)) continue;
            auto versions = versions_of(user_id, id);
            if (*versions.begin() > first) all.merge(versions);
        }
    }
    return all;
}

// What else they stood for comes back into the window, and is summarized anew.
void erasing_queries::erase_derived_summaries(erasure& what, ids const& summaries) {
    remove_summaries(what, with_later_ones(what.user_id, summaries));
}

void erasing_queries::remove_summaries(erasure& what, ids const& summaries) {
    for (auto const id : summaries) {
        std::string session;
        {
            auto found = covers_.query(id, what.user_id);
            if (!found.next()) continue;  // it went with another version
            session = found.bytes(0);
        }
        auto const versions = versions_of(what.user_id, id);
        change_window_.run(what.user_id, session, uncover_all(what.user_id, session, versions));
        for (auto const version : versions)
            remove_memory(what, version);
        ++what.result.counts.summaries;
    }
}

// Returns how many turns these stood for.
std::int64_t erasing_queries::uncover_all(std::string const& user_id, std::string const& session,
                                          ids const& versions) {
    std::vector<std::int64_t> turns;
    for (auto const version : versions) {
        auto found = covered_.query(user_id, session, version);
        while (found.next())
            turns.push_back(found.integer(0));
    }
    for (auto const turn : turns)
        uncover_.run(turn);
    return static_cast<std::int64_t>(turns.size());
}

}  // namespace engram::store

#include "store/sqlite/recall_search.hpp"

#include <algorithm>

namespace engram::store {
namespace {

// The newest; a bound on what a search with vectors reads (some kilobytes each).
constexpr std::size_t most_vectors = 10'000;
constexpr double unit = 127.0;  // of a component, see embedding/vector_bytes.hpp

double dot(std::string_view a, std::string_view b) {
    std::int32_t sum = 0;
    for (std::size_t i = 0; i < a.size(); ++i)
        sum += static_cast<signed char>(a[i]) * static_cast<signed char>(b[i]);
    return sum / (unit * unit);
}

// One number for a memory or the turns of an exchange: four times the first one's id, and what it is. With it
// alone the turns are known, but for exchanges of another form than nearly all have.
enum class form : std::int64_t { turn, memory, pair, other };

form form_of(recall_record const& record) {
    if (record.is_memory) return form::memory;
    if (record.turns == 1) return form::turn;
    return record.is_pair() ? form::pair : form::other;
}

constexpr std::int64_t id_of(std::int64_t row, form is) {
    return row * 4 + static_cast<std::int64_t>(is);
}
constexpr form form_of(std::int64_t id) {
    return static_cast<form>(id % 4);
}

using other_exchanges = std::unordered_map<std::int64_t, std::vector<std::int64_t>>;

std::vector<std::int64_t> turns_of(std::int64_t id, other_exchanges const& others) {
    auto const row = id / 4;
    switch (form_of(id)) {
        case form::memory:
            return {};
        case form::turn:
            return {row};
        case form::pair:
            return {row, row + 1};
        case form::other:
            break;
    }
    return others.at(id);
}

}  // namespace

recall_search::recall_search(connection& db, text_index const* texts)
    : texts_(texts),
      entries_(
          db.prepare("SELECT entries FROM engram_recall WHERE place >= ?1 AND place < ?2 ORDER BY place")),
      vectors_(db.prepare("SELECT place, vector FROM engram_vector WHERE place >= ?1 AND place < ?2 "
                          "AND model = (SELECT model FROM engram_vector_model WHERE name = ?3) "
                          "ORDER BY place DESC LIMIT ?4")) {}

recall_search::similarities recall_search::compare_vectors(std::int64_t user_key, search_query const& query) {
    similarities known;
    if (query.vector.empty()) return known;
    auto found =
        vectors_.query(place_of(user_key, 0), place_of(user_key + 1, 0), query.vector_model, most_vectors);
    while (found.next()) {
        auto const vector = found.bytes(1);
        if (vector.size() == query.vector.size())
            known.emplace(item_of_place(found.integer(0)), dot(vector, query.vector));
    }
    return known;
}

std::vector<recall_hit> recall_search::find(std::int64_t user_key, search_query const& query,
                                            known_turns const& known, std::size_t limit,
                                            base::wall_time now) {
    if (user_key == 0 || texts_ == nullptr || limit == 0) return {};
    auto const ranker = texts_->ranker_for(query.text, now);
    auto const by_item = compare_vectors(user_key, query);
    similarities by_id;
    other_exchanges others;
    auto found = entries_.query(place_of(user_key, 0), place_of(user_key + 1, 0));
    while (found.next()) {
        record_reader records(found.bytes(0));
        while (auto const record = records.next()) {
            auto const is = form_of(*record);
            auto const id = id_of(record->row, is);
            if (is == form::other) others.emplace(id, rows_of(*record));
            ranker->see({id, record->session, record->minutes, record->entry});
            if (by_item.empty()) continue;
            if (auto const one = by_item.find(record->item); one != by_item.end())
                by_id.emplace(id, one->second);
        }
    }
    auto const is_known = [&](std::int64_t id) { return known.contains(id); };
    auto const leave_out = [&](std::int64_t id) {
        return form_of(id) != form::memory && !known.empty() &&
               std::ranges::all_of(turns_of(id, others), is_known);
    };
    std::function<double(std::int64_t)> similarity;
    if (!by_id.empty()) {
        similarity = [&](std::int64_t id) {
            auto const one = by_id.find(id);
            return one == by_id.end() ? 0.0 : one->second;
        };
    }
    std::vector<recall_hit> hits;
    for (auto& one : ranker->best(limit, leave_out, similarity)) {
        auto const id = one.id;
        auto turns = turns_of(id, others);
        std::erase_if(turns, is_known);
        hits.push_back({form_of(id) == form::memory, id / 4, std::move(turns), std::move(one)});
    }
    return hits;
}

}  // namespace engram::store

#include "store/sqlite/recall_search.hpp"

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

// One number for a turn or a memory.
constexpr std::int64_t id_of(bool is_memory, std::int64_t row) {
    return row * 2 + (is_memory ? 1 : 0);
}

bool holds(std::unordered_set<std::int64_t> const* set, std::int64_t row) {
    return set != nullptr && set->contains(row);
}

}  // namespace

recall_search::recall_search(connection& db)
    : entries_(
          db.prepare("SELECT entries FROM engram_recall WHERE place >= ?1 AND place < ?2 ORDER BY place")),
      vectors_(db.prepare("SELECT place, vector FROM engram_vector WHERE place >= ?1 AND place < ?2 "
                          "AND model = (SELECT model FROM engram_vector_model WHERE name = ?3) "
                          "ORDER BY place DESC LIMIT ?4")) {}

recall_search::similarities recall_search::compare_vectors(recall_query const& query) {
    similarities known;
    if (query.vector.empty()) return known;
    auto found = vectors_.query(place_of(query.user_key, 0), place_of(query.user_key + 1, 0),
                                query.vector_model, most_vectors);
    while (found.next()) {
        auto const vector = found.bytes(1);
        if (vector.size() == query.vector.size())
            known.emplace(item_of_place(found.integer(0)), dot(vector, query.vector));
    }
    return known;
}

std::vector<recall_hit> recall_search::find(recall_query const& query) {
    if (query.user_key == 0 || query.search == nullptr || query.limit == 0) return {};
    auto const by_item = compare_vectors(query);
    similarities by_id;
    auto found = entries_.query(place_of(query.user_key, 0), place_of(query.user_key + 1, 0));
    while (found.next()) {
        record_reader records(found.bytes(0));
        while (auto const record = records.next()) {
            auto const id = id_of(record->is_memory, record->row);
            query.search->see({id, record->session, record->minutes, record->entry});
            if (by_item.empty()) continue;
            if (auto const known = by_item.find(record->item); known != by_item.end())
                by_id.emplace(id, known->second);
        }
    }
    auto const leave_out = [&](std::int64_t id) {
        return holds(id % 2 == 1 ? query.known_memories : query.known_turns, id / 2);
    };
    std::function<double(std::int64_t)> similarity;
    if (!by_id.empty()) {
        similarity = [&](std::int64_t id) {
            auto const known = by_id.find(id);
            return known == by_id.end() ? 0.0 : known->second;
        };
    }
    std::vector<recall_hit> hits;
    for (auto& one : query.search->best(query.limit, leave_out, similarity)) {
        auto const id = one.id;
        hits.push_back({id % 2 == 1, id / 2, std::move(one)});
    }
    return hits;
}

}  // namespace engram::store

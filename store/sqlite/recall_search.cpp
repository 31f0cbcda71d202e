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
    auto found = entries_.query(place_of(user_key, 0), place_of(user_key + 1, 0));
    while (found.next()) {
        record_reader records(found.bytes(0));
        while (auto const record = records.next()) {
            auto const id = id_of(record->is_memory, record->row);
            ranker->see({id, record->session, record->minutes, record->entry});
            if (by_item.empty()) continue;
            if (auto const one = by_item.find(record->item); one != by_item.end())
                by_id.emplace(id, one->second);
        }
    }
    auto const leave_out = [&](std::int64_t id) { return id % 2 == 0 && known.contains(id / 2); };
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
        hits.push_back({id % 2 == 1, id / 2, std::move(one)});
    }
    return hits;
}

}  // namespace engram::store

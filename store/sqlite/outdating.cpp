#include "store/sqlite/outdating.hpp"

#include <set>

namespace engram::store {
namespace {

// The newest are read while nobody else can write. What an older one tells is cut whenever it is read.
constexpr std::size_t most_read = 200;  // summaries

}  // namespace

outdated_summaries::outdated_summaries(connection& db, past_queries& past, erasing_queries& erasing)
    : past_(past),
      erasing_(erasing),
      summaries_(db.prepare("SELECT id, content, created_at FROM long_term_memory "
                            "INDEXED BY engram_memory_current_type WHERE user_id = ?1 "
                            "AND memory_type = 'summary' AND valid_to IS NULL ORDER BY id DESC LIMIT ?2")) {}

void outdated_summaries::make_anew(std::string const& user_id, base::wall_time at) {
    auto const past = past_.load_ended_at(user_id, base::to_utc_text(at));
    if (!past) return;
    std::set<std::int64_t> outdated;
    {
        auto found = summaries_.query(user_id, most_read);
        while (found.next()) {
            auto text = found.text(1);
            if (past_.cut_summary(*past, found.integer(0), text, found.text(2)))
                outdated.insert(found.integer(0));
        }
    }
    if (!outdated.empty()) erasing_.remake_summaries(user_id, outdated);
}

}  // namespace engram::store

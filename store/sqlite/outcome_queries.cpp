#include "store/sqlite/outcome_queries.hpp"

namespace engram::store {

outcome_queries::outcome_queries(connection& db)
    : find_finished_(db.prepare("SELECT body_digest, reply FROM engram_finished_job WHERE job_id = ?1")),
      find_failed_(db.prepare("SELECT reply, error_type, error_message FROM engram_failed_delivery "
                              "WHERE ticket = ?1 AND job_id = ?2 AND body_digest = ?3")) {}

std::optional<recorded_outcome> outcome_queries::find_finished(job_key const& job) {
    auto found = find_finished_.query(job.job_id);
    if (!found.next()) return std::nullopt;
    // The reply to other bytes may be another user's.
    if (found.bytes(0) != job.body_digest) return recorded_outcome{true, false, {}};
    return recorded_outcome{true, true, std::string(found.bytes(1))};
}

std::optional<recorded_outcome> outcome_queries::find_failed(job_key const& job) {
    auto found = find_failed_.query(job.ticket, job.job_id, blob{job.body_digest});
    if (!found.next()) return std::nullopt;
    return recorded_outcome{false, true, std::string(found.bytes(0)), found.text(1), found.text(2)};
}

std::optional<recorded_outcome> outcome_queries::find(job_key const& job) {
    auto finished = find_finished(job);
    if (finished && finished->same_body) return finished;
    // What this very push was told comes before what became of another job of that id.
    auto failed = find_failed(job);
    return failed ? failed : finished;
}

}  // namespace engram::store

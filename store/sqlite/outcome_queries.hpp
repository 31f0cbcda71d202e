// Outcomes of jobs, read the same way before a job runs and again when it is committed.
#pragma once

#include "store/conversations.hpp"
#include "store/sqlite/connection.hpp"

#include <optional>

namespace engram::store {

/// Statements on one connection, which must outlive them. Throws sqlite_error.
class outcome_queries {
public:
    explicit outcome_queries(connection& db);

    /// The ok outcome of the job id, whatever the bytes.
    [[nodiscard]] std::optional<recorded_outcome> find_finished(job_key const& job);

    /// The error outcome of this very delivery. A ticket given out twice (a queue that was emptied may do
    /// that) is not taken for the same one unless job id and bytes agree.
    [[nodiscard]] std::optional<recorded_outcome> find_failed(job_key const& job);

    /// The one or the other: what context::recorded describes.
    [[nodiscard]] std::optional<recorded_outcome> find(job_key const& job);

private:
    statement find_finished_;
    statement find_failed_;
};

}  // namespace engram::store

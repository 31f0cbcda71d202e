// Taking texts out of the outcomes that are kept for repeats of a job.
#pragma once

#include "store/sqlite/connection.hpp"

#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace engram::store {

/// SQL: a stored reply without what was said.
inline constexpr std::string_view blank_reply =
    "CASE WHEN json_valid(reply) THEN json_set(reply, '$.reply', '', '$.memories', json('[]')) ELSE '' END";

/// The jobs whose outcomes lost their text, and where their replies were sent.
struct blanked_outcomes {
    std::set<std::string> jobs;  ///< also those without a good reply
    std::size_t replies = 0;
    std::vector<std::string> reply_keys, job_ids;
};

/// Statements on the writing connection, which must outlive them. Each call belongs inside a transaction and
/// is undone with it. Throws sqlite_error.
class outcome_eraser {
public:
    explicit outcome_eraser(connection& db);

    void blank_reply_of(std::string const& user_id, std::string const& job_id, blanked_outcomes& so_far);
    /// Every reply of the user that holds `text`, however JSON spells it.
    void blank_replies_with(std::string const& user_id, std::string const& text, blanked_outcomes& so_far);
    /// Errors of the jobs of `so_far`, and those that quote one of `texts`: an error may quote what the user
    /// said, also one of an attempt before that which told of it.
    void blank_errors(std::string const& user_id, std::vector<std::string> const& texts,
                      blanked_outcomes const& so_far);

    /// Every reply and every error of which that holds.
    void blank_that_tell(std::string const& user_id, std::function<bool(std::string_view)> const& reply_tells,
                         std::function<bool(std::string_view)> const& error_tells, blanked_outcomes& so_far);

private:
    statement replies_, finished_, replies_with_, blank_reply_, errors_, blank_error_;
};

}  // namespace engram::store

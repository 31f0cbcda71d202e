// Summaries: who takes which turns, and how they leave the window.
#pragma once

#include "store/sqlite/memory_writer.hpp"
#include "store/sqlite/past_queries.hpp"
#include "store/summaries.hpp"

#include <optional>
#include <set>
#include <vector>

namespace engram::store {

/// The most a claim takes along, so that what is summarized fits one request to a model; what is left is due
/// again at once. A single turn may be longer.
struct claim_limits {
    std::size_t turns = 500;
    std::size_t bytes = 256 * 1024;
    std::size_t earlier_summaries = 20;      ///< the newest
    std::size_t condense_bytes = 32 * 1024;  ///< of summaries that become one, but at least two
};

/// Statements on the writing connection, which must outlive them. Each call belongs inside a transaction and
/// is undone with it. Throws sqlite_error.
///
/// The lease (owner, from, until of the conversation's row) only keeps others from paying for the same
/// summary; what makes a summary count once is that every one of its turns must still be in the window at
/// commit.
class summary_queries {
public:
    summary_queries(connection& db, user_writer& users, recall_index& index, memory_writer& memories,
                    past_queries& past, claim_limits limits = {});

    [[nodiscard]] std::optional<summary_task> claim_summary(summary_request const& request);
    /// `summary` must not be blank.
    [[nodiscard]] bool commit_summary(summary_task const& task, std::string const& summary,
                                      analysed_text const& text, bool delete_turns, base::wall_time at);
    /// `summary` must not be blank.
    [[nodiscard]] bool commit_condensed(summary_task const& task, std::string const& summary,
                                        analysed_text const& text, base::wall_time at);
    void renew_summary(conversation const& of, std::string const& owner, base::wall_time until);
    void release_summary(summary_task const& task, base::wall_time not_before);

private:
    bool is_due(summary_request const& request);
    void add_oldest_turns(summary_task& task, std::size_t keep_turns, taken_back const* past);
    void add_earlier_summaries(summary_task& task, std::size_t condense_tokens, taken_back const* past);
    std::vector<memory_record> current_ones(summary_task const& task);
    std::set<std::int64_t> versions_of(conversation const& of, memory_record const& summary);

    std::int64_t add_summary(user_row& user, summary_task const& task, std::string const& summary,
                             analysed_text const& text, base::wall_time at);
    std::int64_t mark_all(summary_task const& task, std::int64_t summary_id);
    std::int64_t delete_all(user_row const& user, summary_task const& task);

    connection& db_;
    user_writer& users_;
    recall_index& index_;
    memory_writer& memories_;
    past_queries& past_;
    claim_limits limits_;
    statement find_session_;
    statement count_window_;
    statement correct_window_;
    statement window_;
    statement summaries_;
    statement versions_;
    statement cover_again_;
    statement lease_;
    statement find_turn_;
    statement mark_turn_;
    statement delete_turn_;
    statement shrink_window_;
    statement renew_lease_;
    statement end_lease_;
};

}  // namespace engram::store

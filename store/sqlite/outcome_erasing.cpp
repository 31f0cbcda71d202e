#include "store/sqlite/outcome_erasing.hpp"

#include "base/json_text.hpp"

#include <algorithm>
#include <utility>

namespace engram::store {
namespace {

// As stored replies spell it between the quotes of a JSON string: as they are written now, and as versions
// before wrote them, which had \u0009 for a tab and left 0x7F as it is.
struct spellings {
    std::string now, before;
};

std::string earlier_spelling(std::string_view text) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string out;
    for (char const c : text) {
        auto const byte = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\')
            out.append(1, '\\').append(1, c);
        else if (c == '\n')
            out += "\\n";
        else if (byte < 0x20)
            out.append("\\u00").append(1, digits[byte >> 4]).append(1, digits[byte & 15]);
        else
            out += c;
    }
    return out;
}

spellings spell(std::string_view text) {
    spellings made{{}, earlier_spelling(text)};
    base::append_json_escaped(made.now, text);
    return made;
}

}  // namespace

outcome_eraser::outcome_eraser(connection& db)
    : replies_(
          db.prepare("SELECT job_id, CASE WHEN json_valid(reply) THEN json_extract(reply, '$.reply') END "
                     "FROM engram_finished_job INDEXED BY engram_finished_job_by_user "
                     "WHERE user_id = ?1")),
      finished_(db.prepare("SELECT reply_to FROM engram_finished_job WHERE job_id = ?1 AND user_id = ?2")),
      replies_with_(db.prepare("SELECT job_id FROM engram_finished_job "
                               "INDEXED BY engram_finished_job_by_user "
                               "WHERE user_id = ?1 AND (instr(reply, ?2) > 0 OR instr(reply, ?3) > 0)")),
      blank_reply_(db.prepare(std::string("UPDATE engram_finished_job SET reply = ")
                                  .append(blank_reply)
                                  .append(" WHERE job_id = ?1 AND user_id = ?2"))),
      errors_(db.prepare("SELECT ticket, job_id, reply FROM engram_failed_delivery "
                         "INDEXED BY engram_failed_delivery_by_user WHERE user_id = ?1")),
      blank_error_(db.prepare("UPDATE engram_failed_delivery SET error_message = '', "
                              "reply = CASE WHEN json_valid(reply) "
                              "THEN json_set(reply, '$.error.message', '') ELSE '' END "
                              "WHERE ticket = ?1 AND user_id = ?2")) {}

void outcome_eraser::blank_reply_of(std::string const& user_id, std::string const& job_id,
                                    blanked_outcomes& so_far) {
    if (job_id.empty() || !so_far.jobs.insert(job_id).second) return;
    so_far.job_ids.push_back(job_id);
    std::string reply_to;
    {
        auto found = finished_.query(job_id, user_id);
        if (!found.next()) return;  // its dead letters live longer than its outcome
        reply_to = found.bytes(0);
    }
    blank_reply_.run(job_id, user_id);
    ++so_far.replies;
    if (!reply_to.empty()) so_far.reply_keys.push_back(std::move(reply_to));
}

void outcome_eraser::blank_replies_with(std::string const& user_id, std::string const& text,
                                        blanked_outcomes& so_far) {
    std::vector<std::string> jobs;
    {
        auto const spelled = spell(text);  // borrowed while it is searched for
        auto found = replies_with_.query(user_id, spelled.now, spelled.before);
        while (found.next())
            jobs.emplace_back(found.bytes(0));
    }
    for (auto const& job : jobs)
        blank_reply_of(user_id, job, so_far);
}

void outcome_eraser::blank_that_tell(std::string const& user_id,
                                     std::function<bool(std::string_view)> const& reply_tells,
                                     std::function<bool(std::string_view)> const& error_tells,
                                     blanked_outcomes& so_far) {
    std::vector<std::string> jobs, tickets;
    {
        auto found = replies_.query(user_id);
        while (found.next())
            if (reply_tells(found.bytes(1))) jobs.emplace_back(found.bytes(0));
    }
    {
        auto found = errors_.query(user_id);
        while (found.next())
            if (error_tells(found.bytes(2))) tickets.emplace_back(found.bytes(0));
    }
    for (auto const& job : jobs)
        blank_reply_of(user_id, job, so_far);
    for (auto const& ticket : tickets)
        blank_error_.run(ticket, user_id);
}

void outcome_eraser::blank_errors(std::string const& user_id, std::vector<std::string> const& texts,
                                  blanked_outcomes const& so_far) {
    std::vector<std::string> spelled;
    for (auto const& text : texts) {
        auto both = spell(text);
        spelled.push_back(std::move(both.now));
        spelled.push_back(std::move(both.before));
    }
    std::vector<std::string> tickets;
    {
        auto found = errors_.query(user_id);
        while (found.next()) {
            auto const reply = found.bytes(2);
            bool const quotes = std::ranges::any_of(
                spelled, [&](auto const& text) { return reply.find(text) != std::string_view::npos; });
            if (quotes || so_far.jobs.contains(std::string(found.bytes(1))))
                tickets.emplace_back(found.bytes(0));
        }
    }
    for (auto const& ticket : tickets)
        blank_error_.run(ticket, user_id);
}

}  // namespace engram::store

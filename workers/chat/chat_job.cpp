#include "workers/chat/chat_job.hpp"

#include "base/digest.hpp"
#include "queue/job_reading.hpp"

#include <utility>

namespace engram::workers {

read_job read_delivery(queue::delivery const& delivery, job_rules const& rules) {
    read_job read;
    auto& job = read.job;
    auto parsed =
        queue::read_any_job(delivery.body, {rules.prefix, &rules.reply_prefixes, rules.max_job_bytes});
    if (!parsed) read.problem = std::move(parsed.error().message);
    job.what = parsed ? std::move(*parsed) : std::move(parsed.error().partial);
    auto const& own_id = job.what.id;
    job.key = {own_id.empty() ? delivery.ticket : own_id, delivery.ticket, base::sha256(delivery.body)};
    job.shown_id = parsed ? job.key.job_id : own_id;
    job.reply_to = job.what.reply_to;
    if (job.reply_to.empty() && !job.shown_id.empty())
        job.reply_to = queue::default_reply_key(rules.prefix, job.shown_id);
    auto const& session = job.what.session_id;
    job.conversation = {job.what.user_id, session.empty() ? "s-" + delivery.ticket : session};
    job.attempts = delivery.attempts;
    job.deaths = delivery.deaths;
    job.queued_ms = delivery.queued_ms;
    job.failing = delivery.failing;
    job.received = delivery.received;
    auto const allowed = job.what.deadline.value_or(rules.deadline);
    job.deadline = delivery.received + allowed - std::chrono::milliseconds(delivery.queued_ms);
    return read;
}

}  // namespace engram::workers

#include "workers/admin/admin.hpp"

#include "base/log.hpp"
#include "workers/admin/admin_result.hpp"

#include <utility>

namespace engram::workers {

namespace asio = boost::asio;

admin::admin(admin_rules rules, store::memories& store, queue::user_traces& traces, base::clock const& clock,
             asio::any_io_executor executor)
    : rules_(std::move(rules)),
      store_(store),
      traces_(traces),
      clock_(clock),
      executor_(executor),
      patience_(std::move(executor)) {}

asio::awaitable<queue::admin_answer> admin::answer(std::string body) {
    auto const begun = clock_.steady();
    auto parsed = parse_admin_request(
        body, {rules_.prefix, &rules_.reply_prefixes, rules_.max_request_bytes, &rules_.types});
    auto const& request = parsed ? *parsed : parsed.error().partial;
    std::string const op(parsed || parsed.error().has_op ? name_of(request.op) : "");

    checked<std::string> result = failure{failure_kind::invalid_job, parsed ? "" : parsed.error().message};
    if (parsed) result = co_await carry_out(request);
    queue::admin_answer answer{request.id, request.reply_to, {}, std::nullopt};
    if (result) {
        base::log_info("request about memories answered", {{"op", op},
                                                           {"request", request.id},
                                                           {"user", request.user_id},
                                                           {"ms", base::elapsed_ms(begun, clock_.steady())}});
        answer.reply = admin_ok(request.id, op, *result);
        co_return answer;
    }
    auto const& failed = result.error();
    std::string const type(type_of(failed.kind));
    base::log_warn("request about memories failed", {{"op", op},
                                                     {"request", request.id},
                                                     {"user", request.user_id},
                                                     {"error", type},
                                                     {"message", failed.message}});
    answer.reply = admin_error(request.id, op, type, failed.message, failed.retryable);
    if (request.reply_to.empty()) answer.dead = queue::dead_letter{type, failed.message};
    co_return answer;
}

// The request must outlive the outcome.
admin::outcome admin::carry_out(admin_request const& request) {
    switch (request.op) {
        case admin_op::memory_list:
            return list_memories(request);
        case admin_op::memory_search:
            return search_memories(request);
        case admin_op::memory_add:
            return add_memory(request);
        case admin_op::memory_update:
            return update_memory(request);
        case admin_op::memory_history:
            return show_history(request);
        case admin_op::memory_restore:
            return restore_memory(request);
        case admin_op::memory_delete:
            return delete_memory(request);
        case admin_op::session_list:
            return list_sessions(request);
        case admin_op::session_history:
            return show_session(request);
        case admin_op::session_delete:
            return delete_session(request);
        case admin_op::user_export:
            return export_user(request);
        case admin_op::user_forget:
            return forget_user(request);
        case admin_op::stats:
            break;
    }
    return count(request);
}

// As the contract has it.
std::string_view admin::type_of(failure_kind kind) {
    switch (kind) {
        case failure_kind::invalid_job:
            return "invalid_job";
        case failure_kind::not_found:
            return "not_found";
        case failure_kind::internal:
            break;
    }
    return "internal";
}

admin::failure admin::failure_of(store::error const& error) {
    // A damaged database works again once somebody has restored it.
    bool const later = error.kind == store::error_kind::unavailable || error.damaged;
    return {failure_kind::internal,
            (later ? "the store cannot be used now: " : "the store failed: ") + error.message, later};
}

admin::failure admin::missing(std::string_view what) {
    return {failure_kind::not_found, "this user has no such " + std::string(what), false};
}

}  // namespace engram::workers

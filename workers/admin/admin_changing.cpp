#include "workers/admin/admin.hpp"
#include "workers/admin/admin_calls.hpp"
#include "workers/admin/admin_result.hpp"

#include <utility>

namespace engram::workers {

namespace asio = boost::asio;

namespace {

// What bounds a memory of this type; nothing does for a type that is configured no more.
category bounds_of(categories const& types, std::string const& type) {
    auto const* known = types.find(type);
    return known ? *known : category{};
}

std::string change_text(store::changed_memory const& changed, bool with_superseded) {
    object_text result;
    result.raw("memory", to_json(changed.now)).text("action", changed.action);
    if (with_superseded) result.number_or_null("superseded", changed.superseded);
    return std::move(result).end();
}

}  // namespace

admin::outcome admin::add_memory(admin_request const& request) {
    store::new_memory memory;
    memory.type = request.type.value_or("fact");
    memory.content = *request.content;
    memory.pinned = request.pinned.value_or(false);
    auto const bounds = bounds_of(rules_.types, memory.type);
    memory.most_of_type = bounds.max_per_user;
    memory.lifetime = bounds.ttl;
    auto const at = clock_.wall();
    auto const add = [&] { return store_.add_memory(request.user_id, memory, at); };
    auto const added = co_await insist<store::changed_memory>(add);
    if (!added) co_return added.error();
    co_return change_text(*added, false);
}

admin::outcome admin::update_memory(admin_request const& request) {
    store::memory_change change;
    change.id = request.memory_id;
    change.content = request.content;
    change.type = request.type;
    change.pinned = request.pinned;
    auto type = request.type;
    if (!type) {
        // It keeps its type, and with it the bounds of that type.
        auto const history = co_await store_.read_history(request.user_id, request.memory_id);
        if (!history) co_return failure_of(history.error());
        if (!*history) co_return missing("memory");
        for (auto const& version : (*history)->versions)
            if (version.what.id == request.memory_id) type = version.what.type;
    }
    auto const bounds = bounds_of(rules_.types, type.value_or(""));
    change.most_of_type = bounds.max_per_user;
    change.lifetime = bounds.ttl;
    auto const at = clock_.wall();
    auto const save = [&] { return store_.change_memory(request.user_id, change, at); };
    auto const changed = co_await insist<std::optional<store::changed_memory>>(save);
    if (!changed) co_return changed.error();
    if (!*changed) co_return missing("memory, or it is of the past: memory.restore makes it the current one");
    co_return change_text(**changed, true);
}

admin::outcome admin::restore_memory(admin_request const& request) {
    auto const at = clock_.wall();
    auto const restore = [&] { return store_.restore_memory(request.user_id, request.memory_id, at); };
    auto const restored = co_await insist<std::optional<store::memory_record>>(restore);
    if (!restored) co_return restored.error();
    if (!*restored) co_return missing("memory");
    object_text result;
    result.raw("memory", to_json(**restored));
    co_return std::move(result).end();
}

// What it would be, at this moment.
admin::outcome admin::preview_deletion(admin_request const& request) {
    auto const ask = [&] { return store_.preview_deletion(request.user_id, request.memory_id); };
    auto const preview = co_await insist<std::optional<store::erasure_preview>>(ask);
    if (!preview) co_return preview.error();
    if (!*preview) co_return missing("memory");
    co_return to_json(**preview, list_bytes());
}

admin::outcome admin::delete_memory(admin_request const& request) {
    if (request.dry_run) {
        auto result = co_await preview_deletion(request);
        co_return result;
    }
    auto const at = clock_.wall();
    auto const erase = [&] { return store_.delete_memory(request.user_id, request.memory_id, at); };
    auto erased = co_await insist<std::optional<store::erased>>(erase);
    if (!erased) co_return erased.error();
    auto result = co_await report_deletion(request, std::move(*erased), "memory");
    co_return result;
}

admin::outcome admin::delete_session(admin_request const& request) {
    auto const at = clock_.wall();
    store::conversation const which{request.user_id, request.session_id};
    auto const erase = [&] { return store_.delete_session(which, request.memories, at); };
    auto erased = co_await insist<std::optional<store::erased>>(erase);
    if (!erased) co_return erased.error();
    auto result = co_await report_deletion(request, std::move(*erased), "session");
    co_return result;
}

// What the store has deleted is also in replies that nobody has taken yet, and in one that is on its way to
// Redis just now: upkeep looks once more when that must have arrived.
admin::outcome admin::report_deletion(admin_request const& request, std::optional<store::erased> erased,
                                      std::string_view what) {
    if (!erased) co_return missing(what);
    auto const gone = co_await erase_replies({request.user_id, erased->reply_keys, erased->job_ids, false});
    if (!gone) {
        co_await settle(erased->pending, store::erasure_state::open, clock_.wall() + erasure_retry);
        co_return failure{failure_kind::internal,
                          "the " + std::string(what) +
                              " is deleted, but replies and dead letters that hold its text are still in "
                              "Redis; the daemon goes on trying to erase them: " +
                              gone.error().message,
                          true};
    }
    co_await settle(erased->pending, store::erasure_state::cleaned, clock_.wall() + rules_.reply_on_its_way);
    object_text result;
    result.raw("deleted", to_json(erased->counts, false));
    co_return std::move(result).end();
}

asio::awaitable<admin::checked<std::size_t>> admin::erase_replies(queue::ended_jobs what) {
    auto const erase = [&] { return traces_.erase_replies(what); };
    auto gone = co_await insist_on_redis<std::size_t>(erase);
    co_return gone;
}

}  // namespace engram::workers

#include "workers/admin/admin.hpp"
#include "workers/admin/admin_result.hpp"

#include <utility>

namespace engram::workers {

namespace {

// Around the lists of a result, and for the cursor.
constexpr std::size_t envelope_bytes = 4'096;

template <class T>
store::page<T> const* page_of(store::page<T> const& page) {
    return &page;
}
// None: there is no such session.
template <class T>
store::page<T> const* page_of(std::optional<store::page<T>> const& page) {
    return page ? &*page : nullptr;
}

// As much from the front of `values` as fits into what is left of `bytes`.
bool cut(std::vector<std::string>& values, std::size_t& bytes) {
    auto const fitting = count_fitting(values, bytes);
    bool const is_cut = fitting < values.size();
    values.resize(fitting);
    auto const used = list_text(values).size();
    bytes -= std::min(used, bytes);
    return is_cut;
}

auto const as_object = [](auto const& record) { return to_json(record); };

}  // namespace

std::size_t admin::list_bytes() const {
    return rules_.max_reply_bytes - std::min(envelope_bytes, rules_.max_reply_bytes / 2);
}

// Only the store knows where a page begins, so one that is too long is asked for again, shorter.
template <class Read, class Show>
admin::outcome admin::show_page(admin_request const& request, std::string_view name, Read const& read,
                                Show const& show) {
    store::page_request which{request.cursor, request.limit};
    for (;;) {
        auto const got = co_await read(which);
        if (!got) co_return failure_of(got.error());
        auto const* page = page_of(*got);
        if (!page) co_return missing("session");
        std::vector<std::string> values;
        values.reserve(page->items.size());
        for (auto const& item : page->items)
            values.push_back(show(item));
        auto const fitting = count_fitting(values, list_bytes());
        if (fitting == values.size()) {
            object_text result;
            result.raw(name, list_text(values)).text_or_null("cursor", page->next);
            co_return std::move(result).end();
        }
        which.limit = fitting;
    }
}

admin::outcome admin::list_memories(admin_request const& request) {
    auto const read = [&](store::page_request const& which) {
        return store_.list_memories(request.user_id, request.type.value_or(""), request.past, which,
                                    clock_.wall());
    };
    auto result = co_await show_page(request, "memories", read, as_object);
    co_return result;
}

admin::outcome admin::list_sessions(admin_request const& request) {
    auto const read = [&](store::page_request const& which) {
        return store_.list_sessions(request.user_id, which);
    };
    auto result = co_await show_page(request, "sessions", read, as_object);
    co_return result;
}

admin::outcome admin::show_session(admin_request const& request) {
    auto const read = [&](store::page_request const& which) {
        return store_.read_session({request.user_id, request.session_id}, which);
    };
    auto result = co_await show_page(request, "turns", read, as_object);
    co_return result;
}

admin::outcome admin::export_user(admin_request const& request) {
    auto const read = [&](store::page_request const& which) {
        return store_.export_user(request.user_id, which);
    };
    auto const show = [](store::exported const& line) { return quote(to_json(line)); };
    auto result = co_await show_page(request, "lines", read, show);
    co_return result;
}

admin::outcome admin::search_memories(admin_request const& request) {
    store::search_query query{request.query, request.limit, {}, {}};
    auto const found = co_await store_.find(request.user_id, std::move(query), {}, clock_.wall());
    if (!found) co_return failure_of(found.error());
    std::vector<std::string> memories, turns;
    for (auto const& [memory, rank] : found->memories)
        memories.push_back(to_json(memory, &rank));
    for (auto const& [turn, rank] : found->turns)
        turns.push_back(to_json(turn, &rank));
    auto bytes = list_bytes();
    bool truncated = cut(memories, bytes);
    truncated = cut(turns, bytes) || truncated;
    object_text result;
    result.raw("memories", list_text(memories)).raw("turns", list_text(turns));
    if (truncated) result.flag("truncated", true);
    co_return std::move(result).end();
}

admin::outcome admin::show_history(admin_request const& request) {
    auto const got = co_await store_.read_history(request.user_id, request.memory_id);
    if (!got) co_return failure_of(got.error());
    if (!*got) co_return missing("memory");
    std::vector<std::string> versions, sources;
    for (auto const& version : (*got)->versions)
        versions.push_back(to_json(version));
    for (auto const& source : (*got)->sources)
        sources.push_back(to_json(source));
    auto bytes = list_bytes();
    bool truncated = cut(versions, bytes);
    truncated = cut(sources, bytes) || truncated;
    object_text result;
    result.raw("memories", list_text(versions)).raw("sources", list_text(sources));
    if (truncated) result.flag("truncated", true);
    co_return std::move(result).end();
}

admin::outcome admin::count(admin_request const& request) {
    auto const totals = co_await store_.count(request.user_id);
    if (!totals) co_return failure_of(totals.error());
    co_return to_json(*totals);
}

}  // namespace engram::workers

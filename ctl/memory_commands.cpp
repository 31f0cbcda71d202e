// `engramctl memory`.
#include "ctl/admin_commands.hpp"
#include "ctl/admin_show.hpp"
#include "ctl/confirm.hpp"
#include "ctl/memory_page.hpp"
#include "ctl/session_page.hpp"

#include <iostream>
#include <sysexits.h>
#include <utility>

namespace engram::ctl {

namespace json = boost::json;

namespace {

int fail_as_no_id(admin_request const& request) {
    complain(not_a_memory_id(request.memory));
    return EX_USAGE;
}

// An operation on one memory, of which no more needs to be said.
int call_with_id(connection& redis, admin_request const& request, std::string_view op, page page_of) {
    auto const id = memory_id(request.memory);
    if (!id) return fail_as_no_id(request);
    return show(request, call_admin(redis, request.target, op, {{"memory_id", *id}}), page_of);
}

// Says what goes, and asks. None: go on.
std::optional<int> ask_before_deleting(connection& redis, admin_request const& request, std::int64_t id) {
    if (request.yes) return std::nullopt;
    if (auto const refused = refuse_without_terminal("the memory, what it was merged into or from, and the "
                                                     "exchanges they were told in are gone for good"))
        return refused;
    auto const history = call_admin(redis, request.target, "memory.history", {{"memory_id", id}});
    if (!history) return fail(history.error());
    auto const warning = deletion_warning(*history);
    if (!warning) return fail(senseless_reply());
    return ask({*warning + "Delete it? Type yes:", {"yes"}, "Nothing was deleted."});
}

}  // namespace

int list_memories(connection& redis, admin_request const& request) {
    json::object fields;
    if (request.type) fields["type"] = *request.type;
    if (request.past) fields["past"] = true;
    return show_list(redis, request, walk_for(request, "memory.list", std::move(fields)), listed_memories());
}

int search_memories(connection& redis, admin_request const& request) {
    json::object fields{{"query", request.query}};
    if (request.limit) fields["limit"] = *request.limit;
    return show(request, call_admin(redis, request.target, "memory.search", std::move(fields)), search_page);
}

int add_memory(connection& redis, admin_request const& request) {
    json::object fields{{"content", request.content.value_or("")}};
    if (request.type) fields["type"] = *request.type;
    if (request.pinned) fields["pinned"] = true;
    return show(request, call_admin(redis, request.target, "memory.add", std::move(fields)), changed_page);
}

int edit_memory(connection& redis, admin_request const& request) {
    auto const id = memory_id(request.memory);
    if (!id) return fail_as_no_id(request);
    json::object fields{{"memory_id", *id}};
    if (request.content) fields["content"] = *request.content;
    if (request.type) fields["type"] = *request.type;
    if (request.pin || request.unpin) fields["pinned"] = request.pin;
    if (fields.size() == 1) {
        complain("name what is to change: the new content, --type, --pin or --unpin");
        return EX_USAGE;
    }
    return show(request, call_admin(redis, request.target, "memory.update", std::move(fields)), changed_page);
}

int delete_memory(connection& redis, admin_request const& request) {
    auto const id = memory_id(request.memory);
    if (!id) return fail_as_no_id(request);
    if (request.dry_run) {
        json::object fields{{"memory_id", *id}, {"dry_run", true}};
        return show(request, call_admin(redis, request.target, "memory.delete", std::move(fields)),
                    preview_page);
    }
    if (auto const refused = ask_before_deleting(redis, request, *id)) return *refused;
    return call_with_id(redis, request, "memory.delete", deleted_page);
}

int show_memory_history(connection& redis, admin_request const& request) {
    return call_with_id(redis, request, "memory.history", history_page);
}

int restore_memory(connection& redis, admin_request const& request) {
    return call_with_id(redis, request, "memory.restore", restored_page);
}

}  // namespace engram::ctl

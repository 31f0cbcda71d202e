// `engramctl session`, `user` and `stats`.
#include "ctl/admin_commands.hpp"
#include "ctl/admin_show.hpp"
#include "ctl/confirm.hpp"
#include "ctl/display.hpp"
#include "ctl/export_file.hpp"
#include "ctl/session_page.hpp"

#include <iostream>
#include <sysexits.h>
#include <utility>

namespace engram::ctl {

namespace json = boost::json;

namespace {

std::optional<int> ask_before_deleting(admin_request const& request) {
    if (request.yes) return std::nullopt;
    if (auto const refused = refuse_without_terminal("a deleted session is gone for good")) return refused;
    auto const what = "Session " + safe_text(request.session) + " of " +
                      safe_text(request.target.user.value_or("")) +
                      " goes for good: its turns, summaries of them" +
                      (request.memories ? " and the memories learnt there" : "; memories learnt there stay");
    return ask({what + ".\nDelete it? Type yes:", {"yes"}, "Nothing was deleted."});
}

std::optional<int> ask_before_forgetting(connection& redis, admin_request const& request) {
    if (request.yes) return std::nullopt;
    if (auto const refused = refuse_without_terminal("a forgotten user is gone for good")) return refused;
    auto const stats = call_admin(redis, request.target, "stats");
    if (!stats) return fail(stats.error());
    auto const user = request.target.user.value_or("");
    return ask({forget_warning(user, *stats), {user}, "Nothing was forgotten."});
}

}  // namespace

int list_sessions(connection& redis, admin_request const& request) {
    return show_list(redis, request, walk_for(request, "session.list"), listed_sessions());
}

int show_session(connection& redis, admin_request const& request) {
    auto walk = walk_for(request, "session.history", {{"session_id", request.session}});
    auto const trouble = walk_pages(redis, request.target, walk, [&](json::object const& result) {
        auto const text = turns_page(result);
        if (text) std::cout << (request.json ? json_line(result) + '\n' : *text);
        return text.has_value();
    });
    if (trouble) return fail(*trouble);
    if (!request.json) tell_of_more(walk);
    return EX_OK;
}

int delete_session(connection& redis, admin_request const& request) {
    if (auto const refused = ask_before_deleting(request)) return *refused;
    json::object fields{{"session_id", request.session}};
    if (request.memories) fields["memories"] = true;
    return show(request, call_admin(redis, request.target, "session.delete", std::move(fields)),
                deleted_page);
}

int export_user(connection& redis, admin_request const& request) {
    export_file file(request.output);
    if (auto const trouble = file.open()) return fail(*trouble);
    page_walk walk{"user.export", {{"limit", 500}}, std::nullopt, true};
    auto const trouble = walk_pages(redis, request.target, walk, [&](json::object const& result) {
        auto const lines = export_lines(result);
        if (lines) file.write(*lines);
        return lines.has_value();
    });
    if (trouble) return fail(*trouble);
    if (auto const unwritten = file.finish()) return fail(*unwritten);
    return EX_OK;
}

int forget_user(connection& redis, admin_request const& request) {
    if (auto const refused = ask_before_forgetting(redis, request)) return *refused;
    return show(request, call_admin(redis, request.target, "user.forget"), forgotten_page);
}

int show_stats(connection& redis, admin_request const& request) {
    auto target = request.target;
    target.user = request.only_user;
    return show(request, call_admin(redis, target, "stats"), stats_page);
}

}  // namespace engram::ctl

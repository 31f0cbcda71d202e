#include "ctl/admin_show.hpp"

#include "ctl/display.hpp"

#include <iostream>
#include <sysexits.h>
#include <utility>

namespace engram::ctl {

namespace json = boost::json;

int fail(complaint const& what) {
    complain(what.line);
    return what.status;
}

int show(admin_request const& request, admin_result const& result, page page_of) {
    if (!result) return fail(result.error());
    auto const text = page_of(*result);
    if (!text) return fail(senseless_reply());
    std::cout << (request.json ? json_line(*result) + '\n' : *text);
    return EX_OK;
}

page_walk walk_for(admin_request const& request, std::string_view op, json::object fields) {
    page_walk walk{op, std::move(fields), request.cursor, request.all};
    if (request.limit) walk.fields["limit"] = *request.limit;
    return walk;
}

int show_list(connection& redis, admin_request const& request, page_walk walk, list_kind const& kind) {
    list_table rows(kind);
    auto const trouble = walk_pages(redis, request.target, walk, [&](json::object const& result) {
        if (!request.json) return rows.add(result);
        if (!list_table(kind).add(result)) return false;
        std::cout << json_line(result) << '\n';
        return true;
    });
    if (trouble) return fail(*trouble);
    if (request.json) return EX_OK;
    std::cout << rows.text();
    tell_of_more(walk);
    return EX_OK;
}

void tell_of_more(page_walk const& walk) {
    if (walk.cursor) std::cout << "more: --cursor " << safe_text(*walk.cursor) << '\n';
}

}  // namespace engram::ctl

#include "ctl/dead.hpp"

#include "ctl/complaint.hpp"
#include "ctl/dead_letter.hpp"
#include "ctl/dead_walk.hpp"
#include "ctl/display.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <iostream>
#include <sysexits.h>

namespace engram::ctl {

namespace json = boost::json;

namespace {

int fail(redis::error const& error) {
    auto const what = explain(error);
    complain(what.line);
    return what.status;
}

int fail_as_no_entry(std::string_view given) {
    complain(not_an_entry(given));
    return EX_USAGE;
}

// What is listed, as a table or as JSON.
struct listing {
    std::vector<std::vector<std::string>> rows{dead_letter_headings()};
    json::array entries;
    std::size_t count = 0;
    std::string last;
    bool more = false;

    // False: the page is full.
    bool add(dead_letter const& letter, dead_request const& request) {
        if (request.reason && letter.field("reason") != *request.reason) return true;
        if (count == std::size_t(request.limit)) {
            more = true;
            return false;
        }
        ++count;
        last = letter.entry;
        if (request.json)
            entries.push_back(dead_letter_summary(letter));
        else
            rows.push_back(dead_letter_cells(letter));
        return true;
    }
};

void print(listing const& page, bool as_json) {
    if (as_json) {
        json::object out;
        out["entries"] = page.entries;
        out["cursor"] = page.more ? json_text(page.last) : json::value(nullptr);
        std::cout << json_line(out) << '\n';
    } else if (page.count == 0) {
        std::cout << "no dead letters\n";
    } else {
        std::cout << table(page.rows);
        if (page.more) std::cout << "more: --cursor " << page.last << '\n';
    }
}

}  // namespace

int list_dead_letters(connection& redis, dead_request const& request) {
    dead_walk walk(redis, request.prefix + ":dead", walk_order::newest_first);
    if (request.cursor) {
        auto const cursor = entry_id(*request.cursor);
        if (!cursor) return fail_as_no_entry(*request.cursor);
        walk.begin_after(*cursor);
    }
    listing page;
    for (bool going = true; going;) {
        auto const piece = walk.next();
        if (!piece) return fail(piece.error());
        going = !piece->empty();
        for (auto const& letter : *piece)
            if (going) going = page.add(letter, request);
    }
    print(page, request.json);
    return EX_OK;
}

int show_dead_letter(connection& redis, dead_request const& request) {
    auto const& given = request.entries.at(0);
    auto const entry = entry_id(given);
    if (!entry) return fail_as_no_entry(given);
    auto answer = redis.call({"XRANGE", request.prefix + ":dead", *entry, *entry});
    if (!answer) return fail(answer.error());
    auto const letters = read_dead_letters(std::move(*answer));
    if (!letters || letters->empty()) {
        complain(*entry + " is gone or never was (engramctl dead list shows what is there)");
        return EX_NOINPUT;
    }
    auto const& letter = letters->front();
    if (!request.raw) {
        std::cout << (request.json ? json_line(dead_letter_document(letter)) + '\n'
                                   : dead_letter_page(letter));
        return EX_OK;
    }
    auto const job = letter.field("job");
    if (!job) {
        complain(*entry + " holds no job; without --raw the rest of it is shown");
        return EX_DATAERR;
    }
    std::cout << *job;
    return EX_OK;
}

}  // namespace engram::ctl

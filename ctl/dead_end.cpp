// `engramctl dead retry` and `dead drop`: the two ways in which a dead letter ends.
#include "ctl/complaint.hpp"
#include "ctl/confirm.hpp"
#include "ctl/dead.hpp"
#include "ctl/dead_walk.hpp"
#include "ctl/display.hpp"
#include "queue/scripts.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <algorithm>
#include <iostream>
#include <sysexits.h>

namespace engram::ctl {

namespace json = boost::json;

namespace {

// What became of the entries, as far as it is known.
struct tally {
    std::size_t done = 0;
    std::vector<std::string> gone;   // named, but not there
    std::vector<std::string> empty;  // they hold no job and were kept
    std::optional<complaint> trouble;
};

// Ends some hundred entries at most; false after an error, which is in the tally then.
using ending = bool (*)(connection&, std::string const& prefix, std::vector<std::string> entries, tally&);

bool retry_some(connection& redis, std::string const& prefix, std::vector<std::string> entries, tally& into) {
    while (!entries.empty()) {
        std::vector<std::string> arguments{prefix, ""};
        arguments.insert(arguments.end(), entries.begin(), entries.end());
        auto const results = redis.run(queue::all_scripts().dead_retry, prefix + ":jobs", arguments);
        if (!results) {
            into.trouble = explain(results.error());
            return false;
        }
        if (results->items.size() != entries.size()) {
            into.trouble =
                complaint{"Redis gave an answer that makes no sense; nothing more was tried", EX_SOFTWARE};
            return false;
        }
        std::vector<std::string> later;
        for (std::size_t i = 0; i < entries.size(); ++i) {
            auto const& result = results->items[i].text;
            if (result == "retried") ++into.done;
            if (result == "gone") into.gone.push_back(entries[i]);
            if (result == "empty") into.empty.push_back(entries[i]);
            if (result == "later") later.push_back(entries[i]);
        }
        entries = std::move(later);
    }
    return true;
}

bool drop_some(connection& redis, std::string const& prefix, std::vector<std::string> entries, tally& into) {
    auto const key = prefix + ":dead";
    std::vector<std::string_view> command{"XDEL", key};
    command.insert(command.end(), entries.begin(), entries.end());
    auto const dropped = redis.call(command);
    if (!dropped) {
        into.trouble = explain(dropped.error());
        return false;
    }
    into.done += std::size_t(std::max<std::int64_t>(dropped->as_integer(), 0));
    // Of several entries Redis does not say which ones were missing: to learn that, delete one at a time.
    if (entries.size() == 1 && dropped->as_integer() == 0) into.gone.push_back(entries[0]);
    return true;
}

// All that were there when it began, oldest first, so that conversations keep their order. Jobs that become
// dead letters meanwhile are newer, so this ends although retried jobs may fail again. An entry that somebody
// else has removed meanwhile is no error: nobody asked for it by name.
void end_all(connection& redis, dead_request const& request, ending end, tally& into) {
    auto const key = request.prefix + ":dead";
    auto const newest = newest_entry(redis, key);
    if (!newest) into.trouble = explain(newest.error());
    if (!newest || !*newest) return;
    dead_walk walk(redis, key, walk_order::oldest_first);
    walk.end_with(**newest);
    for (;;) {
        auto const piece = walk.next();
        if (!piece) into.trouble = explain(piece.error());
        if (!piece || piece->empty()) break;
        std::vector<std::string> entries;
        for (auto const& letter : *piece) {
            if (!request.reason || letter.field("reason") == *request.reason) entries.push_back(letter.entry);
        }
        if (!entries.empty() && !end(redis, request.prefix, std::move(entries), into)) break;
    }
    into.gone.clear();
}

// One at a time: each is told of by name.
void end_named(connection& redis, std::string const& prefix, std::vector<std::string> const& entries,
               ending end, tally& into) {
    for (auto const& entry : entries)
        if (!end(redis, prefix, {entry}, into)) return;
}

// The entries that were named, each once; none after a complaint.
std::optional<std::vector<std::string>> named_entries(dead_request const& request) {
    std::vector<std::string> entries;
    for (auto const& given : request.entries) {
        auto const entry = entry_id(given);
        if (!entry) {
            complain(not_an_entry(given));
            return std::nullopt;
        }
        if (std::find(entries.begin(), entries.end(), *entry) == entries.end()) entries.push_back(*entry);
    }
    bool const sensible = request.all ? entries.empty() : !entries.empty() && !request.reason;
    if (sensible) return entries;
    complain("name the entries, or say --all, with --reason if only those are meant");
    return std::nullopt;
}

std::string names_of(std::vector<std::string> const& entries) {
    constexpr std::size_t most_named = 5;
    std::string out;
    for (std::size_t i = 0; i < std::min(entries.size(), most_named); ++i)
        out += (i ? ", " : "") + entries[i];
    if (entries.size() > most_named) out += " and " + std::to_string(entries.size() - most_named) + " more";
    return out;
}

json::array json_names(std::vector<std::string> const& entries) {
    json::array out;
    for (auto const& entry : entries)
        out.push_back(json_text(entry));
    return out;
}

// One line for all that went wrong, and the exit code of the worst.
int complain_of(tally const& result) {
    std::string line;
    auto const add = [&](std::string const& text) { line += (line.empty() ? "" : "; ") + text; };
    if (result.trouble) add(result.trouble->line);
    if (!result.empty.empty()) add("kept, since no job is in it: " + names_of(result.empty));
    if (!result.gone.empty()) add("gone, retried or dropped before: " + names_of(result.gone));
    if (!line.empty()) complain(line);
    if (result.trouble) return result.trouble->status;
    if (!result.empty.empty()) return EX_DATAERR;
    return result.gone.empty() ? EX_OK : EX_NOINPUT;
}

// None: go on.
std::optional<int> ask_before_dropping(dead_request const& request, std::size_t named) {
    if (request.yes) return std::nullopt;
    if (auto const refused = refuse_without_terminal("what is dropped is gone for good")) return refused;
    auto const which = !request.all     ? count_of(named, "dead letter")
                       : request.reason ? "all dead letters with the reason " + safe_text(*request.reason)
                                        : std::string("all dead letters");
    return ask({"Drop " + which + " for good? [y/N]", {"y", "Y", "yes"}, "Nothing was dropped."});
}

tally carry_out(connection& redis, dead_request const& request, std::vector<std::string> const& entries,
                ending end) {
    tally result;
    if (request.all)
        end_all(redis, request, end, result);
    else
        end_named(redis, request.prefix, entries, end, result);
    return result;
}

}  // namespace

int retry_dead_letters(connection& redis, dead_request const& request) {
    auto const entries = named_entries(request);
    if (!entries) return EX_USAGE;
    auto const result = carry_out(redis, request, *entries, retry_some);
    if (request.json) {
        json::object out;
        out["retried"] = result.done;
        out["gone"] = json_names(result.gone);
        out["without_job"] = json_names(result.empty);
        std::cout << json_line(out) << '\n';
    } else {
        std::cout << count_of(result.done, "job") << " put back into " << safe_text(request.prefix)
                  << ":jobs\n";
    }
    return complain_of(result);
}

int drop_dead_letters(connection& redis, dead_request const& request) {
    auto const entries = named_entries(request);
    if (!entries) return EX_USAGE;
    if (auto const refused = ask_before_dropping(request, entries->size())) return *refused;
    auto const result = carry_out(redis, request, *entries, drop_some);
    if (request.json) {
        json::object out;
        out["dropped"] = result.done;
        out["gone"] = json_names(result.gone);
        std::cout << json_line(out) << '\n';
    } else {
        std::cout << count_of(result.done, "dead letter") << " dropped\n";
    }
    return complain_of(result);
}

}  // namespace engram::ctl

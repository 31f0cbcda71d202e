#include "ctl/backup_commands.hpp"

#include "backup/backup.hpp"
#include "backup/failure.hpp"
#include "backup/restore.hpp"
#include "backup/salvage.hpp"
#include "ctl/complaint.hpp"
#include "ctl/display.hpp"

#include <CLI/CLI.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <array>
#include <cinttypes>
#include <cstdio>
#include <exception>
#include <iostream>
#include <sysexits.h>
#include <utility>

namespace engram::ctl {

namespace {

std::string hexadecimal(std::uint64_t id) {
    std::array<char, 17> digits{};
    std::snprintf(digits.data(), digits.size(), "%016" PRIx64, id);
    return digits.data();
}

std::string size_text(std::uint64_t bytes) {
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%.1f MiB", double(bytes) / (1024.0 * 1024.0));
    return text.data();
}

std::string memories_text(std::uint64_t count) {
    return std::to_string(count) + (count == 1 ? " memory" : " memories");
}

// "12 users, 3400 turns, 210 memories, the newest turn of …, version 5, id 3f2a…, 4.2 MiB, checked"
std::string words_for(backup::contents const& found) {
    auto text = count_of(found.users, "user") + ", " + count_of(found.turns, "turn") + ", " +
                memories_text(found.memories);
    if (!found.newest_turn.empty()) text += ", the newest turn of " + safe_text(found.newest_turn) + " UTC";
    text += ", version " + std::to_string(found.version);
    if (found.id != 0) text += ", id " + hexadecimal(found.id);
    return text + ", " + size_text(found.bytes) + ", checked";
}

boost::json::object document_of(backup::contents const& found) {
    return {{"users", found.users},       {"turns", found.turns},
            {"memories", found.memories}, {"newest_turn", json_text(found.newest_turn)},
            {"version", found.version},   {"id", found.id != 0 ? hexadecimal(found.id) : ""},
            {"bytes", found.bytes},       {"checked", true}};
}

std::string what_it_means(backup::restored const& done, std::string const& database) {
    std::string text;
    if (!done.kept.empty())
        text += "The database from before is " + safe_text(done.kept) + ": delete it when nobody needs it.\n";
    for (auto const& log : done.put_away)
        text += "A log that could not be moved into its database is kept as " + safe_text(log) +
                ": delete it when nobody needs it.\n";
    text +=
        "What was answered since the backup was made is not in it: these turns and memories are gone from\n"
        "their conversations, and a job that is pushed again with its id runs again. Jobs that wait in "
        "Redis\n"
        "are answered.\n";
    if (!done.forgotten)
        text += "Users who were forgotten since are forgotten again when engramd starts";
    else if (*done.forgotten == 0)
        text += "No user in it is known to have been forgotten since";
    else
        text += count_of(*done.forgotten, "user") +
                " in it, forgotten since, will be forgotten again when engramd starts";
    text += " (" + safe_text(database) + ".forgotten).\n";
    return text + "Single memories and sessions that were deleted since are in it again.\n";
}

// "conversation_history: 3391 rows, some are lost", a line each
std::string words_for(std::vector<backup::copied_table> const& tables) {
    std::string text;
    for (auto const& table : tables) {
        text += safe_text(table.name) + ": " + count_of(table.rows, "row");
        if (!table.is_whole) text += table.rows > 0 ? ", some are lost" : ", all are lost";
        text += '\n';
    }
    return text;
}

std::string what_is_next(backup::salvaged const& done, std::string const& file) {
    std::string text;
    if (!done.is_whole())
        text +=
            "What is lost is gone from conversations and memory, if no copy has it; jobs whose outcome is "
            "lost\n"
            "run again when they are pushed again. A copy of the day before may hold more than this.\n";
    return text + "The search index is made anew by the next start. To use the new file: engramctl restore " +
           safe_text(file) + '\n';
}

boost::json::object document_of(backup::salvaged const& done, std::string const& file) {
    boost::json::array tables;
    for (auto const& table : done.tables)
        tables.push_back(boost::json::object{
            {"name", json_text(table.name)}, {"rows", table.rows}, {"whole", table.is_whole}});
    auto document = document_of(done.now);
    document["file"] = json_text(file);
    document["whole"] = done.is_whole();
    document["tables"] = std::move(tables);
    return document;
}

boost::json::array put_away_of(backup::restored const& done) {
    boost::json::array names;
    for (auto const& log : done.put_away)
        names.emplace_back(json_text(log));
    return names;
}

template <class Work>
int run(Work work) {
    try {
        work();
        return EX_OK;
    } catch (backup::failure const& failed) {
        complain(failed.what());
        return failed.status;
    }
}

}  // namespace

void add_backup_commands(CLI::App& app, backup_request& into) {
    auto* const backup = app.add_subcommand("backup", "a copy of the database while everything runs");
    backup->add_option("file", into.file, "what to make")->required();
    auto* const restore = app.add_subcommand("restore", "put a copy in the place of the database");
    restore->add_option("file", into.file, "the copy, which is left as it is")->required();
    for (auto* const command : {backup, restore}) {
        command->add_option("--database", into.database, "the database (default: store.path of engramd)")
            ->envname("ENGRAMD_STORE_PATH");
        command->add_flag("--json", into.json, "print one JSON document");
    }
    auto* const salvage =
        app.add_subcommand("salvage", "what can be read of a damaged database, in a new one");
    salvage->add_option("database", into.damaged, "the damaged database, which is left as it is")->required();
    salvage->add_option("new", into.file, "what to make")->required();
    salvage->add_flag("--json", into.json, "print one JSON document");
    for (auto* const command : {backup, salvage})
        command->add_flag("--force", into.force, "replace a file that is there already");
    restore->add_flag("--force", into.force, "do not ask Redis whether a daemon of this machine runs");
}

int make_backup(backup_request const& request) {
    return run([&] {
        auto const found = backup::back_up(request.database, request.file, request.force);
        auto document = document_of(found);
        document["file"] = json_text(request.file);
        if (request.json)
            std::cout << json_line(document) << '\n';
        else
            std::cout << "backup " << safe_text(request.file) << ": " << words_for(found) << '\n';
    });
}

int restore_backup(backup_request const& request, std::function<std::string()> const& find_instance) {
    auto const instance = request.force ? std::string() : find_instance();
    if (!instance.empty()) {
        complain("an engramd of this machine runs, as Redis says (" + instance +
                 "): systemctl stop 'engramd*' first; --force if it uses another database");
        return EX_TEMPFAIL;
    }
    return run([&] {
        auto const done = backup::restore(request.file, request.database);
        if (request.json) {
            auto document = document_of(done.now);
            document["database"] = json_text(request.database);
            document["kept"] = json_text(done.kept);
            document["put_away"] = put_away_of(done);
            if (done.forgotten)
                document["forgotten"] = *done.forgotten;
            else
                document["forgotten"] = nullptr;
            std::cout << json_line(document) << '\n';
        } else {
            std::cout << "restored " << safe_text(request.database) << ": " << words_for(done.now) << '\n'
                      << what_it_means(done, request.database);
        }
    });
}

int salvage_database(backup_request const& request) {
    bool is_whole = true;
    int const status = run([&] {
        auto const done = backup::salvage(request.damaged, request.file, request.force);
        is_whole = done.is_whole();
        if (request.json)
            std::cout << json_line(document_of(done, request.file)) << '\n';
        else
            std::cout << words_for(done.tables) << "salvaged " << safe_text(request.file) << ": "
                      << words_for(done.now) << '\n'
                      << what_is_next(done, request.file);
    });
    if (status == EX_OK && !is_whole) {
        complain("not all of " + request.damaged + " can be read; what came is in " + request.file);
        return EX_DATAERR;
    }
    return status;
}

}  // namespace engram::ctl

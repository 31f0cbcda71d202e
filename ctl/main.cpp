// engramctl: talks to engramd, over Redis only.

#include "base/log.hpp"
#include "ctl/admin_options.hpp"
#include "ctl/chat.hpp"
#include "ctl/complaint.hpp"
#include "ctl/connection.hpp"
#include "ctl/dead.hpp"
#include "ctl/queue_status.hpp"

#include <CLI/CLI.hpp>

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <string>
#include <sysexits.h>

namespace {

using namespace engram;

struct arguments {
    redis::options redis;
    std::string prefix = "engram";
    ctl::chat_request chat;
    ctl::dead_request dead;
    ctl::admin_request admin;
    std::string message;
    bool queue_json = false;
    long timeout_s = 600;
};

std::string default_user() {
    char const* const name = std::getenv("USER");
    return name && *name ? name : "you";
}

void add_conversation_options(CLI::App& command, arguments& into) {
    command.add_option("--user", into.chat.user, "whose memory this is")->default_str("your login name");
    command.add_option("--session", into.chat.session, "the conversation to go on with (default: a new one)");
    command.add_option("--timeout", into.timeout_s, "seconds to wait for an answer")
        ->check(CLI::Range(1, 86'400));
    command.add_flag("--json", into.chat.json, "print whole replies as JSON lines");
}

void add_dead_commands(CLI::App& app, ctl::dead_request& into) {
    auto* const dead = app.add_subcommand("dead", "jobs that ended in an error, or were none");
    dead->require_subcommand(1);
    auto* const list = dead->add_subcommand("list", "what there is, the newest first");
    list->add_option("--limit", into.limit, "how many at most (default: 50)")->check(CLI::Range(1, 10'000));
    list->add_option("--cursor", into.cursor, "go on behind this entry");
    auto* const show = dead->add_subcommand("show", "all about one, with the original bytes");
    show->add_option("entry", into.entries, "as the list names it")->required()->expected(1);
    auto* const raw = show->add_flag("--raw", into.raw, "the original bytes and nothing else");
    auto* const retry = dead->add_subcommand("retry", "put jobs back into the queue");
    auto* const drop = dead->add_subcommand("drop", "delete for good");
    drop->add_flag("--yes", into.yes, "do not ask");
    for (auto* const command : {retry, drop}) {
        auto* const entries = command->add_option("entries", into.entries, "as the list names them");
        command->add_flag("--all", into.all, "all that are there now")->excludes(entries);
    }
    for (auto* const command : {list, retry, drop})
        command->add_option("--reason", into.reason, "only those that ended so, such as claude_unavailable");
    for (auto* const command : {list, show, retry, drop}) {
        auto* const json = command->add_flag("--json", into.json, "print one JSON document");
        if (command == show) json->excludes(raw);
    }
}

void add_queue_commands(CLI::App& app, arguments& into) {
    auto* const queue = app.add_subcommand("queue", "the jobs under way and who works on them");
    queue->require_subcommand(1);
    auto* const status = queue->add_subcommand("status", "how it stands; fails if no instance is alive");
    status->add_flag("--json", into.queue_json, "print one JSON document");
}

int run_dead(CLI::App const& dead, ctl::connection& redis, ctl::dead_request const& request) {
    if (dead.got_subcommand("list")) return ctl::list_dead_letters(redis, request);
    if (dead.got_subcommand("show")) return ctl::show_dead_letter(redis, request);
    if (dead.got_subcommand("retry")) return ctl::retry_dead_letters(redis, request);
    return ctl::drop_dead_letters(redis, request);
}

// The exit code, unless what was printed did not arrive.
int unless_unwritten(int status) {
    std::cout.flush();
    if (std::cout) return status;
    ctl::complain("the output could not be written; is the disk full?");
    return EX_IOERR;
}

int run(CLI::App const& app, arguments& given) {
    given.chat.timeout = std::chrono::seconds(given.timeout_s);
    given.chat.prefix = given.dead.prefix = given.admin.target.prefix = given.prefix;
    if (given.chat.user.empty()) given.chat.user = default_user();
    ctl::connection redis(given.redis);
    auto const ping = redis.call({"PING"});
    if (!ping && ping.error().kind != redis::error_kind::refused) {
        ctl::complain("no connection to Redis: " + ping.error().message +
                      " (name it with --redis or ENGRAMD_REDIS_URL)");
        return EX_UNAVAILABLE;
    }
    if (given.admin.run) return unless_unwritten(given.admin.run(redis, given.admin));
    if (app.got_subcommand("dead"))
        return unless_unwritten(run_dead(*app.get_subcommand("dead"), redis, given.dead));
    if (app.got_subcommand("queue"))
        return unless_unwritten(ctl::show_queue_status(redis, given.prefix, given.queue_json));
    if (app.got_subcommand("send")) return ctl::run_send(redis, given.chat, given.message);
    return ctl::run_chat(redis, given.chat);
}

}  // namespace

int main(int argc, char** argv) {
    arguments given;
    CLI::App app("engramctl: talks to engramd, over Redis", "engramctl");
    app.set_version_flag("--version", "engramctl " ENGRAM_VERSION);
    app.require_subcommand(1);
    app.add_option("--redis", given.redis.url, "redis://, rediss:// or unix:// URL")
        ->envname("ENGRAMD_REDIS_URL");
    app.add_option("--redis-ca-file", given.redis.ca_file, "CA certificates to trust with rediss://")
        ->envname("ENGRAMD_REDIS_CA_FILE");
    auto* const sentinels = app.add_option("--redis-sentinels", given.redis.sentinels,
                                           "Sentinels that name the master, with commas between")
                                ->delimiter(',')
                                ->envname("ENGRAMD_REDIS_SENTINELS");
    auto* const service =
        app.add_option("--redis-service", given.redis.service, "the master's name among them")
            ->envname("ENGRAMD_REDIS_SERVICE");
    sentinels->needs(service);
    service->needs(sentinels);
    app.add_option("--prefix", given.prefix, "prefix of engram's keys")->envname("ENGRAMD_REDIS_PREFIX");
    app.fallthrough();
    auto* const chat = app.add_subcommand("chat", "a conversation; reads a pipe too");
    add_conversation_options(*chat, given);
    auto* const send = app.add_subcommand("send", "one message, one answer");
    add_conversation_options(*send, given);
    send->add_option("message", given.message, "what to say")->required();
    add_dead_commands(app, given.dead);
    add_queue_commands(app, given);
    given.admin.target.user = default_user();
    ctl::add_admin_commands(app, given.admin);
    try {
        app.parse(argc, argv);
    } catch (CLI::ParseError const& end) {
        if (end.get_exit_code() == 0) return app.exit(end);
        std::fprintf(stderr, "engramctl: %s (engramctl --help shows what is known)\n", end.what());
        return EX_USAGE;
    }
    base::log_set_level(base::log_level::off);  // what fails is said in one line, not in a log
    try {
        return run(app, given);
    } catch (std::invalid_argument const& error) {
        std::fprintf(stderr, "engramctl: %s\n", error.what());
        return EX_USAGE;
    } catch (std::exception const& error) {
        std::fprintf(stderr, "engramctl: %s\n", error.what());
        return EX_SOFTWARE;
    }
}

// engramctl: talks to engramd, over Redis only.

#include "base/log.hpp"
#include "base/standard_streams.hpp"
#include "ctl/admin_options.hpp"
#include "ctl/cancel.hpp"
#include "ctl/chat.hpp"
#include "ctl/complaint.hpp"
#include "ctl/connection.hpp"
#include "ctl/dead.hpp"
#include "ctl/queue_pause.hpp"
#include "ctl/queue_status.hpp"

#include <CLI/CLI.hpp>

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <string>
#include <sysexits.h>
#include <unistd.h>

namespace {

using namespace engram;

struct arguments {
    redis::options redis;
    std::string prefix = "engram";
    ctl::chat_request chat;
    ctl::dead_request dead;
    ctl::admin_request admin;
    ctl::status_request status;
    ctl::pause_request pause;
    ctl::cancel_request cancel;
    std::string message;
    long timeout_s = 600;
};

std::string default_user() {
    char const* const name = std::getenv("USER");
    return name && *name ? name : "you";
}

// Who gives the command, as others are to read it.
std::string operator_name() {
    char host[256] = "";
    gethostname(host, sizeof host - 1);
    return default_user() + '@' + host;
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
    auto* const status = queue->add_subcommand("status", "how it stands; fails unless jobs are answered");
    status
        ->add_option_function<long>(
            "--watch", [&into](long s) { into.status.watch = std::chrono::seconds(s); },
            "again and again, so many seconds apart (1 unless told otherwise)")
        ->expected(0, 1)
        ->check(CLI::Range(1, 3600));
    auto* const pause = queue->add_subcommand("pause", "let no daemon take jobs; what runs may end");
    pause->add_option("--reason", into.pause.reason, "why, for others to read");
    auto* const resume = queue->add_subcommand("resume", "let jobs be taken again");
    status->add_flag("--json", into.status.json, "print one JSON document");
    for (auto* const command : {pause, resume})
        command->add_flag("--json", into.pause.json, "print one JSON document");
}

void add_cancel_command(CLI::App& app, ctl::cancel_request& into) {
    auto* const cancel = app.add_subcommand("cancel", "end a job that waits; one that runs is left alone");
    cancel->add_option("id", into.id, "the job's id")->required();
    cancel->add_option("--user", into.user, "whose job it is")->default_str("your login name");
    cancel
        ->add_option_function<long>(
            "--timeout", [&into](long s) { into.timeout = std::chrono::seconds(s); },
            "seconds to wait until a daemon has done it (default: 10)")
        ->check(CLI::Range(1, 86'400));
    cancel->add_flag("--json", into.json, "print one JSON document");
}

int run_dead(CLI::App const& dead, ctl::connection& redis, ctl::dead_request const& request) {
    if (dead.got_subcommand("list")) return ctl::list_dead_letters(redis, request);
    if (dead.got_subcommand("show")) return ctl::show_dead_letter(redis, request);
    if (dead.got_subcommand("retry")) return ctl::retry_dead_letters(redis, request);
    return ctl::drop_dead_letters(redis, request);
}

int run_queue(CLI::App const& queue, ctl::connection& redis, arguments const& given) {
    if (queue.got_subcommand("pause")) return ctl::pause_queue(redis, given.pause);
    if (queue.got_subcommand("resume")) return ctl::resume_queue(redis, given.pause);
    return ctl::show_queue_status(redis, given.status);
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
    given.status.prefix = given.pause.prefix = given.cancel.prefix = given.prefix;
    given.pause.by = operator_name();
    if (given.chat.user.empty()) given.chat.user = default_user();
    ctl::connection redis(given.redis);
    auto const ping = redis.call({"PING"});
    if (!ping && redis.is_locked_out()) {
        ctl::complain("Redis lets nobody in like that: " + ping.error().message +
                      "; name another user or password with --redis redis://user:password@host");
        return EX_NOPERM;
    }
    if (!ping && ping.error().kind != redis::error_kind::refused) {
        ctl::complain("no connection to Redis: " + ping.error().message +
                      " (name it with --redis or ENGRAMD_REDIS_URL)");
        return EX_UNAVAILABLE;
    }
    if (given.admin.run) return unless_unwritten(given.admin.run(redis, given.admin));
    if (app.got_subcommand("dead"))
        return unless_unwritten(run_dead(*app.get_subcommand("dead"), redis, given.dead));
    if (app.got_subcommand("queue"))
        return unless_unwritten(run_queue(*app.get_subcommand("queue"), redis, given));
    if (app.got_subcommand("cancel")) return unless_unwritten(ctl::cancel_job(redis, given.cancel));
    if (app.got_subcommand("send")) return ctl::run_send(redis, given.chat, given.message);
    return ctl::run_chat(redis, given.chat);
}

}  // namespace

int main(int argc, char** argv) {
    base::keep_standard_streams();
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
    add_cancel_command(app, given.cancel);
    given.admin.target.user = given.cancel.user = default_user();
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

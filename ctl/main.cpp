// engramctl: talks to engramd, over Redis; copies the database beside it.

#include "base/log.hpp"
#include "base/standard_streams.hpp"
#include "ctl/admin_options.hpp"
#include "ctl/backup_commands.hpp"
#include "ctl/cancel.hpp"
#include "ctl/chat.hpp"
#include "ctl/complaint.hpp"
#include "ctl/config_file.hpp"
#include "ctl/connection.hpp"
#include "ctl/dead.hpp"
#include "ctl/queue_pause.hpp"
#include "ctl/queue_status.hpp"

#include <CLI/CLI.hpp>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <optional>
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
    ctl::backup_request backup;
    std::string message;
    long timeout_s = 600;
    std::string config_file = "/etc/engramd/engramd.toml";
    std::string redis_is_from;      ///< the configuration file that says where Redis is; empty: none does
    bool redis_is_unknown = false;  ///< that file cannot be read
};

// Whether it was given, on the command line or by a variable.
struct given_options {
    CLI::Option *config, *url, *ca_file, *sentinels, *service, *prefix;
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

void use(std::optional<std::string> const& from_file, CLI::Option const* option, std::string& value) {
    if (from_file && option->count() == 0) value = *from_file;
}

// What nobody has given is as engramd on this machine has it: where Redis is, if nothing says anything of it,
// and where the database is. A file that is named fills each gap. Returns EX_OK, or an exit code after a
// complaint.
int read_config_file(given_options const& is, bool copies, arguments& given) {
    bool const needs_database = copies && given.backup.database.empty();
    bool const is_named = is.config->count() > 0;
    bool const knows_redis = is.url->count() + is.ca_file->count() + is.sentinels->count() +
                                 is.service->count() + is.prefix->count() >
                             0;
    bool const wants_redis = is_named || !knows_redis;
    if (!wants_redis && !needs_database) return EX_OK;
    auto const found = ctl::read_daemon_settings(given.config_file);
    if (!found) {
        ctl::complain(found.error().line);
        return found.error().status;
    }
    if (!*found && is_named) {
        ctl::complain("there is no file " + given.config_file + "; name another one with --config");
        return EX_NOINPUT;
    }
    if (!*found) return EX_OK;
    auto const& file = **found;
    if (needs_database && file.store_path) given.backup.database = *file.store_path;
    if (!wants_redis) return EX_OK;
    if ((file.url && is.url->count() == 0) || (file.sentinels && is.sentinels->count() == 0))
        given.redis_is_from = given.config_file;
    use(file.url, is.url, given.redis.url);
    use(file.ca_file, is.ca_file, given.redis.ca_file);
    use(file.service, is.service, given.redis.service);
    use(file.prefix, is.prefix, given.prefix);
    if (file.sentinels && is.sentinels->count() == 0) given.redis.sentinels = *file.sentinels;
    return EX_OK;
}

// A copy of a database that is named needs nothing of the file; to put one back, it says whom to ask whether
// a daemon runs. Else as read_config_file().
int configure(CLI::App const& app, given_options const& is, arguments& given) {
    bool const backs_up = app.got_subcommand("backup"), restores = app.got_subcommand("restore");
    bool const is_named = !given.backup.database.empty();
    if (backs_up && is_named) return EX_OK;
    int const status = read_config_file(is, backs_up || restores, given);
    if (status == EX_OK || !restores || !is_named) return status;
    ctl::complain("so Redis is not asked whether a daemon of this machine runs");
    given.redis_is_unknown = true;
    return EX_OK;
}

// Where Redis does not answer nobody is asked for long: the locks of the database say the same.
std::string running_instance(arguments const& given) {
    if (given.redis_is_unknown) return {};
    auto options = given.redis;
    options.connect_timeout = options.command_timeout = std::chrono::seconds(2);
    ctl::connection redis(options);
    if (!redis.call({"PING"}) && !redis.is_up()) return {};
    return ctl::instance_of_this_machine(redis, given.prefix);
}

// What was tried, and what to do.
int explain_no_connection(ctl::connection const& redis, std::string const& why, arguments const& given) {
    auto const& from = given.redis_is_from;
    if (redis.is_locked_out()) {
        ctl::complain("Redis refuses the user or the password: " + why +
                      (from.empty()
                           ? "; name another user or password with --redis redis://user:password@host"
                           : "; mend redis.url in " + from + ", or give --redis redis://user:password@host"));
        return EX_NOPERM;
    }
    ctl::complain(
        "no connection to Redis" + (from.empty() ? "" : " (as " + from + " names it)") + ": " + why +
        (from.empty() ? " (name it with --redis or ENGRAMD_REDIS_URL)" : " (name another one with --redis)"));
    return EX_UNAVAILABLE;
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
    if (app.got_subcommand("backup")) return unless_unwritten(ctl::make_backup(given.backup));
    if (app.got_subcommand("restore"))
        return unless_unwritten(
            ctl::restore_backup(given.backup, [&given] { return running_instance(given); }));
    ctl::connection redis(given.redis);
    auto const ping = redis.call({"PING"});
    if (!ping && (redis.is_locked_out() || ping.error().kind != redis::error_kind::refused))
        return explain_no_connection(redis, ping.error().message, given);
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
    given_options is{};
    is.config =
        app.add_option("--config", given.config_file,
                       "engramd's configuration, read for [redis] when nothing else is given, and for "
                       "store.path (default: /etc/engramd/engramd.toml)");
    is.url = app.add_option("--redis", given.redis.url, "redis://, rediss:// or unix:// URL")
                 ->envname("ENGRAMD_REDIS_URL");
    is.ca_file =
        app.add_option("--redis-ca-file", given.redis.ca_file, "CA certificates to trust with rediss://")
            ->envname("ENGRAMD_REDIS_CA_FILE");
    is.sentinels = app.add_option("--redis-sentinels", given.redis.sentinels,
                                  "Sentinels that name the master, with commas between")
                       ->delimiter(',')
                       ->envname("ENGRAMD_REDIS_SENTINELS");
    is.service = app.add_option("--redis-service", given.redis.service, "the master's name among them")
                     ->envname("ENGRAMD_REDIS_SERVICE");
    is.sentinels->needs(is.service);
    is.service->needs(is.sentinels);
    is.prefix =
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
    ctl::add_backup_commands(app, given.backup);
    try {
        app.parse(argc, argv);
    } catch (CLI::ParseError const& end) {
        if (end.get_exit_code() == 0) return app.exit(end);
        std::fprintf(stderr, "engramctl: %s (engramctl --help shows what is known)\n", end.what());
        return EX_USAGE;
    }
    base::log_set_level(base::log_level::off);  // what fails is said in one line, not in a log
    try {
        if (app.got_subcommand("salvage")) return unless_unwritten(ctl::salvage_database(given.backup));
        if (int const status = configure(app, is, given); status != EX_OK) return status;
        if (given.backup.database.empty()) given.backup.database = "/var/lib/engramd/engram.db";
        return run(app, given);
    } catch (std::invalid_argument const& error) {
        std::fprintf(stderr, "engramctl: %s\n", error.what());
        return EX_USAGE;
    } catch (std::exception const& error) {
        std::fprintf(stderr, "engramctl: %s\n", error.what());
        return EX_SOFTWARE;
    }
}

// engramctl: talks to engramd, over Redis only.

#include "base/log.hpp"
#include "ctl/chat.hpp"
#include "ctl/connection.hpp"

#include <CLI/CLI.hpp>

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>
#include <sysexits.h>

namespace {

using namespace engram;

struct arguments {
    queue::redis_options redis;
    ctl::chat_request chat;
    std::string message;
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

int run(CLI::App const& app, arguments& given) {
    given.chat.timeout = std::chrono::seconds(given.timeout_s);
    if (given.chat.user.empty()) given.chat.user = default_user();
    ctl::connection redis(given.redis);
    auto const ping = redis.call({"PING"});
    if (!ping && ping.error().kind != queue::redis_error_kind::refused) {
        std::fprintf(stderr,
                     "engramctl: no connection to Redis: %s (name it with --redis or ENGRAMD_REDIS_URL)\n",
                     ping.error().message.c_str());
        return EX_UNAVAILABLE;
    }
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
    app.add_option("--prefix", given.chat.prefix, "prefix of engram's keys")->envname("ENGRAMD_REDIS_PREFIX");
    app.fallthrough();
    auto* const chat = app.add_subcommand("chat", "a conversation; reads a pipe too");
    add_conversation_options(*chat, given);
    auto* const send = app.add_subcommand("send", "one message, one answer");
    add_conversation_options(*send, given);
    send->add_option("message", given.message, "what to say")->required();
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

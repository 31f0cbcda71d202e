#include "ctl/admin_options.hpp"

#include <CLI/CLI.hpp>

#include <string>

namespace engram::ctl {

namespace {

using command = int (*)(connection&, admin_request const&);

class registration {
public:
    explicit registration(admin_request& into) : into_(into) {}

    CLI::App& group(CLI::App& app, std::string const& name, std::string const& what) {
        auto* const made = app.add_subcommand(name, what);
        made->require_subcommand(1);
        return *made;
    }

    CLI::App& add(CLI::App& parent, std::string const& name, std::string const& what, command run) {
        auto* const made = parent.add_subcommand(name, what);
        made->callback([request = &into_, run] { request->run = run; });
        made->add_flag("--json", into_.json, "print JSON, one document a line");
        made->add_option_function<long>(
                "--timeout",
                [request = &into_](long s) { request->target.timeout = std::chrono::seconds(s); },
                "seconds to wait for an answer (default: 30)")
            ->check(CLI::Range(1, 86'400));
        return *made;
    }

    CLI::App& add_for_user(CLI::App& parent, std::string const& name, std::string const& what, command run) {
        auto& made = add(parent, name, what, run);
        made.add_option_function<std::string>(
                "--user", [request = &into_](std::string const& user) { request->target.user = user; },
                "whose memory this is")
            ->default_str("your login name");
        return made;
    }

    void page_options(CLI::App& list) {
        limit_option(list, "how many a page (default: 50)");
        list.add_option("--cursor", into_.cursor, "go on where a page ended");
        list.add_flag("--all", into_.all, "all pages, to the end");
    }

    void limit_option(CLI::App& list, std::string const& what) {
        list.add_option("--limit", into_.limit, what)->check(CLI::Range(1, 500));
    }

    void memory_argument(CLI::App& on) {
        on.add_option("id", into_.memory, "the memory's id, as the list shows it")->required();
    }

    void session_argument(CLI::App& on) {
        on.add_option("session", into_.session, "the session")->required();
    }

    void destroys(CLI::App& command) { command.add_flag("--yes", into_.yes, "do not ask"); }

private:
    admin_request& into_;
};

void add_looking_at_memories(CLI::App& memory, registration& known, admin_request& into) {
    auto& list = known.add_for_user(memory, "list", "what is remembered, the newest first", list_memories);
    known.page_options(list);
    list.add_option("--type", into.type, "only memories of this type");
    list.add_flag("--past", into.past, "also versions that no longer hold");
    auto& search =
        known.add_for_user(memory, "search", "memories and turns that fit, the best first", search_memories);
    search.add_option("query", into.query, "what to look for")->required();
    known.limit_option(search, "how many at most (default: 10)");
    auto& history = known.add_for_user(
        memory, "history", "the versions of one and what they were learnt from", show_memory_history);
    known.memory_argument(history);
}

void add_changing_memories(CLI::App& memory, registration& known, admin_request& into) {
    auto& add = known.add_for_user(memory, "add", "remember something", add_memory);
    add.add_option("content", into.content, "what to remember")->required();
    add.add_option("--type", into.type, "its type (default: fact)");
    add.add_flag("--pinned", into.pinned, "keep it in every prompt");
    auto& edit = known.add_for_user(memory, "edit", "change one; what it was stays as its past", edit_memory);
    known.memory_argument(edit);
    edit.add_option("content", into.content, "the new content");
    edit.add_option("--type", into.type, "the new type");
    auto* const pin = edit.add_flag("--pin", into.pin, "keep it in every prompt");
    edit.add_flag("--unpin", into.unpin, "do so no longer")->excludes(pin);
    auto& gone = known.add_for_user(
        memory, "delete", "erase one for good, with the exchanges it was learnt from", delete_memory);
    known.memory_argument(gone);
    known.destroys(gone);
    gone.add_flag("--dry-run", into.dry_run, "only show what would go");
    auto& restore = known.add_for_user(memory, "restore", "let a past version hold again", restore_memory);
    known.memory_argument(restore);
}

void add_session_commands(CLI::App& session, registration& known, admin_request& into) {
    auto& list = known.add_for_user(session, "list", "the conversations, the latest first", list_sessions);
    known.page_options(list);
    auto& show = known.add_for_user(session, "show", "the turns of one, the oldest first", show_session);
    known.session_argument(show);
    known.page_options(show);
    auto& gone = known.add_for_user(session, "delete", "delete one for good", delete_session);
    known.session_argument(gone);
    known.destroys(gone);
    gone.add_flag("--memories", into.memories, "also the memories that were learnt there");
}

void add_user_commands(CLI::App& user, registration& known, admin_request& into) {
    auto& all =
        known.add_for_user(user, "export", "everything kept about a user, as JSON lines", export_user);
    all.add_option("--output", into.output, "a new file for it, which nobody else may read");
    auto& forget = known.add_for_user(user, "forget", "erase everything about a user for good", forget_user);
    known.destroys(forget);
}

}  // namespace

void add_admin_commands(CLI::App& app, admin_request& into) {
    registration known(into);
    auto& memory = known.group(app, "memory", "what is remembered of a user");
    add_looking_at_memories(memory, known, into);
    add_changing_memories(memory, known, into);
    add_session_commands(known.group(app, "session", "a user's conversations"), known, into);
    add_user_commands(known.group(app, "user", "all that is kept about a user"), known, into);
    auto& stats = known.add(app, "stats", "how much there is", show_stats);
    stats.add_option("--user", into.only_user, "only of this user");
}

}  // namespace engram::ctl

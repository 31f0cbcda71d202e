// The other process of the tests: opens a store and does one thing with it, saying on standard output what
// has been confirmed. Made to be killed at any moment.
//
//     store_actor commit FILE USER SESSION PREFIX COUNT   commits jobs PREFIX0, PREFIX1, ...; a line each
//     store_actor open FILE                               "open", or the refusal and status 1
//     store_actor summarize FILE USER SESSION OWNER       "committed N", "void" or "nothing"
//     store_actor stay FILE                               "open": does nothing until SIGTERM, then stops in
//     order store_actor change FILE                             "open": changes the schema and moves the log,
//     for ever store_actor checkpoint FILE                         "open": moves the log into the database
//     for ever store_actor hold FILE                               "held": reads, and goes on reading until
//     it is killed
#include "store/sqlite/connection.hpp"
#include "store/sqlite/sqlite_store.hpp"
#include "word_index.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include <csignal>
#include <cstdio>
#include <string>
#include <unistd.h>
#include <vector>

using namespace engram;
namespace asio = boost::asio;

namespace {

void say(std::string const& line) {
    std::puts(line.c_str());
    std::fflush(stdout);
}

asio::awaitable<void> commit(store::conversations& db, store::conversation of, std::string prefix,
                             int count) {
    for (int i = 0; i < count; ++i) {
        auto const id = prefix + std::to_string(i);
        store::exchange what{.job = {id, "t" + id, "b"},
                             .of = of,
                             .turns = {{store::role::user, "q " + id}, {store::role::assistant, "a " + id}},
                             .memories = {{"fact", id}},
                             .at = std::chrono::system_clock::now(),
                             .seen = {},
                             .reply_to = {},
                             .compose_reply = [id](auto const&) { return "reply " + id; }};
        auto const done = co_await db.commit_exchange(std::move(what));
        if (done.has_error()) {
            say("error " + done.error().message);
            continue;
        }
        say((done->committed ? "done " : "again ") + id);
    }
}

asio::awaitable<void> summarize(store::summaries& db, store::conversation of, std::string owner) {
    store::summary_request request{
        of, 20, 6, owner, std::chrono::minutes(1), std::chrono::system_clock::now()};
    auto const claimed = co_await db.claim_summary(request);
    if (claimed.has_error() || !claimed->has_value()) {
        say(claimed.has_error() ? "error " + claimed.error().message : "nothing");
        co_return;
    }
    auto const turns = (*claimed)->turns.size();
    auto const done = co_await db.commit_summary(**claimed, "summary by " + owner, false, request.now);
    say(done.has_value() && *done ? "committed " + std::to_string(turns) : "void");
}

int hold(std::string const& path) {
    store::connection db(path, store::connection::access::read_only, std::chrono::seconds(10));
    db.execute("BEGIN");
    static_cast<void>(db.query_integer("SELECT count(*) FROM conversation_history"));
    say("held");
    ::pause();
    return 0;
}

int checkpoint(std::string const& path) {
    store::connection db(path, store::connection::access::read_write, std::chrono::seconds(10));
    static_cast<void>(db.query_integer("SELECT count(*) FROM conversation_history"));
    say("open");
    for (;;)
        db.execute("PRAGMA wal_checkpoint(PASSIVE)");
}

int change(std::string const& path) {
    store::connection db(path, store::connection::access::read_write, std::chrono::seconds(10));
    say("open");
    for (;;)
        db.execute(
            "CREATE TABLE passing(at); PRAGMA wal_checkpoint(PASSIVE);"
            "DROP TABLE passing; PRAGMA wal_checkpoint(PASSIVE)");
}

int act(std::vector<std::string> const& words) {
    if (words.at(0) == "hold") return hold(words.at(1));
    if (words.at(0) == "checkpoint") return checkpoint(words.at(1));
    if (words.at(0) == "change") return change(words.at(1));
    asio::io_context loop;
    asio::signal_set stop(loop);
    if (words.at(0) == "stay") {
        stop.add(SIGTERM);
        stop.async_wait([](boost::system::error_code, int) {});
    }
    store::options with;
    with.path = words.at(1);
    auto const db = store::open_sqlite(with, loop.get_executor(), &store::test::words());
    say("open");
    auto const rethrow = [](std::exception_ptr failed) {
        if (failed) std::rethrow_exception(failed);
    };
    if (words.at(0) == "commit") {
        asio::co_spawn(loop, commit(*db, {words.at(2), words.at(3)}, words.at(4), std::stoi(words.at(5))),
                       rethrow);
    } else if (words.at(0) == "summarize") {
        asio::co_spawn(loop, summarize(*db, {words.at(2), words.at(3)}, words.at(4)), rethrow);
    }
    loop.run();
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    try {
        return act({argv + 1, argv + argc});
    } catch (std::exception const& failed) {
        say(std::string("refused ") + failed.what());
        return 1;
    }
}

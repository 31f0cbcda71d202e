#include "store/sqlite/rehearsal_queries.hpp"

#include <utility>

namespace engram::store {

namespace {

constexpr char const* ticket = "engram:rehearsal";  // no queue gives it

}  // namespace

exchange rehearsed_exchange(rehearsal const& what) {
    exchange made;
    made.job = what.job;
    made.of = what.of;
    made.turns = {{role::user, "Can this be kept?"}, {role::assistant, "It can be kept."}};
    new_memory note;
    note.type = "fact";
    note.content = "A rehearsal was held.";
    made.memories = {std::move(note)};
    made.at = what.at;
    made.seen = what.seen;
    return made;
}

rehearsal_queries::rehearsal_queries(connection& db, exchange_queries& exchanges)
    : exchanges_(exchanges),
      savepoint_(db.prepare("SAVEPOINT rehearsal")),
      rollback_to_(db.prepare("ROLLBACK TO rehearsal")),
      release_(db.prepare("RELEASE rehearsal")) {}

void rehearsal_queries::perform(exchange const& what, analysed_exchange const& texts) {
    savepoint_.run();
    // The failure first: a job that is finished cannot fail.
    failure failed;
    failed.job = what.job;
    failed.job.ticket = ticket;
    failed.user_id = what.of.user_id;
    failed.at = what.at;
    static_cast<void>(exchanges_.record_failure(failed));
    static_cast<void>(exchanges_.commit_exchange(what, texts));
    rollback_to_.run();
    release_.run();
}

}  // namespace engram::store

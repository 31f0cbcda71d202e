#include "store/sqlite/forgetter.hpp"

#include "store/sqlite/work.hpp"

#include <algorithm>
#include <iterator>
#include <memory>
#include <system_error>
#include <utility>
#include <vector>

namespace engram::store {
namespace {

void add(erased& sum, erased more) {
    sum.counts += more.counts;
    std::ranges::move(more.reply_keys, std::back_inserter(sum.reply_keys));
    std::ranges::move(more.job_ids, std::back_inserter(sum.job_ids));
    sum.pending = more.pending;
}

// What one transaction of a forgetting takes along: some ten milliseconds.
constexpr std::size_t rows_a_forgetting = 500;

// Of one user.
struct forgetting {
    forget_order order;
    forgotten_list list;
    std::uint64_t database;          // its id
    std::int64_t known_forgets = 0;  // if again: they were forgotten so often in a later state
};

// Whoever copied the database before puts back what goes here, so the list has to be on the disk before it is
// reported as gone. A line too many does no harm: it asks for what was asked for.
void note_forgotten(write_queries& db, forgetting const& what) {
    auto const digest = digest_of_user(what.order.user_id);
    auto const at_ms = base::to_unix_ms(what.order.at);
    if (what.order.is_again) return db.users.know_forgotten(digest, what.known_forgets, at_ms);
    auto const forgets = db.users.find(what.order.user_id).seen.forgets;
    what.list.add({{what.database, digest, forgets, at_ms}});
}

result<forget_step> forget_a_piece(write_queries& db, forgetting const& what, std::int64_t after) {
    // Another process that started just now has done it, and they may be back.
    bool const is_known =
        what.order.is_again && db.users.find(what.order.user_id).seen.forgets >= what.known_forgets;
    if (is_known) return forget_step{.part = {}, .done = true};
    auto piece = db.forgetting.forget_some(what.order, after, rows_a_forgetting);
    if (!piece.done) return piece;
    db.clean_log = true;
    if (what.order.jobs == finished_jobs::keep) return piece;
    try {
        note_forgotten(db, what);
    } catch (std::system_error const& failed) {
        return error{error_kind::unavailable,
                     std::string("the list of who was forgotten cannot be written: ") + failed.what()};
    }
    return piece;
}

boost::asio::awaitable<result<erased>> forget_in_pieces(writer& where, boost::asio::any_io_executor executor,
                                                        forgetting what) {
    erased all;
    auto after = forgetting_queries::from_the_start;
    auto const shared = std::make_shared<forgetting const>(std::move(what));
    for (;;) {
        auto step = co_await call_on<forget_step>(where, executor, [shared, after](write_queries& db) {
            return forget_a_piece(db, *shared, after);
        });
        if (!step) co_return step.error();
        add(all, std::move(step->part));
        after = step->after;
        if (step->done) break;
    }
    // Many jobs may share one place for their replies.
    std::ranges::sort(all.reply_keys);
    all.reply_keys.erase(std::unique(all.reply_keys.begin(), all.reply_keys.end()), all.reply_keys.end());
    co_return all;
}

// Where there is no list yet it is begun with those whom the database knows.
result<std::vector<returned_user>> look_for_returned(connection& db, forgotten_list const& list,
                                                     std::uint64_t id) {
    try {
        auto const known = list.read();
        if (known) return find_returned(db, id, *known);
        if (auto const users = forgotten_in(db, id); !users.empty()) list.add(users);
        return std::vector<returned_user>();
    } catch (std::system_error const& failed) {
        return error{error_kind::unavailable, list.describe(failed)};
    }
}

}  // namespace

forgetter::forgetter(reader<list_queries>& lists, writer& writer, boost::asio::any_io_executor executor,
                     opening_report const& opened)
    : lists_(lists),
      writer_(writer),
      executor_(std::move(executor)),
      list_(opened.place),
      database_(opened.id) {}

answer<erased> forgetter::forget(std::string user_id, finished_jobs jobs, base::wall_time at) {
    return forget_in_pieces(writer_, executor_, {{std::move(user_id), jobs, at, at}, list_, database_});
}

answer<std::size_t> forgetter::forget_again() {
    auto const returned = co_await call_on<std::vector<returned_user>>(
        lists_, executor_,
        [list = list_, id = database_](list_queries& on) { return look_for_returned(on.db, list, id); });
    if (!returned) co_return returned.error();
    std::size_t count = 0;
    for (auto const& user : *returned) {
        auto const done = co_await forget_returned(user);
        if (!done) co_return done.error();
        count += user.user_id ? 1 : 0;
    }
    co_return count;
}

answer<void> forgetter::forget_returned(returned_user user) {
    auto const& when = user.when;
    base::wall_time const at{std::chrono::milliseconds(when.at_ms)};
    if (user.user_id) {
        forget_order order{*user.user_id, finished_jobs::remove, at, base::clock().wall(), true};
        forgetting what{std::move(order), list_, database_, when.forgets};
        auto const gone = co_await forget_in_pieces(writer_, executor_, std::move(what));
        if (!gone) co_return gone.error();
        co_return result<void>();
    }
    // Nothing is there now, and the next start need not look again.
    auto noted = co_await call_on<void>(
        writer_, executor_,
        outcome_of<void>([digest = when.digest, forgets = when.forgets, at_ms = when.at_ms](
                             write_queries& db) { db.users.know_forgotten(digest, forgets, at_ms); }));
    co_return noted;
}

}  // namespace engram::store

#include "store/sqlite/sqlite_store.hpp"

#include "base/utf8.hpp"
#include "store/sqlite/database_file.hpp"
#include "store/sqlite/opening.hpp"
#include "store/sqlite/reader.hpp"
#include "store/sqlite/work.hpp"
#include "store/sqlite/writer.hpp"

#include <algorithm>
#include <iterator>
#include <vector>

namespace engram::store {
namespace {

using boost::asio::awaitable;

void add(erased& sum, erased more) {
    auto& all = sum.counts;
    auto const& part = more.counts;
    all.memories += part.memories;
    all.turns += part.turns;
    all.summaries += part.summaries;
    all.index_entries += part.index_entries;
    all.vectors += part.vectors;
    all.replies += part.replies;
    all.sessions += part.sessions;
    std::ranges::move(more.reply_keys, std::back_inserter(sum.reply_keys));
    std::ranges::move(more.job_ids, std::back_inserter(sum.job_ids));
    sum.pending = more.pending;
}

// What one transaction of a forgetting takes along: some ten milliseconds.
constexpr std::size_t rows_a_forgetting = 500;

awaitable<result<erased>> forget_in_pieces(writer& where, boost::asio::any_io_executor executor,
                                           std::string user_id, finished_jobs jobs, base::wall_time at) {
    erased all;
    auto after = forgetting_queries::from_the_start;
    for (;;) {
        auto step = co_await call_on<forget_step>(
            where, executor, [user_id, jobs, at, after](write_queries& db) -> result<forget_step> {
                auto piece = db.forgetting.forget_some(user_id, jobs, at, after, rows_a_forgetting);
                if (piece.done) db.clean_log = true;
                return piece;
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

/// Sends each call to the thread that does it. Members go in reverse: readers first, so that the writer's is
/// the last connection of this process and can clean up.
class sqlite_store final : public database {
public:
    sqlite_store(options const& options, boost::asio::any_io_executor executor, text_index const* texts,
                 opening& under_way)
        : executor_(std::move(executor)),
          writer_(open_for_writing(options, texts, under_way), texts, options.max_batch, executor_) {
        for (std::size_t i = 0; i < std::max<std::size_t>(options.readers, 1); ++i) {
            readers_.push_back(std::make_unique<reader>(open_for_reading(options), executor_));
        }
    }

    awaitable<result<context>> load_context(context_query query) override {
        return call_on<context>(next_reader(), executor_, [query = std::move(query)](read_queries& db) {
            return result<context>(db.contexts.load_context(query));
        });
    }

    awaitable<result<commit_outcome>> commit_exchange(exchange what) override {
        return call_on<commit_outcome>(writer_, executor_, [what = std::move(what)](write_queries& db) {
            return result<commit_outcome>(db.exchanges.commit_exchange(what));
        });
    }

    awaitable<result<recorded_outcome>> record_failure(failure what) override {
        return call_on<recorded_outcome>(writer_, executor_, [what = std::move(what)](write_queries& db) {
            return result<recorded_outcome>(db.exchanges.record_failure(what));
        });
    }

    awaitable<result<std::vector<conversation>>> find_due_sessions(std::size_t trigger_turns,
                                                                   base::wall_time now,
                                                                   std::size_t limit) override {
        using found = std::vector<conversation>;
        return call_on<found>(next_reader(), executor_, [trigger_turns, now, limit](read_queries& db) {
            return result<found>(db.contexts.find_due_sessions(trigger_turns, now, limit));
        });
    }

    awaitable<result<std::optional<summary_task>>> claim_summary(summary_request request) override {
        using claimed = std::optional<summary_task>;
        return call_on<claimed>(writer_, executor_, [request = std::move(request)](write_queries& db) {
            return result<claimed>(db.summaries.claim_summary(request));
        });
    }

    awaitable<result<bool>> commit_summary(summary_task task, std::string summary, bool delete_turns,
                                           base::wall_time at) override {
        return call_on<bool>(writer_, executor_,
                             [task = std::move(task), summary = std::move(summary), delete_turns,
                              at](write_queries& db) -> result<bool> {
                                 if (base::is_blank(summary)) {
                                     return error{error_kind::internal,
                                                  "a blank summary would lose its turns"};
                                 }
                                 return db.summaries.commit_summary(task, summary, delete_turns, at);
                             });
    }

    awaitable<result<void>> renew_summary(summary_task const& task, base::wall_time until) override {
        return call_on<void>(writer_, executor_,
                             [of = task.of, owner = task.owner, until](write_queries& db) {
                                 db.summaries.renew_summary(of, owner, until);
                                 return result<void>();
                             });
    }

    awaitable<result<void>> release_summary(summary_task task, base::wall_time not_before) override {
        return call_on<void>(writer_, executor_, [task = std::move(task), not_before](write_queries& db) {
            db.summaries.release_summary(task, not_before);
            return result<void>();
        });
    }

    awaitable<result<std::size_t>> expire_outcomes(base::wall_time before, std::size_t limit) override {
        return call_on<std::size_t>(writer_, executor_, [before, limit](write_queries& db) {
            return result<std::size_t>(db.exchanges.expire_outcomes(before, limit));
        });
    }

    answer<page<memory_record>> list_memories(std::string user_id, std::string type, bool past,
                                              page_request which, base::wall_time now) override {
        return read<page<memory_record>>(
            [user_id = std::move(user_id), type = std::move(type), past, which = std::move(which),
             now](read_queries& db) { return db.lists.list_memories(user_id, type, past, which, now); });
    }

    answer<search_result> search(search_request request) override {
        return read<search_result>(
            [request = std::move(request)](read_queries& db) { return db.lists.search(request); });
    }

    answer<std::optional<memory_history>> read_history(std::string user_id, std::int64_t memory_id) override {
        return read<std::optional<memory_history>>(
            [user_id = std::move(user_id), memory_id](read_queries& db) {
                return db.lists.read_history(user_id, memory_id);
            });
    }

    answer<page<session_record>> list_sessions(std::string user_id, page_request which) override {
        return read<page<session_record>>(
            [user_id = std::move(user_id), which = std::move(which)](read_queries& db) {
                return db.lists.list_sessions(user_id, which);
            });
    }

    answer<std::optional<page<turn_record>>> read_session(conversation which, page_request page) override {
        return read<std::optional<engram::store::page<turn_record>>>(
            [which = std::move(which), page = std::move(page)](read_queries& db) {
                return db.lists.read_session(which, page);
            });
    }

    answer<page<exported>> export_user(std::string user_id, page_request which) override {
        return read<page<exported>>([user_id = std::move(user_id), which = std::move(which)](
                                        read_queries& db) { return db.exports.export_user(user_id, which); });
    }

    answer<totals> count(std::string user_id) override {
        return read<totals>(
            [user_id = std::move(user_id)](read_queries& db) { return db.lists.count(user_id); });
    }

    answer<changed_memory> add_memory(std::string user_id, new_memory what, base::wall_time at) override {
        return write<changed_memory>([user_id = std::move(user_id), what = std::move(what),
                                      at](write_queries& db) { return db.curation.add(user_id, what, at); });
    }

    answer<std::optional<changed_memory>> change_memory(std::string user_id, memory_change what,
                                                        base::wall_time at) override {
        return write<std::optional<changed_memory>>(
            [user_id = std::move(user_id), what = std::move(what), at](write_queries& db) {
                return db.curation.change(user_id, what, at);
            });
    }

    answer<std::optional<memory_record>> restore_memory(std::string user_id, std::int64_t memory_id,
                                                        base::wall_time at) override {
        return write<std::optional<memory_record>>(
            [user_id = std::move(user_id), memory_id, at](write_queries& db) {
                return db.curation.restore(user_id, memory_id, at);
            });
    }

    answer<std::optional<erased>> delete_memory(std::string user_id, std::int64_t memory_id,
                                                base::wall_time at) override {
        return write<std::optional<erased>>([user_id = std::move(user_id), memory_id, at](write_queries& db) {
            db.clean_log = true;
            return db.erasing.delete_memory(user_id, memory_id, at);
        });
    }

    answer<std::optional<erased>> delete_session(conversation which, bool memories,
                                                 base::wall_time at) override {
        return write<std::optional<erased>>([which = std::move(which), memories, at](write_queries& db) {
            db.clean_log = true;
            return db.erasing.delete_session(which, memories, at);
        });
    }

    answer<erased> forget_user(std::string user_id, finished_jobs jobs, base::wall_time at) override {
        return forget_in_pieces(writer_, executor_, std::move(user_id), jobs, at);
    }

    answer<std::optional<pending_erasure>> claim_erasure(base::wall_time now,
                                                         base::wall_time until) override {
        // It is asked for every few seconds: without one nothing is written.
        auto const any = co_await read<bool>([now](read_queries& db) { return db.erasures.any(now); });
        if (!any) co_return any.error();
        if (!*any) co_return std::optional<pending_erasure>();
        auto claimed = co_await write<std::optional<pending_erasure>>(
            [now, until](write_queries& db) { return db.pending.claim(now, until); });
        co_return claimed;
    }

    answer<void> settle_erasure(std::int64_t id, erasure_state state, base::wall_time due) override {
        return call_on<void>(writer_, executor_, [id, state, due](write_queries& db) {
            db.pending.settle(id, state, due);
            return result<void>();
        });
    }

    answer<std::size_t> expire_memories(base::wall_time now, std::size_t limit) override {
        return write<std::size_t>(
            [now, limit](write_queries& db) { return db.upkeep.expire_memories(now, limit); });
    }

    answer<std::optional<consolidation_task>> claim_consolidation(std::size_t least_new,
                                                                  base::wall_time before, base::wall_time now,
                                                                  base::wall_time until) override {
        return write<std::optional<consolidation_task>>([least_new, before, now, until](write_queries& db) {
            return db.upkeep.claim_consolidation(least_new, before, now, until);
        });
    }

    answer<std::optional<std::size_t>> commit_consolidation(consolidation_task task,
                                                            std::vector<consolidation_step> steps,
                                                            base::wall_time at) override {
        return write<std::optional<std::size_t>>(
            [task = std::move(task), steps = std::move(steps), at](write_queries& db) {
                return db.curation.consolidate(task, steps, at);
            });
    }

    answer<std::vector<unembedded>> find_unembedded(std::string model, std::size_t limit) override {
        return write<std::vector<unembedded>>([model = std::move(model), limit](write_queries& db) {
            return db.upkeep.find_unembedded(model, limit);
        });
    }

    answer<void> store_vectors(std::string model,
                               std::vector<std::pair<std::int64_t, std::string>> vectors) override {
        return call_on<void>(writer_, executor_,
                             [model = std::move(model), vectors = std::move(vectors)](write_queries& db) {
                                 db.upkeep.store_vectors(model, vectors);
                                 return result<void>();
                             });
    }

private:
    template <class T, class Function>
    answer<T> read(Function function) {
        return call_on<T>(next_reader(), executor_, [function = std::move(function)](read_queries& db) {
            return result<T>(function(db));
        });
    }
    template <class T, class Function>
    answer<T> write(Function function) {
        return call_on<T>(writer_, executor_, [function = std::move(function)](write_queries& db) {
            return result<T>(function(db));
        });
    }

    // Called when the call is made, not when it is awaited: both happen on the one executor.
    reader& next_reader() {
        next_ = (next_ + 1) % readers_.size();
        return *readers_[next_];
    }

    boost::asio::any_io_executor executor_;
    writer writer_;
    std::vector<std::unique_ptr<reader>> readers_;
    std::size_t next_ = 0;
};

}  // namespace

namespace {

std::unique_ptr<database> open_watched(options const& options, boost::asio::any_io_executor executor,
                                       text_index const* texts, opening_watch* watch) {
    opening under_way(watch);
    try {
        return std::make_unique<sqlite_store>(options, std::move(executor), texts, under_way);
    } catch (sqlite_error const& failed) {
        throw open_error("cannot use the database " + options.path + ": " + failed.what());
    }
}

}  // namespace

std::unique_ptr<database> open_sqlite(options const& options, boost::asio::any_io_executor executor,
                                      text_index const* texts) {
    return open_watched(options, std::move(executor), texts, nullptr);
}

std::unique_ptr<database> open_sqlite(options const& options, boost::asio::any_io_executor executor,
                                      text_index const* texts, opening_watch& watch) {
    return open_watched(options, std::move(executor), texts, &watch);
}

}  // namespace engram::store

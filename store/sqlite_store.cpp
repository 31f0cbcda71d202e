#include "store/sqlite_store.hpp"

#include "base/utf8.hpp"
#include "store/database_file.hpp"
#include "store/reader.hpp"
#include "store/work.hpp"
#include "store/writer.hpp"

#include <algorithm>
#include <vector>

namespace engram::store {
namespace {

using boost::asio::awaitable;

/// Sends each call to the thread that does it. Members go in reverse: readers first, so that the writer's is
/// the last connection of this process and can clean up.
class sqlite_store final : public store {
public:
    sqlite_store(options const& options, boost::asio::any_io_executor executor)
        : executor_(std::move(executor)), writer_(open_for_writing(options), options.max_batch, executor_) {
        for (std::size_t i = 0; i < std::max<std::size_t>(options.readers, 1); ++i) {
            readers_.push_back(std::make_unique<reader>(open_for_reading(options), executor_));
        }
    }

    awaitable<result<context>> load_context(context_query query) override {
        return call_on<context>(next_reader(), executor_, [query = std::move(query)](context_queries& db) {
            return result<context>(db.load_context(query));
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
        return call_on<found>(next_reader(), executor_, [trigger_turns, now, limit](context_queries& db) {
            return result<found>(db.find_due_sessions(trigger_turns, now, limit));
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

private:
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

std::unique_ptr<store> open_sqlite(options const& options, boost::asio::any_io_executor executor) {
    try {
        return std::make_unique<sqlite_store>(options, std::move(executor));
    } catch (sqlite_error const& failed) {
        throw open_error("cannot use the database " + options.path + ": " + failed.what());
    }
}

}  // namespace engram::store

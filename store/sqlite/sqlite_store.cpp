#include "store/sqlite/sqlite_store.hpp"

#include "base/utf8.hpp"
#include "store/sqlite/database_file.hpp"
#include "store/sqlite/file_watch.hpp"
#include "store/sqlite/forgetter.hpp"
#include "store/sqlite/migrations.hpp"
#include "store/sqlite/older_adoption.hpp"
#include "store/sqlite/opening.hpp"
#include "store/sqlite/reader.hpp"
#include "store/sqlite/work.hpp"
#include "store/sqlite/writer.hpp"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace engram::store {
namespace {

// People may look at much, and hardly ever at the same twice.
constexpr std::size_t list_cache_kib = 256;

/// A write with texts in it: they are analysed before its transaction begins, once, however often that is
/// repeated.
template <class Analyse, class Perform>
struct analysed_write {
    Analyse analyse;
    Perform perform;
    std::optional<decltype(std::declval<Analyse const&>()())> made = {};

    void prepare() { made.emplace(analyse()); }
    auto operator()(write_queries& db) const { return perform(db, *made); }
};

/// Sends each call to the thread that does it. Members go in reverse: readers first, so that the writer's is
/// the last connection of this process and can clean up.
class sqlite_store final : public database {
public:
    sqlite_store(options const& options, boost::asio::any_io_executor executor, text_index const* texts,
                 opening& under_way)
        : sqlite_store(options, std::move(executor), texts, open_for_writing(options, texts, under_way)) {}

    sqlite_store(options const& options, boost::asio::any_io_executor executor, text_index const* texts,
                 opened_file opened)
        : executor_(std::move(executor)),
          texts_(texts),
          report_(std::move(opened.report)),
          watch_(report_.place, opened.db),
          writer_(std::move(opened.db), watch_, texts, options.max_batch, executor_),
          lists_(open_for_reading(options, list_cache_kib), watch_, texts, executor_),
          forgetter_(lists_, writer_, executor_, report_),
          older_(lists_, writer_, executor_, texts) {
        report_.place_id = watch_.place_id();
        for (std::size_t i = 0; i < std::max<std::size_t>(options.readers, 1); ++i) {
            readers_.push_back(std::make_unique<reader<context_queries>>(
                open_for_reading(options, options.cache_kib), watch_, texts, executor_));
        }
    }

    [[nodiscard]] opening_report const& opened_as() const override { return report_; }

    answer<store_state> look() override {
        auto seen = co_await list<store_state>([&watch = watch_](list_queries& on) {
            auto now = watch.state(on.db);
            if (!now.lost.empty()) return now;
            auto const version = on.db.query_integer("PRAGMA user_version");
            if (version > schema_version) now.moved_on = moved_on(version);
            return now;
        });
        if (seen.has_error() && !watch_.lost().empty()) co_return watch_.last_state();
        if (!seen || !seen->lost.empty() || !seen->moved_on.empty()) co_return seen;
        if (watch_.has_lasting_checkpoint()) {
            // Whether it could be ended shows with the next looks.
            [[maybe_unused]] auto const moved =
                co_await write<void>([](write_queries& db) { db.move_log = true; });
        }
        if (!watch_.has_untold_tie()) co_return seen;
        // Nobody has written since the last checkpoint.
        auto told = co_await write<void>([](write_queries&) {});
        if (!told) co_return told.error();
        co_return seen;
    }

    answer<void> rehearse(rehearsal what) override {
        auto const shared = std::make_shared<exchange const>(rehearsed_exchange(what));
        return write_analysed<void>([shared, texts = texts_] { return analyse_exchange(texts, *shared); },
                                    [shared](write_queries& db, analysed_exchange const& texts) {
                                        db.rehearsals.perform(*shared, texts);
                                    });
    }

    answer<std::size_t> forget_again() override { return forgetter_.forget_again(); }

    answer<context> load_context(context_query query) override {
        return load<context>(
            [query = std::move(query)](context_queries& db) { return db.load_context(query); });
    }

    answer<commit_outcome> commit_exchange(exchange what) override {
        auto const shared = std::make_shared<exchange const>(std::move(what));
        return write_analysed<commit_outcome>(
            [shared, texts = texts_] { return analyse_exchange(texts, *shared); },
            [shared](write_queries& db, analysed_exchange const& texts) {
                return db.exchanges.commit_exchange(*shared, texts);
            });
    }

    answer<recorded_outcome> record_failure(failure what) override {
        return write<recorded_outcome>(
            [what = std::move(what)](write_queries& db) { return db.exchanges.record_failure(what); });
    }

    answer<std::vector<conversation>> find_due_sessions(std::size_t trigger_turns, base::wall_time now,
                                                        std::size_t limit) override {
        return load<std::vector<conversation>>([trigger_turns, now, limit](context_queries& db) {
            return db.find_due_sessions(trigger_turns, now, limit);
        });
    }

    answer<std::optional<base::wall_time>> find_next_lease_end(std::size_t trigger_turns,
                                                               base::wall_time now) override {
        return load<std::optional<base::wall_time>>(
            [trigger_turns, now](context_queries& db) { return db.find_next_lease_end(trigger_turns, now); });
    }

    answer<std::optional<summary_task>> claim_summary(summary_request request) override {
        return write<std::optional<summary_task>>([request = std::move(request)](write_queries& db) {
            return db.summaries.claim_summary(request);
        });
    }

    answer<bool> commit_summary(summary_task task, std::string summary, bool delete_turns,
                                base::wall_time at) override {
        auto const shared = std::make_shared<std::string const>(std::move(summary));
        return write_analysed<bool>(
            [shared, texts = texts_] { return analyse_summary(texts, *shared); },
            [task = std::move(task), shared, delete_turns, at](write_queries& db,
                                                               analysed_text const& text) -> result<bool> {
                if (base::is_blank(*shared))
                    return error{error_kind::internal, "a blank summary would lose its turns"};
                return db.summaries.commit_summary(task, *shared, text, delete_turns, at);
            });
    }

    answer<bool> commit_condensed(summary_task task, std::string summary, base::wall_time at) override {
        auto const shared = std::make_shared<std::string const>(std::move(summary));
        return write_analysed<bool>([shared, texts = texts_] { return analyse_summary(texts, *shared); },
                                    [task = std::move(task), shared, at](
                                        write_queries& db, analysed_text const& text) -> result<bool> {
                                        if (base::is_blank(*shared))
                                            return error{error_kind::internal,
                                                         "a blank summary would lose its turns"};
                                        return db.summaries.commit_condensed(task, *shared, text, at);
                                    });
    }

    answer<void> renew_summary(summary_task const& task, base::wall_time until) override {
        return write<void>([of = task.of, owner = task.owner, until](write_queries& db) {
            db.summaries.renew_summary(of, owner, until);
        });
    }

    answer<void> release_summary(summary_task task, base::wall_time not_before) override {
        return write<void>([task = std::move(task), not_before](write_queries& db) {
            db.summaries.release_summary(task, not_before);
        });
    }

    answer<std::size_t> expire_outcomes(base::wall_time before, std::size_t limit) override {
        return write<std::size_t>(
            [before, limit](write_queries& db) { return db.exchanges.expire_outcomes(before, limit); });
    }

    answer<page<memory_record>> list_memories(std::string user_id, std::string type, bool past,
                                              page_request which, base::wall_time now) override {
        return list<page<memory_record>>(
            [user_id = std::move(user_id), type = std::move(type), past, which = std::move(which),
             now](list_queries& db) { return db.lists.list_memories(user_id, type, past, which, now); });
    }

    answer<search_result> find(std::string user_id, search_query query, known_turns known,
                               base::wall_time now) override {
        return list<search_result>(
            [user_id = std::move(user_id), query = std::move(query), known = std::move(known),
             now](list_queries& db) { return db.lists.find(user_id, query, known, now); });
    }

    answer<std::optional<memory_history>> read_history(std::string user_id, std::int64_t memory_id) override {
        return list<std::optional<memory_history>>(
            [user_id = std::move(user_id), memory_id](list_queries& db) {
                return db.lists.read_history(user_id, memory_id);
            });
    }

    answer<page<session_record>> list_sessions(std::string user_id, page_request which) override {
        return list<page<session_record>>(
            [user_id = std::move(user_id), which = std::move(which)](list_queries& db) {
                return db.lists.list_sessions(user_id, which);
            });
    }

    answer<std::optional<page<turn_record>>> read_session(conversation which, page_request page) override {
        return list<std::optional<engram::store::page<turn_record>>>(
            [which = std::move(which), page = std::move(page)](list_queries& db) {
                return db.lists.read_session(which, page);
            });
    }

    answer<page<exported>> export_user(std::string user_id, page_request which) override {
        return list<page<exported>>([user_id = std::move(user_id), which = std::move(which)](
                                        list_queries& db) { return db.exports.export_user(user_id, which); });
    }

    answer<totals> count(std::string user_id) override {
        return list<totals>(
            [user_id = std::move(user_id)](list_queries& db) { return db.lists.count(user_id); });
    }

    answer<changed_memory> add_memory(std::string user_id, new_memory what, base::wall_time at) override {
        auto const shared = std::make_shared<new_memory const>(std::move(what));
        return write_analysed<changed_memory>(
            [shared, texts = texts_] { return analyse_memory(texts, shared->content); },
            [user_id = std::move(user_id), shared, at](write_queries& db, analysed_text const& text) {
                return db.curation.add(user_id, *shared, text, at);
            });
    }

    answer<std::optional<changed_memory>> change_memory(std::string user_id, memory_change what,
                                                        base::wall_time at) override {
        auto const shared = std::make_shared<memory_change const>(std::move(what));
        return write_analysed<std::optional<changed_memory>>(
            [shared, texts = texts_] { return analyse_memory(texts, shared->content.value_or("")); },
            [user_id = std::move(user_id), shared, at](write_queries& db, analysed_text const& text) {
                return db.curation.change(user_id, *shared, text, at);
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

    answer<std::optional<erasure_preview>> preview_deletion(std::string user_id,
                                                            std::int64_t memory_id) override {
        return write<std::optional<erasure_preview>>(
            [user_id = std::move(user_id), memory_id](write_queries& db) {
                return db.erasing.preview_deletion(user_id, memory_id);
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
        return forgetter_.forget(std::move(user_id), jobs, at);
    }

    answer<std::optional<pending_erasure>> claim_erasure(base::wall_time now,
                                                         base::wall_time until) override {
        // It is asked for every few seconds: without one nothing is written.
        auto const any = co_await list<bool>([now](list_queries& db) { return db.erasures.any(now); });
        if (!any) co_return any.error();
        if (!*any) co_return std::optional<pending_erasure>();
        auto claimed = co_await write<std::optional<pending_erasure>>(
            [now, until](write_queries& db) { return db.pending.claim(now, until); });
        co_return claimed;
    }

    answer<void> settle_erasure(std::int64_t id, erasure_state state, base::wall_time due) override {
        return write<void>([id, state, due](write_queries& db) { db.pending.settle(id, state, due); });
    }

    answer<std::size_t> expire_memories(base::wall_time now, std::size_t limit) override {
        return write<std::size_t>(
            [now, limit](write_queries& db) { return db.upkeep.expire_memories(now, limit); });
    }

    answer<std::optional<base::wall_time>> newest_outcome() override {
        return list<std::optional<base::wall_time>>([](list_queries& db) { return db.newest.find(); });
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
        auto const shared = std::make_shared<std::vector<consolidation_step> const>(std::move(steps));
        return write_analysed<std::optional<std::size_t>>(
            [shared, texts = texts_] {
                std::vector<analysed_text> made;
                for (auto const& step : *shared)
                    made.push_back(analyse_memory(texts, step.content));
                return made;
            },
            [task = std::move(task), shared, at](write_queries& db, std::vector<analysed_text> const& texts) {
                return db.curation.consolidate(task, *shared, texts, at);
            });
    }

    answer<std::vector<unembedded>> find_unembedded(std::string model, std::size_t limit) override {
        return write<std::vector<unembedded>>([model = std::move(model), limit](write_queries& db) {
            return db.upkeep.find_unembedded(model, limit);
        });
    }

    answer<void> store_vectors(std::string model, std::vector<embedded> vectors) override {
        return write<void>([model = std::move(model), vectors = std::move(vectors)](write_queries& db) {
            db.upkeep.store_vectors(model, vectors);
        });
    }

    answer<std::size_t> adopt_rows(std::size_t limit) override {
        // There are hardly ever any: without one nothing is written.
        auto const any = co_await list<bool>([](list_queries& db) { return db.foreign.any(); });
        if (!any) co_return any.error();
        if (!*any) {
            auto older = co_await older_.adopt(limit);
            co_return older;
        }
        auto adopted =
            co_await write<std::size_t>([limit](write_queries& db) { return db.adoption.adopt_rows(limit); });
        co_return adopted;
    }

private:
    template <class T, class Function>
    answer<T> load(Function function) {
        return call_on<T>(next_reader(), executor_, outcome_of<T>(std::move(function)));
    }
    template <class T, class Function>
    answer<T> list(Function function) {
        return call_on<T>(lists_, executor_, outcome_of<T>(std::move(function)));
    }
    template <class T, class Function>
    answer<T> write(Function function) {
        return call_on<T>(writer_, executor_, outcome_of<T>(std::move(function)));
    }
    template <class T, class Analyse, class Perform>
    answer<T> write_analysed(Analyse analyse, Perform perform) {
        auto what = outcome_of<T>(std::move(perform));
        return call_on<T>(writer_, executor_,
                          analysed_write<Analyse, decltype(what)>{std::move(analyse), std::move(what)});
    }

    // Called when the call is made, not when it is awaited: both happen on the one executor.
    reader<context_queries>& next_reader() {
        next_ = (next_ + 1) % readers_.size();
        return *readers_[next_];
    }

    boost::asio::any_io_executor executor_;
    text_index const* texts_;
    opening_report report_;
    file_watch watch_;
    writer writer_;
    reader<list_queries> lists_;
    forgetter forgetter_;
    older_adoption older_;
    std::vector<std::unique_ptr<reader<context_queries>>> readers_;
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

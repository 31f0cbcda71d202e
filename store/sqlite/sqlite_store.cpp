#include "store/sqlite/sqlite_store.hpp"

#include "base/utf8.hpp"
#include "store/sqlite/database_file.hpp"
#include "store/sqlite/file_watch.hpp"
#include "store/sqlite/forgotten_list.hpp"
#include "store/sqlite/migrations.hpp"
#include "store/sqlite/opening.hpp"
#include "store/sqlite/reader.hpp"
#include "store/sqlite/work.hpp"
#include "store/sqlite/writer.hpp"

#include <algorithm>
#include <iterator>
#include <memory>
#include <optional>
#include <system_error>
#include <type_traits>
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

/// `function` with its value as a result.
template <class T, class Function>
auto outcome_of(Function function) {
    return [function = std::move(function)](auto& db, auto const&... texts) -> result<T> {
        if constexpr (std::is_void_v<T>) {
            function(db, texts...);
            return {};
        } else {
            return function(db, texts...);
        }
    };
}

void add(erased& sum, erased more) {
    sum.counts += more.counts;
    std::ranges::move(more.reply_keys, std::back_inserter(sum.reply_keys));
    std::ranges::move(more.job_ids, std::back_inserter(sum.job_ids));
    sum.pending = more.pending;
}

// The list reader looks through a piece in some milliseconds, and serves others in between.
constexpr std::size_t turns_a_piece = 1'000, most_pieces_a_look = 100;
constexpr std::int64_t turns_between_notes = 10'000;  // what a start looks at again

// What one transaction of a forgetting takes along: some ten milliseconds.
constexpr std::size_t rows_a_forgetting = 500;

// Of one user.
struct forgetting {
    std::string user_id;
    finished_jobs jobs;
    base::wall_time at;
    forgotten_list list;
    std::uint64_t database;          // its id
    std::int64_t known_forgets = 0;  // they were forgotten so often in a later state; 0: it is asked for now
};

// Whoever copied the database before puts back what goes here, so the list has to be on the disk before it is
// reported as gone. A line too many does no harm: it asks for what was asked for.
void note_forgotten(write_queries& db, forgetting const& what) {
    auto const digest = digest_of_user(what.user_id);
    if (what.known_forgets > 0)
        return db.users.know_forgotten(digest, what.known_forgets, base::to_unix_ms(what.at));
    auto const forgets = db.users.find(what.user_id).seen.forgets;
    what.list.add({{what.database, digest, forgets, base::to_unix_ms(what.at)}});
}

result<forget_step> forget_a_piece(write_queries& db, forgetting const& what, std::int64_t after) {
    // Another process that started just now has done it, and they may be back.
    bool const is_known =
        what.known_forgets > 0 && db.users.find(what.user_id).seen.forgets >= what.known_forgets;
    if (is_known) return forget_step{.part = {}, .done = true};
    auto piece = db.forgetting.forget_some(what.user_id, what.jobs, what.at, after, rows_a_forgetting);
    if (!piece.done) return piece;
    db.clean_log = true;
    if (what.jobs == finished_jobs::keep) return piece;
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
        return error{error_kind::unavailable,
                     std::string("the list of who was forgotten cannot be used: ") + failed.what()};
    }
}

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
          forgotten_(report_.place),
          watch_(report_.place, opened.db),
          writer_(std::move(opened.db), watch_, texts, options.max_batch, executor_),
          lists_(open_for_reading(options, list_cache_kib), watch_, texts, executor_) {
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
        if (seen.has_error() && !watch_.lost().empty()) co_return store_state{watch_.lost(), {}, 0, {}};
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

    answer<std::size_t> forget_again() override {
        auto const returned =
            co_await list<std::vector<returned_user>>([list = forgotten_, id = report_.id](list_queries& on) {
                return look_for_returned(on.db, list, id);
            });
        if (!returned) co_return returned.error();
        std::size_t count = 0;
        for (auto const& user : *returned) {
            auto const done = co_await forget_returned(user);
            if (!done) co_return done.error();
            count += user.user_id ? 1 : 0;
        }
        co_return count;
    }

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
        return forget_in_pieces(writer_, executor_, {std::move(user_id), jobs, at, forgotten_, report_.id});
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
            auto older = co_await adopt_older(limit);
            co_return older;
        }
        auto adopted =
            co_await write<std::size_t>([limit](write_queries& db) { return db.adoption.adopt_rows(limit); });
        co_return adopted;
    }

private:
    // Mostly it meets this program's own turns, each once, and writes nothing.
    answer<std::size_t> adopt_older(std::size_t limit) {
        if (texts_ == nullptr) co_return std::size_t{0};
        for (std::size_t i = 0; i < most_pieces_a_look; ++i) {
            auto const piece = co_await list<older_turns::piece>(
                [after = looked_at_, version = std::int64_t{texts_->version()}](list_queries& db) {
                    return db.older.look(after, turns_a_piece, version);
                });
            if (!piece) co_return piece.error();
            auto const [after, last, any] = *piece;
            if (!looked_at_) noted_ = after;
            looked_at_ = after;
            if (last == after) break;
            if (!any && last - noted_ < turns_between_notes) {
                looked_at_ = last;
                continue;
            }
            auto const adopted =
                co_await write<adoption_queries::older>([after, last, limit](write_queries& db) {
                    return db.adoption.adopt_older(after, last, limit);
                });
            if (!adopted) co_return adopted.error();
            looked_at_ = noted_ = adopted->last;
            if (adopted->rows > 0) co_return adopted->rows;
        }
        co_return std::size_t{0};
    }

    answer<void> forget_returned(returned_user const& user) {
        auto const& when = user.when;
        base::wall_time const at{std::chrono::milliseconds(when.at_ms)};
        if (user.user_id) {
            forgetting what{*user.user_id, finished_jobs::remove, at, forgotten_, report_.id, when.forgets};
            auto const gone = co_await forget_in_pieces(writer_, executor_, std::move(what));
            if (!gone) co_return gone.error();
            co_return result<void>();
        }
        // Nothing is there now, and the next start need not look again.
        auto noted =
            co_await write<void>([digest = when.digest, forgets = when.forgets, at_ms = when.at_ms](
                                     write_queries& db) { db.users.know_forgotten(digest, forgets, at_ms); });
        co_return noted;
    }

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
    forgotten_list forgotten_;
    file_watch watch_;
    writer writer_;
    reader<list_queries> lists_;
    std::vector<std::unique_ptr<reader<context_queries>>> readers_;
    std::size_t next_ = 0;
    std::optional<std::int64_t> looked_at_;  // for turns of an older engramd, up to this id
    std::int64_t noted_ = 0;                 // of that, in the database
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

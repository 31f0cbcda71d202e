#include "store/sqlite/reader.hpp"

#include "base/log.hpp"
#include "store/sqlite/store_thread.hpp"

namespace engram::store {
namespace {

// A transaction that is held for long keeps the log from being moved into the database.
constexpr std::size_t answers_per_transaction = 32;

error error_of(std::exception const& failed) {
    if (auto const* refused = dynamic_cast<sqlite_error const*>(&failed)) return refused->to_error();
    return {error_kind::internal, std::string("reading the store: ") + failed.what()};
}

}  // namespace

template <class Queries>
reader<Queries>::reader(connection db, file_watch& watch, text_index const* texts,
                        boost::asio::any_io_executor executor)
    : db_(std::move(db)),
      watch_(watch),
      queries_(db_, texts),
      begin_(db_.prepare("BEGIN")),
      end_(db_.prepare("COMMIT")),
      executor_(std::move(executor)),
      thread_(start_thread("store-reader", [this] { run(); })) {}

template <class Queries>
reader<Queries>::~reader() {
    waiting_.close();
    thread_.join();
}

template <class Queries>
void reader<Queries>::run() {
    for (auto all = waiting_.take(); !all.empty(); all = waiting_.take()) {
        while (!all.empty())
            answer(all.take_front(answers_per_transaction));
    }
}

template <class Queries>
void reader<Queries>::answer(chain<work<database>> batch) {
    if (!begin(batch)) return;
    while (auto item = batch.pop_front()) {
        try {
            item->perform(queries_);
        } catch (std::exception const& failed) {
            item->fail(reason_of(failed));
        }
        chain<work<database>> done;
        done.push_back(std::move(item));
        complete_on(executor_, std::move(done));
    }
    end();
}

template <class Queries>
bool reader<Queries>::begin(chain<work<database>>& batch) {
    error why{error_kind::unavailable, watch_.lost()};
    try {
        if (why.message.empty()) {
            begin_.run();
            return true;
        }
    } catch (std::exception const& failed) {
        why = reason_of(failed);
    }
    for (auto* one = batch.front(); one != nullptr; one = one->next)
        one->fail(why);
    complete_on(executor_, std::move(batch));
    return false;
}

// A file that was overwritten reads as a damaged one.
template <class Queries>
error reader<Queries>::reason_of(std::exception const& failed) {
    if (auto lost = watch_.look(db_); !lost.empty()) return {error_kind::unavailable, std::move(lost)};
    auto why = error_of(failed);
    if (why.damaged) db_.forget_pages();
    watch_.met(why);
    return why;
}

// What was read is right, whether this works or not; some errors have ended the transaction by themselves.
template <class Queries>
void reader<Queries>::end() {
    try {
        if (db_.in_transaction()) end_.run();
    } catch (sqlite_error const& failed) {
        base::log_error("a read transaction could not be ended", {{"reason", failed.what()}});
    }
}

template class reader<context_queries>;
template class reader<list_queries>;

}  // namespace engram::store

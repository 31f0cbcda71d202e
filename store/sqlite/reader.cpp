#include "store/sqlite/reader.hpp"

#include "base/log.hpp"
#include "store/sqlite/store_thread.hpp"

namespace engram::store {
namespace {

// Small, so that the first of many does not wait for all of them.
constexpr std::size_t answers_per_transaction = 32;

error error_of(std::exception const& failed) {
    if (auto const* refused = dynamic_cast<sqlite_error const*>(&failed)) return refused->to_error();
    return {error_kind::internal, std::string("reading the store: ") + failed.what()};
}

}  // namespace

reader::reader(connection db, boost::asio::any_io_executor executor)
    : db_(std::move(db)),
      queries_(db_),
      begin_(db_.prepare("BEGIN")),
      end_(db_.prepare("COMMIT")),
      executor_(std::move(executor)),
      thread_(start_thread("store-reader", [this] { run(); })) {}

reader::~reader() {
    waiting_.close();
    thread_.join();
}

void reader::run() {
    for (auto all = waiting_.take(); !all.empty(); all = waiting_.take()) {
        while (!all.empty())
            answer(all.take_front(answers_per_transaction));
    }
}

void reader::answer(chain<work<database>> batch) {
    try {
        begin_.run();
        for (auto* one = batch.front(); one != nullptr; one = one->next) {
            try {
                one->perform(queries_);
            } catch (std::exception const& failed) {
                one->fail(error_of(failed));
            }
        }
        // Some errors end the transaction by themselves.
        if (db_.in_transaction()) end_.run();
    } catch (std::exception const& failed) {
        // Only BEGIN or COMMIT get here. A result that was read is right, but saying so is not worth a case.
        for (auto* one = batch.front(); one != nullptr; one = one->next)
            one->fail(error_of(failed));
        leave_transaction();
    }
    complete_on(executor_, std::move(batch));
}

void reader::leave_transaction() {
    try {
        if (db_.in_transaction()) db_.execute("ROLLBACK");
    } catch (sqlite_error const& failed) {
        base::log_error("a failed read transaction could not be ended", {{"reason", failed.what()}});
    }
}

}  // namespace engram::store

// One call of the store's interface on its way: done on a store thread, resumed on the caller's executor.
#pragma once

#include "store/sqlite/mailbox.hpp"
#include "store/types.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/execution/outstanding_work.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

namespace engram::store {

/// Life: made on the caller's thread -> prepare (writer only), perform (store thread; or fail) -> complete
/// (caller's executor). Destroyed without complete() only when the executor's context goes away first; the
/// waiting coroutine then goes with it.
template <class Database>
class work {
public:
    virtual ~work() = default;

    /// What can be done before a transaction begins; once, however often perform() follows. May throw; then
    /// fail() must follow.
    virtual void prepare() {}
    /// Does it and keeps the result. May throw; then fail() must follow.
    virtual void perform(Database& database) = 0;
    virtual void fail(error why) = 0;
    [[nodiscard]] virtual bool failed() const = 0;
    /// Hands the result to the caller. `self` is this object, gone before the caller runs.
    virtual void complete(std::unique_ptr<work> self) = 0;

    work* next = nullptr;  // of the chain it is in
};

template <class T, class Database, class Function, class Handler>
class call final : public work<Database> {
public:
    call(Function function, Handler handler, boost::asio::any_io_executor const& fallback)
        : function_(std::move(function)),
          executor_(boost::asio::prefer(boost::asio::get_associated_executor(handler, fallback),
                                        boost::asio::execution::outstanding_work.tracked)),
          handler_(std::move(handler)) {}

    void prepare() override {
        if constexpr (requires { function_.prepare(); }) function_.prepare();
    }
    void perform(Database& database) override { result_.emplace(function_(database)); }
    void fail(error why) override { result_.emplace(std::move(why)); }
    [[nodiscard]] bool failed() const override { return result_ && result_->has_error(); }

    void complete(std::unique_ptr<work<Database>> self) override {
        auto executor = std::move(executor_);
        auto handler = std::move(handler_);
        auto outcome = std::move(*result_);
        self.reset();
        boost::asio::dispatch(executor,
                              [handler = std::move(handler), outcome = std::move(outcome)]() mutable {
                                  std::move(handler)(std::move(outcome));
                              });
    }

private:
    Function function_;
    boost::asio::any_io_executor executor_;  // counts as work, so that the loop waits for us
    Handler handler_;
    std::optional<result<T>> result_;
};

/// Completes a whole batch with one post: the loop's lock and wake-up are paid once.
template <class Database>
class batch_completion {
public:
    batch_completion(boost::asio::any_io_executor executor, chain<work<Database>> done)
        : executor_(std::move(executor)), done_(std::move(done)) {}

    void operator()() {
        while (auto item = done_.pop_front()) {
            auto& finished = *item;
            try {
                finished.complete(std::move(item));
            } catch (...) {
                // What one caller's code throws leaves through the loop; the others still get their results.
                if (!done_.empty())
                    boost::asio::post(executor_, batch_completion(executor_, std::move(done_)));
                throw;
            }
        }
    }

private:
    boost::asio::any_io_executor executor_;
    chain<work<Database>> done_;
};

template <class Database>
void complete_on(boost::asio::any_io_executor const& executor, chain<work<Database>> done) {
    if (!done.empty()) boost::asio::post(executor, batch_completion<Database>(executor, std::move(done)));
}

/// Starts `function` on the thread behind `where` when awaited. Cancellation of the caller is not looked at:
/// the call runs to its end and its result is delivered.
template <class T, class Thread, class Function>
boost::asio::awaitable<result<T>> call_on(Thread& where, boost::asio::any_io_executor executor,
                                          Function function) {
    using database = typename Thread::database;
    return boost::asio::async_initiate<boost::asio::use_awaitable_t<> const, void(result<T>)>(
        [&where, executor](auto handler, Function what) {
            using one_call = call<T, database, Function, decltype(handler)>;
            where.submit(std::make_unique<one_call>(std::move(what), std::move(handler), executor));
        },
        boost::asio::use_awaitable, std::move(function));
}

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

}  // namespace engram::store

// What the tests of the store share.
#pragma once

#include "store/sqlite/connection.hpp"
#include "store/sqlite/sqlite_store.hpp"
#include "word_index.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace engram::store::test {

/// A folder that goes with its owner.
class temporary_folder {
public:
    temporary_folder();
    ~temporary_folder();
    temporary_folder(temporary_folder const&) = delete;
    temporary_folder& operator=(temporary_folder const&) = delete;

    [[nodiscard]] std::string file(std::string const& name) const { return (path_ / name).string(); }

private:
    std::filesystem::path path_;
};

/// Copies `from` over the file `to`, so that its time differs: the clock of files ticks some hundred times a
/// second.
inline void copy_over(std::string const& from, std::string const& to) {
    auto const before = std::filesystem::last_write_time(to);
    do
        std::filesystem::copy_file(from, to, std::filesystem::copy_options::overwrite_existing);
    while (std::filesystem::last_write_time(to) == before);
}

/// Runs the loop until `what` has ended.
template <class T>
T run(boost::asio::io_context& loop, boost::asio::awaitable<T> what) {
    auto future = boost::asio::co_spawn(loop, std::move(what), boost::asio::use_future);
    loop.restart();
    loop.run();
    return future.get();
}

/// A store and the loop that its calls resume on.
class opened_store {
public:
    /// `texts` must outlive it; may be null.
    explicit opened_store(options const& with, text_index const* texts = &words())
        : store_(open_sqlite(with, loop_.get_executor(), texts)) {}

    database& operator*() { return *store_; }
    database* operator->() { return store_.get(); }
    boost::asio::io_context& loop() { return loop_; }

    /// The value of a call that is expected to work; throws with its message if it does not.
    template <class T>
    T get(boost::asio::awaitable<result<T>> call) {
        auto outcome = run(loop_, std::move(call));
        if (outcome.has_error()) throw std::runtime_error(outcome.error().message);
        if constexpr (!std::is_void_v<T>) return std::move(*outcome);
    }
    template <class T>
    error fail(boost::asio::awaitable<result<T>> call) {
        auto const outcome = run(loop_, std::move(call));
        if (!outcome.has_error()) throw std::runtime_error("the call was expected to fail");
        return outcome.error();
    }

private:
    boost::asio::io_context loop_;
    std::unique_ptr<database> store_;
};

/// Fast settings for a file.
[[nodiscard]] options options_for(std::string const& path);

/// 2024-01-01 00:00:00 UTC and `seconds`.
[[nodiscard]] base::wall_time at(std::int64_t seconds = 0);

[[nodiscard]] job_key job(std::string const& id, std::string const& ticket = "t",
                          std::string const& body = "b");

/// An exchange whose reply is "reply <job id>" and then the ids of its memories.
[[nodiscard]] exchange exchange_of(conversation const& of, job_key const& key,
                                   std::vector<new_memory> memories = {});

/// Of the type "claude_rejected", with the message "because of <reply>".
[[nodiscard]] failure failure_of(job_key const& key, std::string const& reply);

[[nodiscard]] context_query query_of(conversation const& of, std::string const& job_id = "none");

/// Oldest first; a context has those first that matter most.
[[nodiscard]] std::vector<memory> by_age(std::vector<memory> memories);

/// `turns` turns, in exchanges that each have two.
void fill(opened_store& into, conversation const& of, int turns, std::string const& prefix = "f");

/// A connection of its own, to look at the file from outside.
[[nodiscard]] connection look_at(std::string const& path);
[[nodiscard]] std::int64_t number(std::string const& path, std::string const& sql);

/// Every row of every table that says whose it is and is this user's, a line each; and their part of the
/// index.
[[nodiscard]] std::string dump_of(std::string const& path, std::string const& user_id);

}  // namespace engram::store::test

// What has to be done now and again, off the path of every reply: what has had its time goes, texts get their
// vectors, and rows that other software has written are adopted.
#pragma once

#include "base/backoff.hpp"
#include "base/clock.hpp"
#include "base/event.hpp"
#include "base/part.hpp"
#include "embedding/client.hpp"
#include "store/upkeep.hpp"
#include "workers/background/safe_time.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace engram::workers {

struct upkeep_options {
    std::chrono::hours dedupe{72};     ///< how long outcomes of jobs are kept for repeats
    std::size_t embedding_batch = 64;  ///< texts at a time; at least 1
    std::chrono::milliseconds embedding_timeout{30'000};
    /// How often the tables are looked at for rows that other software has written.
    std::chrono::milliseconds adoption{20'000};
};

struct upkeep_status {
    std::uint64_t expired_memories = 0;
    std::uint64_t expired_outcomes = 0;
    std::uint64_t embedded = 0;  ///< texts that got their vector
    std::uint64_t not_embeddable =
        0;  ///< texts that the endpoint does not take; they are found by words only
    std::uint64_t failed_embeddings = 0;  ///< tries to embed some texts
};

/// Loops that do not know of each other. Each does a piece, then rests as long as the piece says; a
/// failure is logged and ends none of them.
///
/// All calls from one executor; what it refers to must outlive it. Starts and stops as base::part says.
class upkeep {
public:
    /// Without an `embedder` no text gets a vector.
    upkeep(upkeep_options options, store::upkeep& store, embedding::embedder* embedder,
           base::clock const& clock, boost::asio::any_io_executor executor);

    /// Deletes by this time alone, and nothing while there is none. Without it: by the clock. Before start().
    void trust(safe_time& time) { time_ = &time; }

    void start();
    /// Cancels what runs. Nothing is lost by that: it is found again.
    boost::asio::awaitable<void> stop();

    /// There are new texts: does not wait for the next look. A pause after a failure stays.
    void wake();

    /// From the next piece on.
    void set_options(upkeep_options options) { options_ = options; }

    [[nodiscard]] upkeep_status const& status() const { return counts_; }

private:
    struct rest {
        std::chrono::milliseconds length{0};
        bool until_woken = false;  ///< wake() ends it
    };
    using piece = boost::asio::awaitable<rest> (upkeep::*)();
    using texts = std::vector<store::unembedded>;

    void keep_at(std::string name, piece one);
    boost::asio::awaitable<void> repeat(std::string name, piece one);
    boost::asio::awaitable<void> take(rest pause);
    [[nodiscard]] boost::asio::awaitable<std::optional<base::wall_time>> time_to_delete_by();
    boost::asio::awaitable<rest> expire_memories();
    boost::asio::awaitable<rest> expire_outcomes();
    boost::asio::awaitable<rest> adopt_rows();
    boost::asio::awaitable<rest> embed_texts();
    boost::asio::awaitable<base::result<std::vector<embedding::vector>, embedding::error>> ask_for_vectors(
        std::vector<std::string> wanted);
    boost::asio::awaitable<rest> keep(std::string model, texts const& found,
                                      std::vector<embedding::vector> const& vectors);
    boost::asio::awaitable<rest> after_failure(std::string model, texts const& found, embedding::error why);
    [[nodiscard]] rest embedding_failed(std::string_view why);

    upkeep_options options_;
    store::upkeep& store_;
    embedding::embedder* embedder_;
    base::clock const& clock_;
    safe_time* time_ = nullptr;
    base::part part_;
    base::event look_;
    bool woken_ = false;                     // since texts were last looked for
    base::backoff pauses_;                   // after failures of embedding in a row
    std::size_t at_a_time_ = 64;             // texts; fewer after a failure, more after a success
    std::optional<std::int64_t> last_kept_;  // the place of the first text of the last batch
    upkeep_status counts_;
};

}  // namespace engram::workers

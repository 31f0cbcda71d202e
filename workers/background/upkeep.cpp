#include "workers/background/upkeep.hpp"

#include "base/log.hpp"
#include "base/utf8.hpp"
#include "embedding/vector_bytes.hpp"
#include "workers/chat/memory_tags.hpp"

#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>

#include <algorithm>
#include <exception>
#include <utility>

namespace engram::workers {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

constexpr milliseconds memory_pause = 1min;
constexpr std::size_t memory_batch = 500;
constexpr milliseconds outcome_pause = 10min;
constexpr milliseconds outcome_breath = 50ms;  // between full batches: jobs write to the same database
constexpr std::size_t outcome_batch = 1'000;
constexpr std::size_t adoption_batch = 64;
constexpr milliseconds adoption_breath = 50ms;  // between batches: jobs write to the same database
constexpr milliseconds embedding_look = 5s;
constexpr milliseconds first_pause = 5s;
constexpr milliseconds longest_pause = 10min;
constexpr milliseconds pause_after_a_bug = 1min;
constexpr milliseconds pause_until_safe = 1min;  // while the clocks are not to be relied on

// Any endpoint that embeds at all embeds this.
constexpr char const* harmless = "hello";

// A note in an answer is a memory by itself, with a vector of its own: the answer must not be found by it
// once that has changed.
std::string text_to_embed(store::unembedded const& one) {
    if (base::is_blank(one.answer)) return one.text;
    auto said = extract_memory_tags(base::to_utf8(one.answer), {}).reply;
    if (base::is_blank(said) && base::is_blank(one.text)) return one.answer;
    return one.text.empty() ? said : one.text + '\n' + said;
}

}  // namespace

upkeep::upkeep(upkeep_options options, store::upkeep& store, embedding::embedder* embedder,
               base::clock const& clock, asio::any_io_executor executor)
    : options_(options),
      store_(store),
      embedder_(embedder),
      clock_(clock),
      part_(executor),
      look_(executor),
      pauses_(first_pause, longest_pause),
      at_a_time_(options.embedding_batch) {}

void upkeep::start() {
    keep_at("expire-memories", &upkeep::expire_memories);
    keep_at("expire-outcomes", &upkeep::expire_outcomes);
    keep_at("adopt-rows", &upkeep::adopt_rows);
    if (embedder_) keep_at("embed-texts", &upkeep::embed_texts);
}

void upkeep::keep_at(std::string name, piece one) {
    part_.keep_up(name, [this, name, one] { return repeat(name, one); });
}

asio::awaitable<void> upkeep::stop() {
    return part_.stop();
}

void upkeep::wake() {
    woken_ = true;
    look_.notify_all();
}

asio::awaitable<void> upkeep::repeat(std::string name, piece one) {
    for (;;) {
        rest pause{pause_after_a_bug};
        try {
            pause = co_await (this->*one)();
        } catch (boost::system::system_error const& stop) {
            if (stop.code() == asio::error::operation_aborted) throw;
            base::log_error("upkeep failed", {{"task", name}, {"error", stop.what()}});
        } catch (std::exception const& failure) {
            base::log_error("upkeep failed", {{"task", name}, {"error", failure.what()}});
        }
        co_await take(pause);
    }
}

asio::awaitable<void> upkeep::take(rest pause) {
    auto const end = clock_.steady() + pause.length;
    for (;;) {
        auto const now = clock_.steady();
        if (now >= end || (pause.until_woken && woken_)) co_return;
        co_await look_.wait_until(steady_clock::now() + (end - now));
    }
}

asio::awaitable<std::optional<base::wall_time>> upkeep::time_to_delete_by() {
    if (!time_) co_return clock_.wall();
    auto const now = co_await time_->now();
    co_return now;
}

asio::awaitable<upkeep::rest> upkeep::expire_memories() {
    auto const now = co_await time_to_delete_by();
    if (!now) co_return rest{pause_until_safe};
    auto const removed = co_await store_.expire_memories(*now, memory_batch);
    if (!removed) {
        base::log_warn("memories whose time is over were not removed", {{"error", removed.error().message}});
        co_return rest{memory_pause};
    }
    counts_.expired_memories += *removed;
    if (*removed > 0)
        base::log_info("memories whose time is over were deleted",
                       {{"memories", *removed}, {"until", base::to_utc_text(*now)}});
    co_return rest{*removed < memory_batch ? memory_pause : 0ms};
}

// Outcomes are kept for repeats of a job; after queue.dedupe_hours they go.
asio::awaitable<upkeep::rest> upkeep::expire_outcomes() {
    auto const now = co_await time_to_delete_by();
    if (!now) co_return rest{pause_until_safe};
    auto const before = *now - options_.dedupe;
    auto const removed = co_await store_.expire_outcomes(before, outcome_batch);
    if (!removed) {
        base::log_warn("old outcomes of jobs were not deleted", {{"error", removed.error().message}});
        co_return rest{outcome_pause};
    }
    counts_.expired_outcomes += *removed;
    if (*removed > 0)
        base::log_info("outcomes of jobs were deleted, which repeats have no use for any more",
                       {{"outcomes", *removed}, {"older_than", base::to_utc_text(before)}});
    co_return rest{*removed < outcome_batch ? outcome_pause : outcome_breath};
}

asio::awaitable<upkeep::rest> upkeep::adopt_rows() {
    auto const adopted = co_await store_.adopt_rows(adoption_batch);
    if (!adopted) {
        base::log_warn("rows of other software were not adopted; it will be tried again",
                       {{"error", adopted.error().message}});
        co_return rest{options_.adoption};
    }
    if (*adopted == 0) co_return rest{options_.adoption};
    base::log_info("rows of other software adopted", {{"rows", *adopted}});
    co_return rest{adoption_breath};
}

asio::awaitable<upkeep::rest> upkeep::embed_texts() {
    woken_ = false;
    auto const most = std::max<std::size_t>(options_.embedding_batch, 1);
    at_a_time_ = std::clamp<std::size_t>(at_a_time_, 1, most);
    auto const model = embedder_->model_id();
    auto const found = co_await store_.find_unembedded(model, at_a_time_);
    if (!found) co_return embedding_failed(found.error().message);
    if (found->empty()) co_return rest{embedding_look, true};
    // Or a store that keeps no vectors would have the same texts paid for again and again.
    if (std::exchange(last_kept_, std::nullopt) == found->front().place)
        co_return embedding_failed("a text has come back without the vector that was stored for it");
    std::vector<std::string> wanted;
    for (auto const& one : *found)
        wanted.push_back(text_to_embed(one));
    auto const vectors = co_await ask_for_vectors(std::move(wanted));
    if (vectors) co_return co_await keep(model, *found, *vectors);
    co_return co_await after_failure(model, *found, vectors.error());
}

asio::awaitable<base::result<std::vector<embedding::vector>, embedding::error>> upkeep::ask_for_vectors(
    std::vector<std::string> wanted) {
    auto const count = wanted.size();
    auto const until = steady_clock::now() + options_.embedding_timeout;
    auto vectors = co_await embedder_->embed(std::move(wanted), embedding::purpose::document, until);
    if (vectors && vectors->size() != count)
        co_return embedding::error{embedding::error_kind::unavailable, "not one vector for each text", 0};
    co_return vectors;
}

asio::awaitable<upkeep::rest> upkeep::keep(std::string model, texts const& found,
                                           std::vector<embedding::vector> const& vectors) {
    std::vector<store::embedded> stored;
    for (std::size_t i = 0; i < found.size(); ++i)
        stored.push_back({found[i], embedding::to_bytes(vectors[i])});
    auto const kept = co_await store_.store_vectors(std::move(model), std::move(stored));
    if (!kept) co_return embedding_failed(kept.error().message);
    pauses_.reset();
    last_kept_ = found.front().place;
    counts_.embedded += found.size();
    at_a_time_ *= 2;
    co_return rest{};
}

// One text that the endpoint does not take must not keep the others waiting: texts go alone until it is
// found, and it gets an empty vector, which is like no other. First the endpoint has to show that it takes
// anything at all: with a wrong model every text is refused.
asio::awaitable<upkeep::rest> upkeep::after_failure(std::string model, texts const& found,
                                                    embedding::error why) {
    bool const refused = why.kind == embedding::error_kind::rejected;
    bool const alone = found.size() == 1;
    at_a_time_ = refused ? 1 : found.size() / 2;
    if (refused && !alone) co_return rest{};
    if (!refused) co_return embedding_failed(why.message);
    auto const probe = co_await ask_for_vectors({harmless});
    if (!probe) co_return embedding_failed(why.message);
    std::vector<store::embedded> nothing{{found.front(), std::string()}};
    auto const kept = co_await store_.store_vectors(std::move(model), std::move(nothing));
    if (!kept) co_return embedding_failed(kept.error().message);
    last_kept_ = found.front().place;
    ++counts_.not_embeddable;
    base::log_warn("a text is not taken by the embedding endpoint; it is found by its words alone",
                   {{"place", found.front().place}, {"error", why.message}});
    co_return rest{};
}

upkeep::rest upkeep::embedding_failed(std::string_view why) {
    ++counts_.failed_embeddings;
    auto const pause = pauses_.next();
    base::log_warn(
        "texts were not embedded; it will be tried again",
        {{"error", why}, {"next_try_s", std::chrono::duration_cast<std::chrono::seconds>(pause).count()}});
    return rest{pause};
}

}  // namespace engram::workers

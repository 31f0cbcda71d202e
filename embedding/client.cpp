// The story of a request: may it be sent → send, read → understand → what it says about the endpoint.
#include "embedding/client.hpp"

#include "base/log.hpp"
#include "base/repeated.hpp"
#include "base/under_way.hpp"
#include "base/utf8.hpp"
#include "embedding/rest.hpp"
#include "embedding/wire.hpp"
#include "http/client/endpoint.hpp"
#include "http/text.hpp"
#include "http/url.hpp"

#include <algorithm>
#include <span>
#include <stdexcept>
#include <utility>

namespace engram::embedding {

namespace asio = boost::asio;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

using vectors = std::vector<vector>;

constexpr std::size_t most_idle_connections = 16;
constexpr milliseconds longest_span = std::chrono::hours(24);

/// Counts itself. If the endpoint has rested, this is the query that tries, and leaves that to another if it
/// is cancelled before it has learnt anything.
class query_under_way {
public:
    query_under_way(std::size_t& queries, rest& r) : counted_(queries), tries_(r.begin() ? &r : nullptr) {}
    query_under_way(query_under_way const&) = delete;
    ~query_under_way() {
        if (tries_) tries_->gave_up();
    }

private:
    base::under_way<std::size_t> counted_;
    rest* tries_;
};

class http_client final : public client {
public:
    http_client(options options, http::base_url url, asio::any_io_executor executor, base::clock const& clock)
        : options_(std::move(options)),
          clock_(clock),
          endpoint_(std::move(url), options_.ca_file,
                    {.max_idle_connections = most_idle_connections,
                     .max_response_bytes = max_response_bytes,
                     .died_idle_within = options_.died_idle_within},
                    std::move(executor)),
          head_(compose_head(endpoint_.url(), options_.api_key)) {}

    asio::awaitable<base::result<vectors, error>> embed(std::vector<std::string> texts, purpose why,
                                                        base::steady_time until) override;

    std::string model_id() const override {
        if (options_.dimensions == 0) return options_.model;
        return options_.model + '@' + std::to_string(options_.dimensions);
    }

    void set_api_key(base::secret key) override {
        http::check_header_value(key.reveal(), "the embedding key");
        options_.api_key = std::move(key);
        head_ = base::secret(compose_head(endpoint_.url(), options_.api_key));
    }

    client_status status() const override {
        return {endpoint_.requests(), failures_, refusals_, rest_.resting()};
    }

    void close() override { endpoint_.close(); }

private:
    asio::awaitable<base::result<vectors, error>> embed_part(std::span<std::string const> texts, purpose why,
                                                             std::size_t dimensions, base::steady_time until);
    asio::awaitable<base::result<vectors, error>> ask(std::span<std::string const> texts, purpose why,
                                                      std::size_t dimensions, base::steady_time until);
    base::result<vectors, error> understand(http::io_outcome const& outcome, http::reply const* reply,
                                            std::size_t count, std::size_t dimensions) const;
    void learn(base::result<vectors, error> const& answer, purpose why, base::steady_time began);
    void tell_lack(error const& lack, purpose why);

    options options_;
    base::clock const& clock_;
    http::endpoint endpoint_;
    base::secret head_;  // with the key in it
    rest rest_;
    std::size_t queries_ = 0;  // under way
    std::uint64_t failures_ = 0;
    std::uint64_t refusals_ = 0;
    base::repeated lacks_;
};

asio::awaitable<base::result<vectors, error>> http_client::embed(std::vector<std::string> texts, purpose why,
                                                                 base::steady_time until) {
    // Some servers refuse a blank text and with it all others of the request.
    if (std::any_of(texts.begin(), texts.end(), base::is_blank))
        co_return error{error_kind::rejected, "a blank text has no embedding", 0};
    vectors all;
    all.reserve(texts.size());
    std::span<std::string const> left = texts;
    while (!left.empty()) {
        auto const part = left.first(std::min(options_.batch, left.size()));
        left = left.subspan(part.size());
        std::size_t const dimensions = all.empty() ? options_.dimensions : all.front().size();
        auto answer = co_await embed_part(part, why, dimensions, until);
        if (answer.has_error()) co_return answer.error();
        std::move(answer->begin(), answer->end(), std::back_inserter(all));
    }
    co_return all;
}

asio::awaitable<base::result<vectors, error>> http_client::embed_part(std::span<std::string const> texts,
                                                                      purpose why, std::size_t dimensions,
                                                                      base::steady_time until) {
    if (steady_clock::now() >= until)
        co_return error{error_kind::deadline, "the time was over before the embedding endpoint was asked", 0};
    if (why == purpose::document) {
        auto answer = co_await ask(texts, why, dimensions, until);
        co_return answer;
    }
    if (queries_ >= most_queries || !rest_.may_ask(clock_.steady())) {
        ++refusals_;
        co_return error{error_kind::resting, "the embedding endpoint rests after a failure or is overloaded",
                        0};
    }
    query_under_way const counted(queries_, rest_);
    auto answer = co_await ask(texts, why, dimensions, until);
    co_return answer;
}

asio::awaitable<base::result<vectors, error>> http_client::ask(std::span<std::string const> texts,
                                                               purpose why, std::size_t dimensions,
                                                               base::steady_time until) {
    auto const limit = why == purpose::query ? options_.timeout : options_.batch_timeout;
    auto const began = clock_.steady();
    auto const body = compose_body(options_, texts, why);
    // A secret because the key is in its head.
    base::secret const wire(std::string(head_.reveal()) + std::to_string(body.size()) + "\r\n\r\n" + body);
    std::unique_ptr<http::reply> reply;
    auto const asked = steady_clock::now();
    auto const outcome = co_await endpoint_.exchange(wire.reveal(), reply, std::min(until, asked + limit));
    auto answer = understand(outcome, reply.get(), texts.size(), dimensions);
    // Not the endpoint's failure. A caller who allows as much as the limit has come a moment before `asked`.
    if (outcome.end == http::io_end::timed_out && until < asked + limit * 9 / 10)
        answer = error{error_kind::deadline, "the time was over before the embedding endpoint answered", 0};
    learn(answer, why, began);
    co_return answer;
}

base::result<vectors, error> http_client::understand(http::io_outcome const& outcome,
                                                     http::reply const* reply, std::size_t count,
                                                     std::size_t dimensions) const {
    error why;
    if (!outcome.ok()) {
        bool const lacks = outcome.end == http::io_end::lacking;
        if (lacks) why.kind = error_kind::lacking;
        why.message = "the embedding endpoint at " + endpoint_.url().authority() +
                      (lacks ? " could not be asked: " : " gave no answer: ") + outcome.what;
        return why;
    }
    if (reply->status / 100 != 2) return explain_status(reply->status);
    bool const encoded = !reply->content_encoding.empty() && reply->content_encoding != "identity";
    auto read = encoded ? std::string("is encoded, which was not asked for")
                        : read_vectors(reply->body, count, dimensions);
    if (read.has_value()) return std::move(*read);
    why.status = reply->status;
    why.message = "the answer of the embedding endpoint " + read.error();
    return why;
}

void http_client::learn(base::result<vectors, error> const& answer, purpose why, base::steady_time began) {
    if (answer.has_error() && answer.error().kind == error_kind::lacking)
        return tell_lack(answer.error(), why);
    if (answer.has_error()) ++failures_;
    // Documents neither begin nor end a rest: they have more time, and other texts.
    if (why == purpose::document) return;
    if (answer.has_value()) {
        if (rest_.succeeded()) base::log_info("the embedding endpoint answers again");
        return;
    }
    // What is refused for what it says, or was not waited for, tells nothing about the next query.
    auto const& failure = answer.error();
    if (failure.kind == error_kind::rejected || failure.kind == error_kind::deadline) return;
    if (rest_.failed(began, clock_.steady()))
        base::log_warn("the embedding endpoint failed: searches go by words alone until it answers",
                       {{"because", failure.message}});
}

// Says nothing about the endpoint. Of documents the caller tells.
void http_client::tell_lack(error const& lack, purpose why) {
    if (why == purpose::document) return;
    if (auto const untold = lacks_.tell(lack.message, clock_.steady()))
        base::log_warn("searches go by words alone", {{"because", lack.message}, {"repeated", *untold}});
}

void check(options& o) {
    http::check_header_value(o.api_key.reveal(), "the embedding key");
    if (o.provider != "openai" && o.provider != "voyage")
        throw std::invalid_argument("the embedding provider must be openai or voyage");
    if (o.model.empty()) throw std::invalid_argument("the embedding model is not set");
    if (o.batch == 0) throw std::invalid_argument("the embedding batch must be at least 1");
    if (o.dimensions > max_dimensions)
        throw std::invalid_argument("the embedding dimensions must be at most " +
                                    std::to_string(max_dimensions));
    for (auto* const span : {&o.timeout, &o.batch_timeout})
        *span = std::clamp(*span, milliseconds(0), longest_span);
}

}  // namespace

std::unique_ptr<client> make_client(options options, asio::any_io_executor executor) {
    static base::clock const real;
    return make_client(std::move(options), std::move(executor), real);
}

std::unique_ptr<client> make_client(options options, asio::any_io_executor executor,
                                    base::clock const& clock) {
    check(options);
    auto url = http::parse_base_url(options.base_url, "the address of the embedding endpoint");
    if (!url.tls && !url.is_local())
        base::log_warn("the embedding key and the users' texts go to the embedding endpoint unencrypted",
                       {{"host", url.host}});
    return std::make_unique<http_client>(std::move(options), std::move(url), std::move(executor), clock);
}

}  // namespace engram::embedding

// The story of a call: a place → a connection → send, read → understand → perhaps wait and try again.
#include "claude/client.hpp"

#include "base/log.hpp"
#include "claude/admission.hpp"
#include "claude/answer.hpp"
#include "claude/connection.hpp"
#include "claude/failure.hpp"
#include "claude/http_reader.hpp"
#include "claude/names.hpp"
#include "claude/outgoing.hpp"
#include "claude/pool.hpp"
#include "claude/retry.hpp"
#include "claude/tls.hpp"
#include "claude/url.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <random>
#include <stdexcept>
#include <utility>

namespace engram::claude {

namespace asio = boost::asio;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

constexpr std::size_t scratch_bytes = 16 * 1024;
constexpr milliseconds longest_span = std::chrono::hours(24 * 365);
constexpr unsigned max_continuations = 3;  // of an answer that pauses

/// What one call carries from try to try.
struct call {
    outgoing wire;
    std::string model;
    call_class priority;
    base::steady_time deadline;
    unsigned attempts = 0;
};

void add(answer& total, answer&& part) {
    total.text += part.text;
    total.model = std::move(part.model);
    total.stop_reason = std::move(part.stop_reason);
    total.usage.input_tokens += part.usage.input_tokens;
    total.usage.output_tokens += part.usage.output_tokens;
    total.usage.cache_read_input_tokens += part.usage.cache_read_input_tokens;
    total.usage.cache_creation_input_tokens += part.usage.cache_creation_input_tokens;
    bool const known = total.cost_usd && part.cost_usd;
    total.cost_usd = known ? std::optional(*total.cost_usd + *part.cost_usd) : std::nullopt;
    total.request_id = std::move(part.request_id);
}

failure past_deadline(std::string what) {
    failure why;
    why.kind = error_kind::deadline;
    why.message = std::move(what);
    return why;
}

/// The keys and options that go into headers; everything else goes into JSON, which escapes.
void check_headers(options const& o) {
    check_header_value(o.api_key.reveal(), "the API key");
    check_header_value(o.api_version, "the API version");
    if (o.api_version.empty()) throw std::invalid_argument("the API version is empty");
}

class http_client final : public client {
public:
    http_client(options options, base_url url, asio::any_io_executor executor)
        : options_(std::move(options)),
          url_(std::move(url)),
          executor_(executor),
          head_(compose_head(url_, options_, options_.api_key)),
          tls_(url_.tls ? std::make_unique<tls_context>(options_.ca_file, url_.host) : nullptr),
          names_(executor, url_.host, url_.port),
          pool_(executor, names_, tls_.get(), options_.idle_timeout, options_.max_idle_connections),
          admission_(executor, options_.max_connections),
          scratch_(scratch_bytes),
          random_(std::random_device{}()) {}

    asio::awaitable<result<answer>> ask(request what, call_class priority,
                                        base::steady_time deadline) override;

    void set_api_key(base::secret key) override {
        check_header_value(key.reveal(), "the API key");
        options_.api_key = std::move(key);
        head_ = compose_head(url_, options_, options_.api_key);
    }

    client_status status() const override {
        client_status s;
        s.calls_in_flight = admission_.taken();
        s.calls_waiting = admission_.waiting() + pausing_;
        s.connections = pool_.connections();
        s.idle_connections = pool_.idle();
        s.requests = requests_;
        s.retries = retries_;
        s.failures = failures_;
        return s;
    }

    void close() override { pool_.close(); }

private:
    using part_or_failure = base::result<parsed_answer, failure>;
    asio::awaitable<part_or_failure> ask_until_answered(call& c);
    asio::awaitable<part_or_failure> try_once(call& c);
    asio::awaitable<base::result<http_reply, failure>> exchange(call& c, base::steady_time until);
    part_or_failure understand(http_reply reply, call const& c);
    failure explain(io_outcome const& outcome, call const& c) const;
    milliseconds delay_before_retry(failure const& why, unsigned n);
    asio::awaitable<void> pause(milliseconds delay);

    options options_;
    base_url url_;
    asio::any_io_executor executor_;
    std::string head_;  // with the key in it
    std::unique_ptr<tls_context> tls_;
    names names_;
    pool pool_;
    admission admission_;
    std::vector<char> scratch_;  // what connections read through, one at a time
    std::minstd_rand random_;
    std::size_t pausing_ = 0;  // calls between two tries
    std::uint64_t requests_ = 0;
    std::uint64_t retries_ = 0;
    std::uint64_t failures_ = 0;
};

asio::awaitable<result<answer>> http_client::ask(request what, call_class priority,
                                                 base::steady_time deadline) {
    call c{{what, options_}, std::move(what.model), priority, deadline};
    what = {};  // its text is in c.wire; an answer may take minutes
    answer total;
    total.cost_usd = 0;
    for (unsigned continuations = 0;; ++continuations) {
        auto part = co_await ask_until_answered(c);
        if (part.has_error()) {
            ++failures_;
            auto why = part.error();
            co_return error{why.kind, without_key(std::move(why.message), options_.api_key), why.status,
                            c.attempts};
        }
        add(total, std::move(part->answer));
        if (part->pause_content.empty() || continuations == max_continuations) break;
        c.wire.append_assistant(part->pause_content);
    }
    total.attempts = c.attempts;
    co_return total;
}

asio::awaitable<http_client::part_or_failure> http_client::ask_until_answered(call& c) {
    for (unsigned n = 0;; ++n) {
        auto part = co_await try_once(c);
        if (part.has_value()) co_return part;
        auto why = part.error();
        if (!why.retryable || n >= options_.max_retries) co_return part;
        auto const delay = delay_before_retry(why, n);
        if (steady_clock::now() + delay >= c.deadline) {
            why.kind = error_kind::deadline;
            why.message.insert(0, "the deadline comes before another try; the last one failed: ");
            co_return why;
        }
        base::log_info("asking Claude again",
                       {{"wait_ms", delay.count()},
                        {"tries", c.attempts},
                        {"because", without_key(std::move(why.message), options_.api_key)}});
        co_await pause(delay);
        ++retries_;
    }
}

milliseconds http_client::delay_before_retry(failure const& why, unsigned n) {
    if (why.wait) return *why.wait;
    return backoff_delay(n, std::uniform_real_distribution<double>(0, 1)(random_));
}

asio::awaitable<void> http_client::pause(milliseconds delay) {
    struct counted {
        std::size_t& n;
        explicit counted(std::size_t& count) : n(++count) {}
        counted(counted const&) = delete;
        ~counted() { --n; }
    } const pausing(pausing_);
    asio::steady_timer timer(executor_, delay);
    co_await timer.async_wait(asio::use_awaitable);
}

asio::awaitable<http_client::part_or_failure> http_client::try_once(call& c) {
    if (steady_clock::now() >= c.deadline)
        co_return past_deadline("the deadline came before Claude was asked");
    auto const place = co_await admission_.enter(c.priority, c.deadline);
    if (!place) co_return past_deadline("the deadline came while other calls to Claude had all places");
    auto const until = std::min(steady_clock::now() + options_.timeout, c.deadline);
    ++c.attempts;
    auto reply = co_await exchange(c, until);
    if (reply.has_error()) co_return reply.error();
    co_return understand(std::move(*reply), c);
}

asio::awaitable<base::result<http_reply, failure>> http_client::exchange(call& c, base::steady_time until) {
    auto lease = pool_.take_idle();
    for (bool reused = bool(lease);; reused = false) {
        if (!lease) {
            auto const connected = std::min(until, steady_clock::now() + options_.connect_timeout);
            auto fresh = co_await pool_.open(connected);
            if (fresh.has_error()) co_return explain(fresh.error(), c);
            lease = std::move(*fresh);
        }
        http_reader reader(options_.max_response_bytes);
        c.wire.set_head(head_);
        ++requests_;
        auto const outcome = co_await lease->exchange(c.wire.wire(), reader, scratch_, until);
        if (outcome.ok()) {
            auto reply = reader.take();
            if (reply.keep_alive) pool_.give_back(std::move(lease));
            co_return reply;
        }
        lease.reset();
        // The connection died while it was idle, and the request never got through: ask at once on a new one.
        bool const died_idle = reused && outcome.end == io_end::closed && !reader.got_bytes();
        if (!died_idle) co_return explain(outcome, c);
    }
}

failure http_client::explain(io_outcome const& outcome, call const& c) const {
    if (outcome.end == io_end::timed_out && steady_clock::now() >= c.deadline)
        return past_deadline("the deadline came before Claude's answer (" + outcome.what + ')');
    failure why;
    why.message = "the Messages API at " + url_.authority() + " gave no answer: " + outcome.what;
    why.retryable = true;
    return why;
}

http_client::part_or_failure http_client::understand(http_reply reply, call const& c) {
    bool const good = reply.status / 100 == 2;
    if (!good) {
        reply.body = without_key(std::move(reply.body), options_.api_key);
        return classify(reply, std::chrono::system_clock::now());
    }
    bool const encoded = !reply.content_encoding.empty() && reply.content_encoding != "identity";
    auto parsed =
        encoded ? unreadable{"is encoded (" + quote(reply.content_encoding) + "), which was not asked for"}
                : parse_answer(reply.body, c.model, options_.prices);
    if (parsed.has_value()) {
        parsed->answer.request_id = std::move(reply.request_id);
        return std::move(*parsed);
    }
    failure why;
    why.status = reply.status;
    why.retryable = true;
    why.message = "the answer of the Messages API " + parsed.error().why;
    if (!reply.request_id.empty()) why.message += " (request " + quote(reply.request_id) + ')';
    return why;
}

}  // namespace

std::unique_ptr<client> make_client(options options, asio::any_io_executor executor) {
    check_headers(options);
    auto url = parse_base_url(options.base_url);
    // "Never" must not overflow where it is added to the time.
    for (auto* const span : {&options.timeout, &options.connect_timeout, &options.idle_timeout})
        *span = std::clamp(*span, milliseconds(0), longest_span);
    if (!url.tls && !url.is_local())
        base::log_warn("the API key and all messages go to the Messages API unencrypted",
                       {{"host", url.host}});
    return std::make_unique<http_client>(std::move(options), std::move(url), std::move(executor));
}

}  // namespace engram::claude

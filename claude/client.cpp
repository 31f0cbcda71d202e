// The story of a call: a place → a connection → send, read → add up the events → perhaps wait and try again.
#include "claude/client.hpp"

#include "base/backoff.hpp"
#include "base/log.hpp"
#include "claude/admission.hpp"
#include "claude/answer.hpp"
#include "claude/failure.hpp"
#include "claude/fallbacks.hpp"
#include "claude/outgoing.hpp"
#include "claude/shortage.hpp"
#include "http/client/endpoint.hpp"
#include "http/text.hpp"
#include "http/url.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace engram::claude {

namespace asio = boost::asio;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

constexpr milliseconds longest_span = std::chrono::hours(24 * 365);
constexpr unsigned max_continuations = 3;  // of an answer that pauses
constexpr std::chrono::seconds longest_description{10};
// Between two tries, as in the official client libraries.
constexpr milliseconds first_delay{500};
constexpr milliseconds longest_delay{8'000};
// What the server asks for beyond this is not waited for here: the call ends and its place serves others.
constexpr milliseconds longest_wish{5'000};
// Between two looks whether what this machine lacked is there again.
constexpr milliseconds first_look{100};
constexpr milliseconds longest_look{2'000};
// For a place, while the provider is in trouble, where there is another way to go on.
constexpr milliseconds short_patience{5'000};

/// What one call carries from try to try. Thousands of calls wait for their answers at the same time, so what
/// comes at the end only takes memory at the end.
struct call {
    outgoing wire;
    std::string model;
    call_class priority;
    base::steady_time deadline;
    listener& hears;
    unsigned attempts = 0;
    std::unique_ptr<http::reply> reply = nullptr;          // of the last try
    std::unique_ptr<answer_fold> fold = nullptr;           // what all tries brought
    std::unique_ptr<std::string> pause_content = nullptr;  // set if the answer pauses: to be sent back
    std::unique_ptr<failure> why = nullptr;                // why the last try brought nothing
    std::unique_ptr<std::vector<std::string>> others =
        nullptr;                                  // models still to be asked, the next one last
    std::unique_ptr<failure> overload = nullptr;  // of the model that was to answer
};

bool could_not_ask(http::io_outcome const& outcome) {
    return outcome.end == http::io_end::lacking && !outcome.connected;
}

std::unique_ptr<failure> kept(failure why) {
    return std::make_unique<failure>(std::move(why));
}

/// The keys and options that go into headers; everything else goes into JSON, which escapes.
void check_headers(options const& o) {
    http::check_header_value(o.api_key.reveal(), "the API key");
    http::check_header_value(o.api_version, "the API version");
    if (o.api_version.empty()) throw std::invalid_argument("the API version is empty");
}

class http_client final : public client {
public:
    http_client(options options, http::base_url url, asio::any_io_executor executor)
        : options_(std::move(options)),
          executor_(executor),
          endpoint_(std::move(url), options_.ca_file,
                    {options_.connect_timeout, options_.idle_timeout, options_.max_idle_connections,
                     options_.max_response_bytes, options_.died_idle_within, limit_headers()},
                    executor),
          head_(head("POST", "/v1/messages")),
          admission_(executor, {options_.max_connections, options_.first_calls, options_.shares_pace},
                     [this] { tell_room(); }),
          fallbacks_(options_.fallback_models, options_.fallback_on_overload) {}

    asio::awaitable<result<answer>> ask(request what, call_class priority, base::steady_time deadline,
                                        listener& hears) override;

    void set_api_key(base::secret key) override {
        http::check_header_value(key.reveal(), "the API key");
        options_.api_key = std::move(key);
        head_ = head("POST", "/v1/messages");
    }

    void set_fallbacks(std::vector<std::string> models, bool on_overload) override {
        fallbacks_.set(std::move(models), on_overload);
    }

    asio::awaitable<result<model_info>> describe_model(std::string id, base::steady_time deadline) override;

    std::vector<pace_report> pace_reports() override { return admission_.reports(); }
    void grant(std::vector<pace_grant> const& given) override { admission_.grant(given); }
    void on_room(std::function<void(std::optional<std::size_t>)> told) override {
        on_room_ = std::move(told);
    }

    client_status status() const override {
        client_status s;
        s.calls_in_flight = admission_.taken();
        s.calls_waiting = admission_.waiting() + pausing_;
        s.connections = endpoint_.connections();
        s.idle_connections = endpoint_.idle();
        s.requests = endpoint_.requests();
        s.retries = retries_;
        s.failures = failures_;
        s.paced = admission_.paced();
        s.local_lack = shortage_.lack();
        s.answers_nothing = shortage_.stops_everything(steady_clock::now());
        return s;
    }

    void close() override {
        admission_.close();
        endpoint_.close();
    }

private:
    std::string head(std::string_view method, std::string_view path) const {
        return compose_head(method, path, endpoint_.url(), options_, options_.api_key);
    }
    void choose_models(call& c) const;
    bool use_next_model(call& c);
    static void set_model(call& c, std::string model);
    void tell_room();
    // Each returns whether it succeeded; if not, `why` is set.
    asio::awaitable<bool> ask_until_answered(call& c);
    enum class try_end { answered, failed, no_place };
    asio::awaitable<try_end> try_once(call& c);
    asio::awaitable<http::io_outcome> send(call& c);
    asio::awaitable<http::io_outcome> send_when_possible(call& c, std::string lack);
    milliseconds patience_of(call const& c) const;
    void find_no_place(call& c) const;
    bool understand(call& c, http::reply& reply) const;
    void learn(call const& c, admission::place const& place, told_limits const& limits) const;
    answer end(call& c) const;
    error give_up(call& c);
    failure explain(http::io_outcome const& outcome, base::steady_time deadline) const;
    result<model_info> read_description(http::reply& reply) const;
    bool may_try_again(call& c, unsigned n, milliseconds& delay);
    asio::awaitable<void> pause(milliseconds delay);

    options options_;
    asio::any_io_executor executor_;
    http::endpoint endpoint_;
    std::string head_;  // with the key in it
    admission admission_;
    fallbacks fallbacks_;
    std::function<void(std::optional<std::size_t>)> on_room_;
    std::optional<std::size_t> room_;  // as it was told
    shortage shortage_;
    std::size_t pausing_ = 0;  // calls between two tries
    std::uint64_t retries_ = 0;
    std::uint64_t failures_ = 0;
};

asio::awaitable<result<answer>> http_client::ask(request what, call_class priority,
                                                 base::steady_time deadline, listener& hears) {
    call c{{what, options_}, std::move(what.model), priority, deadline, hears};
    what = {};  // its text is in c.wire; an answer may take minutes
    if (!fallbacks_.empty()) choose_models(c);
    for (unsigned continuations = 0;;) {
        bool const answered = co_await ask_until_answered(c);
        // An answer that paused is not gone on with by another model.
        if (!answered && continuations == 0 && use_next_model(c)) continue;
        if (!answered) co_return give_up(c);
        if (!c.pause_content || continuations == max_continuations) break;
        ++continuations;
        c.wire.append_assistant(*std::exchange(c.pause_content, nullptr));
        c.fold->expect_next();
    }
    if (!fallbacks_.empty()) fallbacks_.answered(c.model);
    co_return end(c);
}

void http_client::choose_models(call& c) const {
    auto models = fallbacks_.candidates(c.model, steady_clock::now());
    if (models.back() != c.model) set_model(c, models.back());
    models.pop_back();
    c.others = std::make_unique<std::vector<std::string>>(std::move(models));
}

void http_client::set_model(call& c, std::string model) {
    c.wire.set_model(model);
    c.model = std::move(model);
}

// Whether another model may answer in place of the one that failed, and there is one: then it is asked next.
bool http_client::use_next_model(call& c) {
    if (!c.others) return false;
    // What runs in the background can wait.
    if (c.priority == call_class::background && c.why->kind != error_kind::model_gone) return false;
    auto const next = c.others->empty() ? std::string() : std::move(c.others->back());
    if (!fallbacks_.failed(c.model, *c.why, next, steady_clock::now()) || next.empty()) return false;
    c.others->pop_back();
    auto why = std::exchange(c.why, nullptr);
    if (why->kind != error_kind::model_gone && !c.overload) c.overload = std::move(why);
    if (c.fold) c.fold->restart();
    c.fold = nullptr;  // it refers to the model
    set_model(c, next);
    return true;
}

answer http_client::end(call& c) const {
    auto whole = c.fold->take();
    whole.attempts = c.attempts;
    c.hears.on_end();
    return whole;
}

error http_client::give_up(call& c) {
    ++failures_;
    // Whatever another model said: the right one was only overloaded, and will answer again.
    bool const is_of_other = c.overload && c.why->kind != error_kind::deadline;
    error why = std::move(is_of_other ? *c.overload : *c.why);
    why.message = http::without_key(std::move(why.message), options_.api_key);
    why.attempts = c.attempts;
    return why;
}

asio::awaitable<bool> http_client::ask_until_answered(call& c) {
    for (unsigned n = 0;; ++n) {
        auto const end = co_await try_once(c);
        if (end == try_end::answered) co_return true;
        milliseconds delay{};
        if (end == try_end::no_place || !may_try_again(c, n, delay)) co_return false;
        if (c.fold) c.fold->restart();
        co_await pause(delay);
        ++retries_;
    }
}

bool http_client::may_try_again(call& c, unsigned n, milliseconds& delay) {
    auto& why = *c.why;
    if (!why.passes || n >= options_.max_retries) return false;
    delay = why.wait ? *why.wait : base::backoff_after(n, first_delay, longest_delay);
    if (steady_clock::now() + delay >= c.deadline) {
        why.kind = error_kind::deadline;
        why.message.insert(0, "the deadline comes before another try; the last one failed: ");
        return false;
    }
    if (why.wait && *why.wait > longest_wish) return false;
    base::log_info("asking Claude again",
                   {{"wait_ms", delay.count()}, {"tries", c.attempts}, {"because", loggable(why)}});
    return true;
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

void http_client::tell_room() {
    auto const room = admission_.room();
    if (room == room_) return;
    room_ = room;
    if (on_room_) on_room_(room);
}

// While the provider is in trouble a chat does not wait for ever: its job's place serves others. Background
// calls hold nobody up.
milliseconds http_client::patience_of(call const& c) const {
    if (c.priority == call_class::background) return longest_span;
    bool const has_other_way = c.attempts > 0 || (c.others && !c.others->empty() && fallbacks_.on_overload());
    return has_other_way ? std::min(short_patience, options_.place_wait) : options_.place_wait;
}

void http_client::find_no_place(call& c) const {
    if (steady_clock::now() >= c.deadline)
        c.why = kept(past_deadline("the deadline came while other calls to Claude had all places"));
    else if (!c.why)
        c.why = kept(no_turn());
}

asio::awaitable<http_client::try_end> http_client::try_once(call& c) {
    if (steady_clock::now() >= c.deadline) {
        c.why = kept(past_deadline("the deadline came before Claude was asked"));
        co_return try_end::failed;
    }
    auto const place = co_await admission_.enter(c.model, c.priority, c.deadline, patience_of(c));
    if (!place) {
        find_no_place(c);
        co_return try_end::no_place;
    }
    auto outcome = co_await send(c);
    if (could_not_ask(outcome)) {
        auto later = co_await send_when_possible(c, std::move(outcome.what));
        outcome = std::move(later);
    }
    if (could_not_ask(outcome)) {
        c.why = kept(past_deadline("the deadline came before Claude could be asked: " + outcome.what));
        co_return try_end::failed;
    }
    ++c.attempts;
    if (!outcome.ok()) {
        c.why = kept(explain(outcome, c.deadline));
        learn(c, place, {});
        co_return try_end::failed;
    }
    shortage_.answered(steady_clock::now());
    auto const reply = std::move(c.reply);
    bool const answered = understand(c, *reply);
    if (answered) c.why = nullptr;
    learn(c, place, read_limits(reply->more));
    co_return answered ? try_end::answered : try_end::failed;
}

asio::awaitable<http::io_outcome> http_client::send(call& c) {
    c.wire.set_head(head_);
    return endpoint_.exchange(c.wire.wire(), c.reply,
                              std::min(steady_clock::now() + options_.timeout, c.deadline));
}

// What this machine lacks comes back when other calls end. Until then nothing was asked: that is no try, and
// the provider is not to blame. The call keeps its place: another one would lack the same.
asio::awaitable<http::io_outcome> http_client::send_when_possible(call& c, std::string lack) {
    shortage::waiting waits(shortage_, steady_clock::now());
    base::backoff pauses(first_look, longest_look);
    for (;;) {
        auto const now = steady_clock::now();
        waits.met(lack, now);
        co_await endpoint_.wait_for_connection(std::min(c.deadline, now + pauses.next()));
        if (steady_clock::now() >= c.deadline)
            co_return http::io_outcome{http::io_end::lacking, std::move(lack), false};
        auto outcome = co_await send(c);
        if (!could_not_ask(outcome)) co_return outcome;
        lack = std::move(outcome.what);
    }
}

// What came of a try is news of the load at the provider, unless it concerns this request or this key alone.
void http_client::learn(call const& c, admission::place const& place, told_limits const& limits) const {
    if (!c.why)
        place.answered(limits, c.fold->last_usage());
    else if (c.why->kind != error_kind::unavailable)
        return;
    else if (c.why->status == 429)
        place.refused(limits, c.why->wait);
    else
        place.failed();
}

failure http_client::explain(http::io_outcome const& outcome, base::steady_time deadline) const {
    if (outcome.end == http::io_end::timed_out && steady_clock::now() >= deadline)
        return past_deadline("the deadline came before Claude's answer (" + outcome.what + ')');
    return no_answer(outcome, endpoint_.url().authority());
}

bool http_client::understand(call& c, http::reply& reply) const {
    bool const good = reply.status / 100 == 2;
    if (!good) {
        reply.body = http::without_key(std::move(reply.body), options_.api_key);
        c.why = kept(classify(reply, std::chrono::system_clock::now()));
        return false;
    }
    bool const encoded = !reply.content_encoding.empty() && reply.content_encoding != "identity";
    if (!c.fold) c.fold = std::make_unique<answer_fold>(c.model, options_.prices, c.hears);
    auto read =
        encoded
            ? unreadable{"is encoded (" + http::quote(reply.content_encoding) + "), which was not asked for"}
            : read_answer(reply.body, *c.fold);
    if (read.has_value()) {
        c.fold->set_request_id(std::move(reply.request_id));
        auto& content = read->pause_content;
        if (!content.empty()) c.pause_content = std::make_unique<std::string>(std::move(content));
        return true;
    }
    c.why = kept(unreadable_answer(reply, read.error().why));
    return false;
}

asio::awaitable<result<model_info>> http_client::describe_model(std::string id, base::steady_time deadline) {
    auto const wire = head("GET", model_path(id)) + "0\r\n\r\n";
    auto const until = std::min(steady_clock::now() + longest_description, deadline);
    std::unique_ptr<http::reply> reply;
    auto const outcome = co_await endpoint_.exchange(wire, reply, until);
    if (!outcome.ok()) co_return error(explain(outcome, deadline));
    co_return read_description(*reply);
}

result<model_info> http_client::read_description(http::reply& reply) const {
    reply.body = http::without_key(std::move(reply.body), options_.api_key);
    if (reply.status / 100 != 2) return error(classify(reply, std::chrono::system_clock::now()));
    if (auto found = parse_model(reply.body)) return std::move(*found);
    return error(unreadable_answer(reply, "describes no model"));
}

}  // namespace

std::unique_ptr<client> make_client(options options, asio::any_io_executor executor) {
    check_headers(options);
    auto url = http::parse_base_url(options.base_url, "the address of the Messages API");
    // "Never" must not overflow where it is added to the time.
    for (auto* const span :
         {&options.timeout, &options.connect_timeout, &options.idle_timeout, &options.place_wait})
        *span = std::clamp(*span, milliseconds(0), longest_span);
    if (!url.tls && !url.is_local())
        base::log_warn("the API key and all messages go to the Messages API unencrypted",
                       {{"host", url.host}});
    return std::make_unique<http_client>(std::move(options), std::move(url), std::move(executor));
}

}  // namespace engram::claude

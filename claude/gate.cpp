#include "claude/gate.hpp"

#include "base/log.hpp"

#include <algorithm>
#include <utility>

namespace engram::claude {

namespace asio = boost::asio;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

struct gate::refusal {
    std::string_view kind;
    int pauses;   // how many it takes until the next trial
    fate opener;  // what becomes of the job that met it first
    std::string_view cure;
};

namespace {

// So many refused requests with no answer in between are no accident.
constexpr std::size_t most_alone = 5;
constexpr std::chrono::seconds alone_within{60};

constexpr gate::refusal auth{"auth", 1, fate::bears,
                             "put a valid key with the right to use this model into the credential "
                             "anthropic_api_key or ANTHROPIC_API_KEY, then reload"};
constexpr gate::refusal spend_limit{
    "spend_limit", 4, fate::bears,
    "add credit or raise the limit in the provider's console; it is tried by itself"};
constexpr gate::refusal on_hold{
    "on_hold", 4, fate::bears,
    "the organization or its encryption key is disabled: the provider's console or support says why"};
constexpr gate::refusal model_gone{
    "model_gone", 4, fate::bears,
    "set claude.model or claude.fallback_models to a model that exists, then reload"};
constexpr gate::refusal no_api{"no_api", 1, fate::goes_back,
                               "something between here and the API answers in its place: check "
                               "claude.base_url, proxies, the firewall, and whether this region is served"};
constexpr gate::refusal refuses_all{
    "refuses_all", 1, fate::waits,
    "one request after the other was refused: compare claude.model, claude.api_version, claude.thinking and "
    "claude.effort with the error; engramctl dead show tells it in full"};

gate::refusal const* refusal_of(error_kind kind) {
    switch (kind) {
        case error_kind::auth:
            return &auth;
        case error_kind::spend_limit:
            return &spend_limit;
        case error_kind::on_hold:
            return &on_hold;
        case error_kind::no_api:
            return &no_api;
        case error_kind::model_gone:
            return &model_gone;
        default:
            return nullptr;
    }
}

// A request that is too large or of the wrong form is so by itself.
bool may_concern_all(error const& why) {
    if (why.kind == error_kind::unavailable) return true;
    return why.kind == error_kind::rejected && why.status != 413 && why.status != 422;
}

}  // namespace

gate::gate(milliseconds pause, intake on_change, asio::any_io_executor executor)
    : pause_(pause), on_change_(std::move(on_change)), changed_(executor) {}

void gate::enter(state next) {
    if (state_ == next) return;
    state_ = next;
    on_change_(next);
    changed_.notify_all();
}

void gate::answered(std::uint64_t since) {
    if (since != period_) return;
    alone_.clear();
    if (state_ == state::open) return;
    base::log_info("Claude answers again: jobs are taken", {{"was", reason_}});
    reason_.clear();
    kind_ = nullptr;
    enter(state::open);
}

fate gate::met(error const& why, std::uint64_t since, base::steady_time now) {
    bool const is_news = since == period_;
    auto const* const kind = refusal_of(why.kind);
    if (kind == nullptr) return met_alone(why, is_news, now);
    if (!is_news) return fate::goes_back;
    bool const first = state_ == state::open;
    shut(*kind, why, now);
    return first ? kind->opener : fate::goes_back;
}

fate gate::met_alone(error const& why, bool is_news, base::steady_time now) {
    if (!is_news) return fate::waits;
    if (state_ != state::open) {
        // It tells nothing about what keeps the gate shut.
        ++period_;
        shut_until_ = now + pause_ * kind_->pauses;
        enter(state::shut);
        return fate::waits;
    }
    if (!may_concern_all(why)) return fate::bears;
    while (!alone_.empty() && now - alone_.front() > alone_within)
        alone_.pop_front();
    alone_.push_back(now);
    if (alone_.size() < most_alone) return fate::bears;
    shut(refuses_all, why, now);
    return refuses_all.opener;
}

void gate::shut(refusal const& kind, error const& why, base::steady_time now) {
    bool const is_new = kind_ != &kind;
    ++period_;
    alone_.clear();
    kind_ = &kind;
    reason_ = loggable(why);
    auto const pause = pause_ * kind.pauses;
    shut_until_ = now + pause;
    if (is_new)
        base::log_error(
            "Claude refuses every call: jobs wait in Redis until this is mended",
            {{"kind", kind.kind}, {"error", reason_}, {"cure", kind.cure}, {"next_try_ms", pause.count()}});
    enter(state::shut);
}

void gate::try_now() {
    if (state_ == state::shut) enter(state::trial);
}

asio::awaitable<void> gate::run() {
    for (;;) {
        if (state_ != state::shut) {
            co_await changed_.wait();
            continue;
        }
        co_await changed_.wait_until(shut_until_);
        if (state_ == state::shut && steady_clock::now() >= shut_until_) enter(state::trial);
    }
}

std::string_view gate::kind() const {
    return kind_ == nullptr ? std::string_view() : kind_->kind;
}

std::string_view gate::cure() const {
    return kind_ == nullptr ? std::string_view() : kind_->cure;
}

milliseconds gate::next_try(base::steady_time now) const {
    if (state_ != state::shut) return milliseconds(0);
    return std::max(milliseconds(0), std::chrono::ceil<milliseconds>(shut_until_ - now));
}

}  // namespace engram::claude

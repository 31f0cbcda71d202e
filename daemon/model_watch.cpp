#include "daemon/model_watch.hpp"

#include "base/log.hpp"

#include <algorithm>
#include <cstdint>
#include <utility>

namespace engram::daemon {

namespace asio = boost::asio;
using std::chrono::steady_clock;

namespace {

constexpr std::chrono::seconds patience{10};  // with one answer

}  // namespace

std::vector<used_model> models_in_use(config const& config) {
    std::vector<used_model> used{{config.chat.model, "claude.model"}};
    for (auto const& model : config.claude.fallback_models)
        used.push_back({model, "claude.fallback_models"});
    if (config.summary.enabled) used.push_back({config.summary.model, "summary.model"});
    if (config.consolidation.enabled) used.push_back({config.consolidation.model, "consolidation.model"});
    return used;
}

std::vector<used_model> each_once(std::vector<used_model> const& in_use) {
    std::vector<used_model> each;
    for (auto const& one : in_use) {
        auto const known = std::ranges::find(each, one.model, &used_model::model);
        if (known == each.end())
            each.push_back(one);
        else if (known->key != one.key)
            known->key += ", " + one.key;
    }
    return each;
}

// An endpoint that knows no such path answers 404, too, but does not speak of a model.
bool says_gone(claude::error const& why, std::string const& model) {
    auto const speaks_of = [&](std::string_view text) { return why.message.find(text) != std::string::npos; };
    return why.kind == claude::error_kind::model_gone && (speaks_of("model") || speaks_of(model));
}

std::string cure_of(used_model const& one) {
    return "set " + one.key +
           " to a model that stays, then reload; the provider's list of models says which do";
}

namespace {

bool warn_if_it_ends(used_model const& one, known_model const& told, base::wall_time now) {
    if (told.gone) {
        base::log_warn("a model in use is gone", {{"model", one.model}, {"cure", cure_of(one)}});
        return true;
    }
    if (!told.retires_at || *told.retires_at - now > soon) return false;
    auto const days = std::chrono::floor<std::chrono::days>(*told.retires_at - now).count();
    base::log_warn("a model in use ends soon", {{"model", one.model},
                                                {"retires_at", base::to_utc_text(*told.retires_at)},
                                                {"days", std::max<std::int64_t>(days, 0)},
                                                {"cure", cure_of(one)}});
    return true;
}

}  // namespace

model_watch::model_watch(in_use in_use, describe describe, base::clock const& clock,
                         asio::any_io_executor executor, watch_pauses pauses)
    : in_use_(std::move(in_use)),
      describe_(std::move(describe)),
      clock_(clock),
      pauses_(pauses),
      changed_(std::move(executor)) {}

asio::awaitable<void> model_watch::run() {
    for (auto pause = pauses_.before;;) {
        is_changed_ = false;
        co_await changed_.wait_until(steady_clock::now() + pause);
        if (!is_changed_) co_await look();
        // A change may have come while it looked.
        pause = is_changed_ ? pauses_.before : was_unheard_ ? pauses_.again : pauses_.between;
    }
}

void model_watch::changed() {
    is_changed_ = true;
    changed_.notify_all();
}

asio::awaitable<std::size_t> model_watch::look() {
    std::size_t warned = 0;
    std::vector<known_model> known;
    was_unheard_ = false;
    auto const each = each_once(in_use_());
    for (auto const& one : each) {
        auto const told = co_await describe_(one.model, steady_clock::now() + patience);
        auto const before = std::ranges::find(known_, one.model, &known_model::model);
        if (told) {
            known.push_back({one.model, told->retires_at});
        } else if (says_gone(told.error(), one.model)) {
            known.push_back({one.model, {}, true});
        } else {
            if (told.error().kind == claude::error_kind::deadline || told.error().passes) was_unheard_ = true;
            base::log_debug("the API does not tell of a model",
                            {{"model", one.model}, {"error", claude::loggable(told.error())}});
            if (before == known_.end()) continue;
            known.push_back(*before);
        }
        if (warn_if_it_ends(one, known.back(), clock_.wall())) ++warned;
    }
    known_ = std::move(known);
    co_return warned;
}

}  // namespace engram::daemon

#include "claude/fallbacks.hpp"

#include "base/log.hpp"

#include <algorithm>
#include <utility>

namespace engram::claude {
namespace {

constexpr std::chrono::minutes gone_for{10};

// Also if the pause before another try would reach beyond the deadline: another model may answer at once.
bool is_overload(error const& why) {
    if (why.kind == error_kind::busy) return true;
    return (why.kind == error_kind::unavailable || why.kind == error_kind::deadline) &&
           (why.status == 429 || why.status == 503 || why.status == 529);
}

}  // namespace

fallbacks::fallbacks(std::vector<std::string> models, bool on_overload)
    : models_(std::move(models)), on_overload_(on_overload) {}

void fallbacks::set(std::vector<std::string> models, bool on_overload) {
    models_ = std::move(models);
    on_overload_ = on_overload;
    // What an operator changed is tried at once.
    gone_.clear();
    overloaded_.clear();
}

bool fallbacks::is_gone(std::string_view model, base::steady_time now) const {
    auto const found = gone_.find(model);
    return found != gone_.end() && now < found->second;
}

std::vector<std::string> fallbacks::candidates(std::string const& asked, base::steady_time now) const {
    std::vector<std::string> all{asked};
    for (auto const& model : models_)
        if (std::ranges::find(all, model) == all.end()) all.push_back(model);
    auto there = all;
    std::erase_if(there, [&](std::string const& model) { return is_gone(model, now); });
    auto& chosen = there.empty() ? all : there;
    std::ranges::reverse(chosen);
    return std::move(chosen);
}

bool fallbacks::failed(std::string const& model, error const& why, std::string_view next,
                       base::steady_time now) {
    bool const gone = why.kind == error_kind::model_gone;
    if (!gone && !(on_overload_ && is_overload(why))) return false;
    bool is_new = false;
    if (gone)
        is_new = gone_.insert_or_assign(model, now + gone_for).second;
    else
        is_new = overloaded_.insert(model).second;
    if (is_new && !next.empty())
        base::log_warn(
            gone ? "a model is gone; the next one answers" : "a model is overloaded; the next one answers",
            {{"model", model}, {"next", next}});
    return true;
}

void fallbacks::answered(std::string_view model) {
    if (auto const found = gone_.find(model); found != gone_.end()) gone_.erase(found);
    if (auto const found = overloaded_.find(model); found != overloaded_.end()) overloaded_.erase(found);
}

}  // namespace engram::claude

#include "claude/answer_fold.hpp"

#include "claude/prices.hpp"

#include <utility>

namespace engram::claude {
namespace {

void replace(usage& used, token_counts const& said) {
    used.input_tokens = said.input.value_or(used.input_tokens);
    used.output_tokens = said.output.value_or(used.output_tokens);
    used.cache_read_input_tokens = said.cache_read.value_or(used.cache_read_input_tokens);
    used.cache_creation_input_tokens = said.cache_creation.value_or(used.cache_creation_input_tokens);
}

void add_up(usage& total, usage const& part) {
    total.input_tokens += part.input_tokens;
    total.output_tokens += part.output_tokens;
    total.cache_read_input_tokens += part.cache_read_input_tokens;
    total.cache_creation_input_tokens += part.cache_creation_input_tokens;
}

}  // namespace

// Whether an event of the message may come in this state; then the next state holds.
bool answer_fold::go(state from, state to) {
    state_ = state_ == from ? to : state::broken;
    return state_ == to;
}

void answer_fold::add(message_start const& start) {
    if (!go(state::expecting, state::in_message)) return;
    answer_.model = start.model.empty() ? asked_model_ : start.model;
    answer_.stop_reason.clear();
    used_ = {};
    has_output_ = false;
    replace(used_, start.used);
}

void answer_fold::add(block_start const& start) {
    if (!go(state::in_message, start.is_text ? state::in_text : state::in_other)) return;
    if (start.is_text)
        answer_.content.emplace_back(std::string());
    else
        has_output_ = true;
}

void answer_fold::add(text_delta const& delta) {
    if (!go(state::in_text, state::in_text) || delta.text.empty()) return;
    std::get<text_block>(answer_.content.back().what).text += delta.text;
    has_output_ = true;
    was_heard_ = true;
    hears_.on_text(delta.text);
}

void answer_fold::add(block_stop const&) {
    go(state_ == state::in_other ? state::in_other : state::in_text, state::in_message);
}

void answer_fold::add(message_delta const& delta) {
    if (!go(state::in_message, state::in_message)) return;
    if (!delta.stop_reason.empty()) answer_.stop_reason = delta.stop_reason;
    replace(used_, delta.used);
}

void answer_fold::add(message_stop const&) {
    if (!go(state::in_message, state::whole)) return;
    auto cost = cost_of(answer_.model, used_, own_prices_);
    // A refusal before any output is not billed, though its usage shows tokens.
    if (cost && answer_.stop_reason == "refusal" && !has_output_) cost = 0;
    cost_is_known_ = cost_is_known_ && cost;
    answer_.cost_usd = cost_is_known_ ? std::optional(answer_.cost_usd.value_or(0) + *cost) : std::nullopt;
    add_up(answer_.usage, used_);
    whole_blocks_ = answer_.content.size();
    was_heard_ = false;
}

std::optional<unreadable> answer_fold::problem() const {
    if (state_ == state::broken) return unreadable{"has events in an order that makes no message"};
    if (state_ != state::whole) return unreadable{"ends before it is whole"};
    return std::nullopt;
}

void answer_fold::restart() {
    state_ = state::expecting;
    answer_.content.erase(answer_.content.begin() + std::ptrdiff_t(whole_blocks_), answer_.content.end());
    if (!std::exchange(was_heard_, false)) return;
    hears_.on_restart();
    for (auto const& block : answer_.content)
        if (auto const* piece = std::get_if<text_block>(&block.what); piece && !piece->text.empty())
            hears_.on_text(piece->text);
}

}  // namespace engram::claude

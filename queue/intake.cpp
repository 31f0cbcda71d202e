#include "queue/intake.hpp"

#include <algorithm>
#include <utility>

namespace engram::queue {

intake_machine::intake_machine(std::size_t limit, std::function<void()> changed)
    : changed_(std::move(changed)), limit_(limit) {}

void intake_machine::registered(base::steady_time now) {
    registered_ = true;
    last_look_ = now;
    changed_();
}

void intake_machine::lost() {
    registered_ = false;
    dry_ = false;
    settled_ = doubts_;
    tickets_.clear();
    changed_();
}

void intake_machine::renewed(bool passed) {
    if (std::exchange(renewed_, passed) != passed) changed_();
}

bool intake_machine::looked(std::size_t claims, std::size_t found, std::size_t moved, bool more,
                            base::steady_time now) {
    last_look_ = now;
    if (bytes_ < most_bytes_a_call) {
        if (trial_ends_ == base::steady_time{}) trial_ends_ = now + trial;
        if (now >= trial_ends_) {
            bytes_ = std::min(std::max(2 * bytes_, least_batch_bytes), most_bytes_a_call);
            trial_ends_ = now + trial;
        }
    }
    if (ended_) {
        if (found > 0) doubt();
        return false;
    }
    blocked_ = more && moved == 0 && found == 0;
    dry_ = found < claims && (!more || blocked_);
    return true;
}

// Answers come in order, so `owned` is what we held when Redis counted. More is a call whose connection was
// lost and that was carried out after all, even later than the reconciliation that followed: a network or a
// Redis that stood still may let the old connection's bytes arrive behind the new one's.
void intake_machine::counted(std::int64_t owned) {
    if (calls_ == 0 && owned > std::int64_t(tickets_.size())) doubt();
}

void intake_machine::reconciled(std::uint64_t doubts) {
    settled_ = std::max(settled_, doubts);
    dry_ = false;
}

void intake_machine::waited(bool answered, base::steady_time now) {
    if (answered) last_look_ = now;
    dry_ = false;
}

void intake_machine::more_came() {
    dry_ = false;
    changed_();
}

void intake_machine::set_limit(std::size_t limit) {
    limit_ = limit;
    dry_ = false;
    changed_();
}

void intake_machine::begun(std::string const& ticket) {
    tickets_.insert(ticket);
}

void intake_machine::gone(std::string const& ticket) {
    tickets_.erase(ticket);
    changed_();
}

void intake_machine::doubt() {
    ++doubts_;
    changed_();
}

void intake_machine::stop() {
    ended_ = true;
    changed_();
}

// Many calls may have been on the connection: together they are one loss.
void intake_machine::cut_off(std::uint64_t cuts, bool alone) {
    if (cuts != cuts_) return;
    ++cuts_;
    trial_ends_ = {};
    if (alone && bytes_ == 1) ++losses_alone_;
    bytes_ = bytes_ > least_batch_bytes ? bytes_ / 2 : 1;
}

bool intake_machine::may_take() const {
    return registered_ && !ended_ && doubts_ == settled_ && renewed_;
}

std::size_t intake_machine::free() const {
    if (is_careful() && calls_ > 0) return 0;
    auto const held = tickets_.size() + reserved_;
    return held < limit_ ? std::min(limit_ - held, most_claims_a_call) : 0;
}

intake_machine::state intake_machine::now_in() const {
    if (!registered_) return state::away;
    if (doubts_ != settled_) return state::unsure;
    if (ended_) return state::ended;
    if (!renewed_) return state::at_risk;
    if (free() == 0) return state::full;
    return dry_ ? state::dry : state::hungry;
}

intake_machine::action intake_machine::next() const {
    switch (now_in()) {
        case state::unsure:
            return {calls_ == 0 ? step::reconcile : step::rest, 0, losses_alone_ >= most_losses_alone};
        case state::dry:
            return {step::wait_for_push};
        case state::hungry:
            return {step::take, free()};
        default:
            return {};
    }
}

std::size_t intake_machine::claims_at_end_of(std::string const& ticket) const {
    if (is_careful()) return 0;
    auto const held = tickets_.size() + reserved_;
    if (!may_take() || !tickets_.contains(ticket) || limit_ < held) return 0;
    return std::min(limit_ - held + 1, most_claims_a_call);
}

// Not whether Redis answers, but whether jobs are taken or would be: an idle queue looks once a second.
intake intake_machine::report(bool connected, bool failing, base::steady_time now) const {
    if (ended_) return intake::draining;
    if (!registered_ || !connected || !renewed_) return intake::cut_off;
    if (limit_ == 0) return intake::paused;
    if (failing) return intake::cut_off;
    if (tickets_.size() >= limit_) return intake::full;
    return now - last_look_ < longest_silence ? intake::taking : intake::cut_off;
}

intake_machine::claim_call::claim_call(intake_machine& machine, std::size_t claims, std::size_t own)
    : machine_(machine), claims_(claims), reserved_(claims - std::min(claims, own)), cuts_(machine.cuts_) {
    if (claims_ == 0) return;
    machine_.reserved_ += reserved_;
    ++machine_.calls_;
}

intake_machine::claim_call::~claim_call() {
    if (claims_ == 0) return;
    machine_.reserved_ -= reserved_;
    --machine_.calls_;
    if (cut_off_) machine_.cut_off(cuts_, alone_);
    if (answered_) machine_.losses_alone_ = 0;
    if (answered_ || !sent_)
        machine_.changed_();
    else
        machine_.doubt();
}

}  // namespace engram::queue

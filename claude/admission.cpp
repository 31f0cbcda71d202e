#include "claude/admission.hpp"

#include "base/under_way.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include <algorithm>

namespace engram::claude {

namespace asio = boost::asio;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

constexpr std::size_t most_remembered = 64;       // models, beyond those that are asked
constexpr std::chrono::minutes chats_are_new{1};  // a model without any has no say in room()
constexpr std::chrono::seconds another_look{1};

base::steady_time sum(base::steady_time from, milliseconds span) {
    return span < base::steady_time::max() - from ? from + span : base::steady_time::max();
}

}  // namespace

admission::admission(asio::any_io_executor executor, limits limits, std::function<void()> room_changed)
    : executor_(executor),
      limits_(limits),
      room_changed_(std::move(room_changed)),
      timer_(std::move(executor)) {
    limits_.places = std::max<std::size_t>(limits_.places, 1);
}

admission::~admission() = default;

admission::place& admission::place::operator=(place&& other) noexcept {
    if (this == &other) return *this;
    leave();
    owner_ = std::exchange(other.owner_, nullptr);
    lane_ = std::exchange(other.lane_, nullptr);
    return *this;
}

void admission::place::leave() {
    auto* const owner = std::exchange(owner_, nullptr);
    if (!owner) return;
    lane_->pace.ended();
    --owner->taken_;
    owner->hand_on();
}

void admission::place::answered(told_limits const& limits, usage const& used) const {
    lane_->pace.answered(steady_clock::now(), limits, used);
}

void admission::place::refused(told_limits const& limits, std::optional<milliseconds> wish) const {
    lane_->pace.refused(steady_clock::now(), limits, wish);
}

void admission::place::failed() const {
    lane_->pace.failed(steady_clock::now());
}

admission::lane& admission::lane_of(std::string_view model) {
    if (auto const found = lanes_.find(model); found != lanes_.end()) return found->second;
    if (lanes_.size() >= most_remembered) forget_idle_lanes();
    return lanes_
        .emplace(model, lane{pace(limits_.first_calls, limits_.places, limits_.shared, steady_clock::now())})
        .first->second;
}

void admission::forget_idle_lanes() {
    std::erase_if(lanes_, [](auto const& one) {
        return one.second.pace.under_way() == 0 && one.second.waiting() == 0;
    });
}

bool admission::may_begin(lane& model, call_class priority, base::steady_time now) const {
    bool const first = model.line(priority).empty() && model.chats.empty();
    return first && taken_ < limits_.places && model.pace.may_start(now, priority);
}

void admission::begin(lane& model, call_class priority, base::steady_time now) {
    ++taken_;
    model.pace.started(now, priority);
}

// Whose first waiter of this class may begin, and came before those of the others.
admission::lane* admission::next_lane(call_class priority, base::steady_time now) {
    lane* next = nullptr;
    for (auto& [model, one] : lanes_) {
        auto const& line = one.line(priority);
        if (line.empty() || !one.pace.may_start(now, priority)) continue;
        if (!next || line.front().number < next->line(priority).front().number) next = &one;
    }
    return next;
}

void admission::hand_on() {
    auto const now = steady_clock::now();
    for (auto const priority : {call_class::chat, call_class::background})
        while (taken_ < limits_.places) {
            auto* const model = next_lane(priority, now);
            if (!model) break;
            auto& line = model->line(priority);
            auto const first = line.begin();
            begin(*model, priority, now);
            granted_.splice(granted_.end(), line, first);
            first->granted = true;
            first->timer.cancel();
        }
}

// What time alone changes: rounds end, pauses are over.
void admission::look() {
    auto const now = steady_clock::now();
    bool changed = false;
    for (auto& [model, one] : lanes_)
        if (one.pace.look(now, one.waiting())) changed = true;
    hand_on();
    // Only where fewer jobs will be taken, or they would come again at once.
    if (room())
        for (auto& [model, one] : lanes_)
            send_away(one);
    look_later(now);
    if (changed && room_changed_) room_changed_();
}

// Chats for which there is no room, the last to come first: their patience is over.
void admission::send_away(lane& model) {
    auto const room = model.pace.room();
    if (!room) return;
    auto wanted = model.pace.under_way() + model.chats.size();
    for (auto chat = model.chats.rbegin(); wanted > *room && chat != model.chats.rend(); ++chat, --wanted)
        chat->timer.cancel();
}

void admission::look_later(base::steady_time now) {
    if (looking_ || closed_) return;
    auto when = base::steady_time::max();
    for (auto const& [model, one] : lanes_)
        if (one.waiting() > 0 || one.pace.room()) when = std::min(when, one.pace.look_again(now));
    if (when == base::steady_time::max()) return;
    base::under_way marked(looking_);
    timer_.expires_at(when);
    timer_.async_wait([this, alive = std::weak_ptr<int>(alive_)](boost::system::error_code const&) {
        if (alive.expired() || closed_) return;
        looking_ = false;
        look();
    });
    marked.keep();
}

void admission::close() {
    closed_ = true;
    timer_.cancel();
}

asio::awaitable<admission::place> admission::enter(std::string_view model, call_class priority,
                                                   base::steady_time until, milliseconds patience) {
    auto& mine = lane_of(model);
    auto const came = steady_clock::now();
    if (priority == call_class::chat) mine.last_chat = came;
    if (mine.pace.look(came, mine.waiting()) && room_changed_) room_changed_();
    if (may_begin(mine, priority, came)) {
        begin(mine, priority, came);
        co_return place(this, &mine);
    }
    auto& line = mine.line(priority);
    auto const me = line.emplace(line.end(), waiter{asio::steady_timer(executor_), ++arrivals_});

    // Leaves whichever list the waiter is in, however this coroutine ends.
    struct departure {
        std::list<waiter>& line;
        std::list<waiter>& granted;
        std::list<waiter>::iterator me;
        ~departure() { (me->granted ? granted : line).erase(me); }
    } const departing{line, granted_, me};
    look_later(came);

    for (auto again = sum(came, patience);; again = steady_clock::now() + another_look) {
        me->timer.expires_at(std::min(until, again));
        co_await me->timer.async_wait(asio::as_tuple(asio::use_awaitable));
        // With a place, even a cancelled caller takes it: its next wait throws, and the place goes on to the
        // next.
        if (me->granted) co_return place(this, &mine);
        auto const state = co_await asio::this_coro::cancellation_state;
        if (state.cancelled() != asio::cancellation_type::none)
            throw boost::system::system_error(asio::error::operation_aborted);
        if (steady_clock::now() >= until || mine.pace.room()) co_return place();
    }
}

std::size_t admission::waiting() const {
    std::size_t all = 0;
    for (auto const& [model, one] : lanes_)
        all += one.waiting();
    return all;
}

std::optional<std::size_t> admission::room() const {
    auto const since = steady_clock::now() - chats_are_new;
    std::optional<std::size_t> most;
    for (auto const& [model, one] : lanes_) {
        if (one.last_chat < since) continue;
        if (!one.pace.room()) return std::nullopt;
        most = std::max(most.value_or(0), *one.pace.room());
    }
    return most;
}

std::vector<pace_report> admission::reports() {
    auto const now = steady_clock::now();
    std::vector<pace_report> all;
    for (auto& [model, one] : lanes_) {
        bool const is_wanted = one.waiting() > 0 || one.pace.under_way() > 0 || one.pace.has_news();
        if (!one.pace.is_paced() || !is_wanted) continue;
        all.push_back(one.pace.report(now, one.chats.size(), one.background.size()));
        all.back().model = model;
    }
    return all;
}

void admission::grant(std::vector<pace_grant> const& given) {
    auto const now = steady_clock::now();
    for (auto const& one : given)
        if (auto const found = lanes_.find(one.model); found != lanes_.end())
            found->second.pace.grant(now, one);
    hand_on();
    if (room_changed_) room_changed_();
}

std::vector<model_pace> admission::paced() const {
    std::vector<model_pace> all;
    for (auto const& [model, one] : lanes_)
        if (one.pace.is_paced()) all.push_back({model, one.pace.a_minute(), one.waiting()});
    return all;
}

}  // namespace engram::claude

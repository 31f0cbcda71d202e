#include "store/health.hpp"

#include "base/log.hpp"

#include <algorithm>
#include <utility>

namespace engram::store {

using namespace std::chrono_literals;

namespace {

constexpr std::size_t most_damaged = 3;
constexpr auto damage_counts = 10min;
constexpr std::size_t most_failing = 5;
constexpr auto failure_counts = 1min;
constexpr auto between_rehearsals = 30s;

constexpr std::string_view engine = "the database: ";
constexpr char const* cure_of_damage =
    "stop engramd and go back to a copy, or bring over what can be read with engramctl salvage FILE NEW; "
    "docs/operations.md";
constexpr char const* cure_of_failure =
    "see in the log what the store says; it is tried again each half minute";

// What the engine says, without its own beginning.
std::string bare(std::string const& message) {
    return message.starts_with(engine) ? message.substr(engine.size()) : message;
}

}  // namespace

health::health(keeping& store, base::clock const& clock, std::function<void()> changed)
    : store_(store), clock_(clock), changed_(std::move(changed)) {}

void health::met(error const& why, std::string_view whose) {
    if (why.kind == error_kind::unavailable) return;
    auto const now = clock_.steady();
    if (why.damaged) {
        heed_damage(why.message, whose);
        add(damaged_, whose, now, damage_counts);
        if (damaged_.size() >= most_damaged) shut(cause::damage, why.message);
        return;
    }
    add(failing_, whose, now, failure_counts);
    if (state_ == state::trial || failing_.size() >= most_failing) shut(cause::failure, why.message);
}

void health::worked() {
    failing_.clear();
    if (state_ == state::trial) open(state::well);
}

void health::shut_for_good(std::string const& message) {
    heed_damage(message, "the start");
    shut(cause::damage, message);
    is_for_good_ = true;
}

// The same one again counts once.
void health::add(std::vector<failed_job>& to, std::string_view whose, base::steady_time now,
                 base::steady_time::duration memory) {
    std::erase_if(to, [&](failed_job const& one) { return now - one.at >= memory || one.whose == whose; });
    if (to.size() < most_failing) to.push_back({std::string(whose), now});
}

boost::asio::awaitable<void> health::look() {
    auto const seen = co_await store_.look();
    heed(seen);
    if (!must_rehearse()) co_return;
    bool const was_asked = std::exchange(asked_, false);
    wanted_ = false;
    next_rehearsal_ = clock_.steady() + between_rehearsals;
    rehearsal what;
    what.of = {"engram:rehearsal", "engram:rehearsal"};
    what.job.job_id = "engram:rehearsal";
    what.at = clock_.wall();
    auto const went = co_await store_.rehearse(std::move(what));
    heed_rehearsal(went, was_asked);
}

bool health::must_rehearse() const {
    if (!lost_.empty() || is_for_good_) return false;
    if (state_ == state::unknown || asked_) return true;
    if (wanted_ && state_ != state::shut) return true;
    return state_ == state::shut && cause_ == cause::failure && clock_.steady() >= next_rehearsal_;
}

// What else a look may meet shows where the store is used.
void health::heed(result<store_state> const& seen) {
    if (!seen) {
        if (seen.error().damaged) heed_damage(seen.error().message, "the store");
        return;
    }
    heed_loss(seen->lost);
    moved_on_ = seen->moved_on;
    // Also what upkeep and requests have met, whatever they made of it.
    if (seen->times_damaged != times_damaged_) heed_damage(seen->damage, "the store");
    times_damaged_ = seen->times_damaged;
}

void health::heed_loss(std::string lost) {
    if (lost == lost_) return;
    if (lost.empty())
        base::log_info("the database is in its place again");
    else
        base::log_error("no jobs are taken: nothing could be stored", {{"error", lost}});
    lost_ = std::move(lost);
    changed_();
}

void health::heed_damage(std::string const& message, std::string_view whose) {
    if (damage_.empty()) {
        damage_ = message;
        wanted_ = true;
    }
    if (is_shut()) return;
    if (auto const untold = untold_.tell(message, clock_.steady()))
        base::log_error("the database is damaged: what needs the damaged page waits",
                        {{"error", bare(message)},
                         {"file", store_.opened_as().place},
                         {"met_by", whose},
                         {"cure", cure_of_damage},
                         {"repeated", *untold}});
}

void health::heed_rehearsal(result<void> const& went, bool was_asked) {
    if (went && was_asked) {
        damage_.clear();
        damaged_.clear();
        untold_.over();
    }
    if (!went && went.error().damaged) {
        heed_damage(went.error().message, "a rehearsal");
        shut(cause::damage, went.error().message);
    } else if (!went) {
        // That may pass, or concern nothing but the rehearsal: jobs tell.
        if (state_ == state::unknown) open(state::well);
    } else if (state_ == state::unknown || (state_ == state::shut && was_asked)) {
        open(state::well);
    } else if (state_ == state::shut && cause_ == cause::failure) {
        open(state::trial);
    }
}

void health::shut(cause why, std::string const& message) {
    if (state_ == state::shut && (cause_ == cause::damage || why == cause::failure)) return;
    bool const damaged = why == cause::damage;
    char const* const cure = damaged ? cure_of_damage : cure_of_failure;
    auto const what = damaged ? "the database is damaged: no jobs are taken"
                              : "the store fails every job: no jobs are taken";
    base::log_error(what, {{"error", bare(message)}, {"file", store_.opened_as().place}, {"cure", cure}});
    why_ = what + (": " + bare(message)) + " (cure: " + cure + ')';
    state_ = state::shut;
    cause_ = why;
    next_rehearsal_ = clock_.steady() + between_rehearsals;
    changed_();
}

void health::open(state how) {
    if (state_ == state::shut)
        base::log_info("an exchange could be stored: jobs are taken again",
                       {{"one_at_a_time", how == state::trial}});
    state_ = how;
    if (how == state::well) why_.clear();
    failing_.clear();
    changed_();
}

std::string health::remark() const {
    return is_in_doubt() && !is_shut()
               ? "the database is damaged, what needs the damaged page waits: " + bare(damage_) +
                     " (cure: " + cure_of_damage + ')'
               : std::string();
}

}  // namespace engram::store

#include "base/failpoint.hpp"

#ifdef ENGRAM_FAILPOINTS
#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <csignal>
#endif

namespace engram::base {

#ifdef ENGRAM_FAILPOINTS

namespace {

constexpr std::array<std::string_view, 12> places{
    "ingested",           // Redis has handed out jobs, and nothing is known of it here
    "claimed",            // jobs are in hand
    "mid_call",           // Claude has been sent the request
    "before_commit",      // the answer is there, nothing is stored
    "in_commit",          // inside the store's transaction
    "committed",          // stored, and the queue not told
    "finished",           // the reply is out
    "forgotten",          // the store has forgotten a user, Redis has not
    "backup_copied",      // the backup is whole, and does not have its name
    "restore_copied",     // so is what is to be put in the database's place
    "restore_log_moved",  // what was in the old log is in the old database
    "restore_old_kept",   // the old database has a second name
};

// Written before the threads start.
std::string_view armed_place;
int signal_to_send = SIGKILL;
std::atomic<long> passings_left{0};

}  // namespace

std::string arm_failpoint(char const* setting) {
    if (!setting) return {};
    std::string_view const text = setting;
    auto const colon = text.find(':');
    auto const* const known = std::find(places.begin(), places.end(), text.substr(0, colon));
    if (known == places.end() || colon == std::string_view::npos)
        return "ENGRAM_FAILPOINT must be <place>:<nth>[:stop]";
    long nth = 0;
    auto const [end, error] = std::from_chars(text.data() + colon + 1, text.data() + text.size(), nth);
    std::string_view const rest(end, std::size_t(text.data() + text.size() - end));
    if (error != std::errc() || nth < 1 || (!rest.empty() && rest != ":stop"))
        return "ENGRAM_FAILPOINT must be <place>:<nth>[:stop]";
    armed_place = *known;
    signal_to_send = rest.empty() ? SIGKILL : SIGSTOP;
    passings_left = nth;
    return {};
}

void failpoint(std::string_view place) {
    if (place == armed_place && --passings_left == 0) std::raise(signal_to_send);
}

#else

std::string arm_failpoint(char const* setting) {
    return setting ? "ENGRAM_FAILPOINT is set, but this build has no failpoints" : "";
}

#endif

}  // namespace engram::base

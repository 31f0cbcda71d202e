// Whether what is answered can still be kept.
#pragma once

#include "base/clock.hpp"
#include "base/repeated.hpp"
#include "store/keeping.hpp"

#include <boost/asio/awaitable.hpp>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace engram::store {

/// One for the daemon: everybody who uses the store for a job tells it what the store says, and it says
/// whether jobs are taken.
///
///   state     jobs that are taken   left
///   unknown   none                  after the first rehearsal: `shut` if that met damage, else `well`
///   well      all                   `shut`: three jobs, or a rehearsal, met damage; or five jobs failed in a
///                                   minute for another reason that does not pass, and nothing was stored
///   shut      none                  damage: `well` once a rehearsal goes well that reconsider() asked for,
///   or by
///                                   a restart, since a damaged page does not heal. Else: `trial` once a
///                                   rehearsal goes well, one each half minute
///   trial     one                   `well` once something is stored, `shut` if that fails
///
/// Beside that: where what is written would be lost (store_state::lost), it is shut until that is over.
///
/// One job alone whose page is damaged stops nobody else. All calls from one executor; what it refers to must
/// outlive it.
class health {
public:
    enum class state { unknown, well, trial, shut };

    /// `changed` is called whenever current() has changed.
    health(keeping& store, base::clock const& clock, std::function<void()> changed);

    /// A call for the job `whose` has failed. What passes by itself does not count.
    void met(error const& why, std::string_view whose);
    /// Something of a job was stored.
    void worked();

    /// Damage was met where nothing may be taken before it is mended: only a restart opens it again.
    void shut_for_good(std::string const& message);

    /// To be called about once a second. Throws on cancellation alone.
    boost::asio::awaitable<void> look();
    /// Somebody says that it has been seen to: the next look rehearses, and that decides.
    void reconsider() { asked_ = true; }

    [[nodiscard]] state current() const { return lost_.empty() ? state_ : state::shut; }
    /// Nothing is to begin that ends with something stored.
    [[nodiscard]] bool is_shut() const { return current() == state::shut; }
    /// Damage was met: each job is to be rehearsed before Claude is paid for it.
    [[nodiscard]] bool is_in_doubt() const { return !damage_.empty(); }
    answer<void> rehearse(rehearsal what) { return store_.rehearse(std::move(what)); }

    /// As store_state::moved_on.
    [[nodiscard]] std::string const& moved_on() const { return moved_on_; }
    /// Why jobs are not taken, and what to do; empty: they are.
    [[nodiscard]] std::string const& trouble() const { return lost_.empty() ? why_ : lost_; }
    /// What is wrong though jobs are taken; may be empty.
    [[nodiscard]] std::string remark() const;

private:
    struct failed_job {
        std::string whose;
        base::steady_time at;
    };
    enum class cause { damage, failure };

    static void add(std::vector<failed_job>& to, std::string_view whose, base::steady_time now,
                    base::steady_time::duration memory);
    void heed(result<store_state> const& seen);
    void heed_loss(std::string lost);
    void heed_damage(std::string const& message, std::string_view whose);
    [[nodiscard]] bool must_rehearse() const;
    void heed_rehearsal(result<void> const& went, bool was_asked);
    void shut(cause why, std::string const& message);
    void open(state how);

    keeping& store_;
    base::clock const& clock_;
    std::function<void()> changed_;
    state state_ = state::unknown;
    cause cause_ = cause::failure;  // of `shut`
    std::string why_, lost_, moved_on_;
    std::string damage_;               // the first that was met since a rehearsal was asked for and went well
    std::uint64_t times_damaged_ = 0;  // that the store has told
    std::vector<failed_job> damaged_, failing_;
    base::repeated untold_;
    bool is_for_good_ = false;
    bool asked_ = false;   // for a rehearsal, by somebody
    bool wanted_ = false;  // since the first damage
    base::steady_time next_rehearsal_{};
};

}  // namespace engram::store

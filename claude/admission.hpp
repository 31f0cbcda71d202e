// Who may call now.
#pragma once

#include "base/clock.hpp"
#include "claude/asker.hpp"
#include "claude/pace.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace engram::claude {

/// What one model is asked at present.
struct model_pace {
    std::string model;
    double a_minute = 0;      ///< calls, of all daemons; 0: not known yet
    std::size_t waiting = 0;  ///< calls
};

/// A fixed number of places for calls, and for each model a pace. Invariant: somebody waits only while all
/// places are taken or the pace of the model allows no more. Of those that may begin, a waiting chat goes
/// before a background call, and each class in order of arrival; nobody can slip in between. All calls from
/// one executor; must outlive its places and waiters.
class admission {
    struct lane;

public:
    struct limits {
        std::size_t places = 1;
        std::size_t first_calls = 1;  ///< to a model of which nothing is known
        bool shared = false;          ///< somebody asks for reports() and grants permits; see claude::pace
    };
    /// `room_changed` is called whenever room() may have.
    admission(boost::asio::any_io_executor executor, limits limits, std::function<void()> room_changed = {});
    ~admission();
    admission(admission const&) = delete;
    admission& operator=(admission const&) = delete;

    /// For one call. What came of it is told before it leaves, if that tells of the load.
    class place {
    public:
        place() = default;
        place(admission* owner, lane* model) : owner_(owner), lane_(model) {}
        place(place&& other) noexcept
            : owner_(std::exchange(other.owner_, nullptr)), lane_(std::exchange(other.lane_, nullptr)) {}
        place& operator=(place&& other) noexcept;
        ~place() { leave(); }
        explicit operator bool() const { return owner_ != nullptr; }
        void leave();

        // As claude::pace. REQUIRES: it is not empty.
        void answered(told_limits const& limits, usage const& used) const;
        void refused(told_limits const& limits, std::optional<std::chrono::milliseconds> wish) const;
        void failed() const;

    private:
        admission* owner_ = nullptr;
        lane* lane_ = nullptr;
    };

    /// An empty place if none became free until then, or while the model is in trouble within `patience`, or
    /// if there is no room() to wait in. Throws on cancellation.
    boost::asio::awaitable<place> enter(std::string_view model, call_class priority, base::steady_time until,
                                        std::chrono::milliseconds patience);

    /// Looks no more at what time changes, so that nothing of it is left to wait for. REQUIRES: nobody waits.
    void close();

    [[nodiscard]] std::size_t taken() const { return taken_; }
    [[nodiscard]] std::size_t waiting() const;

    /// How many chats should be in hand at most; none: it is no bound. Of several models that chats ask the
    /// one with the most room counts.
    [[nodiscard]] std::optional<std::size_t> room() const;
    /// Of the models that are paced and wanted, to be told to the other daemons.
    [[nodiscard]] std::vector<pace_report> reports();
    void grant(std::vector<pace_grant> const& given);
    [[nodiscard]] std::vector<model_pace> paced() const;

private:
    struct waiter {
        boost::asio::steady_timer timer;
        std::uint64_t number;  // of arrival
        bool granted = false;
    };
    struct lane {
        claude::pace pace;
        std::list<waiter> chats = {};       // in order of arrival
        std::list<waiter> background = {};  // likewise
        base::steady_time last_chat = {};   // that came
        [[nodiscard]] std::size_t waiting() const { return chats.size() + background.size(); }
        [[nodiscard]] std::list<waiter>& line(call_class c) {
            return c == call_class::chat ? chats : background;
        }
    };
    [[nodiscard]] lane& lane_of(std::string_view model);
    void forget_idle_lanes();
    [[nodiscard]] lane* next_lane(call_class priority, base::steady_time now);
    [[nodiscard]] bool may_begin(lane& model, call_class priority, base::steady_time now) const;
    void begin(lane& model, call_class priority, base::steady_time now);
    void hand_on();
    void send_away(lane& model);
    void look();
    void look_later(base::steady_time now);

    boost::asio::any_io_executor executor_;
    limits limits_;
    std::function<void()> room_changed_;
    std::size_t taken_ = 0;
    std::uint64_t arrivals_ = 0;
    std::map<std::string, lane, std::less<>> lanes_;  // by model
    std::list<waiter> granted_;                       // have a place, not yet resumed
    bool closed_ = false;
    bool looking_ = false;                                   // the timer is armed
    std::shared_ptr<int> alive_ = std::make_shared<int>(0);  // for its handler, which may outlive this
    boost::asio::steady_timer timer_;
};

}  // namespace engram::claude

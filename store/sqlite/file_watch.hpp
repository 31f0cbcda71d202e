// The file that was opened, told from whatever stands at its path later.
#pragma once

#include "store/keeping.hpp"
#include "store/sqlite/connection.hpp"
#include "store/sqlite/log_state.hpp"
#include "store/sqlite/log_tie.hpp"

#include <array>
#include <atomic>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>

namespace engram::store {

/// SQLite opens a file once and goes on writing to it, whatever becomes of its name: what is committed into a
/// file that was removed, replaced or overwritten is confirmed, and gone with the next start. A look
/// compares:
///
/// - the database, its log and the index of the log at their paths with those that were opened: with another
///   inode, or none, nobody will read what is written. An inode is not used again while it is open here;
/// - size and time of the database with those of the last look. They change by checkpoints alone, and the
///   index of the log tells whether there was one, by any process. Else somebody wrote past SQLite;
/// - the size of the log with what must be in it.
///
/// A loss lasts until the file is opened anew: nobody knows what happened meanwhile. Damage that a thread of
/// the store meets is noted here, too, so that no caller can keep it to itself. Any thread; a look is
/// three stat() (some 3 µs), and four bytes are read after a checkpoint. Must outlive the store's threads.
class file_watch {
public:
    /// `path`: as open_for_writing() was given it; may be a link. `db` is open there, logs ahead and has
    /// read. Throws open_error if something else stands at the path already.
    file_watch(std::string const& path, connection& db);
    file_watch(file_watch const&) = delete;
    file_watch& operator=(file_watch const&) = delete;
    ~file_watch();

    /// Tells this file from all others that are in use, also on other machines, and from its copies.
    [[nodiscard]] std::uint64_t place_id() const;

    /// Why what is written would be lost, and what to do; empty: it is kept. `db`: any connection to the
    /// file, on its own thread.
    [[nodiscard]] std::string look(connection& db);

    /// What the looks have found so far.
    [[nodiscard]] std::string lost() const;
    /// A call has failed, and not because of a loss: damage is remembered, whoever made the call.
    void met(error const& why);
    /// With a look.
    [[nodiscard]] store_state state(connection& db);
    /// Without one.
    [[nodiscard]] store_state last_state() const;
    /// Whether the log would do harm in what stands at the path now; after a look. `db`: as for that.
    [[nodiscard]] bool must_leave_log(connection& db) const;

    /// Whether a checkpoint is under way that was so in the last call, too. Its process may have died, and as
    /// long as it is not ended the looks see nothing. To be called about once a second.
    [[nodiscard]] bool has_lasting_checkpoint();

    /// To which file the log belongs, if that is not yet told in it: to be stored with the next commit, after
    /// which tie_is_told() is to be called.
    [[nodiscard]] std::optional<log_tie> untold_tie();
    [[nodiscard]] bool has_untold_tie() const;
    void tie_is_told();

    /// Whether a store of this process has the index of a log open.
    [[nodiscard]] static bool is_open_here(std::uint64_t device, std::uint64_t inode);

private:
    struct place {
        std::uint64_t device, inode;
        bool operator==(place const&) const = default;
    };
    struct content {
        std::int64_t bytes, nanoseconds;
        bool operator==(content const&) const = default;
    };
    struct watched {
        std::string what, path;
        place opened;
    };
    struct sight;  // what stat() says of the three

    [[nodiscard]] bool is_told() const;
    std::string compare(connection& db);
    [[nodiscard]] std::uint32_t safe_schema(connection& db, log_state const& log) const;
    std::string lose(std::size_t which, std::string const& how);

    std::array<watched, 3> files_;
    struct quiet_moment {
        content file;
        log_state log;
        std::uint32_t schema;  // as in a tie
    };
    std::optional<quiet_moment> last_;  // in which no checkpoint was under way
    std::optional<quiet_moment> told_, telling_;
    std::optional<log_state> under_way_, was_under_way_;  // a checkpoint: at the last look, and as was told
    std::uint64_t boot_ = this_boot();
    mutable std::mutex mutex_;
    std::atomic<bool> is_lost_ = false;  // so that those who only ask do not wait for a look
    std::string lost_;
    std::string damage_;
    std::uint64_t times_damaged_ = 0;
    bool must_leave_log_ = false;
};

}  // namespace engram::store

// Words that every port of the store uses. Each header of this folder is without a word of an engine.
//
// All calls of the ports come from the executor that the store was opened with, and resume on it. Nothing
// blocks that executor's thread. A call that was started completes even if its caller is cancelled while it
// waits.
#pragma once

#include "base/result.hpp"

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

namespace engram::store {

enum class error_kind {
    unavailable,  ///< disk full, I/O error, held by another process for too long: the same call may work
                  ///< later
    internal,     ///< a bug or a damaged database: it will not work later either
};

struct error {
    error_kind kind = error_kind::internal;
    std::string message;
    /// The file is damaged, or no database: nothing can be relied on until somebody has restored it. Then
    /// `kind` is `internal`.
    bool damaged = false;
};

template <class T>
using result = base::result<T, error>;

/// What every call of a port returns.
template <class T>
using answer = boost::asio::awaitable<result<T>>;

/// A conversation belongs to a user: the same session_id under another user is another conversation.
struct conversation {
    std::string user_id;
    std::string session_id;
    bool operator==(conversation const&) const = default;
};

enum class role { user, assistant };

struct turn {
    std::int64_t id = 0;
    store::role role = store::role::user;
    std::string content;  ///< as it was said or written, memory tags included; may be empty
};

struct memory {
    std::int64_t id = 0;
    std::string type;
    std::string content;
    std::string created_at;  ///< UTC text as the database has it; may be empty
    std::string session_id;  ///< where it was learnt; empty if unknown
    std::int64_t label = 0;  ///< this user's short number of it, the same for all its versions
    bool pinned = false;
};

/// What the model, or somebody for the user, wants noted.
struct new_memory {
    enum class kind { add, update, forget };

    std::string type;     ///< of `add`; of `update`, where empty means: as it was
    std::string content;  ///< not of `forget`
    new_memory::kind what = kind::add;
    std::int64_t label = 0;            ///< of `update` and `forget`
    std::size_t most_of_type = 0;      ///< the one seen least lately ends when there are more; 0: no limit
    std::chrono::seconds lifetime{0};  ///< since it was last seen; 0: for ever
    bool pinned = false;
    /// False: nothing in what the user just said speaks of it. What is known already is then an echo of the
    /// prompt and not told again.
    bool told = true;
};

struct saved_memory {
    std::int64_t id = 0;
    std::string type;
    std::string content;
    /// "added", "confirmed" (it was known and has been told again), "known" (nothing was changed), "updated",
    /// "forgotten"
    std::string action;
};

/// What has been erased of one user so far. Whoever read something of a user and wants to write what became
/// of it must still find the same numbers, or the write would bring back what was erased meanwhile.
struct erasures {
    std::int64_t deletions = 0;  ///< of memories and sessions
    std::int64_t forgets = 0;    ///< of everything
    bool operator==(erasures const&) const = default;
};

}  // namespace engram::store

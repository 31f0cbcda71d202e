// The port of what whoever runs the daemon looks after: which database it is, and whether it can still be
// relied on.
#pragma once

#include "store/conversations.hpp"
#include "store/types.hpp"

#include <array>
#include <cinttypes>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>

namespace engram::store {

/// How a database was opened.
struct opening_report {
    std::string place;     ///< of the engine: the absolute path of the file
    std::uint64_t id = 0;  ///< of this database, random, for as long as it lives; copies have the same
    /// Of the place where it lies, until the machine starts anew: the same for all that have this very file
    /// open, another one for each copy.
    std::uint64_t place_id = 0;
    bool made = false;       ///< there was none
    bool was_empty = false;  ///< there was none, but a file without a byte stood at its place
    std::int64_t version = 0,
                 from_version = 0;  ///< of the schema, now and before; 0: none, or other software's
};

/// Of an id: 16 hexadecimal digits.
[[nodiscard]] inline std::string id_text(std::uint64_t id) {
    std::array<char, 17> digits{};
    std::snprintf(digits.data(), digits.size(), "%016" PRIx64, id);
    return digits.data();
}

/// Which database an instance works with, to compare: "<id>.<place_id>".
[[nodiscard]] inline std::string name_of(opening_report const& opened) {
    return id_text(opened.id) + '.' + id_text(opened.place_id);
}

struct store_state {
    /// Why what is written would be lost, and what to do; empty: it is kept.
    std::string lost;
    /// The last damage that any call has met, whoever made it; empty: none.
    std::string damage;
    std::uint64_t times_damaged = 0;  ///< how often one did
    /// That a newer program has brought the database to a schema that this one does not know, and what to
    /// do; empty: it is as it was. Nothing is stored any more: every write fails as unavailable.
    std::string moved_on;
};

/// An exchange that is stored and taken back.
struct rehearsal {
    job_key job;
    conversation of;
    erasures seen;  ///< as the context had it
    base::wall_time at;
};

class keeping {
public:
    virtual ~keeping() = default;

    [[nodiscard]] virtual opening_report const& opened_as() const = 0;

    /// To be called about once a second. Once it says that what is written would be lost, every other call of
    /// the store fails as unavailable, with the same words.
    virtual answer<store_state> look() = 0;

    /// Stores an exchange with a note, and a failure, as a job's end does, and takes both back in the same
    /// transaction: nothing of them is ever seen. The error is the one that the real one would meet. Finds
    /// damage only where such a write goes. Some 2 ms.
    virtual answer<void> rehearse(rehearsal what) = 0;

    /// Before anything of a user is read or written: those who were forgotten after the copy was made that
    /// has been put in the database's place, however it came there, are forgotten again. Returns how many;
    /// hardly ever any. Takes as long as they have much.
    virtual answer<std::size_t> forget_again() = 0;
};

}  // namespace engram::store

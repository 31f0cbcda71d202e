// Who was forgotten, in a file beside the database: a copy that is put back later does not know it.
#pragma once

#include "store/sqlite/connection.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

namespace engram::store {

struct forgotten_user {
    std::uint64_t database = 0;  ///< the id of the one that they were forgotten in
    std::string digest;          ///< raw; see digest_of_user()
    std::int64_t forgets = 0;    ///< what engram_user counted when it was done
    std::int64_t at_ms = 0;      ///< since 1970
    bool operator==(forgotten_user const&) const = default;
};

/// A line for each: database and digest in hexadecimal, forgets, time. It only grows, some 80 bytes for each
/// forgetting, and holds no word of a user. Any number of processes may add to it. Nothing is kept open. Any
/// thread.
class forgotten_list {
public:
    /// `database`: the path of the database, which need not exist. If it is a link the list stands beside the
    /// file that it leads to; one that stands beside the link, as older programs made it, is read as well.
    explicit forgotten_list(std::string const& database);

    [[nodiscard]] std::string const& path() const { return path_; }

    /// It is on the disk when this returns; the file is made, with mode 0640 less the umask, if there is
    /// none. Throws std::system_error.
    void add(std::vector<forgotten_user> const& users) const;

    /// In the order in which they were added. What is no whole line is left out: a power cut may leave one.
    /// None: there is no such file. Throws std::system_error.
    [[nodiscard]] std::optional<std::vector<forgotten_user>> read() const;

    /// Why a call has failed, and what an operator can do.
    [[nodiscard]] std::string describe(std::system_error const& failed) const;

private:
    std::string path_, beside_link_;  // the second one is empty if there is no link
};

/// A user whom a database has again, or may have again, though they were forgotten since it was copied.
struct returned_user {
    forgotten_user when;
    std::optional<std::string> user_id;  ///< none: nothing of theirs is there
};

/// Those of `list` whose forgettings the database `id` does not know. Looks at one row for each of the list;
/// only if it finds any, once at every user. Throws sqlite_error.
[[nodiscard]] std::vector<returned_user> find_returned(connection& db, std::uint64_t id,
                                                       std::vector<forgotten_user> const& list);

/// Those whom the database itself knows to be forgotten. Throws sqlite_error.
[[nodiscard]] std::vector<forgotten_user> forgotten_in(connection& db, std::uint64_t id);

}  // namespace engram::store

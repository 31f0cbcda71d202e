// One SQLite connection and its statements. SQLite's own header stays in the .cpp files.
#pragma once

#include "store/sqlite/statement.hpp"
#include "store/types.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

struct sqlite3;

namespace engram::store {

/// What SQLite refused. Thrown inside the store only; turned into `error` where a piece of work ends.
class sqlite_error : public std::runtime_error {
public:
    /// `code` is SQLite's extended result code.
    sqlite_error(int code, std::string const& message, bool is_lack = false)
        : std::runtime_error(message), code_(code), is_lack_(is_lack) {}
    /// Of what was done last on this connection; with what this machine lacks, if that is why.
    [[nodiscard]] static sqlite_error latest(sqlite3* of);

    [[nodiscard]] int code() const { return code_; }
    /// This machine lacks something, and the message says what.
    [[nodiscard]] bool is_lack() const { return is_lack_; }
    /// Someone else holds the database.
    [[nodiscard]] bool is_busy() const;
    /// Disk, memory, permissions, locks: not the statement's fault. The whole transaction is to be given up.
    [[nodiscard]] bool is_environment() const;
    /// A lack of room or memory, the disk, or a lock: the same call may succeed later.
    [[nodiscard]] bool passes() const;
    /// The file is damaged or no database at all, as SQLite, the file system or the disk says.
    [[nodiscard]] bool is_damage() const;
    [[nodiscard]] error to_error() const;

private:
    int code_;
    bool is_lack_;
};

/// Owns one connection. Used by one thread at a time. Every call may throw sqlite_error.
class connection {
public:
    enum class access {
        read_write,
        read_only,
        read_only_and_leave_index,  ///< the index that a process which died has left of its log stays as it
                                    ///< is
        read_only_and_unshared,  ///< while nobody else has it open, and without a look at its log: makes no
                                 ///< file and no lock
    };

    /// `path` must be absolute (else SQLite may take it for a URI). Does not create a folder.
    connection(std::string const& path, access how, std::chrono::milliseconds busy_timeout);

    /// Runs every statement of `sql` and throws rows away.
    void execute(std::string const& sql);
    /// The statement must not outlive the connection's last use.
    [[nodiscard]] statement prepare(std::string_view sql);
    /// First column of the first row as integer or text; 0 or "" without a row.
    [[nodiscard]] std::int64_t query_integer(std::string_view sql);
    [[nodiscard]] std::string query_text(std::string_view sql);

    [[nodiscard]] std::int64_t last_insert_id() const;
    /// Rows that the last INSERT, UPDATE or DELETE changed.
    [[nodiscard]] std::int64_t changes() const;
    /// False once SQLite has rolled back by itself, as it does after some errors.
    [[nodiscard]] bool in_transaction() const;
    [[nodiscard]] bool is_read_only() const;
    /// What was read once is read anew: a page that was damaged may have been mended since.
    void forget_pages();
    /// Whether closing it leaves the log where it is, instead of moving it into the database.
    void leave_log(bool really);
    /// The number of the schema in the file itself, without the log (bytes 40 to 43); 0: it cannot be read.
    [[nodiscard]] std::uint32_t schema_in_file();
    /// Of the file, with links resolved: its log stands beside it.
    [[nodiscard]] std::string path() const;
    [[nodiscard]] sqlite3* native() const { return handle_.get(); }

private:
    struct closer {
        void operator()(sqlite3* handle) const;
    };
    std::unique_ptr<sqlite3, closer> handle_;
};

}  // namespace engram::store

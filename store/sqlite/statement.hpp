// A prepared statement: bound, run, read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

struct sqlite3_stmt;

namespace engram::store {

/// Raw bytes to bind, where a string binds as text.
struct blob {
    std::string_view bytes;
};

class statement;

/// The rows of one execution. Gives the statement back when it goes, so keep it no longer than needed.
class rows {
public:
    explicit rows(statement& of) : of_(of) {}
    rows(rows const&) = delete;
    rows& operator=(rows const&) = delete;
    ~rows();

    /// Steps to the next row; false at the end.
    bool next();

    [[nodiscard]] bool is_null(int column) const;
    [[nodiscard]] std::int64_t integer(int column) const;
    /// The stored bytes, whatever their type; valid until next(). "" for NULL.
    [[nodiscard]] std::string_view bytes(int column) const;
    /// As bytes(), made valid UTF-8.
    [[nodiscard]] std::string text(int column) const;

private:
    statement& of_;
};

/// Prepared once, run often. Bound text is borrowed until the execution ends. Throws sqlite_error.
class statement {
public:
    explicit statement(sqlite3_stmt* handle) : handle_(handle) {}

    /// Binds every parameter in order, ready to step.
    template <class... Values>
    [[nodiscard]] rows query(Values const&... values) {
        bind_all(values...);
        return rows(*this);
    }

    /// Binds every parameter in order and runs to the end.
    template <class... Values>
    void run(Values const&... values) {
        bind_all(values...);
        run_to_end();
    }

private:
    friend class rows;

    template <class... Values>
    void bind_all(Values const&... values) {
        int index = 0;
        (bind(++index, values), ...);
        check_bound(index);
    }
    void bind(int index, std::string_view text);
    void bind(int index, std::int64_t value);
    void bind(int index, std::size_t value);  // a count or limit: what does not fit is "no limit"
    void bind(int index, blob value);
    void bind(int index, std::optional<std::int64_t> value);  // none: NULL
    void check(int code) const;
    void check_bound(int count) const;
    bool step();
    void run_to_end();
    void reset() noexcept;

    struct finalizer {
        void operator()(sqlite3_stmt* handle) const;
    };
    std::unique_ptr<sqlite3_stmt, finalizer> handle_;
};

}  // namespace engram::store

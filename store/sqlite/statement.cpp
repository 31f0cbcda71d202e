#include "store/sqlite/statement.hpp"

#include "base/utf8.hpp"
#include "store/sqlite/connection.hpp"

#include <sqlite3.h>

#include <cassert>
#include <limits>

namespace engram::store {

rows::~rows() {
    of_.reset();
}

bool rows::next() {
    return of_.step();
}

bool rows::is_null(int column) const {
    return sqlite3_column_type(of_.handle_.get(), column) == SQLITE_NULL;
}

std::int64_t rows::integer(int column) const {
    return sqlite3_column_int64(of_.handle_.get(), column);
}

std::string_view rows::bytes(int column) const {
    auto* const handle = of_.handle_.get();
    // The text comes first: asking for it may convert the value and so change its size.
    auto const* data = reinterpret_cast<char const*>(sqlite3_column_text(handle, column));
    int const size = sqlite3_column_bytes(handle, column);
    if (data == nullptr) {
        if (sqlite3_errcode(sqlite3_db_handle(handle)) == SQLITE_NOMEM) {
            throw sqlite_error(SQLITE_NOMEM, "out of memory");
        }
        return {};
    }
    return {data, static_cast<std::size_t>(size)};
}

std::string rows::text(int column) const {
    auto const stored = bytes(column);
    return base::is_utf8(stored) ? std::string(stored) : base::to_utf8(stored);
}

// A null pointer would bind NULL, so an empty value borrows a pointer to nothing.
void statement::bind(int index, std::string_view text) {
    check(sqlite3_bind_text64(handle_.get(), index, text.data() == nullptr ? "" : text.data(), text.size(),
                              SQLITE_STATIC, SQLITE_UTF8));
}

void statement::bind(int index, blob value) {
    auto const* data = value.bytes.data() == nullptr ? "" : value.bytes.data();
    check(sqlite3_bind_blob64(handle_.get(), index, data, value.bytes.size(), SQLITE_STATIC));
}

void statement::bind(int index, std::int64_t value) {
    check(sqlite3_bind_int64(handle_.get(), index, value));
}

void statement::bind(int index, std::size_t value) {
    constexpr auto most = std::numeric_limits<std::int64_t>::max();
    bind(index, value > static_cast<std::size_t>(most) ? most : static_cast<std::int64_t>(value));
}

void statement::bind(int index, std::optional<std::int64_t> value) {
    check(value ? sqlite3_bind_int64(handle_.get(), index, *value) : sqlite3_bind_null(handle_.get(), index));
}

void statement::check(int code) const {
    if (code == SQLITE_OK) return;
    auto* const db = sqlite3_db_handle(handle_.get());
    throw sqlite_error::latest(db);
}

void statement::check_bound([[maybe_unused]] int count) const {
    assert(count == sqlite3_bind_parameter_count(handle_.get()));
}

bool statement::step() {
    int const code = sqlite3_step(handle_.get());
    if (code == SQLITE_ROW) return true;
    if (code == SQLITE_DONE) return false;
    auto* const db = sqlite3_db_handle(handle_.get());
    auto const failed = sqlite_error::latest(db);
    reset();
    throw failed;
}

void statement::run_to_end() {
    while (step()) {
    }
    reset();
}

void statement::reset() noexcept {
    sqlite3_reset(handle_.get());
}

void statement::finalizer::operator()(sqlite3_stmt* handle) const {
    sqlite3_finalize(handle);
}

}  // namespace engram::store

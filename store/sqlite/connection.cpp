#include "store/sqlite/connection.hpp"

#include "base/local_lack.hpp"

#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <limits>
#include <system_error>

namespace engram::store {
namespace {

int primary_code(int code) {
    return code & 0xff;
}

// SQLite counts every allocation under one lock unless told otherwise. Once, before the first connection; if
// somebody else has started SQLite already, it stays as it is.
void stop_counting_memory() {
    static int const once = sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    static_cast<void>(once);
}

std::string uri_of(std::string const& path) {
    constexpr std::string_view digits = "0123456789ABCDEF", plain = "/._-";
    std::string uri = "file:";
    for (unsigned char const c : path) {
        bool const is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                              plain.find(char(c)) != std::string_view::npos;
        if (is_plain)
            uri += char(c);
        else
            (uri += '%') += {digits[c >> 4], digits[c & 15]};
    }
    return uri;
}

}  // namespace

// "unable to open database file" does not tell that only a file descriptor was wanting.
sqlite_error sqlite_error::latest(sqlite3* of) {
    int const code = sqlite3_extended_errcode(of);
    std::string const message = sqlite3_errmsg(of);
    bool const is_of_file = primary_code(code) == SQLITE_CANTOPEN || primary_code(code) == SQLITE_IOERR;
    int const number = primary_code(code) == SQLITE_NOMEM ? ENOMEM
                       : is_of_file                       ? sqlite3_system_errno(of)
                                                          : 0;
    auto const lack = base::local_lack(std::error_code(number, std::generic_category()));
    if (lack.empty()) return {code, message};
    return {code, message + " (" + lack + ")", true};
}

bool sqlite_error::is_busy() const {
    auto const code = primary_code(code_);
    return code == SQLITE_BUSY || code == SQLITE_LOCKED;
}

bool sqlite_error::is_environment() const {
    switch (primary_code(code_)) {
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
        case SQLITE_FULL:
        case SQLITE_IOERR:
        case SQLITE_READONLY:
        case SQLITE_CANTOPEN:
        case SQLITE_PERM:
        case SQLITE_NOMEM:
        case SQLITE_INTERRUPT:
        case SQLITE_PROTOCOL:
        case SQLITE_NOLFS:
            return true;
        default:
            return false;
    }
}

bool sqlite_error::passes() const {
    if (is_lack_) return true;
    switch (primary_code(code_)) {
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
        case SQLITE_FULL:
        case SQLITE_IOERR:
        case SQLITE_NOMEM:
        case SQLITE_PROTOCOL:
            return !is_damage();
        default:
            return false;
    }
}

bool sqlite_error::is_damage() const {
    switch (code_) {
        case SQLITE_IOERR_CORRUPTFS:
        case SQLITE_IOERR_DATA:
        case SQLITE_IOERR_SHORT_READ:
            return true;
        default:
            return primary_code(code_) == SQLITE_CORRUPT || primary_code(code_) == SQLITE_NOTADB;
    }
}

error sqlite_error::to_error() const {
    bool const passes = is_environment() && !is_damage();
    return {passes ? error_kind::unavailable : error_kind::internal,
            std::string("the database: ") + what() + " (SQLite code " + std::to_string(code_) + ")",
            is_damage()};
}

connection::connection(std::string const& path, access how, std::chrono::milliseconds busy_timeout) {
    stop_counting_memory();
    // What is said in a URI; nothing: the path is none.
    std::string const parameter = how == access::read_only_and_leave_index ? "?readonly_shm=1"
                                  : how == access::read_only_and_unshared  ? "?immutable=1"
                                                                           : "";
    int const flags = (how == access::read_write ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY) |
                      (parameter.empty() ? 0 : SQLITE_OPEN_URI) | SQLITE_OPEN_NOMUTEX |
                      SQLITE_OPEN_PRIVATECACHE;
    sqlite3* handle = nullptr;
    auto const name = parameter.empty() ? path : uri_of(path) + parameter;
    int const code = sqlite3_open_v2(name.c_str(), &handle, flags, nullptr);
    handle_.reset(handle);
    if (code != SQLITE_OK) {
        if (handle == nullptr) throw sqlite_error(code, sqlite3_errstr(code));
        throw sqlite_error::latest(handle);
    }
    sqlite3_extended_result_codes(handle, 1);
    auto const most = static_cast<std::chrono::milliseconds::rep>(std::numeric_limits<int>::max());
    sqlite3_busy_timeout(handle, static_cast<int>(std::clamp(busy_timeout.count(), decltype(most){0}, most)));
}

void connection::execute(std::string const& sql) {
    if (sqlite3_exec(native(), sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK) return;
    throw sqlite_error::latest(native());
}

statement connection::prepare(std::string_view sql) {
    sqlite3_stmt* prepared = nullptr;
    int const code = sqlite3_prepare_v3(native(), sql.data(), static_cast<int>(sql.size()),
                                        SQLITE_PREPARE_PERSISTENT, &prepared, nullptr);
    if (code != SQLITE_OK) throw sqlite_error::latest(native());
    return statement(prepared);
}

std::int64_t connection::query_integer(std::string_view sql) {
    auto once = prepare(sql);
    auto found = once.query();
    return found.next() ? found.integer(0) : 0;
}

std::string connection::query_text(std::string_view sql) {
    auto once = prepare(sql);
    auto found = once.query();
    return found.next() ? std::string(found.bytes(0)) : std::string();
}

std::int64_t connection::last_insert_id() const {
    return sqlite3_last_insert_rowid(native());
}

std::int64_t connection::changes() const {
    return sqlite3_changes64(native());
}

bool connection::in_transaction() const {
    return sqlite3_get_autocommit(native()) == 0;
}

bool connection::is_read_only() const {
    return sqlite3_db_readonly(native(), "main") == 1;
}

void connection::forget_pages() {
    sqlite3_db_release_memory(native());
}

void connection::leave_log(bool really) {
    sqlite3_db_config(native(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, really ? 1 : 0, nullptr);
}

// Through SQLite's own file: to open and close another one would cost this process its locks.
std::uint32_t connection::schema_in_file() {
    sqlite3_file* file = nullptr;
    sqlite3_file_control(native(), "main", SQLITE_FCNTL_FILE_POINTER, &file);
    std::array<unsigned char, 4> bytes{};
    if (file == nullptr || file->pMethods == nullptr) return 0;
    if (file->pMethods->xRead(file, bytes.data(), int(bytes.size()), 40) != SQLITE_OK) return 0;
    return std::uint32_t(bytes[0]) << 24 | std::uint32_t(bytes[1]) << 16 | std::uint32_t(bytes[2]) << 8 |
           bytes[3];
}

std::string connection::path() const {
    auto const* const name = sqlite3_db_filename(native(), "main");
    return name != nullptr ? name : "";
}

void connection::closer::operator()(sqlite3* handle) const {
    sqlite3_close_v2(handle);
}

}  // namespace engram::store

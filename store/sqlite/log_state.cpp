#include "store/sqlite/log_state.hpp"

#include <sqlite3.h>

#include <array>
#include <cstddef>
#include <cstring>

namespace engram::store {
namespace {

// The index is in the byte order of the machine, shared by the processes, and begins with two copies of its
// header: a reader that finds both equal has read neither while it was written. Words of 32 bits from its
// beginning:
constexpr std::size_t header_words = 12;
constexpr std::size_t version_at = 0, flags_at = 3, frames_at = 4, salt_at = 8, moved_at = 24, moving_at = 32;
constexpr std::uint32_t known_version = 3'007'000;
constexpr int region_bytes = 32'768;
constexpr sqlite3_int64 salt_in_log = 16;  // in bytes

using words = std::uint32_t const volatile*;

std::uint32_t word(words index, std::size_t at) {
    return __atomic_load_n(index + at, __ATOMIC_ACQUIRE);
}

std::array<std::uint32_t, header_words> header(words index, std::size_t copy) {
    std::array<std::uint32_t, header_words> read{};
    for (std::size_t i = 0; i < header_words; ++i)
        read[i] = word(index, copy * header_words + i);
    return read;
}

// SQLite's own view of the index: opening the file beside it would cost this process its locks when it is
// closed.
words index_of(connection& db) {
    sqlite3_file* file = nullptr;
    if (sqlite3_file_control(db.native(), "main", SQLITE_FCNTL_FILE_POINTER, &file) != SQLITE_OK)
        return nullptr;
    if (file == nullptr || file->pMethods == nullptr || file->pMethods->iVersion < 2) return nullptr;
    void volatile* region = nullptr;
    file->pMethods->xShmMap(file, 0, region_bytes, 0, &region);
    return static_cast<words>(region);
}

// The flags are two bytes and the size of a page in two more; 1 stands for 65,536.
std::uint32_t page_bytes_of(std::uint32_t flags) {
    std::array<unsigned char, 4> bytes{};
    std::memcpy(bytes.data(), &flags, sizeof flags);
    std::uint16_t size = 0;
    std::memcpy(&size, bytes.data() + 2, sizeof size);
    return size == 1 ? 65'536 : size;
}

// Salts are kept as they stand in the log: in big-endian order.
std::uint32_t big_endian(std::uint32_t raw) {
    std::array<unsigned char, 4> bytes{};
    std::memcpy(bytes.data(), &raw, sizeof raw);
    return std::uint32_t(bytes[0]) << 24 | std::uint32_t(bytes[1]) << 16 | std::uint32_t(bytes[2]) << 8 |
           bytes[3];
}

std::optional<log_state> state_of(words index) {
    auto const first = header(index, 0);
    if (first != header(index, 1) || first[version_at] != known_version) return std::nullopt;
    return log_state{.salt = std::uint64_t(big_endian(first[salt_at])) << 32 | big_endian(first[salt_at + 1]),
                     .page_bytes = page_bytes_of(first[flags_at]),
                     .frames = first[frames_at],
                     .moved = word(index, moved_at),
                     .moving = word(index, moving_at)};
}

}  // namespace

std::optional<log_state> read_log_state(connection& db) {
    auto const index = index_of(db);
    return index != nullptr ? state_of(index) : std::nullopt;
}

bool has_log_index(connection& db) {
    return index_of(db) != nullptr;
}

bool has_log_of_index(connection& db) {
    auto const state = read_log_state(db);
    sqlite3_file* log = nullptr;
    sqlite3_file_control(db.native(), "main", SQLITE_FCNTL_JOURNAL_POINTER, &log);
    if (!state || log == nullptr || log->pMethods == nullptr) return false;
    if (state->frames == 0) return true;
    sqlite3_int64 bytes = 0;
    std::array<std::uint32_t, 2> salt{};
    if (log->pMethods->xFileSize(log, &bytes) != SQLITE_OK || bytes < sqlite3_int64(state->log_bytes()))
        return false;
    if (log->pMethods->xRead(log, salt.data(), sizeof salt, salt_in_log) != SQLITE_OK) return false;
    return state->salt == (std::uint64_t(big_endian(salt[0])) << 32 | big_endian(salt[1]));
}

std::optional<log_state> parse_log_state(std::string const& bytes) {
    std::array<std::uint32_t, log_index_bytes / sizeof(std::uint32_t)> index{};
    if (bytes.size() < sizeof index) return std::nullopt;
    std::memcpy(index.data(), bytes.data(), sizeof index);
    return state_of(index.data());
}

}  // namespace engram::store

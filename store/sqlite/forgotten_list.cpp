#include "store/sqlite/forgotten_list.hpp"

#include "base/local_lack.hpp"
#include "store/keeping.hpp"
#include "store/sqlite/user_queries.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string_view>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace engram::store {
namespace {

constexpr std::string_view hex_digits = "0123456789abcdef";

std::string to_hex(std::string_view bytes) {
    std::string text;
    for (unsigned char const one : bytes)
        (text += hex_digits[one >> 4]) += hex_digits[one & 15];
    return text;
}

std::optional<std::string> from_hex(std::string_view text) {
    std::string bytes;
    for (std::size_t i = 0; i < text.size(); i += 2) {
        unsigned char byte = 0;
        auto const* const end = text.data() + std::min(i + 2, text.size());
        auto const [stop, failed] = std::from_chars(text.data() + i, end, byte, 16);
        if (failed != std::errc() || stop != text.data() + i + 2) return std::nullopt;
        bytes += char(byte);
    }
    return bytes;
}

std::string line_of(forgotten_user const& user) {
    return id_text(user.database) + ' ' + to_hex(user.digest) + ' ' + std::to_string(user.forgets) + ' ' +
           std::to_string(user.at_ms) + '\n';
}

std::optional<forgotten_user> parse(std::string const& line) {
    std::istringstream in(line);
    std::string database, digest;
    forgotten_user user;
    in >> database >> digest >> user.forgets >> user.at_ms;
    auto const bytes = from_hex(digest);
    auto const* const end = database.data() + database.size();
    auto const [stop, failed] = std::from_chars(database.data(), end, user.database, 16);
    if (in.fail() || !bytes || bytes->empty() || failed != std::errc() || stop != end) return std::nullopt;
    user.digest = *bytes;
    return user;
}

class descriptor {
public:
    explicit descriptor(int file, std::string const& path) : file_(file) {
        if (file < 0) throw std::system_error(errno, std::generic_category(), path);
    }
    descriptor(descriptor const&) = delete;
    descriptor& operator=(descriptor const&) = delete;
    ~descriptor() { ::close(file_); }
    operator int() const { return file_; }

private:
    int file_;
};

[[noreturn]] void fail(std::string const& path) {
    throw std::system_error(errno, std::generic_category(), path);
}

// Half a line, of a write that was cut off, must not become the beginning of the next one.
bool ends_within_a_line(int file) {
    struct stat now{};
    char last = '\n';
    if (::fstat(file, &now) == 0 && now.st_size > 0)
        static_cast<void>(::pread(file, &last, 1, now.st_size - 1));
    return last != '\n';
}

std::optional<std::vector<forgotten_user>> read_file(std::string const& path) {
    struct stat there{};
    if (::stat(path.c_str(), &there) != 0) {
        if (errno == ENOENT) return std::nullopt;
        fail(path);
    }
    errno = 0;
    std::ifstream in(path, std::ios::binary);
    if (!in) fail(path);
    std::vector<forgotten_user> users;
    for (std::string line; std::getline(in, line) && !in.eof();) {
        if (auto user = parse(line)) users.push_back(std::move(*user));
    }
    if (in.bad()) fail(path);
    return users;
}

// Distinct users, by an index each: the next one is one look, however many rows the one before has.
constexpr std::array<std::string_view, 7> users_of_tables{
    "engram_session WHERE",
    "long_term_memory INDEXED BY engram_memory_by_user WHERE",
    "conversation_history INDEXED BY engram_history_window WHERE summary_id IS NULL AND "
    "role IN ('user', 'assistant') AND",
    "conversation_history INDEXED BY engram_history_archive WHERE (summary_id IS NOT NULL OR role IS NULL OR "
    "role NOT IN ('user', 'assistant')) AND",
    "engram_finished_job INDEXED BY engram_finished_job_by_user WHERE",
    "engram_failed_delivery INDEXED BY engram_failed_delivery_by_user WHERE",
    "engram_erasure INDEXED BY engram_erasure_by_user WHERE"};

template <class Function>
void for_each_user(connection& db, Function function) {
    for (auto const table : users_of_tables) {
        // What is no text is of other software, and becomes text when it is adopted.
        auto next = db.prepare(std::string("SELECT user_id FROM ")
                                   .append(table)
                                   .append(" user_id > ?1 AND user_id < x'' ORDER BY user_id LIMIT 1"));
        std::string user;
        for (;;) {
            {
                auto found = next.query(user);
                if (!found.next()) break;
                user = std::string(found.bytes(0));
            }
            function(user);
        }
    }
}

}  // namespace

forgotten_list::forgotten_list(std::string const& database) {
    std::error_code failed;
    auto const file = std::filesystem::weakly_canonical(database, failed).string();
    path_ = (failed ? database : file) + ".forgotten";
    if (path_ != database + ".forgotten") beside_link_ = database + ".forgotten";
}

void forgotten_list::add(std::vector<forgotten_user> const& users) const {
    std::error_code none;
    bool const is_new = !std::filesystem::exists(path_, none);
    descriptor const file(::open(path_.c_str(), O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0640), path_);
    std::string text(ends_within_a_line(file) ? "\n" : "");
    for (auto const& user : users)
        text += line_of(user);
    for (std::string_view rest = text; !rest.empty();) {
        auto const written = ::write(file, rest.data(), rest.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) fail(path_);
        rest.remove_prefix(std::size_t(written));
    }
    if (::fsync(file) != 0) fail(path_);
    if (!is_new) return;
    auto const folder = std::filesystem::path(path_).parent_path().string();
    descriptor const where(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC), folder);
    if (::fsync(where) != 0) fail(folder);
}

std::optional<std::vector<forgotten_user>> forgotten_list::read() const {
    auto older = beside_link_.empty() ? std::nullopt : read_file(beside_link_);
    auto users = read_file(path_);
    if (!users) return older;
    if (older) users->insert(users->begin(), older->begin(), older->end());
    return users;
}

std::string forgotten_list::describe(std::system_error const& failed) const {
    auto const text = std::string("the list of who was forgotten cannot be used: ") + failed.what();
    auto const& why = failed.code();
    if (why == std::errc::no_space_on_device || !base::local_lack(why).empty()) return text;
    return text + "; make " + path_ +
           " a file that the daemon's user can read and write, or move it away if nobody was forgotten since "
           "the backup";
}

std::vector<returned_user> find_returned(connection& db, std::uint64_t id,
                                         std::vector<forgotten_user> const& list) {
    std::map<std::string, returned_user> returned;  // by digest
    auto find = db.prepare("SELECT forgets FROM engram_user WHERE digest = ?1");
    for (auto const& user : list) {
        if (user.database != id) continue;
        auto found = find.query(blob{user.digest});
        if (found.next() && found.integer(0) >= user.forgets) continue;
        auto& one = returned[user.digest];
        if (one.when.forgets < user.forgets) one.when = user;
    }
    if (returned.empty()) return {};
    for_each_user(db, [&](std::string const& user_id) {
        if (auto const one = returned.find(digest_of_user(user_id)); one != returned.end())
            one->second.user_id = user_id;
    });
    std::vector<returned_user> all;
    for (auto& [digest, user] : returned)
        all.push_back(std::move(user));
    return all;
}

std::vector<forgotten_user> forgotten_in(connection& db, std::uint64_t id) {
    std::vector<forgotten_user> users;
    auto all = db.prepare("SELECT digest, forgets, forgotten_at FROM engram_user WHERE forgets > 0");
    auto found = all.query();
    while (found.next())
        users.push_back({id, std::string(found.bytes(0)), found.integer(1), found.integer(2)});
    return users;
}

}  // namespace engram::store
